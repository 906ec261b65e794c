import Foundation
import Host
import Jobs
import Stages
import Testing

@Suite struct FFprobeTests {
    private func engine(_ shop: Workshop) -> FFprobe { FFprobe(paths: shop.paths, environment: shop.environment) }

    private func refusal(_ shop: Workshop, _ recording: String, plan: Plan = Plan()) async throws -> StageError {
        try await shop.failure(engine(shop), shop.request("probe", plan: plan, recording: recording))
    }

    @Test(arguments: [
        "wav", "mp3", "flac", "ogg", "opus", "m4a", "aac", "mkv", "mka", "webm", "aiff", "wma", "wv", "caf", "ac3", "avi", "flv", "ts",
        "mp4", "au", "tta",
    ])
    func aRecordingInACommonContainerIsRead(suffix: String) async throws {
        try await Workshop.with { shop in
            let file = shop.path("in." + suffix)
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=330:d=3:sample_rate=48000", "-ac", "2", file)
            let (outcome, media) = try await shop.probe(file)
            #expect(abs(media.duration - 3) < 0.2)
            #expect(media.channels == 2 && media.sampleRate == 48_000 && media.audioStreams == 1)
            #expect(outcome.facts["duration"] == "\(media.duration)")
            #expect(try shop.names(in: shop.path("probe")) == ["probe.json"])
        }
    }

    @Test func theTagsAreRead() async throws {
        try await Workshop.with { shop in
            let file = shop.path("in.flac")
            try await shop.ffmpeg(
                "-f", "lavfi", "-i", "sine=d=1", "-metadata", "TITLE=Ünï ; 'Song'", "-metadata", "artist=Me", "-metadata", "album=All", file
            )
            let (outcome, media) = try await shop.probe(file)
            #expect(media.title == "Ünï ; 'Song'" && media.artist == "Me" && media.album == "All")
            #expect(outcome.facts["title"] == "Ünï ; 'Song'" && outcome.facts["artist"] == "Me")
        }
    }

    @Test func aTagOfAMegabyteDoesNotHideTheRecording() async throws {
        try await Workshop.with { shop in
            // Through a file of metadata: an argument may not be that long.
            let metadata = try shop.write("tags", ";FFMETADATA1\ntitle=" + String(repeating: "x", count: 1 << 20) + "\n")
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=2", "-i", metadata, "-map_metadata", "1", shop.path("in.flac"))
            let (_, media) = try await shop.probe(shop.path("in.flac"))
            #expect(media.title == nil && abs(media.duration - 2) < 0.1)
        }
    }

