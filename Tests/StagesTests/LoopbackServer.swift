import Foundation
import Testing

/// The web server of `Tests/Fixtures/loopback_server.py`, running while the test's body does.
struct LoopbackServer: Sendable {
    let port: Int

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    static func with<Result>(serving folder: String, _ body: (LoopbackServer) async throws -> Result) async throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-I", Workshop.fixtures + "/loopback_server.py", folder]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // It ends when its input does.
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
        return try await body(LoopbackServer(port: port))
    }
}
