import FoundationEssentials
import Host
import Jobs
import Synchronization

/// Finds out what is in a recording, and refuses what is none.
///
/// Leaves `probe.json`, a ``ProbedMedia``.
package struct FFprobe: StageEngine {
    package let stage = StageName.probe
    package let name = "ffprobe"

    private let paths: EnginePaths
    private let environment: EngineEnvironment
    private let asked = EngineVersion()

    /// Seconds; in less nobody sings a word.
    private static let shortest = 0.2
    /// For looking at the headers.
    private static let limit: Duration = .seconds(20)

    package init(paths: EnginePaths, environment: EngineEnvironment) {
        self.paths = paths
        self.environment = environment
    }

    package func version() async -> String? {
        await asked.ask(paths.ffprobe, ["-version"], environment: environment, read: Self.version)
    }

    /// From `ffprobe version 5.1.9-0+deb12u1 Copyright …`.
    static func version(_ line: String) -> String? {
        let words = line.split(separator: " ")
        return words.count > 2 && words[1] == "version" ? String(words[2]) : nil
    }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        try await EngineRun.with(request, stage: stage, engine: name, environment: environment) { (run) async throws(StageError) in
            guard let recording = request.recording else { throw run.failure(.failed(.ours), "the job has no recording") }
            guard let ffprobe = paths.ffprobe else { throw run.engineMissing("ffprobe", install: "apt-get install ffmpeg") }
            try checkSize(of: recording, run)
            var peak = 0
            let report = try await look(ffprobe, recording, run, &peak)
            var media = try choose(report, run)
            if media.duration <= 0 { try await measure(recording, &media, run, &peak) }
            try judge(media, run)
            do { try StageFolder.write(media, as: StageFolder.probe, in: request.output) } catch { throw run.failure(error) }
            return StageOutcome(peakMemory: peak, facts: facts(media))
        }
    }

    /// ffprobe says `Invalid argument` of an empty file; the person should hear that it is empty.
    private func checkSize(of recording: String, _ run: EngineRun) throws(StageError) {
        guard let slash = recording.lastIndex(of: "/") else { throw run.failure(.failed(.ours), "the recording's path is not absolute") }
        let status: FileStatus?
        do {
            status = try Directory.open(slash == recording.startIndex ? "/" : String(recording[..<slash]))
                .status(of: FileName(String(recording[recording.index(after: slash)...])))
        } catch {
            throw run.failure(error)
        }
        guard let status, status.kind == .regular else { throw run.failure(.failed(.ours), "the claimed recording is gone") }
        guard status.size > 0 else { throw badMedia(run, "the file is empty") }
        guard status.size <= Int64(run.request.plan.sizeMaxBytes) else {
            throw run.failure(
                .failed(.policy), "the file is larger than the \(run.request.plan.sizeMaxBytes >> 20) MiB that are accepted",
                next: "raise the largest size that is accepted, or drop a smaller version")
        }
    }

    // MARK: Looking

    private func look(_ ffprobe: String, _ recording: String, _ run: EngineRun, _ peak: inout Int) async throws(StageError) -> Report {
        // A tag may be as long as its writer liked, and a line of output may not: without tags it is always short.
        for withTags in [true, false] {
            let output = Mutex<[UInt8]>([])
            let result = try await run.execute(ffprobe, Self.arguments(recording, withTags: withTags), timeLimit: Self.limit) { line in
                output.withLock { $0 += line + [UInt8(ascii: "\n")] }
            }
            peak = max(peak, result.peakMemory)
            guard result.ending == .exited(0) else { throw unreadable(run, result) }
            if let report = try? JSONDecoder().decode(Report.self, from: Data(output.withLock { $0 })) { return report }
        }
        throw run.failure(.badOutput, "ffprobe's answer cannot be read")
    }

    private static func arguments(_ recording: String, withTags: Bool) -> [String] {
        var entries =
            "format=format_name,duration:stream=index,codec_type,codec_name,sample_rate,channels,duration:stream_disposition=default"
        if withTags { entries += ":format_tags=title,artist,album,language:stream_tags=title,artist,album,language" }
        return ["-v", "error", "-hide_banner"] + MediaContainers.options
            + ["-print_format", "json", "-show_entries", entries, "-i", "file:" + recording]
    }

    private func unreadable(_ run: EngineRun, _ result: ChildResult) -> StageError {
        let text = result.stderrTail
        if text.contains("Format not on whitelist") {
            return badMedia(run, "the file is not a media file but a list of others, or of a kind that is not accepted", result: result)
        }
        if text.contains("channels not set") || text.contains("channel count") {
            return badMedia(run, "the sound in this file has no channels", result: result)
        }
        if text.contains("Cannot allocate memory") {
            return badMedia(run, "the file's header asks for more memory than any recording needs", result: result)
        }
        return badMedia(run, "this is not a media file, or it is damaged", result: result)
    }

    private func badMedia(
        _ run: EngineRun, _ message: String, next: String = "play the file to see whether it is what it should be, and drop a good copy",
        result: ChildResult? = nil
    ) -> StageError {
        run.failure(.failed(.badMedia), message, next: next, result: result)
    }

    // MARK: Judging

    private func choose(_ report: Report, _ run: EngineRun) throws(StageError) -> ProbedMedia {
        let audio = (report.streams ?? []).filter { $0.codec_type == "audio" }
        guard !audio.isEmpty else { throw badMedia(run, "there is no sound in this file") }
        let wanted = run.request.plan.audioLanguage.lowercased()
        let usable = audio.filter { ($0.channels ?? 0) > 0 && $0.codec_name != nil && $0.codec_name != "none" }
        guard let first = usable.first else {
            // A file of noise passes for MP3 until its first frame is looked for.
            throw badMedia(run, "this is not a media file: no sound can be decoded from it")
        }
        let stream = (wanted.isEmpty ? nil : usable.first { $0.tag("language")?.lowercased() == wanted }) ?? first
        func tag(_ name: String) -> String? { report.format?.tag(name) ?? stream.tag(name) }
        return ProbedMedia(
            container: report.format?.format_name ?? "",
            duration: Self.seconds(stream.duration) ?? Self.seconds(report.format?.duration) ?? 0,
            isDurationMeasured: false, streamIndex: stream.index ?? 0, audioStreams: audio.count, codec: stream.codec_name ?? "",
            sampleRate: Int(stream.sample_rate ?? "") ?? 0, channels: stream.channels ?? 0,
            language: stream.tag("language").flatMap { $0 == "und" ? nil : $0 }, title: tag("title"), artist: tag("artist"),
            album: tag("album"))
    }

    /// The header does not say how long the recording is, or says 0: decode it, as far as it may be long.
    private func measure(_ recording: String, _ media: inout ProbedMedia, _ run: EngineRun, _ peak: inout Int) async throws(StageError) {
        guard let ffmpeg = paths.ffmpeg else { throw run.engineMissing("ffmpeg", install: "apt-get install ffmpeg") }
        let progress = Mutex(FFmpegProgress())
        let result = try await run.execute(
            ffmpeg,
            ["-v", "error", "-nostdin", "-hide_banner"] + MediaContainers.options
                + [
                    "-t", "\(Int(run.request.plan.durationMaxSeconds) + 2)", "-i", "file:" + recording, "-map", "0:\(media.streamIndex)",
                    "-vn", "-sn", "-dn", "-f", "null", "-progress", "pipe:1", "-nostats", "-",
                ]
        ) { line in progress.withLock { $0.take(line) } }
        peak = max(peak, result.peakMemory)
        media.duration = progress.withLock { $0.seconds }
        media.isDurationMeasured = true
    }

    private func judge(_ media: ProbedMedia, _ run: EngineRun) throws(StageError) {
        let limit = run.request.plan.durationMaxSeconds
        guard media.duration > 0 else { throw badMedia(run, "the recording is empty: it has a header and no sound") }
        guard media.duration >= Self.shortest else {
            throw badMedia(
                run,
                "the recording is only \(hundredths(media.duration)) s long; nothing is sung in less than \(hundredths(Self.shortest)) s")
        }
        guard media.duration <= limit else {
            throw run.failure(
                .failed(.policy),
                "the recording is \(media.isDurationMeasured ? "more than \(Int(limit))" : "\(Int(media.duration))") s long; at most \(Int(limit)) s are accepted",
                next: "raise the longest duration that is accepted, or drop a shorter piece")
        }
    }

    private func hundredths(_ seconds: Double) -> String {
        let value = Int(seconds * 100)
        return "\(value / 100)." + (value % 100 < 10 ? "0" : "") + "\(value % 100)"
    }

    private func facts(_ media: ProbedMedia) -> [String: String] {
        var facts = [
            "container": media.container, "codec": media.codec, "duration": "\(media.duration)", "stream_index": "\(media.streamIndex)",
            "audio_streams": "\(media.audioStreams)", "channels": "\(media.channels)", "sample_rate": "\(media.sampleRate)",
        ]
        facts["audio_language"] = media.language
        facts["title"] = media.title
        facts["artist"] = media.artist
        facts["album"] = media.album
        return facts
    }

    private static func seconds(_ text: String?) -> Double? {
        text.flatMap(Double.init).flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }

    // MARK: ffprobe's own form

    private struct Report: Decodable {
        var format: Part?
        var streams: [Part]?
    }

    /// A stream, or the whole. Named as ffprobe names them.
    private struct Part: Decodable {
        var index: Int?
        var codec_type: String?
        var codec_name: String?
        var sample_rate: String?
        var channels: Int?
        var duration: String?
        var format_name: String?
        var tags: [String: String]?

        /// Containers differ in capitals: `TITLE` in FLAC.
        func tag(_ name: String) -> String? {
            guard let text = tags?.first(where: { $0.key.lowercased() == name })?.value else { return nil }
            return text.isEmpty ? nil : String(text.prefix(1000))
        }
    }
}
