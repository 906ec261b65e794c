import Host
import Jobs

/// What is known of files that were taken before: by an earlier run, under another name, or on a disk that is not there just now.
extension InboxScanner {
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

    /// What is known outlives the folder objects: the same disk may come back.
    func remember() {
        for folder in folders.values { remember(folder) }
    }

    func remember(_ folder: WatchedFolder) {
        for (name, entry) in folder.entries {
            if case .known = entry.phase { keep(entry, at: folder.path, name) }
        }
    }

    func keep(_ entry: WatchedFolder.Entry, at path: [UInt8], _ name: FileName) {
        var entries = pendingPaths[path]?[name] ?? []
        entries.removeAll { $0.signature?.device == entry.signature?.device }
        pendingPaths[path, default: [:]][name] = entries + [entry]
    }

    /// What was known of a name when it was last seen. A file on another disk is judged by it too, because the kernel may number the
    /// disks anew; but then the entry is kept for the disk it is about.
    func takeKept(_ name: FileName, _ found: FileStatus, at path: [UInt8]) -> WatchedFolder.Entry? {
        guard var entries = pendingPaths[path]?[name], let any = entries.last else { return nil }
        guard let index = entries.firstIndex(where: { ($0.signature?.device ?? found.device) == found.device }) else { return any }
        let entry = entries.remove(at: index)
        pendingPaths[path]?[name] = entries.isEmpty ? nil : entries
        return entry
    }

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
}
