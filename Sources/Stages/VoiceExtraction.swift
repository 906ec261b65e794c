import Host
import Jobs
import Synchronization

/// How ffmpeg makes `voice.wav` of a recording: 16 000 Hz, mono, 16 bit.
enum VoiceMix: Sendable {
    /// What both channels share: on most records the voice, with bass and drums.
    case centre
    /// Both channels together.
    case middle
    /// The left channel alone, for recordings whose channels cancel each other out.
    case left
}

/// The work that the engines of the *separate* stage share.
struct VoiceExtraction: Sendable {
    let run: EngineRun
    let ffmpeg: String
    let recording: String
    let media: ProbedMedia

    /// What ffmpeg's `volumedetect` says of digital silence in 16 bits, decibels.
    private static let silence = -91.0
    /// Below the middle by so many decibels the sides hold nothing to tell a voice by.
    private static let nearMono = 40.0

    struct Result: Sendable {
        /// Seconds of `voice.wav`.
        var seconds: Double
        /// Decibels below full scale; the loudest sample and the mean. −91 is silence.
        var peak: Double
        var mean: Double
        /// Mean of what both channels share and of what they do not; `nil` for mono.
        var middle: Double?
        var side: Double?
        var peakMemory: Int

        var isSilent: Bool { peak <= VoiceExtraction.silence }
        /// Two channels with the same sound.
        var isNearMono: Bool { side.flatMap { side in middle.map { $0 - side >= VoiceExtraction.nearMono } } ?? true }
        /// Two channels with opposite sound: their sum is far below their difference.
        var isOpposed: Bool { side.flatMap { side in middle.map { side - $0 >= VoiceExtraction.nearMono } } ?? false }
    }

    func make(_ mix: VoiceMix) async throws(StageError) -> Result {
        let progress = Mutex(FFmpegProgress())
        let levels = Mutex(Levels())
        let name = StageFolder.voice
        do { try Directory.open(run.request.output).remove(name) } catch { throw run.failure(error) }
        let total = media.duration
        let result = try await run.execute(ffmpeg, arguments(mix), stallLimit: .seconds(120)) { line in
            let seconds = progress.withLock { progress in
                progress.take(line)
                return progress.seconds
            }
            run.request.report(StageProgress(fraction: total > 0 ? seconds / total : nil))
        } onError: { line in
            levels.withLock { $0.take(line) }
        }
        let size: Int64
        do { size = try Directory.open(run.request.output).status(of: name)?.size ?? 0 } catch { throw run.failure(error) }
        // 44 bytes of header, 2 bytes per sample.
        let seconds = Double(max(0, size - 44)) / 32_000
        let measured = levels.withLock { $0 }
        guard seconds > 0, result.ending == .exited(0), let voice = measured["voice"] else { throw failed(result, seconds) }
        return Result(
            seconds: seconds, peak: voice.peak, mean: voice.mean, middle: measured["middle"]?.mean, side: measured["side"]?.mean,
            peakMemory: result.peakMemory)
    }

    /// The outcome for a finished `voice.wav`.
    func outcome(_ result: Result, mix: VoiceMix) -> StageOutcome {
        var facts = ["voice_seconds": "\(result.seconds)", "voice_peak": "\(result.peak)", "voice_mean": "\(result.mean)"]
        switch mix {
        case .centre: facts["mix"] = "centre"
        case .middle: facts["mix"] = "mono"
        case .left: facts["mix"] = "left"
        }
        let missing = media.duration - result.seconds
        if missing > max(0.5, media.duration * 0.02) {
            facts["remark"] = "only \(Int(result.seconds)) of \(Int(media.duration)) s could be decoded"
        }
        // What can be decoded is what there is; headers guess.
        facts["duration"] = "\(result.seconds)"
        return StageOutcome(peakMemory: result.peakMemory, facts: facts, isInstrumental: result.isSilent)
    }

