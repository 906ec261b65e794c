import Host
import Jobs

/// Recognises words with PocketSphinx and the US English model its package carries. Good on clear speech, poor on songs.
///
/// Leaves `words.json`, a ``RecognisedWords``. Nothing recognised is a verdict: instrumental.
package struct PocketSphinxTranscriber: StageEngine {
    package let stage = StageName.transcribe
    package let name = PocketSphinx.name

    private let sphinx: PocketSphinx
    private let asked = EngineVersion()

    package init(paths: EnginePaths, scripts: EngineScripts, environment: EngineEnvironment) {
        sphinx = PocketSphinx(paths: paths, scripts: scripts, environment: environment)
    }

    package func version() async -> String? { await sphinx.version(asked) }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        try await EngineRun.with(request, stage: stage, engine: name, environment: sphinx.environment) { (run) async throws(StageError) in
            try sphinx.checkLanguage(run)
            let voice = try sphinx.voice(run)
            let (answer, result) = try await sphinx.execute(run, "transcribe", ["--audio", voice.path], as: Answer.self)
            var times = ClaimedTimes(duration: voice.seconds)
            var pieces: [[RecognisedWords.Word]] = []
            for piece in answer.pieces {
                var words: [RecognisedWords.Word] = []
                for word in piece {
                    guard times.accept(start: word.start, end: word.end), !word.word.isEmpty, (0...1).contains(word.confidence) else {
                        throw run.failure(
                            .badOutput, "PocketSphinx placed a word where there is none: \(word.start) to \(word.end) s", result: result)
                    }
                    words.append(.init(text: word.word, start: word.start, end: min(word.end, voice.seconds), confidence: word.confidence))
                }
                if !words.isEmpty { pieces.append(words) }
            }
            let recognised = RecognisedWords(engine: name, language: "en", duration: voice.seconds, pieces: pieces)
            do { try StageFolder.write(recognised, as: StageFolder.words, in: request.output) } catch { throw run.failure(error) }
            return StageOutcome(
                peakMemory: result.peakMemory, facts: ["language": "en", "words": "\(recognised.words.count)"],
                isInstrumental: pieces.isEmpty)
        }
    }

    private struct Answer: Decodable {
        struct Word: Decodable {
            var word: String
            var start: Double
            var end: Double
            var confidence: Double
        }
        var pieces: [[Word]]
    }
}
