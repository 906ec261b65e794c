import GRDB

extension JobStore {
    /// Copies the store as it is at one moment into a new file, through SQLite's online backup.
    ///
    /// The copy is checked. Making it durable (fsync of file and folder, then the rename) is the caller's: SQLite does not do it.
    package func copy(to path: String) throws(StoreError) {
        try Self.translating {
            let copy = try DatabaseQueue(path: path)
            try pool.backup(to: copy)
            let answer = try copy.writeWithoutTransaction { db in
                // A backup in WAL mode would leave two more files beside it.
                try db.execute(sql: "PRAGMA journal_mode = DELETE")
                return try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            }
            try copy.close()
            guard answer == "ok" else { throw StoreError(.corrupt, "the backup \(path) is damaged: \(answer ?? "no answer")") }
        }
    }

    /// Whether a file is a whole database of a version this program can open. Nothing in it is changed.
    package static func isHealthy(path: String) -> Bool {
        var configuration = Configuration()
        configuration.readonly = true
        guard let queue = try? DatabaseQueue(path: path, configuration: configuration) else { return false }
        defer { try? queue.close() }
        return (try? queue.read { db in
            let applied = try Set(String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"))
            return try applied.isSubset(of: Schema.known) && String.fetchOne(db, sql: "PRAGMA integrity_check(1)") == "ok"
        }) ?? false
    }
}
