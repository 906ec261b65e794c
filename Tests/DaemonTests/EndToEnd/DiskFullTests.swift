import Foundation
import Glibc
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// A full disk is nobody's failure: work waits, no attempt is spent, and everything goes on by itself when there is space again.
    @Suite(.enabled(if: geteuid() == 0, "needs root: mounts a small tmpfs")) struct DiskFullTests {
        @Test func aFullStateFolderPausesEverythingAndItGoesOnByItself() async throws {
            let material = try await Material.get()
            try await withSmallDisk(megabytes: 8) { disk in
                try await House.with(["folders.state": "\"\(disk)/state\"", "limits.free_space": "\"1M\""]) { house in
                    let daemon = try await house.start()
                    try fill(disk)
                    try house.drop(file: material.path("song.mp3"), as: "song.mp3")
                    try house.drop(Material.words, as: "song.txt")
                    try await waitUntil("the pause to be told") { house.status.contains("must stay free") ? true : nil }
                    #expect(try await house.run("jobs").text.contains("paused:"))
                    #expect(house.names(in: house.inbox) == ["song.mp3", "song.txt"])
                    try FileManager.default.removeItem(atPath: disk + "/ballast")
                    let job = try #require(try await house.finish(1).first)
                    #expect(job.state == .done)
                    #expect(daemon.isRunning)
                    try expectNothingSpent(job, house)
                }
            }
        }

        /// Without a reserve the disk is really full when the database is written: a change that finds no space is rolled back.
        @Test func aStateFolderThatFillsUpUnderTheWorkLosesNothing() async throws {
            let material = try await Material.get()
            try await withSmallDisk(megabytes: 8) { disk in
                try await House.with(["folders.state": "\"\(disk)/state\"", "limits.free_space": "0"]) { house in
                    try house.drop(file: material.path("song.mp3"), as: "song.mp3")
                    try house.drop(Material.words, as: "song.txt")
                    let daemon = try house.launch(fault: "stage.begun:2:sleep=1.5")
                    try await house.wait(for: "in separate") { $0.state == .running && $0.stage == .separate }
                    try fill(disk)
                    try await waitUntil("the full disk to be met", seconds: 60) { house.log().contains("no space") || house.log().contains("No space") ? true : nil }
                    try FileManager.default.removeItem(atPath: disk + "/ballast")
                    let job = try #require(try await house.finish(1).first)
                    #expect(job.state == .done)
                    #expect(daemon.isRunning, "\(house.log(last: 2000))")
                    try expectNothingSpent(job, house)
                }
            }
        }

        @Test func aFullOutboxHoldsThePublicationBackAndLeavesNothingHalf() async throws {
            let material = try await Material.get()
            try await withSmallDisk(megabytes: 1) { disk in
                try await House.with(["folders.outbox": "\"\(disk)/out\""]) { house in
                    let daemon = try await house.start()
                    try fill(disk)
                    try house.drop(file: material.path("song.mp3"), as: "song.mp3")
                    try house.drop(Material.words, as: "song.txt")
                    let waiting = try await house.wait(for: "waiting for space") { $0.stage == .publish && $0.failure == .environment && $0.state == .queued }
                    #expect(waiting.reason.contains("no space"))
                    #expect(waiting.attempts == 0)
                    #expect(house.names(in: house.outbox).filter { !$0.hasPrefix(".") }.isEmpty)
                    #expect(house.names(in: house.inbox) == ["song.mp3", "song.txt"])
                    try FileManager.default.removeItem(atPath: disk + "/ballast")
                    let job = try #require(try await house.finish(1).first)
                    #expect(job.state == .done)
                    #expect(daemon.isRunning)
                    #expect(house.names(in: house.outbox) == ["song"])
                }
            }
        }

        private func expectNothingSpent(_ job: Job, _ house: House) throws {
            // Each failed attempt was the disk's fault and is not counted against the job: it never came near its limit of 5.
            let failed = try house.read { try $0.attempts(of: job.id) }.filter { $0.outcome == .failed }
            #expect(failed.allSatisfy { $0.failure == .environment }, "\(failed)")
            #expect(job.crashes == 0)
        }

        private func fill(_ disk: String) throws {
            let file = open(disk + "/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            try #require(file >= 0)
            defer { close(file) }
            let block = [UInt8](repeating: 1, count: 4096)
            while write(file, block, block.count) > 0 {}
            try #require(errno == ENOSPC)
        }

        private func withSmallDisk(megabytes: Int, _ body: (String) async throws -> Void) async throws {
            try await withTemporaryFolder { folder in
                let disk = folder + "/disk"
                try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
                try #require(mount("tmpfs", disk, "tmpfs", 0, "size=\(megabytes)m") == 0)
                defer { umount2(disk, Int32(MNT_DETACH)) }
                try await body(disk)
            }
        }
    }
}
