import FoundationEssentials
import Glibc
import Host
import Jobs

/// A folder of the test's own, removed on every path. Short: socket paths have 108 bytes.
package func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/lyricd-test-\(JobKey.make(unixSeconds: Date().timeIntervalSince1970).suffix(12))"
    _ = try Directory.openOrCreate(path, mode: 0o700)
    do {
        let result = try await body(path)
        try? FileManager.default.removeItem(atPath: path)
        return result
    } catch {
        try? FileManager.default.removeItem(atPath: path)
        throw error
    }
}

/// What was waited for did not happen in time.
package struct TimedOut: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Waits until a question is answered with something; asks again every few milliseconds.
///
/// - Parameters:
///   - what: for the message, when it never came.
///   - seconds: generous; it is only reached by a failing test.
@discardableResult
package func waitUntil<Value>(_ what: String, seconds: Double = 30, _ question: () async throws -> Value?) async throws -> Value {
    let deadline = Clock.bootSeconds + seconds
    while true {
        if let value = try await question() { return value }
        guard Clock.bootSeconds < deadline else { throw TimedOut("waited \(seconds) s for \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
