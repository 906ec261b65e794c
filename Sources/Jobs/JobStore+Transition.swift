import GRDB

extension JobStore {
    /// Takes one arrow of the state diagram: the row changes only if the job is still in one of `from`, and the history row is
    /// part of the same transaction.
    ///
    /// - Parameters:
    ///   - assignments: further columns, as `column = ?` with their values.
    ///   - owner: if given, the job must belong to it.
    /// - Throws: `.conflict` where the job is in another state, `.notFound` where there is none.
    func transition(
        _ db: Database, _ id: Job.ID, from expected: Set<JobState>, to: JobState, stage: StageName, why: String,
        owner: String? = nil, set assignments: [(column: String, value: (any DatabaseValueConvertible)?)] = []
    ) throws {
        guard let row = try Row.fetchOne(db, sql: "SELECT state, owner, drop_id FROM jobs WHERE id = ?", arguments: [id]) else {
            throw StoreError(.notFound, "there is no job \(id)")
        }
        let from = try Self.state(row["state"])
        guard expected.contains(from), from.successors.contains(to), owner == nil || row["owner"] == owner else {
            throw StoreError(.conflict, "job \(id) is \(from.rawValue), it cannot become \(to.rawValue)")
        }
        hook?(.before, from, to)
        let now = clock()
        var columns = ["state = ?", "stage = ?", "lane = ?", "updated_at = ?"]
        var values: [(any DatabaseValueConvertible)?] = [to.rawValue, stage.rawValue, stage.lane.rawValue, now]
        // Only a running or publishing job has an owner.
        if to != .running && to != .publishing { columns.append("owner = NULL") }
        for assignment in assignments {
            columns.append("\(assignment.column) = ?")
            values.append(assignment.value)
        }
        values.append(id)
        try db.execute(
            sql: "UPDATE jobs SET \(columns.joined(separator: ", ")) WHERE id = ?", arguments: StatementArguments(values))
        try record(db, id, from: from, to: to, stage: stage, why: why, at: now)
        try updateDue(db, drop: row["drop_id"])
        let hook = hook
        db.afterNextTransaction { _ in hook?(.after, from, to) }
    }

    /// Marks a drop whose source may leave the inbox now. Kept with the drop, so that looking for such drops costs nothing while a
    /// hundred thousand others wait.
    func updateDue(_ db: Database, drop: Drop.ID) throws {
        try db.execute(
            sql: """
                UPDATE drops SET due = disposal IN ('present', 'disposing') AND NOT EXISTS (
                    SELECT 1 FROM jobs WHERE jobs.drop_id = drops.id
                    AND jobs.state IN ('queued', 'running', 'publishing', 'held'))
                WHERE id = ?
                """, arguments: [drop])
    }

    func record(
        _ db: Database, _ id: Job.ID, from: JobState?, to: JobState, stage: StageName, why: String, at: Double
    ) throws {
        try db.execute(
            sql: "INSERT INTO transitions (job_id, from_state, to_state, stage, why, at, run) VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [id, from?.rawValue, to.rawValue, stage.rawValue, why, at, run])
    }

    static func state(_ text: String) throws -> JobState {
        guard let state = JobState(rawValue: text) else { throw StoreError(.corrupt, "unknown state \(text) in the job store") }
        return state
    }
}
