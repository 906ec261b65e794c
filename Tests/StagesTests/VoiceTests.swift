import Foundation
import Host
import Jobs
import Stages
import Testing

@Suite struct VoiceTests {
    private func separate(_ shop: Workshop, _ recording: String, centre: Bool = true, plan: Plan = Plan(), into name: String = "separate")
        async throws -> StageOutcome
    {
        if !FileManager.default.fileExists(atPath: shop.path("probe")) { _ = try await shop.probe(recording) }
        let engine: any StageEngine =
            centre
            ? CentreExtraction(paths: shop.paths, environment: shop.environment) : MonoMix(paths: shop.paths, environment: shop.environment)
        return try await engine.run(shop.request(name, plan: plan, recording: recording, inputs: [.probe: shop.path("probe")]))
    }

    /// The offset, in samples, at which `heard` is most like `truth`.
    private func delay(of heard: [Int16], against truth: [Int16], within range: ClosedRange<Int>) -> Int {
        let window = 16_000..<22_000
        func likeness(_ offset: Int) -> Double {
            window.reduce(0.0) { $0 + Double(truth[$1]) * Double(heard[$1 + offset]) }
        }
        return range.max { likeness($0) < likeness($1) } ?? 0
    }

    /// A voice in the middle, a tone left, another one right.
    private func mix(_ shop: Workshop, rate: Int, as name: String) async throws -> (voice: [Int16], path: String) {
        try await shop.speech("The quick brown fox jumps over the lazy dog and runs away", as: "voice.wav")
        try await shop.ffmpeg(
            "-i", shop.path("voice.wav"), "-f", "lavfi", "-i", "sine=330:d=5", "-f", "lavfi", "-i", "sine=1250:d=5", "-filter_complex",
            "[0:a]aresample=\(rate),pan=stereo|c0=c0|c1=c0[v];[1:a]aresample=\(rate)[l];[2:a]aresample=\(rate)[r];[l][r]join=inputs=2:channel_layout=stereo[m];"
                + "[v][m]amix=inputs=2:normalize=0:duration=shortest[o]", "-map", "[o]", "-ar", "\(rate)", shop.path(name))
        return (try shop.samples(shop.path("voice.wav")), shop.path(name))
    }

    /// Energy of one frequency, per sample.
    private func energy(_ samples: [Int16], at hertz: Double) -> Double {
        var real = 0.0, imaginary = 0.0
        for (index, sample) in samples.enumerated() {
            let angle = 2 * Double.pi * hertz * Double(index) / 16_000
            real += Double(sample) * cos(angle)
            imaginary += Double(sample) * sin(angle)
        }
        return (real * real + imaginary * imaginary).squareRoot() / Double(samples.count)
    }

