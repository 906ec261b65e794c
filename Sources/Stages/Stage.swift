import Jobs

/// One engine for one stage. An engine reads the folders of earlier stages and writes into a folder of its own.
package protocol StageEngine: Sendable {
    var stage: StageName { get }
    /// As the plan, the manifest and the statistics call it: `yt-dlp`, `ffprobe`, `centre`, `pocketsphinx`.
    var name: String { get }

    /// The engine's own version text, or `nil` where it cannot be asked. Cheap after the first call.
    func version() async -> String?

    /// Runs the stage once. Everything it leaves behind lies in `request.output`; the caller makes that durable.
    ///
    /// Success means that the output was checked, not that a program exited with 0: half of the engines exit with 0 when
    /// they fail. A cancelled task ends the engine's whole process tree and throws `StageError` with reason `.cancelled`.
    func run(_ request: StageRequest) async throws(StageError) -> StageOutcome
}

/// What an engine is given.
package struct StageRequest: Sendable {
    /// For messages and logs.
    package let job: Int64
    package let plan: Plan
    /// The link, for *fetch* only.
    package let url: String?
    /// Absolute path of the recording as claimed or fetched: never the inbox's own file, never a name a stranger chose.
    package let recording: String?
    /// Absolute path of the known lyrics (`.txt` or `.lrc` bytes as claimed), where the drop came with some.
    package let lyrics: String?
    /// What earlier stages found out, by name.
    package let facts: [String: String]
    /// Absolute paths of the finished folders of earlier stages.
    package let inputs: [StageName: String]
    /// Absolute path of an empty folder; the engine's working directory as well.
    package let output: String
    /// Wall-clock seconds after which the stage is stopped.
    package let timeLimit: Duration
    /// Called as often as the engine says something; cheap, any thread.
    package let report: @Sendable (StageProgress) -> Void

    package init(
        job: Int64, plan: Plan, url: String? = nil, recording: String? = nil, lyrics: String? = nil,
        facts: [String: String] = [:], inputs: [StageName: String] = [:], output: String, timeLimit: Duration = .seconds(3600),
        report: @escaping @Sendable (StageProgress) -> Void = { _ in }
    ) {
        self.job = job
        self.plan = plan
        self.url = url
        self.recording = recording
        self.lyrics = lyrics
        self.facts = facts
        self.inputs = inputs
        self.output = output
        self.timeLimit = timeLimit
        self.report = report
    }
}

/// How far a running stage is.
package struct StageProgress: Sendable, Equatable {
    /// 0…1; `nil` where the engine cannot tell.
    package let fraction: Double?
    /// A few words for a person: `3.1 of 7.4 MiB`.
    package let detail: String

    package init(fraction: Double?, detail: String = "") {
        self.fraction = fraction.map { min(max($0, 0), 1) }
        self.detail = detail
    }
}

/// What an engine says of a run that produced its output.
package struct StageOutcome: Sendable, Equatable {
    /// Exit status of the engine's last process; 0 for work done in this process.
    package var exitStatus: Int32
    /// Bytes; the largest resident set seen of the engine's processes together. 0 where nothing was measured.
    package var peakMemory: Int
    /// What later stages and the manifest need to know, by name (`duration`, `title`, `artist`, `language` …).
    package var facts: [String: String]
    /// A verdict other than *goes on*: no voice was found.
    package var isInstrumental: Bool

    package init(exitStatus: Int32 = 0, peakMemory: Int = 0, facts: [String: String] = [:], isInstrumental: Bool = false) {
        self.exitStatus = exitStatus
        self.peakMemory = peakMemory
        self.facts = facts
        self.isInstrumental = isInstrumental
    }
}
