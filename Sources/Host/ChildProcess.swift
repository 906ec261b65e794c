import Glibc
import Subprocess
import SystemPackage

/// Runs programs, each in a session of its own, and sees to it that nothing of them stays.
package enum ChildProcess {
    /// Runs a program to its end.
    ///
    /// stdin is /dev/null, no other descriptor is passed on, every signal has its default action and none is blocked. Both streams are
    /// read all the time. Lines end at `\n` and at `\r`, are 64 KiB at the most (the rest is dropped) and come without their end.
    ///
    /// A cancelled task, and a limit that is reached, send TERM to the process group and, after `grace`, KILL to every process of the run.
    /// After any other ending what the first process left running is killed at once, also what called setsid or ignores TERM.
    /// - Throws: only where the program could not be started: `ENOENT`, `EACCES` … on the executable or the working directory.
    package static func run(
        _ command: ChildCommand, onStandardOutput: @escaping @Sendable ([UInt8]) -> Void,
        onStandardError: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) async throws(SystemCallError) -> ChildResult {
        let path = try resolve(command)
        let supervisor = ChildSupervisor(command)
        let outcome = await withTaskCancellationHandler {
            // A task of its own, which nobody cancels: the library would answer a cancellation with a teardown that ends with the
            // first process, whatever that has left behind. Ours is the supervisor's.
            await Task { () -> Result<ChildResult, SystemCallError> in
                await supervise(path, command, supervisor, onStandardOutput, onStandardError)
            }.value
        } onCancel: {
            supervisor.end(.cancelled)
        }
        return try outcome.get()
    }

    private static func supervise(
        _ path: String, _ command: ChildCommand, _ supervisor: ChildSupervisor,
        _ onStandardOutput: @escaping @Sendable ([UInt8]) -> Void, _ onStandardError: @escaping @Sendable ([UInt8]) -> Void
    ) async -> Result<ChildResult, SystemCallError> {
        let start = Clock.bootSeconds
        if supervisor.isEnding { return .success(ChildResult(ending: .cancelled, seconds: 0)) }
        var environment = command.environment
        environment["LYRICD_OWNER"] = command.owner
        environment["LYRICD_RUN"] = supervisor.run
        var options = PlatformOptions()
        options.createSession = true
        do {
            let result = try await Subprocess.run(
                .path(FilePath(path)), arguments: Arguments(command.arguments),
                environment: .custom(environment.reduce(into: [:]) { $0[Environment.Key(stringLiteral: $1.key)] = $1.value }),
                workingDirectory: FilePath(command.workingDirectory), platformOptions: options,
                input: .none, output: .sequence, error: .sequence
            ) { execution in
                supervisor.begin(leader: execution.processIdentifier.value)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await drain(execution.standardOutput, supervisor, false, onStandardOutput) }
                    group.addTask { await drain(execution.standardError, supervisor, true, onStandardError) }
                    group.addTask { await supervisor.waitForEnd() }
                }
            }
            let ending: ChildResult.Ending =
                switch result.terminationStatus {
                case .exited(let status): .exited(status)
                case .signaled(let signal): .signaled(signal)
                }
            return .success(supervisor.result(or: ending, seconds: Clock.bootSeconds - start))
        } catch {
            return .failure(systemCallError(error, command))
        }
    }

    private static func drain(
        _ stream: SubprocessOutputSequence, _ supervisor: ChildSupervisor, _ isStandardError: Bool,
        _ line: @escaping @Sendable ([UInt8]) -> Void
    ) async {
        var splitter = LineSplitter()
        // A stream that cannot be read has ended; the supervisor still sees the process itself.
        do {
            for try await chunk in stream {
                chunk.withUnsafeBytes { buffer in
                    if supervisor.took(buffer, isStandardError: isStandardError) { splitter.feed(buffer, line) }
                }
            }
        } catch {}
        splitter.finish(line)
        supervisor.streamEnded()
    }

    /// The library says the same of a program that is not there and of one that may not be run; the operator has to know which.
    private static func resolve(_ command: ChildCommand) throws(SystemCallError) -> String {
        var status = stat()
        _ = try check("chdir", command.workingDirectory) { stat(command.workingDirectory, &status) }
        guard !command.executable.contains("/") else {
            try checkExecutable(command.executable)
            return command.executable
        }
        let path = command.environment["PATH"] ?? getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        var failure = SystemCallError(call: "exec", errno: ENOENT, subject: command.executable)
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = folder + "/" + command.executable
            do {
                try checkExecutable(String(candidate))
                return String(candidate)
            } catch where error.errno == EACCES && stat(String(candidate), &status) == 0 {
                // It is there and may not be run. A folder that is closed to us, root's own for one, says nothing about the program.
                failure = error
            } catch {}
        }
        throw failure
    }

    private static func checkExecutable(_ path: String) throws(SystemCallError) {
        var status = stat()
        _ = try check("exec", path) { stat(path, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemCallError(call: "exec", errno: EACCES, subject: path) }
        _ = try check("exec", path) { access(path, X_OK) }
    }

    private static func systemCallError(_ error: any Error, _ command: ChildCommand) -> SystemCallError {
        guard let error = error as? SubprocessError else {
            return SystemCallError(call: "exec", errno: EIO, subject: command.executable)
        }
        let isDirectory = error.code == .failedToChangeWorkingDirectory
        return SystemCallError(
            call: isDirectory ? "chdir" : "exec",
            // Checked before: what is there and cannot be run lacks its interpreter.
            errno: error.underlyingError?.rawValue ?? ENOENT,
            subject: isDirectory ? command.workingDirectory : command.executable)
    }
}
