import FoundationEssentials
import Host
import Jobs
import Logging

/// What happens to a file that has settled.
extension InboxScanner {
    /// Links per transaction: one flush of the disk for many rows.
    private static let batch = 200

    /// Takes everything that is complete.
    ///
    /// - Returns: boot clock at which the next file may be.
    func settle(now: Double) throws -> Double {
        var next = Double.infinity
        if status.paused != nil, now < resumesAt { return resumesAt }
        if let reason = obstacleToIntake() {
            setPaused(reason, for: 5, now: now)
            return now + 5
        }
        setPaused(nil, for: 0, now: now)
        var drops: [Prepared] = []
        for folder in folders.values {
            var directory: Directory?
            for (name, entry) in folder.entries {
                guard case .settling(var settling) = entry.phase else { continue }
                let due = settling.due(kind: entry.kind, isNetwork: folder.isNetwork, options: options)
                guard due <= now else {
                    next = min(next, due)
                    continue
                }
                if directory == nil { directory = try? Directory.open(options.inbox).descend(folder.components) }
                guard let directory, let found = try? directory.status(of: name) else {
                    folder.entries[name] = nil
                    continue
                }
                if settling.observe(found, now: now) {
                    folder.entries[name]?.phase = .settling(settling)
                    next = min(next, settling.due(kind: entry.kind, isNetwork: folder.isNetwork, options: options))
                    continue
                }
                do {
                    try take(name, found, entry.kind, &settling, in: folder, directory, into: &drops, now: now)
                } catch {
                    // One file's trouble is not the inbox's; a store that cannot be trusted is.
                    if let error = error as? StoreError, error.reason == .io || error.reason == .corrupt { throw error }
                    settling.obstacle = "\(error)"
                    settling.notBefore = now + 5
                }
                if case .settling = folder.entries[name]?.phase {
                    folder.entries[name]?.phase = .settling(settling)
                    next = min(next, max(settling.notBefore, now + 0.01))
                }
                if drops.count >= Self.batch { try commit(&drops, now: now) }
            }
        }
        try commit(&drops, now: now)
        return next
    }

    private func obstacleToIntake() -> String? {
        if let free = try? Directory.open(options.work).freeBytes(), free < Int64(options.freeSpace) {
            return "only \(free >> 20) MiB are free for the work folder, \(options.freeSpace >> 20) MiB must stay free"
        }
        if let count = try? store.unfinishedCount(), count >= options.queueMax {
            return "\(count) jobs are waiting, no more are taken until some are done"
        }
        return nil
    }

    private func take(
        _ name: FileName, _ found: FileStatus, _ kind: DropKind, _ settling: inout Settling, in folder: WatchedFolder,
        _ directory: Directory, into drops: inout [Prepared], now: Double
    ) throws {
        let place = Place(folder: folder.id, name: name)
        guard found.kind == .regular else {
            let what = found.kind == .symbolicLink ? "a symbolic link" : "no file but a pipe, socket or device"
            drops.append(
                refuse(
                    name, found, .other, in: folder, .policy, "\(name.display) is \(what), which lyricd never follows or opens",
                    "drop the file itself"))
            return
        }
        guard found.size > 0 else {
            drops.append(refuse(name, found, kind.dropKind, in: folder, .badMedia, "the file is empty", "copy it again; the first copy may have been interrupted"))
            return
        }
        let file: File
        do {
            file = try directory.openFile(name)
        } catch {
            if error.isMissing {
                folder.entries[name] = nil
            } else {
                // A permission may come late, and a lease is given up in time: neither is a verdict.
                settling.obstacle = error.isPermission ? "lyricd may not read it" : "another program holds it (\(error))"
                settling.notBefore = now + (error.isBusy ? 1 : 5)
            }
            return
        }
        if file.isOpenForWriting() == true {
            settling.obstacle = "a program still has it open for writing"
            settling.notBefore = now + 1
            return
        }
        switch kind {
        case .media: try takeMedia(name, found, file, &settling, in: folder, place, now: now)
        case .link, .list: try takeSmall(name, found, file, kind, &settling, in: folder, into: &drops, now: now)
        case .text, .lyrics: try takeText(name, found, file, kind, &settling, in: folder, directory, into: &drops, now: now)
        case .ignored, .unsupported: folder.entries[name] = nil
        }
    }

    // MARK: - Recordings

