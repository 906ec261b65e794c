import FoundationEssentials
import Host
import Jobs
import Lyrics

/// Gives every word a time. Known lyrics are placed by forced alignment with PocketSphinx and come out exactly as given, line for
/// line; recognised words keep the times the recogniser gave them.
///
/// Leaves `timed.json`, a `Lyrics.TimedLyrics`.
package struct PocketSphinxAligner: StageEngine {
    package let stage = StageName.align
    package let name = PocketSphinx.name

    private let sphinx: PocketSphinx
    private let asked = EngineVersion()

    package init(paths: EnginePaths, scripts: EngineScripts, environment: EngineEnvironment) {
        sphinx = PocketSphinx(paths: paths, scripts: scripts, environment: environment)
    }

    package func version() async -> String? { await sphinx.version(asked) }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        try await EngineRun.with(request, stage: stage, engine: name, environment: sphinx.environment) { (run) async throws(StageError) in
            if let path = request.lyrics { return try await align(try known(path, run), run) }
            return try passOn(run)
        }
    }

    // MARK: Known lyrics

    private func known(_ path: String, _ run: EngineRun) throws(StageError) -> KnownLyrics {
        let bytes: [UInt8]
        do {
            guard let slash = path.lastIndex(of: "/") else { throw run.failure(.failed(.ours), "the lyrics' path is not absolute") }
            bytes = try Directory.open(slash == path.startIndex ? "/" : String(path[..<slash]))
                .openFile(FileName(String(path[path.index(after: slash)...]))).readAll(limit: KnownLyrics.sizeMax + 1)
        } catch {
            throw run.failure(error)
        }
        do {
            return try KnownLyrics(bytes: bytes)
        } catch {
            let parts = error.description.split(separator: "; ", maxSplits: 1).map(String.init)
            throw run.failure(.failed(.badMedia), parts[0], next: parts.count > 1 ? parts[1] : "")
        }
    }

    private func align(_ lyrics: KnownLyrics, _ run: EngineRun) async throws(StageError) -> StageOutcome {
        try sphinx.checkLanguage(run)
        let voice = try sphinx.voice(run)
        let words = lyrics.words
        // What is written and not sung has no sound to look for; it gets its place between its neighbours.
        let asked = Question(words: words.map { Word.isSung($0) ? $0 : "" })
        do { try StageFolder.write(asked, as: "question.json", in: run.scratch) } catch { throw run.failure(error) }
        var arguments = ["--audio", voice.path, "--text", run.scratch + "/question.json"]
        if let espeak = sphinx.paths.espeak { arguments += ["--espeak", espeak] }
        let (answer, result) = try await sphinx.execute(run, "align", arguments, as: Answer.self)
        guard answer.times.count == words.count else {
            throw run.failure(.badOutput, "PocketSphinx was given \(words.count) words and placed \(answer.times.count)", result: result)
        }
        var claimed = ClaimedTimes(duration: voice.seconds)
        var times: [Word] = []
        for (text, time) in zip(words, answer.times) {
            guard let time else {
                times.append(Word(text: text, timing: .interpolated))
                continue
            }
            guard time.count == 2, claimed.accept(start: time[0], end: time[1]) else {
                throw run.failure(.badOutput, "PocketSphinx placed a word where there is none: \(time)", result: result)
            }
            times.append(Word(text: text, start: time[0], end: min(time[1], voice.seconds)))
        }
        guard times.contains(where: { $0.start != nil }) else {
            throw run.failure(
                .failed(.badMedia), "none of the given words could be found in the recording",
                next: "check that the lyrics belong to this recording, or remove them to have the words recognised", result: result)
        }
        let timed = lyrics.timed(by: times, language: "en", duration: voice.seconds)
        return try finish(timed, run, peakMemory: result.peakMemory)
    }

    private struct Question: Encodable {
        var words: [String]
    }

    private struct Answer: Decodable {
        var times: [[Double]?]
    }

    // MARK: Recognised words

    private func passOn(_ run: EngineRun) throws(StageError) -> StageOutcome {
        guard let folder = run.request.inputs[.transcribe] else {
            throw run.failure(.failed(.ours), "there are neither known lyrics nor recognised words to align")
        }
        let recognised: RecognisedWords
        do { recognised = try StageFolder.read(RecognisedWords.self, from: StageFolder.words, in: folder) } catch {
            throw run.failure(error)
        }
        let words = recognised.words.map { Word(text: $0.text, start: $0.start, end: $0.end, confidence: $0.confidence) }
        let timed = TimedLyrics(recognised: words, language: recognised.language, duration: recognised.duration)
        return try finish(timed, run, peakMemory: 0)
    }

    private func finish(_ timed: TimedLyrics, _ run: EngineRun, peakMemory: Int) throws(StageError) -> StageOutcome {
        do { try StageFolder.write(timed, as: StageFolder.timed, in: run.request.output) } catch { throw run.failure(error) }
        return StageOutcome(
            peakMemory: peakMemory,
            facts: [
                "words": "\(timed.words.count)", "measured_share": "\(timed.measuredShare)",
                "language": timed.language ?? "",
            ],
            isInstrumental: timed.words.isEmpty)
    }
}
