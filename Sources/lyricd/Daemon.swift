import FoundationEssentials
import Glibc
import Host
import Inbox
import Jobs
import Logging
import Pipeline
import ServiceLifecycle
import Stages
import Synchronization
import UnixSignals

/// The one place where the parts are connected.
///
/// Order of a start: lock, store, what a former life left running, what it left under way, watches, READY. Everything after READY
/// is the services' own. Order of a stop: the inbox first, so that the doors close before the work does.
final class Daemon: Sendable {
    private let configuration: Mutex<Configuration>
    private let load: @Sendable () throws -> Configuration
    private let log: Logger
    private let state: StateFolder
    private let isStopping = Mutex(false)
    private let reloadNote = Mutex<String?>(nil)

    static let unixSeconds: @Sendable () -> Double = { Date().timeIntervalSince1970 }

    /// - Parameter load: reads the configuration again; called for a reload.
    init(configuration: Configuration, load: @escaping @Sendable () throws -> Configuration, log: Logger) {
        self.configuration = Mutex(configuration)
        self.load = load
        self.log = log
        self.state = StateFolder(path: configuration.folders.state)
    }

    /// Exit statuses of sysexits.h; `RestartPreventExitStatus=` in the unit names those a restart cannot mend.
    enum Exit {
        static let unavailable: Int32 = 75
        static let input: Int32 = 74
        static let configuration: Int32 = 78
    }

    func run() async throws {
        let configuration = self.configuration.withLock { $0 }
        let signals = await SignalDesk.trap()
        try state.prepare()
        let lock = try InstanceLock.acquire(state.path + "/lock")
        defer { withExtendedLifetime(lock) {} }
        for folder in [configuration.folders.inbox, configuration.folders.outbox, configuration.folders.archive, configuration.folders.failed] {
            try makeIfPossible(folder)
        }
        _ = try Directory.openOrCreate(configuration.folders.runtime, mode: 0o755)

        let run = ServiceManager.invocationID ?? "\(getpid())-\(JobKey.make(unixSeconds: Self.unixSeconds()))"
        // Without systemd, engines of a killed daemon are still at work; two of one job must never meet.
        let killed = ChildSweep.killAll(owner: state.path)
        if killed > 0 { log.notice("ended engines that a former daemon had left", metadata: ["count": "\(killed)"]) }
        let (store, wasRestored) = try state.openStore(
            run: run, outbox: configuration.folders.outbox, clock: Self.unixSeconds, hook: Self.faultHook, log: log)

        let inboxWake = WakeUp()
        let workWake = WakeUp()
        let statusWake = WakeUp()
        let board = StatusBoard(changed: statusWake)
        let engines = try EngineSet.embedded(configuration: configuration, state: state)
        let pipeline = PipelineService(
            store: store, engines: engines, options: configuration.pipelineOptions(state: state), generator: "lyricd \(Version.current)",
            board: board, wake: workWake, log: log, unixSeconds: Self.unixSeconds, onJobFinished: { inboxWake.signal() })
        let inbox = InboxService(
            store: store, options: configuration.inboxOptions(state: state), wake: inboxWake, log: log,
            stopJob: { pipeline.stop(job: $0) }, onStatus: { _ in statusWake.signal() })
        store.onChange { workWake.signal() }

        try await pipeline.recover()
        if wasRestored {
            let adopted = try await store.perform { try ManifestSearch(store: $0, outbox: configuration.folders.outbox).adoptAll() }
            log.notice("took finished jobs back in from the outbox", metadata: ["count": "\(adopted)"])
        }
        try await inbox.start(unixSeconds: Self.unixSeconds)

        let reporter = StatusReporter(
            folder: configuration.folders.runtime, run: run, wake: statusWake, board: board, inbox: inbox, pipeline: pipeline, store: store,
            isStopping: { [self] in isStopping.withLock { $0 } }, note: { [self] in reloadNote.withLock { $0 } })
        let backup = BackupKeeper(
            state: state, store: store, log: log, settings: { [self] in self.configuration.withLock { $0.service } },
            unixSeconds: Self.unixSeconds)
        let watchdog = Watchdog(store: store, inbox: inbox, inboxWake: inboxWake, pipeline: pipeline, pipelineWake: workWake, log: log,
            isStopping: { [self] in isStopping.withLock { $0 } })
        let desk = SignalDesk(
            log: log,
            onReload: { [self] in
                reload(inbox: inbox, pipeline: pipeline)
                statusWake.signal()
            },
            onStop: { [self] in
                isStopping.withLock { $0 = true }
                ServiceManager.notify("STOPPING=1", "STATUS=stopping; running stages may finish")
            },
            onStopNow: { pipeline.stopNow() }, signals: signals)

        log.notice(
            "lyricd is up",
            metadata: [
                "message.id": "\(MessageID.started)", "version": "\(Version.current)", "run": "\(run)",
                "inbox": "\(configuration.folders.inbox)",
            ])
        ServiceManager.notify("READY=1", "STATUS=watching \(configuration.folders.inbox)")
        let group = ServiceGroup(
            configuration: .init(
                // Each depends only on those before it; the shutdown runs backwards.
                services: [
                    .init(service: reporter, successTerminationBehavior: .ignore),
                    .init(service: backup, successTerminationBehavior: .ignore),
                    // Goes on through the drain.
                    .init(service: watchdog, successTerminationBehavior: .ignore),
                    .init(service: PipelineLane(pipeline: pipeline), successTerminationBehavior: .ignore),
                    .init(service: InboxDoor(inbox: inbox), successTerminationBehavior: .ignore),
                ], logger: Logger(label: "lyricd.lifecycle") { _ in SwiftLogNoOpLogHandler() }))
        let outcome = await desk.run(group)
        StatusFile.remove(from: configuration.folders.runtime)
        do { try await store.perform { try $0.close() } } catch { log.warning("the job store was not closed cleanly", metadata: ["error": "\(error)"]) }
        try outcome.get()
        log.notice("lyricd has stopped", metadata: ["message.id": "\(MessageID.stopping)"])
    }

