import Foundation
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// Programs that hang, lie, shout and die. Only their own job ends badly, nothing of them stays, and memory stays flat.
    @Suite struct BadEngineTests {
        private struct Expectation {
            let word: String
            let state: JobState
            let failure: FailureClass?
            let attempts: Int
            let reason: String
        }

        private static let expectations = [
            Expectation(word: "Hang", state: .held, failure: .timeout, attempts: 2, reason: "took longer"),
            Expectation(word: "Stubborn", state: .held, failure: .timeout, attempts: 2, reason: "took longer"),
            Expectation(word: "Orphan", state: .done, failure: nil, attempts: 1, reason: ""),
            Expectation(word: "Flood", state: .failed, failure: .transient, attempts: 3, reason: "printed more than 50 MiB"),
            Expectation(word: "Unbroken", state: .failed, failure: .transient, attempts: 3, reason: "printed more than 50 MiB"),
            Expectation(word: "Garbage", state: .failed, failure: .transient, attempts: 3, reason: "its answer cannot be read"),
            Expectation(word: "Half", state: .failed, failure: .transient, attempts: 3, reason: "its answer cannot be read"),
            Expectation(word: "Silent", state: .failed, failure: .transient, attempts: 3, reason: "its answer cannot be read"),
            Expectation(word: "Backwards", state: .failed, failure: .transient, attempts: 3, reason: "where there is none"),
            Expectation(word: "Crash", state: .failed, failure: .transient, attempts: 3, reason: "signal 11"),
            Expectation(word: "Seven", state: .failed, failure: .transient, attempts: 3, reason: "status 7"),
            Expectation(word: "Hello", state: .done, failure: nil, attempts: 1, reason: ""),
        ]

        @Test func whateverAnEngineDoesOnlyItsOwnJobSuffers() async throws {
            let material = try await Material.get()
            try await House.with([
                "folders.engines": "\"ROOT/engines\"", "lanes.heavy": "4", "limits.stage_time_base": "\"8s\"", "limits.stage_time_factor": "0.0",
            ]) { house in
                let bin = house.root + "/engines/pocketsphinx/bin"
                try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
                let script = try house.text(House.fixtures + "/fake_python.sh")
                let real = "REAL='\(House.engines)/pocketsphinx/bin/python'"
                let lines = script.split(separator: "\n", omittingEmptySubsequences: false)
                try (lines.prefix(1).joined() + "\n" + real + "\n" + lines.dropFirst().joined(separator: "\n")).write(toFile: bin + "/python", atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bin + "/python")

                let daemon = try await house.start()
                for expected in Self.expectations {
                    try house.drop("\(expected.word) world\n", as: "\(expected.word).txt")
                    try house.drop(file: material.path("song.mp3"), as: "\(expected.word).mp3")
                }
                try await house.finish(Self.expectations.count)
                for expected in Self.expectations {
                    let job = try #require(try house.job(expected.word))
                    #expect(job.state == expected.state, "\(expected.word): \(job.state), \(job.reason)")
                    #expect(job.failure == expected.failure, "\(expected.word)")
                    #expect(expected.reason.isEmpty || job.reason.contains(expected.reason), "\(expected.word): \(job.reason)")
                    let attempts = try house.read { try $0.attempts(of: job.id) }.filter { $0.stage == .align }
                    #expect(attempts.count == expected.attempts, "\(expected.word): \(attempts.count)")
                }
                #expect(house.engineProcesses.isEmpty)
                // Two floods of 150 MB went through it.
                let status = try house.text("/proc/\(daemon.pid)/status")
                let peak = try #require(status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.1) })
                #expect(peak < 150_000, "the daemon's peak was \(peak) kB")
                // Held jobs wait in the inbox, beside them in the failed folder is why.
                #expect(house.names(in: house.inbox).filter { $0.hasSuffix(".mp3") } == ["Hang.mp3", "Stubborn.mp3"])
            }
        }
    }
}
