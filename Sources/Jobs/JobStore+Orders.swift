import GRDB

/// What a person asks for.
extension JobStore {
    /// - Returns: whether the job is running and has to be stopped now.
    package func cancel(job id: Job.ID, why: String) throws(StoreError) -> Bool {
        try write { db in
            let job = try Self.fetchJob(db, id)
            guard [.queued, .running, .held, .failed].contains(job.state) else {
                throw StoreError(.conflict, "job \(id) is \(job.state.rawValue) already")
            }
            try finishAttempt(db, job: id, outcome: .stopped, message: why)
            try transition(
                db, id, from: [.queued, .running, .held, .failed], to: .cancelled, stage: job.stage, why: why,
                set: [("reason", why), ("next_step", "to run it after all: lyricd retry \(id)")])
            return job.state == .running
        }
    }

    /// The job runs again with the plan it had: a held one from its first unfinished stage, another from its first stage, because
    /// the work folders of failed and cancelled jobs are not kept.
    package func retry(job id: Job.ID, why: String) throws(StoreError) {
        try write { db in
            let job = try Self.fetchJob(db, id)
            if job.state == .queued {
                // Waiting for a later time: it may go now.
                try db.execute(sql: "UPDATE jobs SET not_before = 0 WHERE id = ?", arguments: [id])
                return
            }
            guard [.failed, .held, .cancelled].contains(job.state) else {
                throw StoreError(.conflict, "job \(id) is \(job.state.rawValue); only failed, held and cancelled jobs can be retried")
            }
            let first: StageName = job.url == nil ? .probe : .fetch
            try transition(
                db, id, from: [.failed, .held, .cancelled], to: .queued, stage: job.state == .held ? job.stage : first, why: why,
                set: [
                    ("attempts", 0), ("crashes", 0), ("not_before", 0), ("failure", nil), ("reason", ""), ("next_step", ""),
                ])
        }
    }
}

/// The end of a source: it is moved only after its jobs have their verdict.
extension JobStore {
    /// Drops in the inbox all of whose jobs are finished, held ones aside: those are still waiting for a person.
    package func dropsToDispose(limit: Int = 500) throws(StoreError) -> [Drop] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM drops
                    WHERE due = 1 ORDER BY id LIMIT ?
                    """, arguments: [limit]
            ).map(Self.drop)
        }
    }

    /// Decides where the source goes, before it is moved.
    package func beginDisposal(drop: Drop.ID, to target: [UInt8]?) throws(StoreError) {
        try write { db in
            try db.execute(
                sql: "UPDATE drops SET disposal = 'disposing', disposed_to = ? WHERE id = ? AND disposal IN ('present', 'disposing', 'failed')",
                arguments: [target.map(Blob.init), drop])
        }
    }

    package func finishDisposal(drop: Drop.ID, as disposal: Drop.Disposal, to target: [UInt8]? = nil) throws(StoreError) {
        try write { db in
            try db.execute(
                sql: "UPDATE drops SET disposal = ?, disposed_to = coalesce(?, disposed_to), due = 0 WHERE id = ?",
                arguments: [disposal.rawValue, target.map(Blob.init), drop])
        }
    }
}
