import Foundation
import Glibc
import Jobs
import Testing
import TestSupport

extension EndToEnd {
    /// The inbox and the manifests in the outbox are a second source of truth: what the job store lost is found again there.
    @Suite struct StoreDamageTests {
        enum Damage: String, CaseIterable, Sendable {
            case flippedBytes, truncated, zeroHeader, withoutLog
        }

        /// Two finished jobs, one that waits in the inbox, one whose folder stands in the outbox and whose last commit is missing;
        /// then the database is damaged.
        @Test(arguments: Damage.allCases, [true, false])
        func aDamagedStoreIsRebuiltAndNothingIsPublishedTwice(damage: Damage, hasBackup: Bool) async throws {
            let material = try await Material.get()
            try await House.with { house in
                try house.drop(file: material.path("silence.wav"), as: "first.wav")
                try await house.start()
                try await house.finish(1)
                if hasBackup {
                    // The first backup was made of an empty store; this one knows the first job and not the others.
                    try FileManager.default.removeItem(atPath: house.state + "/backups")
                    _ = try await house.restart()
                    try await waitUntil("a backup") { house.names(in: house.state + "/backups").contains { $0.hasPrefix("jobs-") } ? true : nil }
                }
                try house.drop(file: material.path("other.mp3"), as: "second.mp3")
                try house.drop(Material.words, as: "second.txt")
                try await house.finish(2)
                _ = try await stopLast(house)
                let before = try OutboxPicture(house.outbox)

                // Killed between the rename and the commit.
                try house.drop(file: material.path("song.mp3"), as: "third.mp3")
                try house.drop(Material.words, as: "third.txt")
                let killed = try house.launch(fault: "publish.synced")
                #expect(try await killed.ending() == .signaled(SIGKILL))
                #expect(house.names(in: house.outbox) == ["first", "second", "third"])
                if !hasBackup { try FileManager.default.removeItem(atPath: house.state + "/backups") }
                try inflict(damage, on: house.state)
                try house.drop(file: material.path("song.flac"), as: "fourth.flac")
                try house.drop(Material.words, as: "fourth.txt")

                try await house.start()
                try await house.wait(for: "done after the damage") { $0.title == "fourth" && $0.state == .done }
                try await house.finish(4)
                #expect(house.log().contains("damaged") || house.log().contains("log was gone"))
                // What stood there stands there untouched, and once.
                #expect(house.names(in: house.outbox) == ["first", "fourth", "second", "third"])
                let after = try OutboxPicture(house.outbox)
                #expect(before.files.allSatisfy { after.files[$0.key] == $0.value }, "\(after.difference(from: before))")
                #expect(house.names(in: house.inbox).isEmpty)
                // The same recording is still known.
                try house.drop(file: material.path("silence.wav"), as: "first.wav")
                try await house.wait(for: "answered from the earlier result") { $0.cachedFrom != nil && $0.state == .instrumental }
                #expect(house.names(in: house.outbox) == ["first", "fourth", "second", "third"])
                try await house.finish(5)
                if hasBackup, damage != .withoutLog { #expect(try house.jobs().first?.title == "first" && house.jobs().first?.drop == 1) }
                let moved = house.names(in: house.state).filter { $0.hasPrefix("corrupt-") }
                #expect(moved.count == (damage == .withoutLog ? 0 : 1), "\(moved)")
            }
        }

        @Test func aStoreOfANewerVersionIsLeftAlone() async throws {
            try await House.with { house in
                let daemon = try await house.start()
                #expect(try await daemon.stop() == .exited(0))
                let path = house.state + "/jobs.db"
                let changed = try await House.tool(
                    "/usr/bin/python3", ["-c", "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(\"INSERT INTO grdb_migrations VALUES ('999 tomorrow')\"); db.commit()", path])
                try #require(changed.status == 0, "\(changed.text)")
                let before = try Data(contentsOf: URL(fileURLWithPath: path))
                let refused = try house.launch()
                #expect(try await refused.ending() == .exited(78))
                #expect(refused.log.contains("newer lyricd"))
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
                #expect(house.names(in: house.state).allSatisfy { !$0.hasPrefix("corrupt-") })
            }
        }

        private func stopLast(_ house: House) async throws -> DaemonProcess.Ending {
            let pid = try JSONSerialization.jsonObject(with: try Data(contentsOf: URL(fileURLWithPath: house.root + "/run/status.json"))) as? [String: Any]
            let number = try #require(pid?["pid"] as? Int)
            kill(pid_t(number), SIGTERM)
            try await waitUntil("the daemon's end") { FileManager.default.fileExists(atPath: "/proc/\(number)") ? nil : true }
            return .exited(0)
        }

        private func inflict(_ damage: Damage, on state: String) throws {
            let path = state + "/jobs.db"
            switch damage {
            case .withoutLog: try FileManager.default.removeItem(atPath: path + "-wal")
            case .truncated: try #require(truncate(path, 4096 + 100) == 0)
            case .zeroHeader, .flippedBytes:
                let file = try #require(FileHandle(forUpdatingAtPath: path))
                defer { try? file.close() }
                let size = try file.seekToEnd()
                // Pages after the first few hold rows and indices; the first one says that this is a database at all.
                let places: [UInt64] = damage == .zeroHeader ? [0] : stride(from: 4096, to: size, by: 1000).map { $0 }
                for place in places {
                    try file.seek(toOffset: place)
                    try file.write(contentsOf: Data(repeating: damage == .zeroHeader ? 0 : 0x5A, count: damage == .zeroHeader ? 100 : 64))
                }
                // The log could heal what it holds; damage that stays is in pages it does not.
                try? FileManager.default.removeItem(atPath: path + "-wal")
                try? FileManager.default.removeItem(atPath: path + "-shm")
            }
        }
    }
}
