import FoundationEssentials
import Host
import Jobs
import Synchronization

/// What the recogniser and the aligner share: starting `pocketsphinx_engine.py` and reading its answer without trusting it.
struct PocketSphinx: Sendable {
    /// As the plan calls both engines.
    static let name = "pocketsphinx"

    let paths: EnginePaths
    let scripts: EngineScripts
    let environment: EngineEnvironment

    func version(_ asked: EngineVersion) async -> String? {
        guard let script = try? scripts.path(of: .pocketSphinx) else { return nil }
        return await asked.ask(paths.pocketSphinxPython, EngineEnvironment.pythonOptions + [script, "version"], environment: environment) {
            (try? JSONDecoder().decode(Line.self, from: Data($0.utf8)))?.version
        }
    }

    /// The model knows one language; trying another gives confident nonsense.
    func checkLanguage(_ run: EngineRun) throws(StageError) {
        let language = run.request.plan.language.lowercased()
        guard language == "en" || language.hasPrefix("en-") || language.hasPrefix("en_") else {
            throw run.failure(
                .failed(.environment),
                "the embedded \(run.stage == .align ? "aligner" : "recogniser") speaks English only, not “\(run.request.plan.language)”",
                next: "set language = \"en\" if the words are English after all, or install an engine that speaks it")
        }
    }

    /// Absolute path and seconds of the voice.
    func voice(_ run: EngineRun) throws(StageError) -> (path: String, seconds: Double) {
        guard let folder = run.request.inputs[.separate] else { throw run.failure(.failed(.ours), "there is no voice to listen to") }
        do {
            let size = try Directory.open(folder).status(of: StageFolder.voice)?.size ?? 0
            // 44 bytes of header, 32 000 bytes a second.
            return (folder + "/" + StageFolder.voice.display, Double(max(0, size - 44)) / 32_000)
        } catch {
            throw run.failure(error)
        }
    }

    /// Runs the program and decodes what it left in the scratch folder.
    func execute<Answer: Decodable>(
        _ run: EngineRun, _ what: String, _ arguments: [String], as type: Answer.Type
    ) async throws(StageError) -> (answer: Answer, result: ChildResult) {
        guard let python = paths.pocketSphinxPython else { throw run.engineMissing("PocketSphinx", install: paths.installCommand) }
        let script: String
        do { script = try scripts.path(of: .pocketSphinx) } catch { throw run.failure(error) }
        let last = Mutex<Line?>(nil)
        let result = try await run.execute(
            python, EngineEnvironment.pythonOptions + [script, what] + arguments + ["--out", run.scratch + "/answer.json"],
            stallLimit: .seconds(300)
        ) { line in
            guard let line = try? JSONDecoder().decode(Line.self, from: Data(line)) else { return }
            if let progress = line.progress { run.request.report(StageProgress(fraction: progress)) }
            if line.error != nil { last.withLock { $0 = line } }
        }
        guard result.ending == .exited(0) else { throw failed(run, result, last.withLock { $0 }) }
        do {
            return (try StageFolder.read(type, from: "answer.json", in: run.scratch), result)
        } catch {
            throw run.failure(.badOutput, "PocketSphinx said that it had finished, but its answer cannot be read", result: result)
        }
    }

    private func failed(_ run: EngineRun, _ result: ChildResult, _ said: Line?) -> StageError {
        switch said?.error {
        case "no_engine":
            return run.engineMissing(paths.pocketSphinxPython ?? "PocketSphinx", install: paths.installCommand)
        case "bad_audio":
            return run.failure(.failed(.ours), "the voice that was made for the recogniser cannot be read", result: result)
        case "bad_request":
            return run.failure(.failed(.ours), "the recogniser was asked something it does not understand", result: result)
        default:
            if result.stderrTail.contains("MemoryError") || result.stderrTail.contains("Cannot allocate memory") {
                return run.failure(.failed(.outOfMemory), "PocketSphinx had not enough memory", result: result)
            }
            if result.stderrTail.contains("No space left on device") {
                return run.failure(
                    .failed(.environment), "no space left for the recogniser's answer", next: "make space; the job goes on by itself",
                    result: result)
            }
            if case .exited(let status) = result.ending {
                return run.failure(
                    .exited(status: status), "PocketSphinx failed with status \(status)", next: "it is tried again by itself",
                    result: result)
            }
            return run.failure(.badOutput, "PocketSphinx failed", result: result)
        }
    }

    private struct Line: Decodable {
        var progress: Double?
        var error: String?
        var version: String?
    }
}

/// A stretch of time as an engine says it, believed only after it was looked at.
struct ClaimedTimes {
    /// Seconds; where the last one began.
    private var last = 0.0
    private let duration: Double

    /// - Parameter duration: seconds; what begins or ends after it by more than half a second is not of this recording.
    init(duration: Double) { self.duration = duration }

    /// False for what is no number, negative, backwards, or outside of the recording.
    mutating func accept(start: Double, end: Double) -> Bool {
        guard start.isFinite, end.isFinite, start >= last, end >= start, end <= duration + 0.5 else { return false }
        last = start
        return true
    }
}
