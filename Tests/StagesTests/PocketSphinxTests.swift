import Foundation
import Host
import Jobs
import Lyrics
import Stages
import Synchronization
import Testing

@Suite(.enabled(if: Workshop.hasPythonEngines, Workshop.installHint)) struct PocketSphinxTests {
    private func transcriber(_ shop: Workshop) -> PocketSphinxTranscriber {
        PocketSphinxTranscriber(paths: shop.paths, scripts: shop.scripts, environment: shop.environment)
    }

    private func aligner(_ shop: Workshop, _ paths: EnginePaths? = nil) -> PocketSphinxAligner {
        PocketSphinxAligner(paths: paths ?? shop.paths, scripts: shop.scripts, environment: shop.environment)
    }

    /// What the recogniser hears: samples, and where each word really begins and ends.
    private struct Spoken {
        var samples: [Int16] = []
        var words: [(text: String, start: Double, end: Double)] = []
    }

    /// Every word spoken for itself, cut out of its silence, and put down with known pauses.
    private func speak(_ shop: Workshop, _ lines: [[String]], pause: Double = 0.25, linePause: Double = 0.8) async throws -> Spoken {
        var spoken = Spoken()
        var known: [String: [Int16]] = [:]
        func silence(_ seconds: Double) { spoken.samples += Array(repeating: 0, count: Int(seconds * 16_000)) }
        silence(1)
        for line in lines {
            for word in line {
                if known[word] == nil {
                    let wave = try await shop.speech(word, as: "word.wav")
                    try await shop.tool(
                        "sox", [wave, "cut.wav", "silence", "1", "0.01", "1%", "reverse", "silence", "1", "0.01", "1%", "reverse"])
                    known[word] = try shop.samples(shop.path("cut.wav"))
                }
                let start = Double(spoken.samples.count) / 16_000
                spoken.samples += known[word] ?? []
                spoken.words.append((word, start, Double(spoken.samples.count) / 16_000))
                silence(pause)
            }
            silence(linePause)
        }
        silence(0.5)
        return spoken
    }

    private func voice(_ shop: Workshop, _ samples: [Int16]) throws -> [StageName: String] {
        let folder = try shop.folder("separate")
        try shop.writeWave(samples, as: "separate/voice.wav")
        return [.separate: folder]
    }

    private func timed(_ shop: Workshop) throws -> TimedLyrics {
        try StageFolder.read(TimedLyrics.self, from: StageFolder.timed, in: shop.path("align"))
    }

    // MARK: Aligning

    @Test func knownWordsComeOutExactlyAsGivenAndInTheirPlaces() async throws {
        try await Workshop.with { shop in
            let lines = [
                ["Morning", "light", "is", "falling", "on", "the", "river"],
                ["Every", "stone", "remembers", "where", "it", "came", "from"],
                ["Carry", "me", "tomorrow", "over", "water"], ["Nobody", "is", "waiting", "for", "the", "rain"],
            ]
            let spoken = try await speak(shop, lines)
            let inputs = try voice(shop, spoken.samples)
            // As people write lyrics: headings, blank lines, punctuation, a dash that nobody sings.
            let text = """
                [Verse 1]
                Morning light is falling on the river —
                Every stone remembers, where it came from!

                [Chorus]
                “Carry me tomorrow… over water”
                Nobody is waiting for the rain
                """
            let lyrics = try shop.write("lyrics.txt", text)
            let progress = Mutex<[Double]>([])
            let outcome = try await aligner(shop).run(
                shop.request("align", lyrics: lyrics, inputs: inputs) { step in progress.withLock { $0.append(step.fraction ?? -1) } })
            let timed = try timed(shop)
            #expect(
                timed.isGiven && timed.lines.map(\.text) == text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
            let given = text.split(separator: "\n").filter { !$0.hasPrefix("[") }.flatMap { $0.split(separator: " ") }.map(String.init)
            #expect(timed.words.map(\.text) == given)
            let sung = timed.words.filter(\.isSung)
            #expect(sung.count == spoken.words.count && sung.allSatisfy { $0.timing == .measured })
            let errors = zip(sung, spoken.words).compactMap { word, truth in word.start.map { abs($0 - truth.start) } }.sorted()
            #expect(errors.count == spoken.words.count)
            #expect(errors[errors.count / 2] <= 0.1, "median \(errors[errors.count / 2])")
            #expect(errors[errors.count * 9 / 10] <= 0.25, "90 % \(errors[errors.count * 9 / 10])")
            #expect(timed.words.first { $0.text == "—" }?.timing == .interpolated)
            #expect(outcome.facts["measured_share"] == "1.0")
            #expect(progress.withLock { $0 }.last == 1)
            #expect(try shop.names(in: shop.path("align")) == ["timed.json"])
        }
    }

    @Test func wordsNoDictionaryKnowsAreFoundAsWell() async throws {
        try await Workshop.with { shop in
            let spoken = try await speak(shop, [["hello", "Zyxomatic", "wonderland", "goodbye", "Brontoblaster", "morning"]])
            let inputs = try voice(shop, spoken.samples)
            let lyrics = try shop.write("lyrics.txt", "hello Zyxomatic wonderland\ngoodbye Brontoblaster morning")
            var paths = shop.paths
            for hasEspeak in [true, false] {
                if !hasEspeak { paths.espeak = nil }
                _ = try await aligner(shop, paths).run(shop.request("align", lyrics: lyrics, inputs: inputs))
                let errors = zip(try timed(shop).words, spoken.words).map { abs(($0.start ?? 99) - $1.start) }.sorted()
                #expect(errors.count == 6 && errors[3] <= 0.1, "espeak \(hasEspeak): \(errors)")
                try FileManager.default.removeItem(atPath: shop.path("align"))
            }
        }
    }

    @Test(arguments: [
        "-rf", "$(id)", "rock-n-roll", "don’t", "24", "CAFÉ", "naïve", "…", "日本", "a\u{301}b", "🎵",
        "l" + String(repeating: "a", count: 900), "\"--", "NaN", "<sil>", "the(2)",
    ])
    func noWordUpsetsTheAligner(word: String) async throws {
        try await Workshop.with { shop in
            let inputs = try voice(shop, try await speak(shop, [["hello", "morning", "river"]]).samples)
            let lyrics = try shop.write("lyrics.txt", "hello \(word) morning river")
            _ = try await aligner(shop).run(shop.request("align", lyrics: lyrics, inputs: inputs))
            let words = try timed(shop).words
            #expect(words.map(\.text) == ["hello", word, "morning", "river"])
            #expect(words.allSatisfy { $0.start != nil && $0.end != nil })
        }
    }

    /// Twelve minutes are more than the aligner takes in one piece.
    @Test func aLongRecordingIsAlignedInWindowsOfFlatMemory() async throws {
        try await Workshop.with { shop in
            let lines = [
                ["morning", "light", "is", "falling", "on", "the", "river"],
                ["every", "stone", "remembers", "where", "it", "came", "from"],
                ["carry", "me", "tomorrow", "over", "water"], ["nobody", "is", "waiting", "for", "the", "rain"],
            ]
            var spoken = try await speak(shop, lines, linePause: 4)
            // A long break in the middle, and everything many times over.
            let once = spoken
            let length = Double(once.samples.count) / 16_000
            while Double(spoken.samples.count) / 16_000 < 720 {
                if spoken.words.count == once.words.count * 8 { spoken.samples += Array(repeating: 0, count: 60 * 16_000) }
                let offset = Double(spoken.samples.count) / 16_000
                spoken.samples += once.samples
                spoken.words += once.words.map { ($0.text, $0.start + offset, $0.end + offset) }
            }
            let inputs = try voice(shop, spoken.samples)
            let song = lines.map { $0.joined(separator: " ") }.joined(separator: "\n") + "\n"
            let lyrics = try shop.write("lyrics.txt", String(repeating: song, count: spoken.words.count / once.words.count))
            let outcome = try await aligner(shop).run(shop.request("align", lyrics: lyrics, inputs: inputs))
            let words = try timed(shop).words
            try #require(words.count == spoken.words.count && length > 20)
            let errors = zip(words, spoken.words).map { abs(($0.start ?? 9999) - $1.start) }.sorted()
            #expect(errors[errors.count / 2] <= 0.1 && errors[errors.count * 98 / 100] <= 0.5, "worst \(errors.last ?? 0)")
            #expect(outcome.peakMemory > 10 << 20 && outcome.peakMemory < 200 << 20, "\(outcome.peakMemory >> 20) MiB")
        }
    }

    @Test func lyricsThatAreNoTextAreRefused() async throws {
        try await Workshop.with { shop in
            let inputs = try voice(shop, Array(repeating: 0, count: 16_000))
            for bytes in [[], [0, 1, 2, 3, 0, 0, 0xFF], Array("[Chorus]\n".utf8)] as [[UInt8]] {
                let error = try await shop.failure(
                    aligner(shop), shop.request("align", lyrics: try shop.write("lyrics.txt", bytes), inputs: inputs))
                #expect(error.reason == .failed(.badMedia) && !error.nextStep.isEmpty, "\(error)")
            }
        }
    }

    @Test func recognisedWordsKeepTheirTimes() async throws {
        try await Workshop.with { shop in
            let words = RecognisedWords(
                engine: "pocketsphinx", language: "en", duration: 10,
                pieces: [
                    [.init(text: "hello", start: 1, end: 1.5, confidence: 0.9), .init(text: "world", start: 1.6, end: 2, confidence: 0.5)],
                    [.init(text: "again", start: 7, end: 7.5)],
                ])
            try StageFolder.write(words, as: StageFolder.words, in: try shop.folder("transcribe"))
            let inputs = try voice(shop, Array(repeating: 0, count: 160_000)).merging([.transcribe: shop.path("transcribe")]) { $1 }
            let outcome = try await aligner(shop).run(shop.request("align", inputs: inputs))
            let timed = try timed(shop)
            #expect(timed.words.map(\.text) == ["hello", "world", "again"] && timed.words.map(\.start) == [1, 1.6, 7])
            #expect(timed.lines.count == 2 && !timed.isGiven && timed.duration == 10 && timed.language == "en")
            #expect(!outcome.isInstrumental)
        }
    }

    // MARK: Transcribing

    @Test(arguments: [("rms", 0.1), ("slt", 0.25)])
    func clearSpeechIsRecognised(voice name: String, worst: Double) async throws {
        try await Workshop.with { shop in
            let sentences = [
                "the quick brown fox jumps over the lazy dog", "we will go home when the morning comes",
                "the weather is going to be nice this afternoon",
                "i would like to have a cup of coffee with milk",
            ]
            var samples: [Int16] = []
            for sentence in sentences {
                samples +=
                    Array(repeating: 0, count: 8000) + (try shop.samples(try await shop.speech(sentence, as: "one.wav", voice: name)))
                    + Array(repeating: 0, count: 16_000)
            }
            let inputs = try voice(shop, samples)
            let outcome = try await transcriber(shop).run(shop.request("transcribe", inputs: inputs))
            let heard = try StageFolder.read(RecognisedWords.self, from: StageFolder.words, in: shop.path("transcribe"))
            let truth = sentences.flatMap { $0.split(separator: " ").map(String.init) }
            let rate = Double(editDistance(heard.words.map(\.text), truth)) / Double(truth.count)
            #expect(rate <= worst, "\(heard.words.map(\.text).joined(separator: " "))")
            #expect(outcome.facts["words"] == "\(heard.words.count)" && !outcome.isInstrumental)
            #expect(abs(heard.duration - Double(samples.count) / 16_000) < 0.001)
            #expect(heard.words.allSatisfy { $0.end > $0.start && $0.end <= heard.duration })
            #expect(zip(heard.words, heard.words.dropFirst()).allSatisfy { $0.start < $1.start })
        }
    }

    @Test func silenceIsInstrumental() async throws {
        try await Workshop.with { shop in
            let inputs = try voice(shop, Array(repeating: 0, count: 5 * 16_000))
            let outcome = try await transcriber(shop).run(shop.request("transcribe", inputs: inputs))
            #expect(outcome.isInstrumental)
            let next = try await aligner(shop).run(
                shop.request("align", inputs: inputs.merging([.transcribe: shop.path("transcribe")]) { $1 }))
            #expect(next.isInstrumental)
            #expect(try timed(shop).words.isEmpty)
        }
    }

    /// Three minutes without a pause for breath.
    @Test func aLongRecordingIsRecognisedInPiecesOfFlatMemory() async throws {
        try await Workshop.with { shop in
            try await shop.speech("the quick brown fox jumps over the lazy dog and runs away from home", as: "one.wav")
            let once = try shop.samples(shop.path("one.wav"))
            var samples: [Int16] = []
            while samples.count < 180 * 16_000 { samples += once }
            let outcome = try await transcriber(shop).run(shop.request("transcribe", inputs: try voice(shop, samples)))
            let heard = try StageFolder.read(RecognisedWords.self, from: StageFolder.words, in: shop.path("transcribe"))
            #expect(heard.words.count > samples.count / once.count * 8)
            #expect(outcome.peakMemory < 260 << 20, "\(outcome.peakMemory >> 20) MiB")
        }
    }

    private func editDistance(_ left: [String], _ right: [String]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var corner = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                (corner, row[j + 1]) = (row[j + 1], min(row[j + 1] + 1, row[j] + 1, corner + (a == b ? 0 : 1)))
            }
        }
        return row[right.count]
    }

    // MARK: What cannot be done

    @Test func aLanguageTheModelDoesNotSpeakIsSaid() async throws {
        try await Workshop.with { shop in
            let inputs = try voice(shop, Array(repeating: 0, count: 16_000))
            let lyrics = try shop.write("lyrics.txt", "Am Brunnen vor dem Tore")
            for error in [
                try await shop.failure(transcriber(shop), shop.request("transcribe", plan: Plan(language: "de"), inputs: inputs)),
                try await shop.failure(aligner(shop), shop.request("align", plan: Plan(language: "de"), lyrics: lyrics, inputs: inputs)),
            ] {
                #expect(error.reason == .failed(.environment) && error.message.contains("English only"), "\(error)")
                #expect(error.nextStep.contains("language = \"en\""))
            }
        }
    }

    @Test func aMissingRecogniserSaysWhatToInstall() async throws {
        try await Workshop.with { shop in
            let inputs = try voice(shop, Array(repeating: 0, count: 16_000))
            var paths = shop.paths
            // Not there, and a Python without PocketSphinx.
            for python in [nil, "/usr/bin/python3"] {
                paths.pocketSphinxPython = python
                let engine = PocketSphinxTranscriber(paths: paths, scripts: shop.scripts, environment: shop.environment)
                let error = try await shop.failure(engine, shop.request("transcribe", inputs: inputs))
                guard case .engineMissing = error.reason else { return #expect(Bool(false), "\(error)") }
                #expect(error.nextStep.contains("engines/install"))
            }
        }
    }

    @Test func aCancelledRecogniserLeavesNoProcess() async throws {
        try await Workshop.with { shop in
            try await shop.speech("the quick brown fox jumps over the lazy dog and runs away from home", as: "one.wav")
            let once = try shop.samples(shop.path("one.wav"))
            let inputs = try voice(shop, (0..<100).flatMap { _ in once })
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            let request = try shop.request("transcribe", inputs: inputs) { _ in signal.yield() }
            let engine = transcriber(shop)
            let task = Task {
                defer { signal.finish() }
                return try await engine.run(request)
            }
            for await _ in started { break }
            task.cancel()
            let error = await #expect(throws: StageError.self) { try await task.value }
            #expect(error?.reason == .cancelled)
            #expect(ChildSweep.killAll(owner: shop.root) == 0)
            #expect(try shop.names(in: request.output).isEmpty)
        }
    }
}

