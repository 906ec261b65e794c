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
    private var watch: DirectoryWatch?
    private let makeWatch: (@Sendable () throws(SystemCallError) -> DirectoryWatch)?
    private var isExhaustionReported = false
    let claims: ClaimPool
    var options: InboxOptions
    /// Stops a job that a newer version of its file, or its lyrics, made pointless.
    let stopJob: @Sendable (Job.ID) -> Void
    let unixSeconds: @Sendable () -> Double
    let log: Logger

    var folders: [Int: WatchedFolder] = [:]
    var folderIDs: [[UInt8]: Int] = [:]
    private var nextID = 1
    private var root: FileStatus.Signature?
    /// What is known of places that are not looked into just now. Several entries for one name, where several disks were mounted there.
    private var pendingPaths: [[UInt8]: [FileName: [WatchedFolder.Entry]]] = [:]
    private var inodes: [UInt64: Drop.ID] = [:]
    package private(set) var status = InboxStatus()
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

    /// Fills what is known from the store, so that a restart claims nothing twice.
    package func loadKnownDrops() throws {
        try store.forEachDropInInbox { drop in
            let signature = FileStatus.Signature(drop.identity)
            let kind = DropKind(FileName(drop.name))
            keep(.init(kind: kind, generation: 0, phase: .known(drop: drop.id, signature)), at: drop.folder, FileName(drop.name))
            inodes[signature.inode] = drop.id
            if let lyrics = drop.lyricsName {
                keep(.init(kind: .text, generation: 0, phase: .known(drop: drop.id, nil)), at: drop.folder, FileName(lyrics))
            }
        }
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

    // MARK: - Folders

    /// Compares the path with the folder we know: renamed, replaced, mounted over, unmounted and come back are all one case.
    ///
    /// - Parameter isWatchLost: the watch ended, although the path may lead to the same folder again: it was moved away and back.
    private func ensureRoot(isWatchLost: Bool, now: Double) throws -> Bool {
        do {
            let directory = try Directory.open(options.inbox)
            let found = try directory.status()
            if options.requireMount, try Directory.open(options.inbox + "/..").status().device == found.device {
                throw SystemCallError(call: "require_mount", errno: 0, subject: options.inbox)
            }
            let identity = FileStatus.Signature(
                device: found.device, inode: found.inode, size: 0, modifiedNanoseconds: 0, changedNanoseconds: 0)
            if identity != root || folders[0] == nil || isWatchLost {
                if root != nil, identity != root { log.notice("the inbox is another folder now; looking at everything again") }
                remember()
                for id in folders.keys { watch?.remove(id: id) }
                folders = [:]
                folderIDs = [:]
                root = identity
                adopt(directory, id: 0, components: [], parent: nil, now: now)
            }
            if status.absent != nil { log.notice("the inbox is back") }
            status.absent = nil
            return true
        } catch let error as SystemCallError {
            let reason = error.call == "require_mount" ? "\(options.inbox) is not mounted" : "\(error)"
            if status.absent != reason { log.warning("the inbox cannot be read", metadata: ["error": "\(reason)"]) }
            status.absent = reason
            if root != nil {
                remember()
                for id in folders.keys { watch?.remove(id: id) }
                folders = [:]
                folderIDs = [:]
                root = nil
            }
            return false
        }
    }

    /// What is known outlives the folder objects: the same disk may come back.
    private func remember() {
        for folder in folders.values { remember(folder) }
    }

    private func remember(_ folder: WatchedFolder) {
        for (name, entry) in folder.entries {
            if case .known = entry.phase { keep(entry, at: folder.path, name) }
        }
    }

    private func keep(_ entry: WatchedFolder.Entry, at path: [UInt8], _ name: FileName) {
        var entries = pendingPaths[path]?[name] ?? []
        entries.removeAll { $0.signature?.device == entry.signature?.device }
        pendingPaths[path, default: [:]][name] = entries + [entry]
    }

    /// What was known of a name when it was last seen. A file on another disk is judged by it too, because the kernel may number the
    /// disks anew; but then the entry is kept for the disk it is about.
    private func takeKept(_ name: FileName, _ found: FileStatus, at path: [UInt8]) -> WatchedFolder.Entry? {
        guard var entries = pendingPaths[path]?[name], let any = entries.last else { return nil }
        guard let index = entries.firstIndex(where: { ($0.signature?.device ?? found.device) == found.device }) else { return any }
        let entry = entries.remove(at: index)
        pendingPaths[path]?[name] = entries.isEmpty ? nil : entries
        return entry
    }

    /// Watch first, then list: a file that lands between the two is seen twice, not missed.
    @discardableResult
    private func adopt(
        _ directory: Directory, id: Int, components: [FileName], parent: WatchedFolder?, now: Double
    ) -> WatchedFolder {
        let device = (try? directory.status().device) ?? 0
        let kind = (try? directory.fileSystem()) ?? .unknown("?")
        var isNetwork = false
        if case .network = kind { isNetwork = true }
        let folder = WatchedFolder(id: id, components: components, device: device, isNetwork: isNetwork, mode: .notify)
        if options.watch == .poll {
            folder.mode = .poll(reason: "watch = \"poll\"")
        } else if case .local = kind {
            setWatch(folder, directory, now: now)
            // A file system that is called local may still report nothing: ask it once per device, with a file that comes and goes.
            if case .notify = folder.mode, parent?.device != device { probe(folder, directory, now: now) }
            if let parent, parent.device == device, case .poll = parent.mode { folder.mode = parent.mode }
        } else {
            folder.mode = .poll(reason: "\(kind.name) reports no changes made elsewhere")
        }
        folders[id] = folder
        folderIDs[folder.path] = id
        return folder
    }

    private func setWatch(_ folder: WatchedFolder, _ directory: Directory, now: Double) {
        guard let makeWatch else {
            folder.mode = .poll(reason: "inotify is not available")
            return
        }
        do {
            let watch = if let watch { watch } else { try makeWatch() }
            self.watch = watch
            try watch.add(directory, id: folder.id)
            folder.mode = .notify
            folder.retryWatchAt = nil
            isExhaustionReported = false
        } catch {
            if error.isExhausted, !isExhaustionReported {
                isExhaustionReported = true
                log.warning(
                    "no inotify watches are left; polling instead",
                    metadata: ["error": "\(error)", "next": "raise fs.inotify.max_user_watches and max_user_instances with sysctl"])
            }
            folder.mode = .poll(reason: "\(error)")
            folder.retryWatchAt = now + options.rescan
        }
    }

    private func probe(_ folder: WatchedFolder, _ directory: Directory, now: Double) {
        let name = FileName(".lyricd-probe-\(JobKey.make(unixSeconds: unixSeconds()))")
        // A folder we may not write to cannot be asked; its file system type was good enough.
        guard (try? directory.write(name, [])) != nil else { return }
        try? directory.remove(name)
        folder.probedAt = now
    }

    private func confirmProbes(_ hints: DirectoryHints, now: Double) {
        for folder in folders.values {
            guard let probedAt = folder.probedAt else { continue }
            if hints.everything || hints.directories.contains(folder.id) {
                folder.probedAt = nil
            } else if now - probedAt > 2 {
                folder.probedAt = nil
                folder.mode = .poll(reason: "the file system reports no events")
                log.notice("polling a folder: its file system reports no events", metadata: ["folder": "\(FileName(folder.path).display)"])
            }
        }
    }

    private func dropGoneFolders(_ hints: DirectoryHints) {
        for id in hints.gone where id != 0 {
            guard let folder = folders[id] else { continue }
            forget(folder)
        }
    }

    private func forget(_ folder: WatchedFolder) {
        watch?.remove(id: folder.id)
        folders[folder.id] = nil
        folderIDs[folder.path] = nil
        remember(folder)
        // What lay below is gone as well, or is found again under its new path.
        for child in folders.values where child.components.starts(with: folder.components) && child.id != folder.id { forget(child) }
    }

    private func dueFolders(_ hints: DirectoryHints, now: Double) -> [WatchedFolder] {
        folders.values.filter { folder in
            // A burst of events is one look, and looking takes at most half of the time.
            let soonest = folder.lastScan + folder.scanSeconds
            if hints.everything { folder.lastScan = -.infinity }
            if folder.lastScan == -.infinity { return true }
            if hints.directories.contains(folder.id) {
                if now >= soonest { return true }
                postponed[folder.id, default: []].formUnion(hints.movedIn[folder.id] ?? [])
                return false
            }
            if postponed[folder.id] != nil, now >= soonest { return true }
            return now >= scanDue(folder)
        }.sorted { $0.id < $1.id }
    }

    /// Folders whose hints came while they had to rest, with the names that had arrived by a rename.
    private var postponed: [Int: Set<FileName>] = [:]

    private func scanDue(_ folder: WatchedFolder) -> Double {
        switch folder.mode {
        case .notify: folder.lastScan + options.rescan
        // A folder that takes long to list is listed less often.
        case .poll: folder.lastScan + max(options.poll, min(30, folder.scanSeconds * 10))
        }
    }

    private func nextScan(now: Double) -> Double {
        folders.values.map { folder in
            if postponed[folder.id] != nil { return folder.lastScan + folder.scanSeconds }
            let due = scanDue(folder)
            if let probed = folder.probedAt { return min(due, probed + 2.05) }
            return due
        }.min() ?? now + options.poll
    }

    // MARK: - Listing

    private func scan(_ folder: WatchedFolder, movedIn: Set<FileName>, now: Double) throws {
        let began = Clock.bootSeconds
        let moved = movedIn.union(postponed.removeValue(forKey: folder.id) ?? [])
        let directory: Directory
        let names: [FileName]
        do {
            directory = try Directory.open(options.inbox).descend(folder.components)
            if folder.id != 0, try directory.status().device != folder.device {
                // Mounted over, or unmounted: another folder under the same name.
                forget(folder)
                let next = newID()
                adopt(directory, id: next, components: folder.components, parent: nil, now: now)
                if let adopted = folders[next] { try scan(adopted, movedIn: [], now: now) }
                return
            }
            if let retry = folder.retryWatchAt, now >= retry, options.watch == .auto { setWatch(folder, directory, now: now) }
            names = try directory.list()
        } catch let error as SystemCallError {
            if folder.id == 0 { root = nil } else if error.isMissing || error.isLink { forget(folder) }
            folder.lastScan = now
            return
        }
        folder.generation &+= 1
        folder.ignoredCount = 0
        folder.unsupportedCount = 0
        for name in names {
            guard let found = try? directory.status(of: name) else { continue }
            if found.kind == .directory {
                try visit(directory, name, below: folder, now: now)
            } else {
                observe(name, found, in: folder, wasMoved: moved.contains(name), now: now)
            }
        }
        let generation = folder.generation
        folder.entries = folder.entries.filter { _, entry in
            if case .claiming = entry.phase { return true }
            return entry.generation == generation
        }
        folder.lastScan = Clock.bootSeconds
        folder.scanSeconds = folder.lastScan - began
    }

    private func visit(_ directory: Directory, _ name: FileName, below folder: WatchedFolder, now: Double) throws {
        if IgnoreRules.reason(forFolder: name) != nil {
            folder.ignoredCount += 1
            return
        }
        let components = folder.components + [name]
        let path = Array(components.map(\.bytes).joined(separator: [UInt8(ascii: "/")]))
        guard folderIDs[path] == nil else { return }
        guard components.count <= options.maxDepth, folders.count < options.maxFolders else {
            log.warning("a folder is left out: too deep, or too many", metadata: ["folder": "\(FileName(path).display)"])
            folder.ignoredCount += 1
            return
        }
        guard let child = try? directory.subdirectory(name) else { return }
        let adopted = adopt(child, id: newID(), components: components, parent: folder, now: now)
        // At once: what was already in it when the watch was set gives no event.
        try scan(adopted, movedIn: [], now: now)
    }

    private func newID() -> Int {
        defer { nextID += 1 }
        return nextID
    }

    private func observe(_ name: FileName, _ found: FileStatus, in folder: WatchedFolder, wasMoved: Bool, now: Double) {
        if var entry = folder.entries[name] {
            entry.generation = folder.generation
            switch entry.phase {
            case .settling(var settling):
                // The key is only written again when something changed: with a hundred thousand files, this is the loop that counts.
                if settling.observe(found, now: now) { entry.phase = .settling(settling) }
                if wasMoved, !settling.wasMoved {
                    settling.wasMoved = true
                    entry.phase = .settling(settling)
                }
            case .claiming: break
            case .known(let drop, let signature):
                if signature != found.signature {
                    entry.phase = .settling(Settling(found, wasMoved: wasMoved, now: now))
                    if let drop { former[Place(folder: folder.id, name: name)] = drop }
                }
            }
            folder.entries[name] = entry
            return
        }
        let kind = DropKind(name)
        switch kind {
        case .ignored: folder.ignoredCount += 1
        case .unsupported: folder.unsupportedCount += 1
        default:
            let settling = Settling(found, wasMoved: wasMoved, now: now)
            if case .known(let drop, let signature)? = takeKept(name, found, at: folder.path)?.phase {
                if signature == found.signature {
                    folder.entries[name] = .init(kind: kind, generation: folder.generation, phase: .known(drop: drop, signature))
                    return
                }
                if let drop { former[Place(folder: folder.id, name: name)] = drop }
            } else if let drop = inodes[found.inode] {
                // Known by its inode: renamed within the inbox, or one more hard link of it. The claim compares the content.
                former[Place(folder: folder.id, name: name)] = drop
            }
            folder.entries[name] = .init(kind: kind, generation: folder.generation, phase: .settling(settling))
        }
    }

    struct Place: Hashable {
        let folder: Int
        let name: FileName
    }
    /// The drop a settling file had been before it changed or was renamed.
    var former: [Place: Drop.ID] = [:]

    func rememberInode(_ signature: FileStatus.Signature, drop: Drop.ID) { inodes[signature.inode] = drop }
    func forgetInode(_ inode: Int64) { inodes[UInt64(bitPattern: inode)] = nil }

    /// The source has left the inbox. What settles under its name meanwhile is another file, and stays.
    func forget(_ drop: Drop) {
        let name = FileName(drop.name)
        if let id = folderIDs[drop.folder], case .known(drop.id, _)? = folders[id]?.entries[name]?.phase { folders[id]?.entries[name] = nil }
        pendingPaths[drop.folder]?[name]?.removeAll { if case .known(drop.id, _) = $0.phase { true } else { false } }
        let inode = UInt64(bitPattern: drop.identity.inode)
        if inodes[inode] == drop.id { inodes[inode] = nil }
    }

    /// The source is back in the inbox, as the drop it was.
    func recall(_ drop: Drop) {
        let name = FileName(drop.name)
        let signature = FileStatus.Signature(drop.identity)
        let folder = folderIDs[drop.folder].flatMap { folders[$0] }
        let entry = WatchedFolder.Entry(kind: DropKind(name), generation: folder?.generation ?? 0, phase: .known(drop: drop.id, signature))
        if let folder { folder.entries[name] = entry } else { keep(entry, at: drop.folder, name) }
        rememberInode(signature, drop: drop.id)
    }

    // MARK: - Status

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
