import GRDB

/// A stage that was started: what its result is reported under.
package struct StartedStage: Sendable, Equatable {
    package let job: Job
    package let attempt: Int64
}

/// From the lanes: stages start, end, and lead on.
extension JobStore {
    /// Starts the stage whose turn it is in a lane: the job becomes *running*, its attempt is counted.
    ///
    /// A job whose recording and plan are those of an earlier, unfinished job waits for that one: the earlier result will
    /// answer it.
    ///
    /// - Parameters:
    ///   - now: Unix seconds; jobs with a later `notBefore` are passed over.
    ///   - excluding: jobs whose former stage is still being stopped.
    ///   - engine: name of the engine that will run, from plan and stage.
    /// - Returns: `nil` where nothing waits.
    package func startNext(
        lane: Lane, now: Double, excluding: Set<Job.ID> = [], engine: (Job) -> String
    ) throws(StoreError) -> StartedStage? {
        let excluded = excluding.sorted().map(String.init).joined(separator: ",")
        let sql = """
            SELECT * FROM jobs
            WHERE state = 'queued' AND lane = ? AND not_before <= ? AND id NOT IN (\(excluded))
            AND NOT EXISTS (
                SELECT 1 FROM jobs AS earlier
                WHERE earlier.content_key = jobs.content_key AND earlier.plan_key = jobs.plan_key AND earlier.id < jobs.id
                AND earlier.state IN ('queued', 'running', 'publishing'))
            ORDER BY turn, id LIMIT 1
            """
        // Looking costs no write: most wake-ups find nothing.
        guard try read({ try Row.fetchOne($0, sql: sql, arguments: [lane.rawValue, now]) }) != nil else { return nil }
        return try write { db in
            guard let row = try Row.fetchOne(db, sql: sql, arguments: [lane.rawValue, now]) else { return nil }
            let waiting = try Self.job(row)
            let turn: Int64 = row["turn"]
            try transition(
                db, waiting.id, from: [.queued], to: .running, stage: waiting.stage, why: waiting.stage.rawValue,
                set: [("owner", run), ("attempts", waiting.attempts + 1), ("not_before", 0)])
            try db.execute(
                sql: """
                    INSERT INTO meta VALUES (?, ?)
                    ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))
                    """, arguments: [Self.turnKey(lane), String(turn)])
            try db.execute(
                sql: "INSERT INTO attempts (job_id, stage, engine, started_at, outcome, run) VALUES (?, ?, ?, ?, 'running', ?)",
                arguments: [waiting.id, waiting.stage.rawValue, engine(waiting), clock(), run])
            let attempt = db.lastInsertedRowID
            return StartedStage(job: try Self.fetchJob(db, waiting.id), attempt: attempt)
        }
    }

    /// The stage left its output: artifacts, facts and the way on are one commit.
    ///
    /// - Parameters:
    ///   - next: the first stage that is still to do.
    ///   - facts: added to the job's; equal names are replaced.
    ///   - title: a better title, if the stage found one.
    package func finishStage(
        _ started: StartedStage, engineVersion: String?, seconds: Double, exitStatus: Int32, peakMemory: Int,
        artifacts: [Artifact], facts: [String: String], title: String? = nil, cachedFrom: Job.ID? = nil, next: StageName
    ) throws(StoreError) {
        try write { db in
            try requireRunning(db, started)
            let job = try Self.fetchJob(db, started.job.id)
            try db.execute(
                sql: "DELETE FROM artifacts WHERE job_id = ? AND stage = ?",
                arguments: [job.id, started.job.stage.rawValue])
            for artifact in artifacts {
                try db.execute(
                    sql: "INSERT INTO artifacts (job_id, stage, path, sha256, bytes) VALUES (?, ?, ?, ?, ?)",
                    arguments: [job.id, started.job.stage.rawValue, artifact.path, artifact.sha256, artifact.bytes])
            }
            try db.execute(
                sql: """
                    UPDATE attempts SET outcome = 'done', seconds = ?, exit_status = ?, peak_memory = ?, engine_version = ?
                    WHERE id = ?
                    """, arguments: [seconds, exitStatus, peakMemory, engineVersion, started.attempt])
            let merged = job.facts.merging(facts) { $1 }
            try transition(
                db, job.id, from: [.running], to: .queued, stage: next, why: "\(started.job.stage.rawValue) is done", owner: run,
                set: [
                    ("attempts", 0), ("facts", try PlanText.encode(merged)), ("title", title ?? job.title), ("failure", nil),
                    ("reason", ""), ("next_step", ""), ("cached_from", cachedFrom ?? job.cachedFrom),
                ])
        }
    }

