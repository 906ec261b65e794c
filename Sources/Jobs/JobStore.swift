import Dispatch
import FoundationEssentials
import GRDB
import Synchronization

/// Everything lyricd knows about its work, in one SQLite file: the only user of GRDB.
///
/// WAL with `synchronous=FULL`: a commit that returned survives a power cut. One writer connection does every write and
/// every checkpoint, and no other process writes, so the WAL-reset race of SQLite before 3.51.3 cannot be met
/// (sqlite.org/wal.html#the_wal_reset_bug).
///
/// The methods block. From `async` code they are called through ``perform(_:)``, which runs them on the store's own queue
/// and is not cancelled with the caller: a change of state that has begun is finished.
package final class JobStore: Sendable {
    /// Sees every change of state before it is committed and after; for tests that stop the program there.
    package typealias TransitionHook = @Sendable (_ moment: TransitionMoment, _ from: JobState?, _ to: JobState) -> Void
    package enum TransitionMoment: String, Sendable { case before, after }

    package let path: String
    /// Names this life of the daemon: owner of the jobs it runs, and part of every history row.
    package let run: String

    let pool: DatabasePool
    let clock: @Sendable () -> Double
    let hook: TransitionHook?
    private let queue = DispatchQueue(label: "lyricd.store")
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)

    /// Opens the store for the daemon, creates it where there is none, and brings the schema up to date.
    ///
    /// - Parameters:
    ///   - path: on a local file system; WAL does not work on a network one (sqlite.org/wal.html).
    ///   - clock: Unix seconds; for display and `notBefore` only.
    /// - Throws: `StoreError` with `.newerSchema` or `.corrupt` before anything was changed.
    package init(
        path: String, run: String, clock: @escaping @Sendable () -> Double, hook: TransitionHook? = nil
    ) throws(StoreError) {
        self.path = path
        self.run = run
        self.clock = clock
        self.hook = hook
        self.pool = try Self.translating {
            var configuration = Configuration()
            configuration.label = "jobs"
            configuration.busyMode = .timeout(5)
            // Two readers: the daemon's own questions are short.
            configuration.maximumReaderCount = 2
            configuration.prepareDatabase { db in
                try db.execute(sql: """
                    PRAGMA trusted_schema = OFF;
                    PRAGMA cell_size_check = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA journal_size_limit = 16777216;
                    PRAGMA mmap_size = 0;
                    """)
            }
            try Self.inspect(path, configuration)
            let pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // Not in prepareDatabase: GRDB's own set-up of WAL runs after it and lowers this to NORMAL.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2,
                    try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal"
                else { throw StoreError(.other, "\(path): SQLite refused WAL with synchronous=FULL") }
            }
            try Schema.migrator.migrate(pool)
            return pool
        }
    }

    /// Looks at the file on a connection of its own, because a pool switches it to WAL, whoever it belongs to.
    private static func inspect(_ path: String, _ configuration: Configuration) throws {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else { return }
        // SQLite takes a file without a header for a new database. A store that was emptied has backups; a new one loses nothing by it.
        if size < 100 { throw StoreError(.corrupt, "\(path) has \(size) bytes") }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            if let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)"), problem != "ok" {
                throw StoreError(.corrupt, "\(path) is damaged: \(problem)")
            }
            if try db.tableExists("grdb_migrations") {
                let applied = try Set(String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"))
                if !applied.isSubset(of: Schema.known) {
                    throw StoreError(
                        .newerSchema, "\(path) was written by a newer lyricd; install that version again, or restore an older backup")
                }
            } else if try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") != 0 {
                throw StoreError(.corrupt, "\(path) is a database, but not one of lyricd")
            }
        }
        try queue.close()
    }

    /// Opens the store of a daemon for reading only: for the CLI, beside the daemon or without it.
    package init(readingOnly path: String) throws(StoreError) {
        self.path = path
        self.run = ""
        self.clock = { 0 }
        self.hook = nil
        self.pool = try Self.translating {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            configuration.maximumReaderCount = 1
            return try DatabasePool(path: path, configuration: configuration)
        }
    }

    /// Runs blocking work of the store on its own queue. Not cancelled with the caller.
    package func perform<Value: Sendable>(
        _ body: @escaping @Sendable (JobStore) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { @Sendable in
                continuation.resume(with: Result { try body(self) })
            }
        }
    }

    /// Called after every committed change, from any thread. A wake-up without data: look again.
    package func onChange(_ body: @escaping @Sendable () -> Void) {
        listener.withLock { $0 = body }
    }

    /// One `BEGIN IMMEDIATE … COMMIT`.
    func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        let value = try Self.translating { try pool.write(body) }
        listener.withLock { $0 }?()
        return value
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try Self.translating { try pool.read(body) }
    }

    /// What SQLite itself says of the connection that writes: `wal`, and 2 for `FULL`.
    package func durability() throws(StoreError) -> (journalMode: String, synchronous: Int) {
        try Self.translating {
            try pool.writeWithoutTransaction { db in
                (try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "", try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1)
            }
        }
    }

    /// Proves that the store answers: one read on the writer connection. For the watchdog.
    package func ping() throws(StoreError) {
        _ = try Self.translating { try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "SELECT 1") } }
    }

    /// Empties the write-ahead log into the database and closes; the store cannot be used after.
    package func close() throws(StoreError) {
        try Self.translating {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try pool.close()
        }
    }

    static func translating<Value>(_ body: () throws -> Value) throws(StoreError) -> Value {
        do { return try body() } catch let error as StoreError { throw error } catch let error as DatabaseError {
            let text = "\(error.resultCode) \(error.extendedResultCode): \(error.message ?? "no message")"
            switch error.resultCode {
            case .SQLITE_FULL: throw StoreError(.full, "the job store has no space left (\(text))")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: throw StoreError(.corrupt, "the job store is damaged (\(text))")
            case .SQLITE_IOERR: throw StoreError(.io, "the job store cannot be read or written (\(text))")
            default: throw StoreError(.other, "the job store refused a change (\(text))")
            }
        } catch { throw StoreError(.other, "the job store: \(error)") }
    }
}
