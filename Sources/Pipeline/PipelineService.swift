import Host
import Jobs
import Logging
import Stages
import Synchronization

/// Gives every free place in a lane the job whose turn it is, until it is stopped.
package final class PipelineService: Sendable {
    private struct State {
        var active: [Job.ID: Task<Void, Never>] = [:]
        var width: [Lane: Int] = [:]
        var inLane: [Lane: Int] = [:]
        var isStopping = false
        /// What ends the daemon: a store that can no longer be trusted.
        var fatal: (any Error)?
        /// Rises with every turn of the loop; the watchdog looks at it.
        var turns = 0
        /// Jobs whose artifacts were made, or compared, in this life.
        var verified: Set<Job.ID> = []
        var options: PipelineOptions
        var resumed: Set<Job.ID> = []
        var pausedReason: String?
    }

    private let store: JobStore
    private let engines: EngineSet
    private let generator: String
    private let board: StatusBoard
    private let log: Logger
    private let wake: WakeUp
    private let unixSeconds: @Sendable () -> Double
    private let onJobFinished: @Sendable () -> Void
    private let state: Mutex<State>

    /// - Parameters:
    ///   - generator: name and version, for the manifests.
    ///   - wake: signalled by whoever adds or frees jobs.
    ///   - onJobFinished: a source may be waiting to leave the inbox.
    package init(
        store: JobStore, engines: EngineSet, options: PipelineOptions, generator: String, board: StatusBoard, wake: WakeUp, log: Logger,
        unixSeconds: @escaping @Sendable () -> Double, onJobFinished: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.engines = engines
        self.generator = generator
        self.board = board
        self.wake = wake
        self.log = log
        self.unixSeconds = unixSeconds
        self.onJobFinished = onJobFinished
        self.state = Mutex(State(options: options))
    }

    package var turns: Int { state.withLock { $0.turns } }
    package var activeCount: Int { state.withLock { $0.active.count } }
    package var isStopping: Bool { state.withLock { $0.isStopping } }
    /// Why no stage is started just now.
    package var pausedReason: String? { state.withLock { $0.pausedReason } }

    /// In force for stages that start from now on.
    package func update(_ options: PipelineOptions) {
        state.withLock { $0.options = options }
        wake.signal()
    }

    // MARK: - After a restart

    /// Takes over what an earlier life left under way. Before the first look at the inbox, and before READY.
    package func recover() async throws {
        let options = state.withLock { $0.options }
        let report = try await store.perform { try $0.recover(crashLimit: options.retry.crashLimit) }
        Fault.crash("recover.committed")
        let publisher = Publisher(store: store, options: options, generator: generator, unixSeconds: unixSeconds)
        try await store.perform { [log] store in
            for job in report.publishing {
                try publisher.recover(job)
                Fault.crash("recover.published")
            }
            try publisher.removeLeftovers()
            let work = try Directory.openOrCreate(options.work, mode: 0o750)
            for name in try work.list() where JobKey.isKey(name.bytes) {
                if try !store.needsWorkFolder(key: name.display) { try work.removeTree(name) }
            }
            if !report.resumed.isEmpty || !report.publishing.isEmpty || !report.poisoned.isEmpty {
                log.notice(
                    "went on with what was under way",
                    metadata: [
                        "message.id": "\(MessageID.recovered)", "resumed": "\(report.resumed.count)",
                        "publishing": "\(report.publishing.count)", "held": "\(report.poisoned.count)",
                    ])
            }
        }
        // Everything that is not finished came from an earlier life: its files are compared before they are relied on.
        let resumed = try await store.perform { try $0.jobsWithArtifacts() }
        state.withLock { $0.resumed = resumed }
    }

    // MARK: - Running

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            while !state.withLock({ $0.isStopping || $0.fatal != nil }) {
                state.withLock { $0.turns += 1 }
                let next: Double?
                do {
                    next = try await fill(&group)
                } catch {
                    guard isFull(error) else {
                        fail(error)
                        break
                    }
                    // Nothing is lost by it: a change that found no space was rolled back.
                    pause("\(error)")
                    next = Clock.bootSeconds + Self.pauseSeconds
                }
                if state.withLock({ $0.isStopping || $0.fatal != nil }) { break }
                await wake.wait(until: next)
            }
            await drain()
        }
        if let fatal = state.withLock({ $0.fatal }) { throw fatal }
    }

    /// - Returns: boot clock at which a delayed job may go.
    private func fill(_ group: inout DiscardingTaskGroup) async throws -> Double? {
        let options = state.withLock { $0.options }
        if let reason = try obstacle(options) {
            pause(reason)
            return Clock.bootSeconds + Self.pauseSeconds
        }
        if state.withLock({ $0.pausedReason }) != nil {
            log.notice("stages are started again")
            state.withLock { $0.pausedReason = nil }
        }
        for lane in Lane.allCases {
            while true {
                let (inLane, active, isStopping) = state.withLock { ($0.inLane[lane] ?? 0, Set($0.active.keys), $0.isStopping) }
                guard !isStopping, inLane < options.lanes[lane] ?? 1 else { break }
                let (engines, now) = (engines, unixSeconds())
                guard
                    let started = try await store.perform({
                        try $0.startNext(lane: lane, now: now, excluding: active) { engines.name(for: $0.stage, plan: $0.plan) }
                    })
                else { break }
                start(started, lane: lane, options, &group)
            }
        }
        let now = unixSeconds()
        guard let due = try await store.perform({ try $0.nextDue() }) else { return nil }
        // A job that is due now waits for a place, not for the clock; the next end of a stage wakes us.
        return due > now ? Clock.bootSeconds + (due - now) : nil
    }

    /// Between two looks at a disk that is full.
    private static let pauseSeconds = 5.0

    private func pause(_ reason: String) {
        let isNew = state.withLock { state in
            defer { state.pausedReason = reason }
            return state.pausedReason == nil
        }
        if isNew { log.warning("no stage is started for now", metadata: ["reason": "\(reason)"]) }
    }

    private func isFull(_ error: any Error) -> Bool {
        (error as? StoreError)?.reason == .full || (error as? SystemCallError)?.isOutOfSpace == true
    }

    private func obstacle(_ options: PipelineOptions) throws -> String? {
        let free = try Directory.open(options.work).freeBytes()
        guard free < Int64(options.freeSpace) else { return nil }
        return "only \(free >> 20) MiB are free for the work folder, \(options.freeSpace >> 20) MiB must stay free"
    }

    private func start(_ started: StartedStage, lane: Lane, _ options: PipelineOptions, _ group: inout DiscardingTaskGroup) {
        let id = started.job.id
        let runner = StageRunner(
            store: store, engines: engines, options: options, generator: generator, board: board, log: log, unixSeconds: unixSeconds,
            isStopping: { [self] in state.withLock { $0.isStopping } },
            isVerified: { [self] id in state.withLock { !$0.resumed.contains(id) } })
        // A task of its own, so that one job can be cancelled; the group waits for it through the one below.
        let task = Task { [self] in
            do { try await runner.run(started) } catch { fail(error) }
        }
        state.withLock {
            $0.active[id] = task
            $0.inLane[lane, default: 0] += 1
        }
        group.addTask { [self] in
            // A cancel that was committed after the start and before the lines above found nobody to stop.
            if let isCurrent = try? await store.perform({ try $0.isCurrent(started) }), !isCurrent { task.cancel() }
            await task.value
            state.withLock {
                $0.active[id] = nil
                $0.inLane[lane, default: 1] -= 1
                $0.resumed.remove(id)
            }
            wake.signal()
            onJobFinished()
        }
    }

    private func fail(_ error: any Error) {
        log.critical("the job store cannot be trusted any more; stopping", metadata: ["error": "\(error)"])
        state.withLock { state in
            if state.fatal == nil { state.fatal = error }
            for task in state.active.values { task.cancel() }
        }
        wake.signal()
    }

    // MARK: - Stopping

    /// Stops one job's running stage, because its job has changed under it.
    package func stop(job: Job.ID) {
        state.withLock { $0.active[job]?.cancel() }
    }

    /// No further stage is started; those that run may go on for the drain time.
    package func beginDrain() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }

    /// Ends what runs now; every job goes on at the same stage after the next start.
    package func stopNow() {
        state.withLock { state in
            state.isStopping = true
            for task in state.active.values { task.cancel() }
        }
        wake.signal()
    }

    private func drain() async {
        let deadline = Clock.bootSeconds + state.withLock { $0.fatal == nil ? $0.options.drain : 0 }
        while true {
            let active = activeCount
            guard active > 0 else { return }
            if Clock.bootSeconds >= deadline {
                stopNow()
                return
            }
            await wake.wait(until: deadline)
        }
    }
}