    /// What a failed attempt leads to.
    package enum FailureVerdict: Sendable, Equatable {
        /// Unix seconds before which it is not tried again. `isCounted` is false where the job is not to blame.
        case retry(notBefore: Double, isCounted: Bool)
        case hold, fail
    }

    /// The stage did not produce its output.
    package func failStage(
        _ started: StartedStage, failure: FailureClass, reason: String, nextStep: String, verdict: FailureVerdict,
        seconds: Double, exitStatus: Int32?, peakMemory: Int, stderrTail: String
    ) throws(StoreError) {
        try write { db in
            try requireRunning(db, started)
            try db.execute(
                sql: """
                    UPDATE attempts SET outcome = 'failed', seconds = ?, exit_status = ?, peak_memory = ?, failure = ?, message = ?,
                    stderr_tail = ? WHERE id = ?
                    """,
                arguments: [seconds, exitStatus, peakMemory, failure.rawValue, reason, stderrTail, started.attempt])
            let to: JobState
            var set: [(column: String, value: (any DatabaseValueConvertible)?)] = [
                ("failure", failure.rawValue), ("reason", reason), ("next_step", nextStep),
            ]
            switch verdict {
            case .retry(let notBefore, let isCounted):
                to = .queued
                set.append(("not_before", notBefore))
                if !isCounted { set.append(("attempts", max(0, started.job.attempts - 1))) }
            case .hold: to = .held
            case .fail: to = .failed
            }
            try transition(
                db, started.job.id, from: [.running], to: to, stage: started.job.stage, why: reason, owner: run, set: set)
        }
    }

    /// A stop, not a failure: the job waits at the same stage, and the attempt is given back.
    package func giveBack(_ started: StartedStage, seconds: Double, why: String) throws(StoreError) {
        try write { db in
            try requireRunning(db, started)
            try db.execute(
                sql: "UPDATE attempts SET outcome = 'stopped', seconds = ?, message = ? WHERE id = ?",
                arguments: [seconds, why, started.attempt])
            try transition(
                db, started.job.id, from: [.running], to: .queued, stage: started.job.stage, why: why, owner: run,
                set: [("attempts", max(0, started.job.attempts - 1))])
        }
    }

    /// The stage ended, but the job had meanwhile been cancelled, superseded or sent back; only the attempt is closed.
    package func closeAttempt(_ started: StartedStage, seconds: Double, why: String) throws(StoreError) {
        try write { db in
            try db.execute(
                sql: """
                    UPDATE attempts SET outcome = 'stopped', seconds = ?, message = ? WHERE id = ? AND outcome = 'running'
                    """, arguments: [seconds, why, started.attempt])
        }
    }