/// An engine that exits with 0 and answers nonsense.
@Suite struct DistrustTests {
    /// A Python that is a shell script: writes `answer` where the result is expected.
    private func engine(_ shop: Workshop, answering answer: String?, status: Int = 0, saying text: String = "") throws -> EnginePaths {
        let answerFile = try shop.write("prepared.json", answer ?? "")
        let script = """
            #!/bin/sh
            printf '%s\\n' '\(text)'
            while [ $# -gt 1 ]; do [ "$1" = --out ] && out=$2; shift; done
            \(answer == nil ? ":" : "cp '\(answerFile)' \"$out\"")
            exit \(status)
            """
        var paths = shop.paths
        paths.pocketSphinxPython = try shop.write("python", script)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: shop.path("python"))
        return paths
    }

    private func inputs(_ shop: Workshop) throws -> [StageName: String] {
        let folder = try shop.folder("separate")
        try shop.writeWave(Array(repeating: 0, count: 5 * 16_000), as: "separate/voice.wav")
        return [.separate: folder]
    }

    @Test(
        arguments: [
            nil, "", "{}", "[]", "not json", "{\"times\": [[1, 2]]}", "{\"times\": [[1, 2], [3, 4], [4, 4.5]]}",
            "{\"times\": [[1, 2], [NaN, 4]]}",
            "{\"times\": [[1, 2], [-1, 4]]}", "{\"times\": [[3, 4], [1, 2]]}", "{\"times\": [[1, 2], [3, 2]]}",
            "{\"times\": [[1, 2], [3]]}",
            "{\"times\": [[1, 2], [3, 1e300]]}", "{\"times\": [[1, 2], [\"3\", 4]]}", "{\"times\": [[1, 2], [7, 8]]}",
            "{\"times\": [[1, 2], [3, 4",
        ] as [String?])
    func anAlignmentThatCannotBeIsNotBelieved(answer: String?) async throws {
        try await Workshop.with { shop in
            let aligner = PocketSphinxAligner(
                paths: try engine(shop, answering: answer), scripts: shop.scripts, environment: shop.environment)
            let error = try await shop.failure(
                aligner, shop.request("align", lyrics: try shop.write("l.txt", "hello world"), inputs: try inputs(shop)))
            #expect(error.reason == .badOutput, "\(error)")
            #expect(try shop.names(in: shop.path("align")).isEmpty)
        }
    }

    @Test func anAlignmentWithoutASingleWordSaysThatTheLyricsMayBeOthers() async throws {
        try await Workshop.with { shop in
            let aligner = PocketSphinxAligner(
                paths: try engine(shop, answering: "{\"times\": [null, null]}"), scripts: shop.scripts, environment: shop.environment)
            let error = try await shop.failure(
                aligner, shop.request("align", lyrics: try shop.write("l.txt", "hello world"), inputs: try inputs(shop)))
            #expect(error.reason == .failed(.badMedia) && error.message.contains("none of the given words"))
        }
    }

    @Test(
        arguments: [
            nil, "{}", "{\"pieces\": [[{\"word\": \"a\", \"start\": 1, \"end\": 2}]]}",
            "{\"pieces\": [[{\"word\": \"\", \"start\": 1, \"end\": 2, \"confidence\": 1}]]}",
            "{\"pieces\": [[{\"word\": \"a\", \"start\": 2, \"end\": 1, \"confidence\": 1}]]}",
            "{\"pieces\": [[{\"word\": \"a\", \"start\": 1, \"end\": 2, \"confidence\": 7}]]}",
            "{\"pieces\": [[{\"word\": \"a\", \"start\": 100, \"end\": 200, \"confidence\": 1}]]}",
        ] as [String?])
    func aTranscriptThatCannotBeIsNotBelieved(answer: String?) async throws {
        try await Workshop.with { shop in
            let transcriber = PocketSphinxTranscriber(
                paths: try engine(shop, answering: answer), scripts: shop.scripts, environment: shop.environment)
            let error = try await shop.failure(transcriber, shop.request("transcribe", inputs: try inputs(shop)))
            #expect(error.reason == .badOutput, "\(error)")
        }
    }

    @Test(arguments: [
        (4, "{\"error\": \"bad_audio\", \"message\": \"x\"}", FailureClass.ours),
        (3, "{\"error\": \"no_engine\", \"message\": \"x\"}", .environment),
        (1, "", .transient), (2, "{\"error\": \"bad_request\", \"message\": \"x\"}", .ours), (77, "{\"error\": 5}", .transient),
    ])
    func aFailureHasAClass(status: Int, text: String, expected: FailureClass) async throws {
        try await Workshop.with { shop in
            let paths = try engine(shop, answering: nil, status: status, saying: text)
            let transcriber = PocketSphinxTranscriber(paths: paths, scripts: shop.scripts, environment: shop.environment)
            let error = try await shop.failure(transcriber, shop.request("transcribe", inputs: try inputs(shop)))
            #expect(error.failureClass == expected, "\(error)")
            if case .exited = error.reason { #expect(error.exitStatus == Int32(status)) }
        }
    }
}
