import Host
import Synchronization

/// What a program says of its version, asked once.
///
/// A program that cannot be asked now is asked again next time: it may be installed meanwhile.
final class EngineVersion: Sendable {
    private let known = Mutex<String?>(nil)

    /// - Parameter read: finds the version in one line of output, stdout or stderr.
    func ask(
        _ program: String?, _ arguments: [String], environment: EngineEnvironment, read: @escaping @Sendable (String) -> String?
    ) async -> String? {
        if let version = known.withLock({ $0 }) { return version }
        guard let program else { return nil }
        let found = Mutex<String?>(nil)
        let command = ChildCommand(
            executable: program, arguments: arguments,
            // Nothing is written by a program that is asked for its version; what still tries finds no folder.
            environment: environment.variables(home: "/nonexistent"), workingDirectory: "/", owner: environment.owner,
            timeLimit: .seconds(20), stallLimit: nil)
        let result = try? await ChildProcess.run(
            command,
            onStandardOutput: { line in
                found.withLock { if $0 == nil { $0 = read(String(decoding: line, as: UTF8.self)) } }
            })
        guard result?.ending == .exited(0), let version = found.withLock({ $0 }) else { return nil }
        known.withLock { $0 = version }
        return version
    }
}
