/// One recording on its way through.
package struct Job: Sendable, Equatable, Identifiable {
    package typealias ID = Int64

    package let id: ID
    /// Name of the job's work folder and its identity in manifests: 26 letters and digits, in the order of creation.
    package let key: String
    package let drop: Drop.ID
    /// Place within the drop, from 0; a list has many jobs.
    package let position: Int
    /// What a person calls it: the file's stem, then the title that fetch or the tags gave.
    package let title: String
    /// The link to fetch; `nil` for a job that started from a file.
    package let url: String?
    /// `sha256:…` of the recording, or `url:…` with the canonical link: what makes two jobs the same work.
    package let contentKey: String
    /// SHA-256 of the known lyrics, where the drop came with some.
    package let lyricsDigest: String?
    package let plan: Plan
    package let state: JobState
    /// The running stage, or the first unfinished one.
    package let stage: StageName
    /// Attempts at `stage` that count: given back by a drain, not by a crash.
    package let attempts: Int
    /// How often the daemon died while this job was running.
    package let crashes: Int
    /// Unix seconds before which the job must not be tried again; 0 for at once.
    package let notBefore: Double
    package let failure: FailureClass?
    /// One sentence for the person who dropped the file; empty while nothing went wrong.
    package let reason: String
    /// What that person can do about it.
    package let nextStep: String
    /// Folder below the outbox, mirrored from the inbox; empty for the top.
    package let outboxFolder: String
    /// Name of the published (or reserved) folder.
    package let outboxName: String?
    /// What stages found out: `duration`, `title`, `artist`, `language` …
    package let facts: [String: String]
    /// The earlier job whose result answered this one.
    package let cachedFrom: ID?
    /// Unix seconds.
    package let createdAt: Double
    package let updatedAt: Double

    /// Path of the result below the outbox.
    package var outboxPath: String? {
        outboxName.map { outboxFolder.isEmpty ? $0 : outboxFolder + "/" + $0 }
    }
}

/// One run of one stage.
package struct Attempt: Sendable, Equatable, Identifiable {
    package enum Outcome: String, Sendable, Codable {
        case running, done, failed
        /// Ended by a stop, a cancel or a superseding file; not counted.
        case stopped
        /// The daemon died while it ran.
        case crashed
    }
    package let id: Int64
    package let job: Job.ID
    package let stage: StageName
    package let engine: String
    package let engineVersion: String?
    /// Unix seconds.
    package let startedAt: Double
    package let seconds: Double?
    package let exitStatus: Int32?
    /// Bytes.
    package let peakMemory: Int?
    package let outcome: Outcome
    package let failure: FailureClass?
    package let message: String
    package let stderrTail: String
}

/// One arrow of the state diagram, as it was taken. The table is only ever added to.
package struct Transition: Sendable, Equatable {
    package let job: Job.ID
    /// `nil` for the job's creation.
    package let from: JobState?
    package let to: JobState
    package let stage: StageName
    package let why: String
    /// Unix seconds; for display only.
    package let at: Double
    /// The run of the daemon that took it.
    package let run: String
}

/// A file that a stage left in the job's work folder.
package struct Artifact: Sendable, Equatable, Codable {
    /// Relative to the stage's folder.
    package let path: String
    package let sha256: String
    package let bytes: Int64

    package init(path: String, sha256: String, bytes: Int64) {
        self.path = path
        self.sha256 = sha256
        self.bytes = bytes
    }
}
