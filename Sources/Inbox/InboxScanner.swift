import Host
import Jobs
import Logging

/// Looks into the inbox: list, stat, settle, claim. One pass after another, on one thread.
///
/// Events only say which folder to look into. A pass is right without them, and `watch = "poll"` does without.
///
/// Unchecked: `InboxService` alone holds it, behind a mutex, and calls it on its one queue.
package final class InboxScanner: @unchecked Sendable {
    /// Seconds. Every look wakes a sleeping machine, so seldom; short enough that nobody wonders where the drops went.
    private static let identityInterval = 10.0

    let store: JobStore
    /// `nil` until the kernel gives one.
    var watch: DirectoryWatch?
    let makeWatch: (@Sendable () throws(SystemCallError) -> DirectoryWatch)?
    var isExhaustionReported = false
    let claims: ClaimPool
    var options: InboxOptions
    /// Stops a job that a newer version of its file, or its lyrics, made pointless.
    let stopJob: @Sendable (Job.ID) -> Void
    let unixSeconds: @Sendable () -> Double
    let log: Logger

    var folders: [Int: WatchedFolder] = [:]
    var folderIDs: [[UInt8]: Int] = [:]
    var nextID = 1
    var root: FileStatus.Signature?
    /// What is known of places that are not looked into just now. Several entries for one name, where several disks were mounted there.
    var pendingPaths: [[UInt8]: [FileName: [WatchedFolder.Entry]]] = [:]
    var inodes: [UInt64: Drop.ID] = [:]
    package internal(set) var status = InboxStatus()
    private var pausedUntil = 0.0

    /// - Parameter makeWatch: `nil` never watches.
    package init(
        store: JobStore, claims: ClaimPool, options: InboxOptions, makeWatch: (@Sendable () throws(SystemCallError) -> DirectoryWatch)?,
        stopJob: @escaping @Sendable (Job.ID) -> Void, unixSeconds: @escaping @Sendable () -> Double, log: Logger
    ) {
        self.store = store
        self.makeWatch = makeWatch
        self.claims = claims
        self.options = options
        self.stopJob = stopJob
        self.unixSeconds = unixSeconds
        self.log = log
    }

    /// One look.
    ///
    /// - Returns: boot clock at which the next look is due if nothing wakes us before.
    package func pass() throws -> Double {
        let now = Clock.bootSeconds
        let hints = watch?.takeHints() ?? DirectoryHints()
        guard try ensureRoot(isWatchLost: hints.gone.contains(0), now: now) else {
            status.lastPass = Clock.bootSeconds
            return now + options.poll
        }
        confirmProbes(hints, now: now)
        dropGoneFolders(hints)
        try finishClaims(now: now)
        for folder in dueFolders(hints, now: now) { try scan(folder, movedIn: hints.movedIn[folder.id] ?? [], now: now) }
        let next = try settle(now: Clock.bootSeconds)
        updateStatus(now: now)
        // Nothing reports that a parent of the inbox was renamed: whether the path still leads here is asked now and then.
        return min(next, nextScan(now: now), now + min(options.poll * 2, Self.identityInterval))
    }

    /// Something was mounted or unmounted: no watch reports that of the folder it happened to.
    func lookEverywhere() {
        for folder in folders.values { folder.lastScan = -.infinity }
    }

    struct Place: Hashable {
        let folder: Int
        let name: FileName
    }
    /// Folders whose hints came while they had to rest, with the names that had arrived by a rename.
    var postponed: [Int: Set<FileName>] = [:]
    /// The drop a settling file had been before it changed or was renamed.
    var former: [Place: Drop.ID] = [:]

    private func updateStatus(now: Double) {
        status.folders = folders.count
        status.ignoredCount = folders.values.reduce(0) { $0 + $1.ignoredCount }
        status.unsupportedCount = folders.values.reduce(0) { $0 + $1.unsupportedCount }
        if let folder = folders[0] {
            switch folder.mode {
            case .notify:
                let polled = options.watch == .auto ? folders.values.compactMap(\.pollReason) : []
                status.mode = "inotify"
                status.modeReason = polled.first.map { polled.count == 1 ? "1 folder is polled: \($0)" : "\(polled.count) folders are polled: \($0)" }
            case .poll(let reason): (status.mode, status.modeReason) = ("poll", reason)
            }
        }
        var waiting: [InboxStatus.Waiting] = []
        var count = 0
        for folder in folders.values {
            for (name, entry) in folder.entries {
                guard case .settling(let settling) = entry.phase else { continue }
                count += 1
                guard waiting.count < 100 else { continue }
                let path = FileName(folder.path.isEmpty ? name.bytes : folder.path + [UInt8(ascii: "/")] + name.bytes)
                waiting.append(.init(path: path.display, reason: reason(settling, now: now)))
            }
        }
        status.waiting = waiting.sorted { $0.path < $1.path }
        status.waitingCount = count
        status.lastPass = Clock.bootSeconds
    }

    private func reason(_ settling: Settling, now: Double) -> String {
        if let obstacle = settling.obstacle { return obstacle }
        if settling.signature.size == 0 { return "empty so far" }
        if settling.isOverdue(now: now, options: options) { return "still being written, for \(Int((now - settling.firstSeen) / 60)) minutes" }
        return "waiting until it stays unchanged"
    }

    func setPaused(_ reason: String?, for seconds: Double, now: Double) {
        if let reason, status.paused == nil { log.warning("the inbox takes nothing for now", metadata: ["reason": "\(reason)"]) }
        if reason == nil, status.paused != nil { log.notice("the inbox takes drops again") }
        status.paused = reason
        pausedUntil = reason == nil ? 0 : now + seconds
    }
    var resumesAt: Double { pausedUntil }
}
