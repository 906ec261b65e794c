import FoundationEssentials
import GRDB

/// From the inbox: drops become rows before they are touched.
extension JobStore {
    /// Records drops with their jobs, all in one transaction: either every one of them is durable, or none.
    ///
    /// A drop takes its turn by start-time fair queueing: its first job stands where the work is now, every further job of the
    /// same drop one step behind, so a list of a thousand links does not keep a single song waiting. Source: Goyal, Vin, Cheng,
    /// "Start-time Fair Queuing", SIGCOMM 1996.
    ///
    /// - Returns: the ids of the drops, in order.
    @discardableResult
    package func add(_ drops: [NewDrop]) throws(StoreError) -> [Drop.ID] {
        try write { db in
            let turn = try currentTurn(db, now: clock())
            return try drops.map { try add(db, $0, turn: turn) }
        }
    }

    private func add(_ db: Database, _ drop: NewDrop, turn: Int64) throws -> Drop.ID {
        let now = clock()
        try supersedeFormerLife(db, of: drop)
        try db.execute(
            sql: """
                INSERT INTO drops (kind, folder, name, profile, device, inode, size, modified_ns, changed_ns, digest,
                                   lyrics_name, disposal, received_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'present', ?)
                """,
            arguments: [
                drop.kind.rawValue, Blob(drop.folder), Blob(drop.name), drop.profile, drop.identity.device,
                drop.identity.inode, drop.identity.size, drop.identity.modified, drop.identity.changed, drop.digest,
                drop.lyricsName.map(Blob.init), now,
            ])
        let id = db.lastInsertedRowID
        for (position, job) in drop.jobs.enumerated() {
            try add(db, job, drop: id, position: position, turn: turn + Int64(position), now: now)
        }
        // A drop that was refused whole.
        if drop.jobs.allSatisfy({ $0.refusal != nil }) { try updateDue(db, drop: id) }
        return id
    }

    private func add(
        _ db: Database, _ job: NewJob, drop: Drop.ID, position: Int, turn: Int64, now: Double
    ) throws {
        let plan = try PlanText.encode(job.plan)
        let stage: StageName = job.url == nil ? .probe : .fetch
        let state: JobState = job.refusal == nil ? .queued : .failed
        hook?(.before, nil, state)
        try db.execute(
            sql: """
                INSERT INTO jobs (key, drop_id, position, title, url, content_key, lyrics_digest, plan, plan_key, state, stage,
                                  lane, turn, failure, reason, next_step, outbox_folder, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                job.key, drop, position, job.title, job.url, job.contentKey, job.lyricsDigest, plan,
                plan + (job.lyricsDigest ?? ""), state.rawValue, stage.rawValue, stage.lane.rawValue, turn,
                job.refusal?.failure.rawValue, job.refusal?.reason ?? "", job.refusal?.nextStep ?? "", job.outboxFolder, now, now,
            ])
        let id = db.lastInsertedRowID
        try record(db, id, from: nil, to: state, stage: stage, why: job.refusal?.reason ?? "dropped", at: now)
        let hook = hook
        db.afterNextTransaction { _ in hook?(.after, nil, state) }
    }

    /// A failed file that was moved back into the inbox is the same wish again: its old jobs give way to the new ones.
    private func supersedeFormerLife(_ db: Database, of drop: NewDrop) throws {
        guard !drop.digest.isEmpty else { return }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT jobs.id, jobs.stage, drops.name, drops.disposed_to FROM drops JOIN jobs ON jobs.drop_id = drops.id
                WHERE drops.disposal = 'failed' AND drops.digest = ? AND jobs.state IN ('failed', 'held', 'cancelled')
                """, arguments: [drop.digest])
        for row in rows {
            // It may lie there under a name with a number, the second of its kind.
            let placed = (row["disposed_to"] as Blob?)?.bytes.split(separator: UInt8(ascii: "/")).last
            guard (row["name"] as Blob).bytes == drop.name || placed.map(Array.init) == drop.name else { continue }
            try transition(
                db, row["id"], from: [.failed, .held, .cancelled], to: .superseded, stage: try Self.stage(row["stage"]),
                why: "dropped again")
        }
    }

    /// The turn at which work is now: that of the job started last, in the lane that is furthest behind of those where jobs wait.
    ///
    /// Downloads run ahead of the recogniser. Were their turn taken, a single song would stand behind all that was downloaded before.
    private func currentTurn(_ db: Database, now: Double) throws -> Int64 {
        var furthestBehind: Int64?
        var last: Int64 = 0
        for lane in Lane.allCases {
            let started =
                try Int64.fetchOne(db, sql: "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", arguments: [Self.turnKey(lane)]) ?? 0
            last = max(last, started)
            let waiting = try Int64.fetchOne(
                db, sql: "SELECT turn FROM jobs WHERE state = 'queued' AND lane = ? AND not_before <= ? ORDER BY turn, id LIMIT 1",
                arguments: [lane.rawValue, now])
            guard let waiting else { continue }
            furthestBehind = min(furthestBehind ?? .max, max(started, waiting))
        }
        return furthestBehind ?? last
    }