    /// Whether the attempt is still the one that its job waits for; false once the job was cancelled, superseded or sent back.
    package func isCurrent(_ started: StartedStage) throws(StoreError) -> Bool {
        try read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT jobs.state IN ('running', 'publishing') AND attempts.outcome = 'running'
                    FROM attempts JOIN jobs ON jobs.id = attempts.job_id WHERE attempts.id = ?
                    """, arguments: [started.attempt]) ?? false
        }
    }

    /// What a stage reports counts only while its attempt is the running one. The job may have been cancelled, retried and started again
    /// meanwhile; then it is running, but not because of this attempt.
    func requireRunning(_ db: Database, _ started: StartedStage) throws {
        let outcome = try String.fetchOne(db, sql: "SELECT outcome FROM attempts WHERE id = ?", arguments: [started.attempt])
        guard outcome == Attempt.Outcome.running.rawValue else {
            throw StoreError(.conflict, "job \(started.job.id) was stopped or sent back while this attempt ran")
        }
    }

    func finishAttempt(_ db: Database, job: Job.ID, outcome: Attempt.Outcome, message: String) throws {
        try db.execute(
            sql: "UPDATE attempts SET outcome = ?, message = ? WHERE job_id = ? AND outcome = 'running'",
            arguments: [outcome.rawValue, message, job])
    }

    /// Reserves a name in the outbox for a result that is built and durable; from here the rename may happen at any moment.
    ///
    /// - Parameter comparisonKey: folder and name as a file system without case would compare them.
    /// - Returns: false where another job is publishing under that name just now.
    package func beginPublishing(
        _ started: StartedStage, name: String, comparisonKey: String, manifestDigest: String
    ) throws(StoreError) -> Bool {
        try write { db in
            let isTaken = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE outbox_key = ? AND state = 'publishing' AND id <> ?)",
                arguments: [comparisonKey, started.job.id]) ?? false
            guard !isTaken else { return false }
            try requireRunning(db, started)
            let job = try Self.fetchJob(db, started.job.id)
            if job.state == .publishing {
                // The first name was taken on disk after all: the next one is reserved in its place.
                try db.execute(
                    sql: "UPDATE jobs SET outbox_name = ?, outbox_key = ?, manifest_digest = ? WHERE id = ? AND owner = ?",
                    arguments: [name, comparisonKey, manifestDigest, job.id, run])
                return true
            }
            try transition(
                db, job.id, from: [.running], to: .publishing, stage: .publish, why: "the result is built", owner: run,
                set: [("outbox_name", name), ("outbox_key", comparisonKey), ("manifest_digest", manifestDigest)])
            return true
        }
    }

    /// The folder stands complete under its name: the job is done.
    package func finishPublishing(
        job id: Job.ID, attempt: Int64?, seconds: Double, isInstrumental: Bool
    ) throws(StoreError) {
        try write { db in
            if let attempt {
                try db.execute(
                    sql: "UPDATE attempts SET outcome = 'done', seconds = ?, exit_status = 0, peak_memory = 0 WHERE id = ?",
                    arguments: [seconds, attempt])
            } else {
                try finishAttempt(db, job: id, outcome: .done, message: "found complete after a restart")
            }
            try transition(
                db, id, from: [.publishing], to: isInstrumental ? .instrumental : .done, stage: .publish, why: "published",
                set: [("attempts", 0), ("failure", nil), ("reason", ""), ("next_step", "")])
        }
    }

    /// An earlier result stands where this one would: the job is done without a folder of its own.
    package func answerFromEarlier(
        _ started: StartedStage, earlier: Job, seconds: Double
    ) throws(StoreError) {
        try write { db in
            try requireRunning(db, started)
            try db.execute(
                sql: "UPDATE attempts SET outcome = 'done', seconds = ?, exit_status = 0, peak_memory = 0, message = 'cache' WHERE id = ?",
                arguments: [seconds, started.attempt])
            let why = "the same recording with the same settings was done before, as job \(earlier.id)"
            // By way of queued: running leads nowhere else without a publication of its own.
            try transition(
                db, started.job.id, from: [.running], to: .queued, stage: .publish, why: "answered from job \(earlier.id)", owner: run)
            try transition(
                db, started.job.id, from: [.queued], to: earlier.state, stage: .publish, why: why,
                set: [
                    ("outbox_name", earlier.outboxName), ("outbox_folder", earlier.outboxFolder), ("cached_from", earlier.id),
                    ("facts", try PlanText.encode(earlier.facts)), ("reason", why), ("attempts", 0),
                ])
        }
    }
}
