import Foundation
import Glibc
import Host
import Testing
import TestSupport

/// A real daemon, or one command of the command line, as a child of the test.
final class DaemonProcess: Sendable {
    /// How a process ended.
    enum Ending: Equatable, Sendable {
        case exited(Int32), signaled(Int32)
    }

    let pid: Int32
    /// Absolute path of the file that stdout and stderr go to.
    let logPath: String
    private let process: Process

    /// The executable that was built with the tests: beside their bundle, or where `swift build` puts it.
    static let executable: String = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("lyricd").path
        if FileManager.default.isExecutableFile(atPath: bundle) { return bundle }
        return House.package + "/.build/debug/lyricd"
    }()

    /// - Parameter environment: complete; nothing of the test's own is inherited.
    init(_ arguments: [String], environment: [String: String], log: String) throws {
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let output = try #require(FileHandle(forWritingAtPath: log))
        output.seekToEndOfFile()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.executable)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try output.close()
        self.process = process
        pid = process.processIdentifier
        logPath = log
    }

    var isRunning: Bool { process.isRunning }
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// Waits until it has ended.
    func ending(within seconds: Double = 30) async throws -> Ending {
        do { try await waitUntil("the end of process \(pid)", seconds: seconds) { process.isRunning ? nil : true } } catch {
            throw Late("\(error); it said: \(log.suffix(2000))")
        }
        return process.terminationReason == .exit ? .exited(process.terminationStatus) : .signaled(process.terminationStatus)
    }

    /// TERM, and the end.
    @discardableResult
    func stop(within seconds: Double = 30) async throws -> Ending {
        send(SIGTERM)
        return try await ending(within: seconds)
    }

    /// KILL, and the end: what a crash or a power cut leaves of the process.
    func crash() async throws {
        send(SIGKILL)
        _ = try await ending()
    }

    /// For `defer`: no test leaves a daemon behind.
    func end() {
        guard process.isRunning else { return }
        kill(pid, SIGKILL)
        while process.isRunning { usleep(2_000) }
    }
}
