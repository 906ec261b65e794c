import FoundationEssentials
import Host
import Jobs
import Logging
import Pipeline

/// The daemon's own folder: job store, backups, work folders, orders, engines. Made, checked and mended here.
///
///     jobs.db  lock  backups/jobs-<time>.db  corrupt-<time>/  work/  orders/  engines/  scripts/
struct StateFolder {
    static let storeName = "jobs.db"
    static let backupPrefix = "jobs-"

    let path: String
    var storePath: String { path + "/" + Self.storeName }
    var work: String { path + "/work" }
    var orders: String { path + "/orders" }
    var backups: String { path + "/backups" }
    var scripts: String { path + "/scripts" }

    func prepare() throws {
        let folder = try Directory.openOrCreate(path, mode: 0o770)
        if case .network(let name) = try folder.fileSystem() {
            throw UserError(
                "\(path) lies on \(name); SQLite's write-ahead log needs a local file system",
                next: "set state in [folders] to a local folder")
        }
        _ = try Directory.openOrCreate(work, mode: 0o750)
        // Members of the service's group may give orders.
        _ = try Directory.openOrCreate(orders, mode: 0o770)
        _ = try Directory.openOrCreate(backups, mode: 0o750)
    }

    /// Opens the store. A damaged one is moved aside and the newest good backup put in its place; what the backup does not
    /// know yet is found again in the inbox and in the outbox's manifests.
    func openStore(
        run: String, outbox: String, clock: @escaping @Sendable () -> Double, hook: JobStore.TransitionHook?, log: Logger
    ) throws -> (store: JobStore, wasRestored: Bool) {
        // A good end removes both, and SQLite makes the log first: somebody took the log away, and with it the last commits. What is
        // left is a whole database, only an older one.
        let folder = try Directory.open(path)
        let isLogLost =
            try folder.status(of: FileName(Self.storeName + "-shm")) != nil && folder.status(of: FileName(Self.storeName + "-wal")) == nil
        if isLogLost {
            log.critical(
                "the job store's log was gone; what it held is looked for in the inbox and the outbox",
                metadata: ["message.id": "\(MessageID.storeRestored)", "missing": "\(storePath)-wal"])
        }
        do {
            return (try JobStore(path: storePath, run: run, clock: clock, hook: hook), isLogLost)
        } catch {
            guard error.reason == .corrupt else { throw error }
            let moved = try moveAside(clock: clock)
            let backup = try restoreNewestBackup()
            log.critical(
                "the job store was damaged; it was moved aside",
                metadata: [
                    "message.id": "\(MessageID.storeRestored)", "error": "\(error)", "moved": "\(moved)",
                    "backup": "\(backup ?? "none was usable; starting from the inbox and the outbox")",
                ])
            return (try JobStore(path: storePath, run: run, clock: clock, hook: hook), true)
        }
    }

    /// The three files belong together: a log of one database must never meet another.
    private func moveAside(clock: () -> Double) throws -> String {
        let folder = try Directory.open(path)
        var name = FileName("corrupt-\(Int(clock()))")
        while try folder.status(of: name) != nil { name = FileName(name.bytes + Array("-again".utf8)) }
        try folder.makeDirectory(name)
        let target = try folder.subdirectory(name)
        for suffix in ["", "-wal", "-shm"] {
            let file = FileName(Self.storeName + suffix)
            if try folder.status(of: file) != nil { try folder.rename(file, to: target, as: file, replacing: false) }
        }
        try target.sync()
        try folder.sync()
        return path + "/" + name.display
    }

    private func restoreNewestBackup() throws -> String? {
        let folder = try Directory.open(path)
        let backups = try Directory.open(backups)
        for name in try backups.list().sorted().reversed() where name.bytes.starts(with: Self.backupPrefix.utf8) {
            guard JobStore.isHealthy(path: self.backups + "/" + name.display) else { continue }
            _ = try folder.copy(from: try backups.openFile(name), as: "restored.tmp", mode: 0o660)
            try folder.rename("restored.tmp", to: folder, as: FileName(Self.storeName), replacing: false)
            try folder.sync()
            return name.display
        }
        return nil
    }

    /// Makes one more backup and removes the oldest beyond `keep`.
    func backUp(_ store: JobStore, keep: Int, at unixSeconds: Double) throws {
        let folder = try Directory.open(backups)
        try folder.remove("new.tmp")
        try store.copy(to: backups + "/new.tmp")
        // SQLite's backup does not make the copy durable: sqlite.org/lang_vacuum.html says so of VACUUM INTO, and the
        // backup API ends no different.
        try folder.openFile("new.tmp").sync()
        let stamp = String(Int(unixSeconds))
        try folder.rename("new.tmp", to: folder, as: FileName("\(Self.backupPrefix)\(stamp).db"), replacing: true)
        try folder.sync()
        let all = try folder.list().sorted().filter { $0.bytes.starts(with: Self.backupPrefix.utf8) }
        for name in all.dropLast(keep) { try folder.remove(name) }
    }

    /// Unix seconds of the newest backup; `nil` where there is none.
    func newestBackup() throws -> Double? {
        try Directory.open(backups).list().compactMap { name -> Double? in
            guard name.bytes.starts(with: Self.backupPrefix.utf8) else { return nil }
            return Double(name.stem.display.dropFirst(Self.backupPrefix.count))
        }.max()
    }
}

/// An error that is the operator's to mend: what is wrong, and the next step. Printed without any prefix of ours.
struct UserError: Error, CustomStringConvertible {
    let message: String
    let next: String
    init(_ message: String, next: String = "") {
        self.message = message
        self.next = next
    }
    var description: String { next.isEmpty ? message : "\(message)\n  → \(next)" }
}
