import Host
import Jobs
import Synchronization

/// One run of a stage by one engine: starts its programs one after the other, all under the stage's one time limit, and says in
/// the words of ``StageError`` how they ended.
struct EngineRun: Sendable {
    let request: StageRequest
    let stage: StageName
    let engine: String
    let environment: EngineEnvironment
    /// Seconds of `Clock.awakeSeconds`, the clock of `ChildCommand.timeLimit`.
    private let deadline: Double
    /// Absolute path of an empty folder inside the output, gone when the run ends: home and temporary files of the engine.
    let scratch: String

    private static let scratchName: FileName = ".scratch"

    /// Runs `body` with a scratch folder that is removed on every path.
    static func with<Result: Sendable>(
        _ request: StageRequest, stage: StageName, engine: String, environment: EngineEnvironment,
        _ body: (EngineRun) async throws(StageError) -> Result
    ) async throws(StageError) -> Result {
        let run = EngineRun(request, stage: stage, engine: engine, environment: environment)
        let output: Directory
        do {
            output = try Directory.open(request.output)
            try output.removeTree(scratchName)
            try output.makeDirectory(scratchName, mode: 0o700)
        } catch {
            throw run.failure(error)
        }
        // What cannot be removed now lies in the job's own folder and goes with it.
        defer { try? output.removeTree(scratchName) }
        return try await body(run)
    }

    private init(_ request: StageRequest, stage: StageName, engine: String, environment: EngineEnvironment) {
        self.request = request
        self.stage = stage
        self.engine = engine
        self.environment = environment
        deadline = Clock.awakeSeconds + request.timeLimit.seconds
        scratch = request.output + "/" + Self.scratchName.display
    }

    /// Runs one program. Its working directory is the output folder.
    ///
    /// - Parameters:
    ///   - variables: added to those of ``EngineEnvironment``.
    ///   - timeLimit: for this program; the stage's own limit holds as well.
    ///   - stallLimit: how long it may write nothing and use no CPU time.
    ///   - brake: lets `onOutput` end the program; then this returns, and the caller says why it was ended.
    /// - Returns: how the program ended, when it exited by itself or was stopped by the brake. The status is not looked at.
    func execute(
        _ program: String, _ arguments: [String], variables: [String: String] = [:], timeLimit: Duration? = nil,
        stallLimit: Duration? = nil, brake: Brake = Brake(), onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onError: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws(StageError) -> ChildResult {
        let remaining = deadline - Clock.awakeSeconds
        guard remaining > 0 else { throw timedOut(after: request.timeLimit, nil) }
        let limit = min(timeLimit ?? .seconds(remaining), .seconds(remaining))
        let command = ChildCommand(
            executable: program, arguments: arguments,
            environment: environment.variables(home: scratch).merging(variables) { $1 },
            workingDirectory: request.output, owner: environment.owner,
            timeLimit: limit, stallLimit: stallLimit)
        // A task of its own, so that the brake can be pulled from within the output's callback. It is awaited right below, and
        // cancelled with us.
        let child = Task<Result<ChildResult, SystemCallError>, Never> {
            do throws(SystemCallError) {
                return .success(try await ChildProcess.run(command, onStandardOutput: onOutput, onStandardError: onError))
            } catch {
                return .failure(error)
            }
        }
        brake.attach { child.cancel() }
        let outcome = await withTaskCancellationHandler {
            await child.value
        } onCancel: {
            child.cancel()
        }
        brake.release()
        if Task.isCancelled { throw failure(.cancelled, "stopped") }
        let result: ChildResult
        switch outcome {
        case .success(let value): result = value
        case .failure(let error):
            // The working directory may be what is missing.
            if error.call == "exec", error.isMissing || error.isPermission { throw engineMissing(program) }
            throw failure(error)
        }
        if brake.isPulled { return result }
        switch result.ending {
        case .exited: return result
        case .cancelled: throw failure(.cancelled, "stopped", result: result)
        case .timedOut: throw timedOut(after: timeLimit.map { $0 == limit ? limit : request.timeLimit } ?? request.timeLimit, result)
        case .stalled(let duration):
            throw failure(
                .stalled(after: duration.seconds), "\(engine) gave no sign of life for \(Int(duration.seconds)) s",
                next: "it is tried again by itself; if it keeps happening, look at the machine's load", result: result)
        case .runaway(let bytes):
            throw failure(.badOutput, "\(engine) printed more than \(bytes >> 20) MiB and was stopped", result: result)
        case .signaled(let signal):
            let reading = signal == 9 ? "; the kernel does that when memory runs out" : ""
            throw failure(.signaled(signal), "\(engine) was ended by signal \(signal)\(reading)", result: result)
        }
    }

    // MARK: Errors

    func failure(
        _ reason: StageError.Reason, _ message: String, next: String = "", result: ChildResult? = nil, retryAfter: Double? = nil
    ) -> StageError {
        var status: Int32?
        if case .exited(let code)? = result?.ending { status = code }
        return StageError(
            stage: stage, job: request.job, engine: engine, reason: reason, message: message, nextStep: next,
            stderrTail: result?.stderrTail ?? "", exitStatus: status, peakMemory: result?.peakMemory ?? 0, retryAfter: retryAfter)
    }

    /// A file of ours could not be read or written.
    func failure(_ error: any Error) -> StageError {
        if let error = error as? StageError { return error }
        if let error = error as? SystemCallError, error.isOutOfSpace {
            return failure(
                .failed(.environment), "no space left for the \(stage.rawValue) stage", next: "make space; the job goes on by itself")
        }
        if let error = error as? SystemCallError {
            return failure(.failed(error.failureClass), "\(error)", next: "look at the state folder's permissions and disk")
        }
        return failure(.failed(.ours), "the \(stage.rawValue) stage could not read or write its own file: \(error)")
    }

    func engineMissing(_ path: String, install: String = "") -> StageError {
        failure(
            .engineMissing(path: path), "\(engine) cannot be started: \(path) is missing or may not be run",
            next: install.isEmpty ? "lyricd doctor tells what to install" : "install it: \(install)")
    }

    private func timedOut(after limit: Duration, _ result: ChildResult?) -> StageError {
        failure(
            .timedOut(after: limit.seconds),
            "\(engine) took longer than the \(Int(limit.seconds)) s it may take in the \(stage.rawValue) stage",
            next: "allow more time for this stage, or give a shorter recording", result: result)
    }
}

/// Ends a running program from within the callback that reads its output.
final class Brake: Sendable {
    private struct State {
        var isPulled = false
        var stop: (@Sendable () -> Void)?
    }
    private let state = Mutex(State())

    var isPulled: Bool { state.withLock { $0.isPulled } }

    func pull() {
        state.withLock { state -> (@Sendable () -> Void)? in
            state.isPulled = true
            return state.stop
        }?()
    }

    /// Pulled before the program was attached: it is stopped at once.
    fileprivate func attach(_ stop: @escaping @Sendable () -> Void) {
        let isPulled = state.withLock { state in
            state.stop = stop
            return state.isPulled
        }
        if isPulled { stop() }
    }

    fileprivate func release() { state.withLock { $0.stop = nil } }
}