    /// The configured folders may lie on a disk that is not mounted yet: that is a state, not an error.
    private func makeIfPossible(_ path: String) throws {
        do { _ = try Directory.openOrCreate(path, mode: 0o775) } catch {
            log.warning("a folder cannot be made or opened yet", metadata: ["folder": "\(path)", "error": "\(error)"])
        }
    }

    private func reload(inbox: InboxService, pipeline: PipelineService) {
        do {
            let fresh = try load()
            let old = configuration.withLock { $0 }
            guard fresh.folders.state == old.folders.state, fresh.folders.runtime == old.folders.runtime,
                fresh.folders.inbox == old.folders.inbox
            else {
                throw UserError("inbox, state and runtime in [folders] are read at the start only", next: "restart lyricd")
            }
            configuration.withLock { $0 = fresh }
            inbox.update(fresh.inboxOptions(state: state))
            pipeline.update(fresh.pipelineOptions(state: state))
            reloadNote.withLock { $0 = nil }
            log.notice("configuration read again", metadata: ["message.id": "\(MessageID.reloaded)"])
        } catch {
            reloadNote.withLock { $0 = "reload failed, the former configuration stays: \(error)" }
            log.error("the new configuration is not usable; the former one stays", metadata: ["message.id": "\(MessageID.reloaded)", "error": "\(error)"])
        }
    }

    /// In test builds, a place to stop the program before and after every change of state.
    private static var faultHook: JobStore.TransitionHook? {
        #if LYRICD_FAULTS
        { moment, from, to in
            Fault.crash(named: "transition.\(from?.rawValue ?? "new")-\(to.rawValue).\(moment.rawValue)")
        }
        #else
        nil
        #endif
    }
}

/// The pipeline as a service: a graceful shutdown is a drain.
private struct PipelineLane: Service {
    let pipeline: PipelineService
    func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler { try await pipeline.run() } onCancelOrGracefulShutdown: {
            pipeline.beginDrain()
        }
        // A second TERM ends the work before its turn; a service that returns early would pass for one that broke.
        try? await gracefulShutdown()
    }
}

private struct InboxDoor: Service {
    let inbox: InboxService
    func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler { try await inbox.run() } onCancelOrGracefulShutdown: { inbox.stop() }
    }
}
