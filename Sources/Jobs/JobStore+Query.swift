import FoundationEssentials
import GRDB

/// Questions. None of them changes anything.
extension JobStore {
    package func job(_ id: Job.ID) throws(StoreError) -> Job { try read { try Self.fetchJob($0, id) } }

    /// - Parameters:
    ///   - states: empty for all.
    ///   - newestFirst: otherwise in the order of creation.
    package func jobs(
        states: Set<JobState> = [], drop: Drop.ID? = nil, newestFirst: Bool = false, limit: Int = 1000
    ) throws(StoreError) -> [Job] {
        try read { db in
            var conditions: [String] = []
            if !states.isEmpty {
                conditions.append("state IN (\(states.map { "'\($0.rawValue)'" }.sorted().joined(separator: ",")))")
            }
            if let drop { conditions.append("drop_id = \(drop)") }
            let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
            return try Row.fetchAll(
                db, sql: "SELECT * FROM jobs \(filter) ORDER BY id \(newestFirst ? "DESC" : "") LIMIT ?", arguments: [limit]
            ).map(Self.job)
        }
    }

    package func countsByState() throws(StoreError) -> [JobState: Int] {
        try read { db in
            var counts: [JobState: Int] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT state, count(*) AS n FROM jobs GROUP BY state") {
                counts[try Self.state(row["state"])] = row["n"]
            }
            return counts
        }
    }

    package func unfinishedCount() throws(StoreError) -> Int {
        try read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'publishing')") ?? 0
        }
    }

    /// Drops that wait for a person, with a stamp that changes when their jobs do.
    package func heldDrops() throws(StoreError) -> [(drop: Drop, stamp: String)] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT drops.*, group_concat(jobs.id || ':' || jobs.updated_at) AS stamp FROM drops
                    JOIN jobs ON jobs.drop_id = drops.id WHERE jobs.state = 'held' GROUP BY drops.id
                    """
            ).map { try (drop: Self.drop($0), stamp: $0["stamp"] as String) }
        }
    }

    package func attempts(of job: Job.ID) throws(StoreError) -> [Attempt] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM attempts WHERE job_id = ? ORDER BY id", arguments: [job]).map { row in
                Attempt(
                    id: row["id"], job: row["job_id"], stage: try Self.stage(row["stage"]), engine: row["engine"],
                    engineVersion: row["engine_version"], startedAt: row["started_at"], seconds: row["seconds"],
                    exitStatus: row["exit_status"], peakMemory: row["peak_memory"],
                    outcome: Attempt.Outcome(rawValue: row["outcome"]) ?? .failed,
                    failure: (row["failure"] as String?).flatMap(FailureClass.init), message: row["message"],
                    stderrTail: row["stderr_tail"])
            }
        }
    }

    package func transitions(of job: Job.ID) throws(StoreError) -> [Transition] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM transitions WHERE job_id = ? ORDER BY id", arguments: [job]).map { row in
                Transition(
                    job: row["job_id"], from: try (row["from_state"] as String?).map(Self.state), to: try Self.state(row["to_state"]),
                    stage: try Self.stage(row["stage"]), why: row["why"], at: row["at"], run: row["run"])
            }
        }
    }

    package func artifacts(of job: Job.ID, stage: StageName? = nil) throws(StoreError) -> [StageName: [Artifact]] {
        try read { db in
            var found: [StageName: [Artifact]] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT * FROM artifacts WHERE job_id = ? ORDER BY stage, path", arguments: [job]) {
                let name = try Self.stage(row["stage"])
                if let stage, stage != name { continue }
                found[name, default: []].append(Artifact(path: row["path"], sha256: row["sha256"], bytes: row["bytes"]))
            }
            return found
        }
    }

    package func drop(_ id: Drop.ID) throws(StoreError) -> Drop {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM drops WHERE id = ?", arguments: [id]) else {
                throw StoreError(.notFound, "there is no drop \(id)")
            }
            return try Self.drop(row)
        }
    }

    /// Every drop whose source is (or should be) in the inbox; streamed, because there may be a hundred thousand.
    package func forEachDropInInbox(_ body: (Drop) throws -> Void) throws(StoreError) {
        try read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT * FROM drops WHERE disposal IN ('present', 'disposing', 'kept') ORDER BY id")
            while let row = try rows.next() { try body(Self.drop(row)) }
        }
    }

    /// The last drop of a name whose source is archived and whose work ended not before `since` (Unix seconds).
    package func archivedDrop(folder: [UInt8], stem: [UInt8], since: Double) throws(StoreError) -> Drop? {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT * FROM drops WHERE kind = 'media' AND disposal = 'archived' AND folder = ?
                    AND (SELECT max(updated_at) FROM jobs WHERE drop_id = drops.id) >= ?
                    ORDER BY id DESC LIMIT 1000
                    """, arguments: [Blob(folder), since])
            while let row = try rows.next() {
                let drop = try Self.drop(row)
                if let dot = drop.name.lastIndex(of: UInt8(ascii: ".")), Array(drop.name[..<dot]) == stem { return drop }
            }
            return nil
        }
    }

    /// The newest finished job with the same recording and the same plan.
    package func earlierResult(of job: Job) throws(StoreError) -> Job? {
        try read { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT earlier.* FROM jobs AS mine JOIN jobs AS earlier
                    ON earlier.content_key = mine.content_key AND earlier.plan_key = mine.plan_key
                    WHERE mine.id = ? AND earlier.id <> mine.id AND earlier.state IN ('done', 'instrumental')
                    ORDER BY earlier.id DESC LIMIT 1
                    """, arguments: [job.id]
            ).map(Self.job)
        }
    }

    /// Unix seconds at which the first delayed job may go; `nil` where none is delayed.
    package func nextDue() throws(StoreError) -> Double? {
        try read { try Double.fetchOne($0, sql: "SELECT min(not_before) FROM jobs WHERE state = 'queued' AND not_before > 0") }
    }

    /// Queued jobs that have stages behind them, whose files a further stage will rely on.
    package func jobsWithArtifacts() throws(StoreError) -> Set<Job.ID> {
        try read {
            Set(try Int64.fetchAll($0, sql: "SELECT id FROM jobs WHERE state = 'queued' AND stage NOT IN ('fetch', 'probe')"))
        }
    }

    package func isKnown(key: String) throws(StoreError) -> Bool {
        try read { try Int.fetchOne($0, sql: "SELECT 1 FROM jobs WHERE key = ?", arguments: [key]) != nil }
    }

    /// Whether the work folder of a job may still be needed. Failed jobs keep nothing: their source is in the failed folder.
    package func needsWorkFolder(key: String) throws(StoreError) -> Bool {
        try read { db in
            try Int.fetchOne(
                db, sql: "SELECT 1 FROM jobs WHERE key = ? AND state IN ('queued', 'running', 'publishing', 'held')",
                arguments: [key]) != nil
        }
    }

    static func fetchJob(_ db: Database, _ id: Job.ID) throws -> Job {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [id]) else {
            throw StoreError(.notFound, "there is no job \(id)")
        }
        return try job(row)
    }

    static func job(_ row: Row) throws -> Job {
        Job(
            id: row["id"], key: row["key"], drop: row["drop_id"], position: row["position"], title: row["title"], url: row["url"],
            contentKey: row["content_key"], lyricsDigest: row["lyrics_digest"], plan: try PlanText.decode(Plan.self, row["plan"]),
            state: try state(row["state"]), stage: try stage(row["stage"]), attempts: row["attempts"], crashes: row["crashes"],
            notBefore: row["not_before"], failure: (row["failure"] as String?).flatMap(FailureClass.init), reason: row["reason"],
            nextStep: row["next_step"], outboxFolder: row["outbox_folder"], outboxName: row["outbox_name"],
            facts: try PlanText.decode([String: String].self, row["facts"]), cachedFrom: row["cached_from"],
            createdAt: row["created_at"], updatedAt: row["updated_at"])
    }

    static func drop(_ row: Row) throws -> Drop {
        Drop(
            id: row["id"], kind: Drop.Kind(rawValue: row["kind"]) ?? .other, folder: bytes(row, "folder"), name: bytes(row, "name"),
            profile: row["profile"],
            identity: SourceIdentity(
                device: row["device"], inode: row["inode"], size: row["size"], modified: row["modified_ns"],
                changed: row["changed_ns"]),
            digest: row["digest"], lyricsName: (row["lyrics_name"] as Data?).map(Array.init),
            disposal: Drop.Disposal(rawValue: row["disposal"]) ?? .gone, disposedTo: (row["disposed_to"] as Data?).map(Array.init),
            receivedAt: row["received_at"])
    }

    private static func bytes(_ row: Row, _ column: String) -> [UInt8] { Array((row[column] as Data?) ?? Data()) }
}
