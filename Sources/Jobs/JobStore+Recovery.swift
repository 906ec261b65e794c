import GRDB

/// What was under way when another life of the daemon ended.
package struct RecoveryReport: Sendable, Equatable {
    /// Jobs that go on at their first unfinished stage.
    package var resumed: [Job.ID] = []
    /// Jobs that took the daemon down too often.
    package var poisoned: [Job.ID] = []
    /// Jobs whose rename into the outbox may or may not have happened.
    package var publishing: [Job] = []

    package init(resumed: [Job.ID] = [], poisoned: [Job.ID] = [], publishing: [Job] = []) {
        self.resumed = resumed
        self.poisoned = poisoned
        self.publishing = publishing
    }
}

extension JobStore {
    /// Takes over what another run left *running*: a crash counts against the job that was running, a stop has given it back.
    ///
    /// - Parameter crashLimit: a job that was running when the daemon died so often is held, because it may be the cause.
    package func recover(crashLimit: Int) throws(StoreError) -> RecoveryReport {
        try write { db in
            var report = RecoveryReport()
            for row in try Row.fetchAll(
                db, sql: "SELECT id, stage, crashes FROM jobs WHERE state = 'running' AND owner IS NOT ?", arguments: [run])
            {
                let id: Job.ID = row["id"]
                let stage = try Self.stage(row["stage"])
                let crashes: Int = row["crashes"] + 1
                try finishAttempt(db, job: id, outcome: .crashed, message: "lyricd ended while it ran")
                if crashes >= crashLimit {
                    try transition(
                        db, id, from: [.running], to: .held, stage: stage, why: "lyricd died \(crashes) times while it ran",
                        set: [
                            ("crashes", crashes), ("failure", FailureClass.ours.rawValue),
                            ("reason", "lyricd died \(crashes) times while this was being worked on"),
                            ("next_step", "look into the journal for the cause, then: lyricd retry \(id)"),
                        ])
                    report.poisoned.append(id)
                } else {
                    try transition(
                        db, id, from: [.running], to: .queued, stage: stage, why: "lyricd ended while it ran",
                        set: [("crashes", crashes)])
                    report.resumed.append(id)
                }
            }
            let publishing = try Row.fetchAll(
                db, sql: "SELECT * FROM jobs WHERE state = 'publishing' AND owner IS NOT ? ORDER BY id", arguments: [run])
            for row in publishing {
                let job = try Self.job(row)
                try finishAttempt(db, job: job.id, outcome: .crashed, message: "lyricd ended while it published")
                report.publishing.append(job)
            }
            return report
        }
    }

    /// The reserved folder is not there, or not ours: the result is built again.
    package func republish(job id: Job.ID) throws(StoreError) {
        try write { db in
            try transition(
                db, id, from: [.publishing], to: .queued, stage: .publish, why: "the publication did not happen",
                set: [("outbox_name", nil), ("outbox_key", nil), ("manifest_digest", nil)])
        }
    }

    /// The reserved name could not be given: the result is built again later, and the job is not to blame.
    package func republish(
        job id: Job.ID, failing started: StartedStage, reason: String, notBefore: Double
    ) throws(StoreError) {
        try write { db in
            try requireRunning(db, started)
            try db.execute(
                sql: "UPDATE attempts SET outcome = 'failed', failure = 'environment', message = ? WHERE id = ?",
                arguments: [reason, started.attempt])
            try transition(
                db, id, from: [.publishing], to: .queued, stage: .publish, why: reason, owner: run,
                set: [
                    ("outbox_name", nil), ("outbox_key", nil), ("manifest_digest", nil), ("not_before", notBefore),
                    ("attempts", max(0, started.job.attempts - 1)), ("failure", FailureClass.environment.rawValue), ("reason", reason),
                ])
        }
    }

    /// An artifact is missing or not what it was: the job goes back to the stage that makes it.
    package func sendBack(_ started: StartedStage, to stage: StageName, why: String) throws(StoreError) {
        try write { db in
            try requireRunning(db, started)
            let later = StageName.allCases.filter { $0 >= stage }.map { "'\($0.rawValue)'" }.joined(separator: ",")
            try db.execute(
                sql: "DELETE FROM artifacts WHERE job_id = ? AND stage IN (\(later))", arguments: [started.job.id])
            try finishAttempt(db, job: started.job.id, outcome: .stopped, message: why)
            try transition(
                db, started.job.id, from: [.running], to: .queued, stage: stage, why: why, owner: run, set: [("attempts", 0)])
        }
    }

    /// Rebuilds the row of a finished job from its manifest in the outbox, after the store itself was lost.
    ///
    /// - Returns: false where the store knows that the job is done.
    package func adopt(
        key: String, id: Job.ID?, title: String, url: String?, contentKey: String, lyricsDigest: String?, plan: Plan, outboxFolder: String,
        outboxName: String, facts: [String: String], isInstrumental: Bool, finishedAt: Double
    ) throws(StoreError) -> Bool {
        try write { db in
            if let row = try Row.fetchOne(db, sql: "SELECT id, state FROM jobs WHERE key = ?", arguments: [key]) {
                // From a backup of before its publication: it must not be published a second time.
                guard try Self.state(row["state"]) == .queued else { return false }
                try transition(
                    db, row["id"], from: [.queued], to: isInstrumental ? .instrumental : .done, stage: .publish,
                    why: "found in the outbox after the job store was lost",
                    set: [("outbox_folder", outboxFolder), ("outbox_name", outboxName), ("facts", try PlanText.encode(facts))])
                return true
            }
            let isFree = try id.map { try Int.fetchOne(db, sql: "SELECT 1 FROM jobs WHERE id = ?", arguments: [$0]) == nil } ?? false
            let state: JobState = isInstrumental ? .instrumental : .done
            try db.execute(
                sql: """
                    INSERT INTO drops (kind, folder, name, profile, device, inode, size, modified_ns, changed_ns, digest, disposal,
                                       received_at)
                    VALUES (?, x'', ?, ?, 0, 0, 0, 0, 0, '', 'gone', ?)
                    """, arguments: [url == nil ? "media" : "link", Blob(Array(title.utf8)), plan.profile, finishedAt])
            let drop = db.lastInsertedRowID
            let text = try PlanText.encode(plan)
            try db.execute(
                sql: """
                    INSERT INTO jobs (id, key, drop_id, position, title, url, content_key, lyrics_digest, plan, plan_key, state, stage,
                                      lane, turn, outbox_folder, outbox_name, facts, created_at, updated_at)
                    VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, 'publish', 'light', 0, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    isFree ? id : nil, key, drop, title, url, contentKey, lyricsDigest, text, text + (lyricsDigest ?? ""), state.rawValue,
                    outboxFolder, outboxName, try PlanText.encode(facts), finishedAt, finishedAt,
                ])
            try record(
                db, db.lastInsertedRowID, from: nil, to: state, stage: .publish, why: "found in the outbox after the job store was lost",
                at: clock())
            return true
        }
    }
}
