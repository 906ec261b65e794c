import Jobs

/// How stages are run. Times are seconds.
package struct PipelineOptions: Sendable {
    /// Absolute paths.
    package var work: String
    package var outbox: String
    /// Stages that run side by side, by lane.
    package var lanes: [Lane: Int] = [.network: 2, .light: 2, .heavy: 1]
    /// Wall-clock limit of a download.
    package var fetchTime = 3600.0
    /// Limit of every other stage: base + factor · duration of the recording.
    package var stageTimeBase = 120.0
    package var stageTimeFactor = 3.0
    package var retry = RetryPolicy()
    /// How long running stages may go on after a stop was asked for.
    package var drain = 20.0
    /// Bytes that must stay free for a stage to start.
    package var freeSpace = 512 << 20

    package init(work: String, outbox: String) {
        self.work = work
        self.outbox = outbox
    }

    func timeLimit(_ stage: StageName, duration: Double?) -> Duration {
        if stage == .fetch { return .seconds(fetchTime) }
        // Before the probe nobody knows; an hour is what the longest accepted recording would get.
        return .seconds(stageTimeBase + stageTimeFactor * (duration ?? 3600))
    }
}
