import Host
import Jobs
import Logging

/// When a folder is looked into, and what is seen there.
extension InboxScanner {
    func dueFolders(_ hints: DirectoryHints, now: Double) -> [WatchedFolder] {
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

    private func scanDue(_ folder: WatchedFolder) -> Double {
        switch folder.mode {
        case .notify: folder.lastScan + options.rescan
        // A folder that takes long to list is listed less often.
        case .poll: folder.lastScan + max(options.poll, min(30, folder.scanSeconds * 10))
        }
    }

    func nextScan(now: Double) -> Double {
        folders.values.map { folder in
            if postponed[folder.id] != nil { return folder.lastScan + folder.scanSeconds }
            let due = scanDue(folder)
            if let probed = folder.probedAt { return min(due, probed + 2.05) }
            return due
        }.min() ?? now + options.poll
    }

    func scan(_ folder: WatchedFolder, movedIn: Set<FileName>, now: Double) throws {
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
}