    static func turnKey(_ lane: Lane) -> String { "turn." + lane.rawValue }

    /// The file was replaced by another version: what is not finished of it gives way.
    ///
    /// - Parameter place: folder and name that the new version has. A drop that was meanwhile found under another name gives way to nothing.
    /// - Returns: the jobs that were running and have to be stopped now.
    @discardableResult
    package func supersede(
        drop: Drop.ID, at place: (folder: [UInt8], name: [UInt8])? = nil, why: String
    ) throws(StoreError) -> [Job.ID] {
        try write { db in
            if let place {
                let isThere = try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM drops WHERE id = ? AND folder = ? AND name = ?)",
                    arguments: [drop, Blob(place.folder), Blob(place.name)])
                guard isThere == true else { return [] }
            }
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, stage, state FROM jobs WHERE drop_id = ? AND state IN ('queued', 'running', 'held', 'failed')",
                arguments: [drop])
            var running: [Job.ID] = []
            for row in rows {
                if try Self.state(row["state"]) == .running { running.append(row["id"]) }
                try finishAttempt(db, job: row["id"], outcome: .stopped, message: why)
                try transition(
                    db, row["id"], from: [.queued, .running, .held, .failed], to: .superseded,
                    stage: try Self.stage(row["stage"]), why: why)
            }
            // The path now belongs to the new version.
            try db.execute(sql: "UPDATE drops SET disposal = 'gone', due = 0 WHERE id = ?", arguments: [drop])
            return running
        }
    }

    /// The same content under a new identity: touched, renamed, or its file system was mounted again.
    ///
    /// - Returns: false where its source is no longer in the inbox, or was replaced: then this is another drop.
    @discardableResult
    package func relocate(
        drop: Drop.ID, folder: [UInt8], name: [UInt8], identity: SourceIdentity
    ) throws(StoreError) -> Bool {
        try write { db in
            try db.execute(
                sql: """
                    UPDATE drops SET folder = ?, name = ?, device = ?, inode = ?, size = ?, modified_ns = ?, changed_ns = ?
                    WHERE id = ? AND disposal IN ('present', 'kept')
                    """,
                arguments: [
                    Blob(folder), Blob(name), identity.device, identity.inode, identity.size, identity.modified,
                    identity.changed, drop,
                ])
            return db.changesCount == 1
        }
    }

    /// Known lyrics arrived after their recording: every unfinished job of the drop goes back to where words begin.
    ///
    /// - Returns: the jobs that are running a stage which the lyrics make pointless and that have to be stopped now.
    package func attachLyrics(drop: Drop.ID, name: [UInt8], digest: String) throws(StoreError) -> [Job.ID] {
        try write { db in
            try db.execute(sql: "UPDATE drops SET lyrics_name = ? WHERE id = ?", arguments: [Blob(name), drop])
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, stage, state, plan, facts FROM jobs WHERE drop_id = ? AND state IN ('queued', 'running', 'held')",
                arguments: [drop])
            var stop: [Job.ID] = []
            for row in rows {
                let id: Job.ID = row["id"]
                let stage = try Self.stage(row["stage"])
                try db.execute(
                    sql: "UPDATE jobs SET lyrics_digest = ?, plan_key = ? WHERE id = ?",
                    arguments: [digest, (row["plan"] as String) + digest, id])
                guard stage > .separate else { continue }
                let state = try Self.state(row["state"])
                if state == .running { stop.append(id) }
                // A recogniser that heard no word said so; the words are here now.
                var facts = try PlanText.decode([String: String].self, row["facts"])
                facts["instrumental"] = nil
                try db.execute(
                    sql: "DELETE FROM artifacts WHERE job_id = ? AND stage IN ('transcribe', 'align', 'render')", arguments: [id])
                try finishAttempt(db, job: id, outcome: .stopped, message: "the lyrics arrived")
                try transition(
                    db, id, from: [.queued, .running, .held], to: .queued, stage: .align, why: "the lyrics arrived",
                    set: [("attempts", 0), ("facts", try PlanText.encode(facts))])
            }
            return stop
        }
    }

    static func stage(_ text: String) throws -> StageName {
        guard let stage = StageName(rawValue: text) else { throw StoreError(.corrupt, "unknown stage \(text) in the job store") }
        return stage
    }
}

/// Bytes that are stored as a BLOB: names and paths.
struct Blob: DatabaseValueConvertible {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var databaseValue: DatabaseValue { Data(bytes).databaseValue }

    static func fromDatabaseValue(_ value: DatabaseValue) -> Blob? {
        Data.fromDatabaseValue(value).map { Blob(Array($0)) }
    }
}
