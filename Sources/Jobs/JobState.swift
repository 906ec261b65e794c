/// Where a job stands. The raw value is what the database and the CLI say; it is never changed after a release.
///
///     queued ──▶ running(stage) ──▶ publishing ──▶ done | instrumental
///        ▲            │  │  └──▶ failed | cancelled | superseded
///        └─ retry ◀───┘  └─────▶ held
package enum JobState: String, Codable, Sendable, CaseIterable {
    /// Waits for a lane, for its turn or for the time before which it must not be tried again.
    case queued
    /// A stage is running in the run (the life of one daemon process) that owns the job.
    case running
    /// The result is built and its name in the outbox reserved; the rename may or may not have happened.
    case publishing
    case done
    /// Finished, and there was no voice to write down.
    case instrumental
    /// Will not work as it is; see the reason. A person may retry it.
    case failed
    /// Needs a person first: cookies, a missing engine, a poison job. Goes on with `retry`.
    case held
    case cancelled
    /// Its file was replaced by another version, which is a job of its own.
    case superseded

    /// The job has its verdict and nothing will happen to it unless a person asks.
    package var isFinished: Bool {
        switch self {
        case .queued, .running, .publishing: false
        case .done, .instrumental, .failed, .held, .cancelled, .superseded: true
        }
    }

    /// There is a complete folder in the outbox.
    package var isPublished: Bool { self == .done || self == .instrumental }

    /// The states that an arrow of the diagram leads to from here. The store refuses every other change.
    package var successors: Set<JobState> {
        switch self {
        case .queued: [.running, .publishing, .done, .instrumental, .failed, .held, .cancelled, .superseded, .queued]
        case .running: [.queued, .publishing, .failed, .held, .cancelled, .superseded]
        case .publishing: [.done, .instrumental, .queued, .held]
        case .failed, .held, .cancelled: [.queued, .superseded, .cancelled]
        case .done, .instrumental, .superseded: []
        }
    }
}
