import Foundation
import Glibc
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// The n-th call of a kind fails, for n = 1, 2, … until a run passes untouched: the daemon waits or ends, it never lies, and in
    /// the end everything is there once. The method is SQLite's own: sqlite.org/testing.html, "I/O Error Testing".
    @Suite struct FailingCallTests {
        private static let settings = ["retry.crash_limit": "100"]

        /// Each call with the errors that it really has: a disk that is full, a disk that is broken.
        @Test(arguments: [("fsync", "EIO"), ("rename", "EIO"), ("close", "ENOSPC"), ("write", "ENOSPC"), ("write", "EIO"), ("fsync", "ENOSPC")])
        func theNthCallFailsAndEverythingIsDoneOnce(call: String, error: String) async throws {
            let material = try await Material.get()
            var undisturbed: OutboxPicture?
            var count = 0
            try await House.with(Self.settings) { house in
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                let daemon = try house.launch(environment: ["LYRICD_FAULT_TRACE": house.root + "/trace"])
                try await house.finish(1)
                _ = try await daemon.stop()
                count = try house.text(house.root + "/trace").split(separator: "\n").count { $0 == call }
                undisturbed = try OutboxPicture(house.outbox)
            }
            let picture = try #require(undisturbed)
            try #require(count > 5)
            // Two errors of one call differ in what is made of them, not in where they strike: the second is asked every third time.
            let turns = error == "EIO" && call == "write" || error == "ENOSPC" && call == "fsync" ? Array(stride(from: 1, through: count, by: 3)) : Array(1...count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for turn in turns {
                    group.addTask { try await run(material, picture, environment: ["LYRICD_FAULT": "\(call):\(turn):\(error)"]) }
                }
                try await group.waitForAll()
            }
        }

        /// SQLite has no fault points of ours: its calls fail in the C library.
        @Test(arguments: ["fsync", "pwrite", "ftruncate"])
        func theNthCallOfSQLiteFails(call: String) async throws {
            let material = try await Material.get()
            let library = material.folder + "/failcall-\(call).so"
            // Every Swift toolchain has clang; not every machine has a cc.
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            let compiler = path.split(separator: ":").flatMap { ["\($0)/cc", "\($0)/clang"] }.first { FileManager.default.isExecutableFile(atPath: $0) }
            try await Material.run(try #require(compiler), "-shared", "-fPIC", "-O1", "-o", library, House.fixtures + "/failcall.c", "-ldl")
            var undisturbed: OutboxPicture?
            try await House.with(Self.settings) { house in
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                try await house.start()
                try await house.finish(1)
                undisturbed = try OutboxPicture(house.outbox)
            }
            let picture = try #require(undisturbed)
            for error in call == "pwrite" ? [EIO, ENOSPC] : [EIO] {
                // In threes side by side, until a whole three passes untouched.
                var turn = 1
                while true {
                    let first = turn
                    let struck = try await withThrowingTaskGroup(of: Bool.self) { group in
                        for turn in first..<(first + 3) {
                            group.addTask {
                                try await run(material, picture, environment: ["LD_PRELOAD": library, "FAILCALL": "\(call):\(turn):\(error):jobs.db"])
                            }
                        }
                        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                    }
                    if struck == 0 { break }
                    // The first calls are those of making the database; later ones repeat each other.
                    turn += turn > 6 ? 21 : 3
                    try #require(turn < 400)
                }
            }
        }

        /// - Returns: whether the fault struck, as far as the shim can tell.
        @discardableResult
        private func run(_ material: Material, _ picture: OutboxPicture, environment: [String: String]) async throws -> Bool {
            var struck = false
            try await House.with(Self.settings) { house in
                try house.drop(file: material.path("silence.wav"), as: "silence.wav")
                let daemon = try house.launch(environment: environment.merging(["FAILCALL_MARK": house.root + "/struck"]) { $1 })
                // It ends by itself with EX_IOERR, or goes on and gets there in the end.
                try await waitUntil("the daemon to end, or to be done; the log: \(house.log(last: 2000))", seconds: 60) {
                    if !daemon.isRunning { return true }
                    guard let jobs = try? house.jobs(), jobs.count == 1, jobs[0].state.isFinished, house.names(in: house.inbox).isEmpty else {
                        try await Task.sleep(for: .milliseconds(40))
                        return nil
                    }
                    return true
                }
                if daemon.isRunning { daemon.send(SIGTERM) }
                let ending = try await daemon.ending()
                #expect([.exited(0), .exited(74)].contains(ending), "\(environment): \(ending); \(house.log(last: 2000))")
                struck = FileManager.default.fileExists(atPath: house.root + "/struck")
                try await house.check(isFinished: false)
                try await house.start()
                try await house.finish(1)
                #expect(try house.jobs().map(\.state) == [.instrumental], "\(environment)")
                let found = try OutboxPicture(house.outbox)
                #expect(found == picture, "\(environment): \(found.difference(from: picture))")
            }
            return struck
        }
    }
}