    @Test(arguments: [44_100, 48_000, 32_000, 96_000])
    func theCentreKeepsTheVoiceInItsPlaceAndLosesTheSides(rate: Int) async throws {
        try await Workshop.with { shop in
            let (voice, path) = try await mix(shop, rate: rate, as: "in.wav")
            let outcome = try await separate(shop, path)
            #expect(outcome.facts["mix"] == "centre" && !outcome.isInstrumental)
            #expect(try shop.names(in: shop.path("separate")) == ["voice.wav"])
            let centre = try shop.samples(shop.path("separate/voice.wav"))
            #expect(abs(centre.count - voice.count) < 32)
            #expect(abs(delay(of: centre, against: voice, within: -200...200)) <= 16, "at most 1 ms early or late")
            _ = try await separate(shop, path, centre: false, into: "none")
            let whole = try shop.samples(shop.path("none/voice.wav"))
            #expect(abs(delay(of: whole, against: voice, within: -100...100)) <= 1)
            // The tones are 10 dB weaker, measured against the voice's own level.
            let loudness = { (samples: [Int16]) in
                (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
            }
            for hertz in [330.0, 1250] {
                #expect(energy(centre, at: hertz) / loudness(centre) < energy(whole, at: hertz) / loudness(whole) / 3.2)
            }
        }
    }

    @Test func theVoiceIs16BitMonoAt16000Hertz() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=330:d=3:sample_rate=44100", shop.path("in.flac"))
            _ = try await separate(shop, shop.path("in.flac"))
            let (_, media) = try await shop.probe(shop.path("separate/voice.wav"), into: "again")
            #expect(media.sampleRate == 16_000 && media.channels == 1 && media.codec == "pcm_s16le" && media.container == "wav")
            #expect(abs(media.duration - 3) < 0.01)
        }
    }

    @Test(arguments: [("mono", "mono"), ("same", "mono"), ("opposed", "left"), ("surround", "centre")])
    func aRecordingWithoutACentreIsMixed(kind: String, expected: String) async throws {
        try await Workshop.with { shop in
            try await shop.speech("The quick brown fox jumps over the lazy dog", as: "voice.wav")
            let filter =
                switch kind {
                case "mono": "anull"
                case "same": "pan=stereo|c0=c0|c1=c0"
                case "opposed": "pan=stereo|c0=c0|c1=-1*c0"
                default:
                    "asplit[a][b];[b]aecho=0.8:0.8:60:0.5,pan=5.1|FL=c0|FR=0*c0|FC=0*c0|LFE=0*c0|BL=c0|BR=0*c0[s];[a]pan=5.1|FL=0*c0|FR=0*c0|FC=c0|LFE=0*c0|BL=0*c0|BR=0*c0[c];[c][s]amix=inputs=2:normalize=0:duration=first"
                }
            try await shop.ffmpeg("-i", shop.path("voice.wav"), "-filter_complex", filter, "-ar", "44100", shop.path("in.flac"))
            let outcome = try await separate(shop, shop.path("in.flac"))
            #expect(outcome.facts["mix"] == expected && !outcome.isInstrumental, "\(outcome)")
            let (voice, heard) = (try shop.samples(shop.path("voice.wav")), try shop.samples(shop.path("separate/voice.wav")))
            #expect(abs(voice.count - heard.count) < 32)
        }
    }

    @Test(arguments: [true, false])
    func silenceIsInstrumental(centre: Bool) async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", "3", shop.path("in.flac"))
            #expect(try await separate(shop, shop.path("in.flac"), centre: centre).isInstrumental)
        }
    }

    @Test func aTruncatedRecordingGivesWhatItHasAndSaysSo() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=20", "-ac", "2", shop.path("whole.flac"))
            let bytes = try shop.contents(shop.path("whole.flac"))
            let file = try shop.write("in.flac", Array(bytes.prefix(bytes.count / 2)))
            let outcome = try await separate(shop, file)
            let seconds = try #require(outcome.facts["duration"].flatMap(Double.init))
            #expect(seconds > 5 && seconds < 15)
            #expect(outcome.facts["remark"]?.contains("of 20 s could be decoded") == true)
        }
    }

    @Test func whatHasAHeaderAndNoSoundFailsWithAReason() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=20", "-ac", "2", shop.path("whole.flac"))
            let bytes = try shop.contents(shop.path("whole.flac"))
            _ = try await shop.probe(shop.path("whole.flac"))
            // What was probed is not what is decoded: a disk that lost the rest.
            let file = try shop.write("in.flac", Array(bytes.prefix(200)) + Array(repeating: 0, count: 50_000))
            let engine = CentreExtraction(paths: shop.paths, environment: shop.environment)
            let error = try await shop.failure(engine, shop.request("separate", recording: file, inputs: [.probe: shop.path("probe")]))
            #expect(error.reason == .failed(.badMedia), "\(error) \(error.stderrTail)")
            #expect(error.message.contains("no sound could be decoded"))
        }
    }

    @Test func theChosenStreamIsTheOneThatIsHeard() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg(
                "-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono", "-f", "lavfi", "-i", "sine=d=2", "-map", "0", "-map", "1", "-t", "2",
                "-metadata:s:a:0", "language=jpn",
                "-metadata:s:a:1", "language=eng", shop.path("in.mkv"))
            _ = try await shop.probe(shop.path("in.mkv"), plan: Plan(audioLanguage: "eng"))
            #expect(try await separate(shop, shop.path("in.mkv")).isInstrumental == false)
        }
    }

    @Test func aPlaylistIsNotFollowedHereEither() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=3", shop.path("canary.wav"))
            _ = try await shop.probe(shop.path("canary.wav"))
            let list = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:3,\n\(shop.path("canary.wav"))\n#EXT-X-ENDLIST\n"
            let engine = MonoMix(paths: shop.paths, environment: shop.environment)
            let error = try await shop.failure(
                engine, shop.request("separate", recording: try shop.write("song.mp3", list), inputs: [.probe: shop.path("probe")]))
            #expect(error.failureClass == .badMedia)
        }
    }

    @Test func theWorkIsNoLongerThanTheLongestRecording() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=30", shop.path("in.wav"))
            _ = try await shop.probe(shop.path("in.wav"))
            let outcome = try await separate(shop, shop.path("in.wav"), plan: Plan(durationMaxSeconds: 5))
            #expect(outcome.facts["duration"] == "7.0")
        }
    }
}
