import FoundationEssentials
import Jobs
import TestSupport
import Testing

/// A file that is not what it should be is never worked with.
@Suite(.timeLimit(.minutes(15))) struct JobStoreDamageTests {
    /// A closed store with a hundred jobs and something in every table; made once.
    private static let whole = Task {
        try await withTemporaryFolder { folder in
            let store = try JobStore.testing(folder)
            try store.add((0..<40).map { media("song \($0)") } + [list("links", 60)])
            for job in try store.jobs(limit: 10) { try store.publish(job.id) }
            try store.close()
            return try Data(contentsOf: URL(filePath: store.path))
        }
    }

    private func withFile(_ body: (_ path: String, _ folder: String) async throws -> Void) async throws {
        let whole = try await Self.whole.value
        try await withTemporaryFolder { folder in
            let path = folder + "/jobs.db"
            try whole.write(to: URL(filePath: path))
            try await body(path, folder)
        }
    }

    private func reasonToRefuse(_ folder: String) -> StoreError.Reason? {
        do throws(StoreError) {
            let store = try JobStore(path: folder + "/jobs.db", run: "later", clock: { 0 })
            try store.close()
            return nil
        } catch { return error.reason }
    }

    @Test func aDamagedPageOfAnyKindIsFoundAtTheStart() async throws {
        try await withFile { path, folder in
            let whole = try Data(contentsOf: URL(filePath: path))
            let pageSize = 4096
            #expect(whole.count > 10 * pageSize && whole.count % pageSize == 0)
            for page in 0..<(whole.count / pageSize) {
                var damaged = whole
                for offset in 0..<16 { damaged[page * pageSize + offset] = 0xFF }
                try damaged.write(to: URL(filePath: path))
                #expect(reasonToRefuse(folder) == .corrupt, "page \(page + 1)")
                #expect(!JobStore.isHealthy(path: path), "page \(page + 1)")
                #expect(try Data(contentsOf: URL(filePath: path)) == damaged)
            }
        }
    }

    @Test(arguments: [0, 1, 99, 100, 4095, 4096, 8192, 20_000, 40_960]) func aTruncatedFileIsFoundAtTheStart(length: Int) async throws {
        try await withFile { path, folder in
            let whole = try Data(contentsOf: URL(filePath: path))
            try #require(length < whole.count)
            try whole.prefix(length).write(to: URL(filePath: path))
            #expect(reasonToRefuse(folder) == .corrupt)
            #expect(!JobStore.isHealthy(path: path))
        }
    }

    @Test func anErasedHeaderIsFoundAtTheStart() async throws {
        try await withFile { path, folder in
            var data = try Data(contentsOf: URL(filePath: path))
            for offset in 0..<100 { data[offset] = 0 }
            try data.write(to: URL(filePath: path))
            #expect(reasonToRefuse(folder) == .corrupt)
        }
    }

    @Test func aNewerSchemaIsRefusedAndNothingInItChanged() async throws {
        try await withFile { path, folder in
            try await sqlite(path, "INSERT INTO grdb_migrations VALUES ('2 from the future')")
            let before = try Data(contentsOf: URL(filePath: path))
            do throws(StoreError) {
                _ = try JobStore(path: path, run: "later", clock: { 0 })
                Issue.record("a newer schema was taken")
            } catch {
                #expect(error.reason == .newerSchema)
                #expect(error.message.contains("newer lyricd; install that version again"))
            }
            #expect(!JobStore.isHealthy(path: path))
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
        }
    }

    @Test func anotherProgramsDatabaseIsRefusedAndNothingInItChanged() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/jobs.db"
            try await sqlite(path, "CREATE TABLE bookmarks (url TEXT)")
            let before = try Data(contentsOf: URL(filePath: path))
            #expect(reasonToRefuse(folder) == .corrupt)
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["jobs.db"])
        }
    }

    @Test func aTextIsNoDatabase() async throws {
        try await withTemporaryFolder { folder in
            try Data(String(repeating: "not a database\n", count: 1000).utf8).write(to: URL(filePath: folder + "/jobs.db"))
            #expect(reasonToRefuse(folder) == .corrupt)
        }
    }

    /// What is not whole in the log was never committed, or is lost; what is left is a whole store all the same.
    @Test func aLogThatIsLostDamagedOrAnothersLeavesAWholeStore() async throws {
        try await withTemporaryFolder { folder in
            let store = try JobStore.testing(folder)
            for number in 0..<30 { try store.publish(try store.added(media("song \(number)")).id) }
            let log = try Data(contentsOf: URL(filePath: store.path + "-wal"))
            let index = try Data(contentsOf: URL(filePath: store.path + "-shm"))
            #expect(log.count > 100_000)
            var cases: [(String, Data?, Data?)] = [("lost", nil, nil), ("another's index", log, Data(index.reversed())), ("empty", Data(), nil)]
            for length in stride(from: 16, to: log.count, by: log.count / 10) { cases.append(("cut at \(length)", log.prefix(length), index)) }
            for offset in stride(from: 40, to: log.count, by: log.count / 10) {
                var damaged = log
                damaged[offset] ^= 0xFF
                cases.append(("damaged at \(offset)", damaged, nil))
            }
            for (number, (what, log, index)) in cases.enumerated() {
                let copy = folder + "/\(number)"
                try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
                try FileManager.default.copyItem(atPath: store.path, toPath: copy + "/jobs.db")
                try log?.write(to: URL(filePath: copy + "/jobs.db-wal"))
                try index?.write(to: URL(filePath: copy + "/jobs.db-shm"))
                let reopened = try JobStore.testing(copy, run: "run 2")
                #expect(try reopened.historyFaults() == [], "\(what)")
                #expect(try reopened.jobs().count <= 30, "\(what)")
                if what == "another's index" { #expect(try reopened.countsByState() == [.done: 30]) }
                try reopened.add([media("after")])
                try reopened.close()
                #expect(JobStore.isHealthy(path: copy + "/jobs.db"), "\(what)")
            }
        }
    }

    @Test func anOlderStoreIsBroughtUpToDateAndAnUnchangedOneOpensAsItIs() async throws {
        try await withFile { path, folder in
            let before = try JobStore.testing(folder).jobs(limit: .max)
            #expect(before.count == 100)
            #expect(try await sqlite(path, "SELECT identifier FROM grdb_migrations") == "1 jobs")
            #expect(try JobStore.testing(folder).jobs(limit: .max) == before)
        }
    }
}
