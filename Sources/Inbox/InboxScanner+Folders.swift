import Host
import Jobs
import Logging

/// Which folders there are, and how each is noticed to change.
extension InboxScanner {
    /// Compares the path with the folder we know: renamed, replaced, mounted over, unmounted and come back are all one case.
    ///
    /// - Parameter isWatchLost: the watch ended, although the path may lead to the same folder again: it was moved away and back.
    func ensureRoot(isWatchLost: Bool, now: Double) throws -> Bool {
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

    /// Watch first, then list: a file that lands between the two is seen twice, not missed.
    @discardableResult
    func adopt(
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

    func setWatch(_ folder: WatchedFolder, _ directory: Directory, now: Double) {
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

    func confirmProbes(_ hints: DirectoryHints, now: Double) {
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

    func dropGoneFolders(_ hints: DirectoryHints) {
        for id in hints.gone where id != 0 {
            guard let folder = folders[id] else { continue }
            forget(folder)
        }
    }

    func forget(_ folder: WatchedFolder) {
        watch?.remove(id: folder.id)
        folders[folder.id] = nil
        folderIDs[folder.path] = nil
        remember(folder)
        // What lay below is gone as well, or is found again under its new path.
        for child in folders.values where child.components.starts(with: folder.components) && child.id != folder.id { forget(child) }
    }
}
