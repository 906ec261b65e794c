import Dispatch
import Host
import Jobs
import Logging
import Synchronization

/// The inbox as a lasting activity: everything that touches the inbox happens on its one thread.
package final class InboxService: Sendable {
    private let store: JobStore
    private let wake: WakeUp
    private let log: Logger
    private let queue = DispatchQueue(label: "lyricd.inbox")
    private let options: Mutex<InboxOptions>
    private let scanner: Mutex<Confined>
    private let shared = Mutex(InboxStatus())
    private let claims: ClaimPool
    private let stopJob: @Sendable (Job.ID) -> Void
    private let isStopping = Mutex(false)
    private let haveMountsChanged: Flag
    private let onStatus: @Sendable (InboxStatus) -> Void

    /// Shared with the thread that watches the mounts, which must not keep the service alive.
    private final class Flag: Sendable {
        let value = Mutex(false)
        func take() -> Bool {
            value.withLock { value in
                defer { value = false }
                return value
            }
        }
    }

    /// What only the inbox thread touches. The mutex is never contended; it is how the compiler is told.
    private struct Confined {
        var scanner: InboxScanner?
        var notedStamps: [Drop.ID: String] = [:]
        let swept = SweptFolders()
        var mounts: MountWatch?
        var ordersWatch: DirectoryWatch?
    }

    /// - Parameters:
    ///   - wake: shared with whoever finishes jobs: a finished job's source is waiting to leave the inbox.
    ///   - stopJob: stops a running job whose reason has gone.
    ///   - onStatus: called after every look, on the inbox thread.
    package init(
        store: JobStore, options: InboxOptions, wake: WakeUp, log: Logger, stopJob: @escaping @Sendable (Job.ID) -> Void,
        onStatus: @escaping @Sendable (InboxStatus) -> Void = { _ in }
    ) {
        self.store = store
        self.wake = wake
        self.log = log
        self.options = Mutex(options)
        self.scanner = Mutex(Confined())
        self.claims = ClaimPool(store: store, wake: wake)
        self.stopJob = stopJob
        self.onStatus = onStatus
        self.haveMountsChanged = Flag()
    }

    /// Options of a re-read configuration; in force from the next look on.
    package func update(_ options: InboxOptions) {
        self.options.withLock { $0 = options }
        wake.signal()
    }

    package var status: InboxStatus { shared.withLock { $0 } }

    /// Sets the watches and reads what the store knows; after it, nothing that is dropped can be missed.
    package func start(unixSeconds: @escaping @Sendable () -> Double) async throws {
        try await onThread { [self] in
            let options = self.options.withLock { $0 }
            let makeWatch: @Sendable () throws(SystemCallError) -> DirectoryWatch = { [wake] () throws(SystemCallError) in
                try DirectoryWatch(onHint: { wake.signal() })
            }
            let scanner = InboxScanner(
                store: store, claims: claims, options: options, makeWatch: options.watch == .auto ? makeWatch : nil, stopJob: stopJob,
                unixSeconds: unixSeconds, log: log)
            try scanner.loadKnownDrops()
            // Orders are looked for on every wake-up; their own watch has no other part than to wake.
            let ordersWatch = try? DirectoryWatch(onHint: { [wake] in wake.signal() })
            if let orders = try? Directory.open(options.orders) { try? ordersWatch?.add(orders, id: 0) }
            let mounts = try? MountWatch(onChange: { [wake, haveMountsChanged] in
                haveMountsChanged.value.withLock { $0 = true }
                wake.signal()
            })
            self.scanner.withLock { $0 = Confined(scanner: scanner, mounts: mounts, ordersWatch: ordersWatch) }
        }
    }

    /// Looks until it is stopped. Throws only what must end the daemon: a store that cannot be trusted any more.
    package func run() async throws {
        while !isStopping.withLock({ $0 }), !Task.isCancelled {
            let next = try await onThread { [self] in try look() }
            await wake.wait(until: next)
        }
        await claims.drain()
        // The last copies may have ended after the last look.
        _ = try await onThread { [self] in
            try scanner.withLock { try $0.scanner?.finishClaims(now: Clock.bootSeconds) }
        }
    }

    /// No further drops are taken; ``run()`` returns soon.
    package func stop() {
        isStopping.withLock { $0 = true }
        wake.signal()
    }

    private func look() throws -> Double {
        let options = self.options.withLock { $0 }
        return try scanner.withLock { confined in
            guard let scanner = confined.scanner else { return Clock.bootSeconds + 1 }
            scanner.options = options
            if haveMountsChanged.take() { scanner.lookEverywhere() }
            var next = try scanner.pass()
            _ = confined.ordersWatch?.takeHints()
            // Each on its own: a full disk under one of them must not keep the others from being done.
            next = min(next, try attempt("an order could not be carried out; it is tried again") {
                try OrderDesk(options: options, store: store, stopJob: stopJob).doAll().forEach(scanner.recall)
                return .infinity
            })
            next = min(next, try attempt("a source could not be moved; it is tried again") {
                try dispose(options, scanner, confined.swept)
            })
            next = min(next, try attempt("a note could not be written; it is tried again") {
                try note(options, &confined)
                return .infinity
            })
            let status = scanner.status
            shared.withLock { $0 = status }
            onStatus(status)
            return next
        }
    }

    /// - Returns: boot clock of the next try where something stood in the way.
    private func attempt(_ message: Logger.Message, _ body: () throws -> Double) throws -> Double {
        do { return try body() } catch {
            if let error = error as? StoreError, error.reason == .io || error.reason == .corrupt { throw error }
            log.warning(message, metadata: ["error": "\(error)"])
            return Clock.bootSeconds + 5
        }
    }

    /// - Returns: boot clock of the next try where something stood in the way, or more is left to do.
    private func dispose(_ options: InboxOptions, _ scanner: InboxScanner, _ swept: SweptFolders) throws -> Double {
        let batch = 500
        let drops = try store.dropsToDispose(limit: batch)
        var next = drops.count == batch ? Clock.bootSeconds : .infinity
        let disposal = SourceDisposal(options: options, store: store, swept: swept)
        for drop in drops {
            do {
                let became = try disposal.dispose(drop)
                if became != .kept { scanner.forget(drop) }
                log.debug("a source was put away", metadata: ["drop": "\(drop.id)", "became": "\(became.rawValue)"])
            } catch let error as StoreError {
                throw error
            } catch {
                log.warning(
                    "a source could not be put away; it is tried again",
                    metadata: ["drop": "\(drop.id)", "file": "\(FileName(drop.name).display)", "error": "\(error)"])
                next = Clock.bootSeconds + 5
            }
        }
        return next
    }

    /// What waits for a person says so in the failed folder as well; the file itself stays in the inbox.
    private func note(_ options: InboxOptions, _ confined: inout Confined) throws {
        let held = try store.heldDrops()
        guard !held.isEmpty || !confined.notedStamps.isEmpty else { return }
        var stamps: [Drop.ID: String] = [:]
        for (drop, stamp) in held {
            stamps[drop.id] = stamp
            guard confined.notedStamps[drop.id] != stamp else { continue }
            let folder = try Directory.openOrCreate(options.failed).descendMaking(SourceDisposal.components(drop.folder))
            try FailureNote.write(for: FileName(drop.name), jobs: try store.jobs(drop: drop.id), in: folder)
        }
        for id in confined.notedStamps.keys where stamps[id] == nil {
            guard let drop = try? store.drop(id), drop.disposal == .present else { continue }
            FailureNote.remove(
                for: FileName(drop.name), components: SourceDisposal.components(drop.folder), failedFolder: options.failed)
        }
        confined.notedStamps = stamps
    }

    private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { @Sendable in continuation.resume(with: Result { try body() }) }
        }
    }
}