    private func takeMedia(
        _ name: FileName, _ found: FileStatus, _ file: File, _ settling: inout Settling, in folder: WatchedFolder, _ place: Place,
        now: Double
    ) throws {
        // A file with holes may be one that is filled from elsewhere, although its name shows nothing.
        if !settling.isSuspect, (try? file.hasHoles()) == true {
            settling.isSuspect = true
            settling.notBefore = settling.quietSince + options.settleSuspect
            return
        }
        let lyrics = lyricsName(for: name, in: folder)
        if let lyrics, case .settling(let other)? = folder.entries[lyrics]?.phase, other.signature.size > 0, other.obstacle == nil,
            now - other.quietSince < options.settleLink
        {
            // They belong together; the text is complete in a moment.
            settling.notBefore = other.quietSince + options.settleLink
            return
        }
        let free = (try? Directory.open(options.work).freeBytes()) ?? .max
        if found.size + Int64(options.freeSpace) > free {
            settling.obstacle = "no space for a copy of it (\(found.size >> 20) MiB)"
            settling.notBefore = now + 10
            return
        }
        folder.entries[name]?.phase = .claiming(found.signature)
        if let lyrics {
            let signature = folder.entries[lyrics]?.signature
            folder.entries[lyrics]?.phase = .known(drop: nil, signature)
        }
        let (profile, plan, outbox) = self.plan(for: folder)
        claims.submit(
            Claim(
                options: options, components: folder.components, name: name, signature: found.signature, lyrics: lyrics,
                profile: profile, plan: plan, outboxFolder: outbox, former: try formerDrop(place, in: folder, found),
                unixSeconds: unixSeconds()),
            at: place)
    }

    /// The drop that this file was before; not one whose own name still stands, for then this is a second name of the file.
    func formerDrop(_ place: Place, in folder: WatchedFolder, _ found: FileStatus) throws -> Drop? {
        guard let id = former.removeValue(forKey: place), let drop = try? store.drop(id) else { return nil }
        guard [.present, .kept].contains(drop.disposal) else { return nil }
        if drop.folder == folder.path, drop.name == place.name.bytes { return drop }
        let components = SourceDisposal.components(drop.folder)
        let old = try? Directory.open(options.inbox).descend(components).status(of: FileName(drop.name))
        return old?.inode == found.inode ? nil : drop
    }

    func plan(for folder: WatchedFolder) -> (profile: String, plan: Plan, outbox: String) {
        var components = folder.components
        var profile = "default"
        if let first = components.first, let name = String(validating: first.bytes, as: UTF8.self), name != "default",
            options.plans[name] != nil
        {
            profile = name
            components.removeFirst()
        }
        let outbox = components.map { OutboxName($0.display, fallback: "folder").text }.joined(separator: "/")
        return (profile, options.plans[profile] ?? Plan(), outbox)
    }

    /// Results of the copies that ended since the last look.
    func finishClaims(now: Double) throws {
        for finished in claims.takeFinished() {
            let folder = folders[finished.place.folder]
            let name = finished.place.name
            switch finished.result {
            case .success(.claimed(let drop, let stop)):
                stop.forEach(stopJob)
                folder?.entries[name]?.phase = .known(drop: drop, finished.claim.signature)
                if let lyrics = finished.claim.lyrics, case .known(_, let signature)? = folder?.entries[lyrics]?.phase {
                    folder?.entries[lyrics]?.phase = .known(drop: drop, signature)
                }
                rememberInode(finished.claim.signature, drop: drop)
                log.info("claimed", metadata: ["file": "\(name.display)", "drop": "\(drop)"])
            case .success(.same(let drop)):
                folder?.entries[name]?.phase = .known(drop: drop, finished.claim.signature)
                // They were not copied; if they are new, they are attached now.
                settleAgain(finished.claim.lyrics, in: folder, now: now)
            case .success(.changed), .success(.postponed):
                lookAgain(finished, in: folder, obstacle: nil, now: now)
            case .failure(let error as StoreError) where error.reason == .io || error.reason == .corrupt:
                throw error
            case .failure(let error):
                lookAgain(finished, in: folder, obstacle: "\(error)", now: now)
                log.warning("a file could not be claimed; it stays in the inbox", metadata: ["file": "\(name.display)", "error": "\(error)"])
                let isFull = (error as? SystemCallError)?.isOutOfSpace ?? ((error as? StoreError)?.reason == .full)
                if isFull { setPaused("no space left: \(error)", for: 5, now: now) }
            }
        }
    }

    private func lookAgain(_ finished: ClaimPool.Finished, in folder: WatchedFolder?, obstacle: String?, now: Double) {
        guard let folder, folder.entries[finished.place.name] != nil else { return }
        var settling = Settling(again: finished.claim.signature, now: now)
        settling.obstacle = obstacle
        if obstacle != nil { settling.notBefore = now + 5 }
        folder.entries[finished.place.name]?.phase = .settling(settling)
        settleAgain(finished.claim.lyrics, in: folder, now: now)
        if let former = finished.claim.former { self.former[finished.place] = former.id }
    }

    private func settleAgain(_ lyrics: FileName?, in folder: WatchedFolder?, now: Double) {
        guard let lyrics, let folder, case .known(nil, let signature?)? = folder.entries[lyrics]?.phase else { return }
        folder.entries[lyrics]?.phase = .settling(Settling(again: signature, now: now))
    }
}
