import Foundation
import Testing

/// The web server of `Tests/Fixtures/loopback_server.py` over the material, running while the test's body does.
struct WebServer: Sendable {
    let port: Int

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    static func with<Result>(_ folder: String, _ body: (WebServer) async throws -> Result) async throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-I", House.fixtures + "/loopback_server.py", folder]
        let (input, output) = (Pipe(), Pipe())
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
        return try await body(WebServer(port: port))
    }
}
