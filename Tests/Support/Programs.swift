import FoundationEssentials
import Glibc
import Host
import Synchronization

/// Runs a program to its end.
@discardableResult
package func run(_ program: String, _ arguments: String...) async throws -> String {
    let lines = Mutex<[String]>([])
    let result = try await ChildProcess.run(
        ChildCommand(
            executable: program, arguments: arguments, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], workingDirectory: "/",
            owner: "lyricd-test-\(getpid())", timeLimit: .seconds(120), stallLimit: nil),
        onStandardOutput: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
    guard result.ending == .exited(0) else {
        throw TimedOut("\(program) \(arguments) ended with \(result.ending): \(result.stderrTail)")
    }
    return lines.withLock { $0 }.joined(separator: "\n")
}

/// Whether this machine lets the tests mount a file system of their own, in their own folders.
package let mayMount: Bool = {
    guard geteuid() == 0, let status = try? Directory.open("/proc/self").openFile("status").path else { return false }
    // Bit 21 of the effective set is CAP_SYS_ADMIN. Source: linux/capability.h.
    guard let text = try? String(contentsOfFile: status, encoding: .utf8),
        let line = text.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
        let set = UInt64(line.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16)
    else { return false }
    return set & (1 << 21) != 0
}()

/// A small file system in memory at a place of the test's own, gone afterwards on every path.
package func withMount<Result>(_ path: String, _ settings: String, _ body: () async throws -> Result) async throws -> Result {
    try await run("mount", "-t", "tmpfs", "-o", settings, "lyricd-test", path)
    do {
        let result = try await body()
        _ = try? await run("umount", "-l", path)
        return result
    } catch {
        _ = try? await run("umount", "-l", path)
        throw error
    }
}

/// Asks SQLite itself, in another process, with nothing of ours in between. Values are separated by `|`, rows by line ends.
@discardableResult
package func sqlite(_ path: String, _ statement: String) async throws -> String {
    let program = """
        import sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        for row in connection.execute(sys.argv[2]):
            print("|".join(str(value) for value in row))
        connection.close()
        """
    return try await run("python3", "-c", program, path, statement)
}

/// Runs a test in a process of its own, where it may have what no test may take from the others: no privileges, or lower limits.
///
/// The process is this test program again, asked for the one test; there, `body` runs.
///
/// - Parameters:
///   - test: the name of the function that calls this.
///   - limits: of the namespace, by their names in /proc/sys/user; without any, the process has no capability at all, and root is
///     nobody in particular.
package func inOwnProcess(_ test: String, limits: [String: Int] = [:], _ body: () async throws -> Void) async throws {
    if isInOwnProcess { return try await body() }
    let lines = Mutex<[String]>([])
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let settings = limits.map { "echo \($0.value) > /proc/sys/user/\($0.key) && " }.joined()
    let result = try await ChildProcess.run(
        ChildCommand(
            executable: "unshare",
            arguments: ["--user"] + (limits.isEmpty ? [] : ["--map-root-user"]) + [
                "sh", "-c", settings + "exec \"$0\" \"$@\"", program, "--testing-library", "swift-testing", "--filter", test,
            ],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LYRICD_TEST_IN_OWN_PROCESS": "1"], workingDirectory: "/",
            owner: "lyricd-test-\(getpid())", timeLimit: .seconds(120), stallLimit: nil),
        onStandardOutput: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } },
        onStandardError: { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } })
    let output = lines.withLock { $0.joined(separator: "\n") }
    // A filter that matches nothing succeeds as well.
    guard result.ending == .exited(0), output.contains("run with 1 test ") else {
        throw TimedOut("\(test) in a process of its own ended with \(result.ending): \(output)")
    }
}

/// Whether the kernel gives such a process.
package func mayHaveOwnProcess() async -> Bool { (try? await run("unshare", "--user", "--map-root-user", "true")) != nil }

package let isInOwnProcess = ProcessInfo.processInfo.environment["LYRICD_TEST_IN_OWN_PROCESS"] != nil