    private func failed(_ result: ChildResult, _ seconds: Double) -> StageError {
        let text = result.stderrTail
        if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
            return run.failure(
                .failed(.environment), "no space left for the voice", next: "make space; the job goes on by itself", result: result)
        }
        if text.contains("Cannot allocate memory") {
            return run.failure(.failed(.outOfMemory), "ffmpeg had not enough memory", result: result)
        }
        if text.contains("No such filter") {
            return run.failure(
                .failed(.environment), "this ffmpeg lacks a filter that is needed; it is probably older than 5.1",
                next: "install ffmpeg 5.1 or newer, or set separate = \"none\"", result: result)
        }
        return run.failure(
            .failed(.badMedia), "no sound could be decoded from this recording: it is damaged or cut off",
            next: "play the file to see whether it is what it should be, and drop a good copy", result: result)
    }

    // MARK: The command

    private func arguments(_ mix: VoiceMix) -> [String] {
        let voice = [
            "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact",
            "-progress", "pipe:1", "-f", "wav", "file:" + run.request.output + "/" + StageFolder.voice.display,
        ]
        let (graph, isStereo) = graph(mix)
        return ["-v", "info", "-nostdin", "-hide_banner", "-nostats", "-y"] + MediaContainers.options
            // Sound beyond the longest duration that is accepted is not what probe has seen.
            + ["-t", "\(Int(run.request.plan.durationMaxSeconds) + 2)", "-i", "file:" + recording, "-filter_complex", graph]
            + ["-map", "[voice]"] + voice
            + (isStereo ? ["-map", "[middle]", "-f", "null", "-", "-map", "[side]", "-f", "null", "-"] : [])
    }

    /// The filters, and whether middle and side are measured.
    private func graph(_ mix: VoiceMix) -> (String, Bool) {
        let input = "[0:\(media.streamIndex)]"
        guard media.channels > 1 else { return ("\(input)aresample=16000,volumedetect@voice[voice]", false) }
        // The filter that finds the centre delays by 1536 samples at these two rates: as many are put in front of the end and
        // cut from the beginning. Checked by correlation; source of the window: FFmpeg, libavfilter/af_dialoguenhance.c.
        let rate = media.sampleRate == 44_100 || media.sampleRate == 48_000 ? "" : "aresample=44100,"
        let stereo = "\(input)\(rate)aformat=channel_layouts=stereo"
        let middle = "pan=mono|c0=0.5*FL+0.5*FR"
        let voice =
            switch mix {
            case .centre:
                "apad=pad_len=1536,dialoguenhance=original=0:enhance=1:voice=2,pan=mono|c0=FC,atrim=start_sample=1536,asetpts=N/SR/TB"
            case .middle: middle
            case .left: "pan=mono|c0=FL"
            }
        return (
            "\(stereo),asplit=3[a][b][c];[a]\(voice),aresample=16000,volumedetect@voice[voice];"
                + "[b]\(middle),volumedetect@middle[middle];[c]pan=mono|c0=0.5*FL-0.5*FR,volumedetect@side[side]", true
        )
    }

    /// `[volumedetect@voice @ 0x55d…] mean_volume: -23.1 dB`, from stderr. The last one counts: it is written when all is over,
    /// so that a tag in the recording cannot pose as it.
    private struct Levels {
        private var found: [String: (peak: Double, mean: Double)] = [:]
        private var mean: [String: Double] = [:]

        subscript(_ name: String) -> (peak: Double, mean: Double)? { found[name] }

        mutating func take(_ line: [UInt8]) {
            guard line.starts(with: "[volumedetect@".utf8) else { return }
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count >= 5, let name = words[0].dropPrefix("[volumedetect@"), let value = Double(words[4]) else { return }
            switch words[3] {
            case "mean_volume:": mean[String(name)] = value
            case "max_volume:": found[String(name)] = (value, mean[String(name)] ?? value)
            default: break
            }
        }
    }
}