    @Test(arguments: [("", 0), ("eng", 1), ("GER", 2), ("fra", 0)])
    func theStreamInTheWantedLanguageIsChosen(language: String, expected: Int) async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg(
                "-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=d=1", "-map", "0", "-map", "1",
                "-map", "2",
                "-metadata:s:a:0", "language=jpn", "-metadata:s:a:1", "language=eng", "-metadata:s:a:2", "language=ger", shop.path("in.mkv")
            )
            let (_, media) = try await shop.probe(shop.path("in.mkv"), plan: Plan(audioLanguage: language))
            #expect(media.streamIndex == expected && media.audioStreams == 3)
        }
    }

    @Test func theFirstSoundOfAVideoIsChosen() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg(
                "-f", "lavfi", "-i", "color=s=64x64:d=2", "-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac", shop.path("in.mp4"))
            let (_, media) = try await shop.probe(shop.path("in.mp4"))
            #expect(media.streamIndex == 1 && media.codec == "aac")
        }
    }

    @Test func aLengthTheHeaderDoesNotTellIsMeasured() async throws {
        try await Workshop.with { shop in
            // Written to a pipe: nobody came back to fill the header in.
            try await shop.tool("sh", ["-c", "ffmpeg -v error -f lavfi -i sine=d=5 -c:a flac -f flac - > in.flac"])
            let (_, media) = try await shop.probe(shop.path("in.flac"))
            #expect(media.isDurationMeasured && abs(media.duration - 5) < 0.1)
        }
    }

    // MARK: What is refused

    @Test func anEmptyFileIsRefused() async throws {
        try await Workshop.with { shop in
            let error = try await refusal(shop, try shop.write("in.mp3", ""))
            #expect(error.reason == .failed(.badMedia) && error.message == "the file is empty")
        }
    }

    @Test func aTextIsNoRecording() async throws {
        try await Workshop.with { shop in
            let text = String(repeating: "Four score and seven years ago our fathers brought forth.\n", count: 2000)
            let error = try await refusal(shop, try shop.write("in.mp3", text))
            #expect(error.reason == .failed(.badMedia) && error.message.contains("not a media file"), "\(error)")
        }
    }

    @Test func noiseIsNoRecording() async throws {
        try await Workshop.with { shop in
            var generator = SystemRandomNumberGenerator()
            let noise = (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let error = try await refusal(shop, try shop.write("in.mp3", noise))
            #expect(error.failureClass == .badMedia, "\(error)")
        }
    }

    /// A playlist that calls itself a recording would make ffmpeg read other files of this machine.
    @Test(arguments: ["hls", "concat", "dash", "sdp"])
    func aListOfOtherFilesIsNoRecordingAndIsNotFollowed(kind: String) async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=3", shop.path("canary.wav"))
            let canary = shop.path("canary.wav")
            let list =
                switch kind {
                case "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:3,\n\(canary)\n#EXT-X-ENDLIST\n"
                case "concat": "ffconcat version 1.0\nfile canary.wav\n"
                case "dash":
                    "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT3S\"><Period><AdaptationSet mimeType=\"audio/wav\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>\(canary)</BaseURL></Representation></AdaptationSet></Period></MPD>"
                default: "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
                }
            let error = try await refusal(shop, try shop.write("song.mp3", list))
            #expect(error.failureClass == .badMedia && error.message.contains("not a media file"), "\(error)")
            #expect(try shop.names(in: shop.path("probe")).isEmpty)
        }
    }

    @Test func aFileWithoutSoundIsRefused() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "color=s=64x64:d=1", shop.path("in.mp4"))
            let error = try await refusal(shop, shop.path("in.mp4"))
            #expect(error.reason == .failed(.badMedia) && error.message == "there is no sound in this file")
        }
    }

    @Test func aPictureIsNoRecording() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "color=s=64x64:d=1", "-frames:v", "1", shop.path("in.png"))
            #expect(try await refusal(shop, shop.path("in.png")).failureClass == .badMedia)
        }
    }

    @Test func soundWithoutChannelsIsRefused() async throws {
        try await Workshop.with { shop in
            let file = try shop.writeWave(Array(repeating: 100, count: 16_000), as: "in.wav", channels: 0)
            #expect(try await refusal(shop, file).failureClass == .badMedia)
        }
    }

    @Test func aHeaderWithoutSoundIsRefused() async throws {
        try await Workshop.with { shop in
            let error = try await refusal(shop, try shop.writeWave([], as: "in.wav"))
            #expect(error.reason == .failed(.badMedia) && error.message.contains("empty"), "\(error)")
        }
    }

    @Test func aTenthOfASecondIsTooShort() async throws {
        try await Workshop.with { shop in
            let error = try await refusal(shop, try shop.writeWave(Array(repeating: 900, count: 1600), as: "in.wav"))
            #expect(error.reason == .failed(.badMedia) && error.message.contains("only 0.10 s long"), "\(error)")
        }
    }

    @Test func whatIsLongerThanAllowedIsRefusedByRule() async throws {
        try await Workshop.with { shop in
            // Ten hours of silence, 400 kB.
            try await shop.ffmpeg(
                "-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "36000", "-c:a", "flac", "-compression_level", "0",
                shop.path("in.flac"))
            let error = try await refusal(shop, shop.path("in.flac"))
            #expect(error.reason == .failed(.policy), "\(error)")
            #expect(error.message == "the recording is 36000 s long; at most 14400 s are accepted")
        }
    }

    @Test func whatIsLargerThanAllowedIsRefusedByRule() async throws {
        try await Workshop.with { shop in
            let file = try shop.writeWave(Array(repeating: 0, count: 16_000), as: "in.wav")
            #expect(try await refusal(shop, file, plan: Plan(sizeMaxBytes: 1000)).reason == .failed(.policy))
        }
    }

    @Test func aTruncatedRecordingIsStillARecording() async throws {
        try await Workshop.with { shop in
            try await shop.ffmpeg("-f", "lavfi", "-i", "sine=d=20", shop.path("whole.flac"))
            let bytes = try shop.contents(shop.path("whole.flac"))
            let file = try shop.write("in.flac", Array(bytes.prefix(bytes.count / 2)))
            #expect(try await shop.probe(file).1.duration > 10)
        }
    }

    @Test func aMissingProgramSaysWhatToInstall() async throws {
        try await Workshop.with { shop in
            let file = try shop.writeWave(Array(repeating: 0, count: 16_000), as: "in.wav")
            var paths = shop.paths
            for missing in [nil, "/nonexistent/ffprobe"] {
                paths.ffprobe = missing
                let error = try await shop.failure(
                    FFprobe(paths: paths, environment: shop.environment), shop.request("probe", recording: file))
                guard case .engineMissing = error.reason else { return #expect(Bool(false), "\(error)") }
                #expect(error.failureClass == .environment && !error.nextStep.isEmpty)
            }
        }
    }
}
