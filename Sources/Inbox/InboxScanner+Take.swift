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

    /// A drop that is ready to be recorded with others.
    struct Prepared {
        var drop: NewDrop
        var place: Place
        var signature: FileStatus.Signature
        var former: Drop?
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
    private func formerDrop(_ place: Place, in folder: WatchedFolder, _ found: FileStatus) throws -> Drop? {
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

    // MARK: - Links and lists

    private func takeSmall(
        _ name: FileName, _ found: FileStatus, _ file: File, _ kind: DropKind, _ settling: inout Settling, in folder: WatchedFolder,
        into drops: inout [Prepared], now: Double
    ) throws {
        let limit = kind.readLimit
        guard found.size <= limit else {
            drops.append(
                refuse(
                    name, found, kind.dropKind, in: folder, .badMedia,
                    "the file has \(found.size) bytes; a \(kind.noun) has at most \(limit)", "drop a real \(kind.noun), or the recording itself"))
            return
        }
        let bytes: [UInt8]
        do { bytes = try file.readAll(limit: Int(limit)) } catch {
            settling.obstacle = "cannot be read (\(error))"
            settling.notBefore = now + 5
            return
        }
        guard try file.status().signature == found.signature else { return }
        drops.append(try prepare(name, found, kind, bytes, in: folder))
    }

    private func prepare(
        _ name: FileName, _ found: FileStatus, _ kind: DropKind, _ bytes: [UInt8], in folder: WatchedFolder
    ) throws -> Prepared {
        let place = Place(folder: folder.id, name: name)
        let (profile, plan, outbox) = self.plan(for: folder)
        var jobs: [NewJob] = []
        func refused(_ title: String, _ reason: String, _ nextStep: String) -> NewJob {
            NewJob(
                key: newKey(), title: title, contentKey: "", plan: plan, outboxFolder: outbox,
                refusal: .init(failure: .policy, reason: reason, nextStep: nextStep))
        }
        func linked(_ link: WebLink, _ title: String) -> NewJob {
            NewJob(key: newKey(), title: title, url: link.url, contentKey: "url:" + link.canonical, plan: plan, outboxFolder: outbox)
        }
        let stem = name.stem.display
        do {
            switch kind {
            case .link(let form):
                let read = try LinkFile.read(bytes, kind: form)
                jobs = [linked(read.link, read.title ?? stem)]
            default:
                let list = try LinkList.read(bytes, kind: kind.listKind ?? .txt)
                jobs = list.entries.map { linked($0.link, $0.title ?? $0.link.display) }
                jobs += list.refused.map { refused("\(stem), line \($0.lineNumber)", $0.reason, $0.nextStep) }
                if jobs.isEmpty { jobs = [refused(stem, "there is no link in the list", "put one http or https link on each line")] }
            }
        } catch {
            jobs = [refused(stem, error.reason, error.nextStep)]
        }
        let drop = NewDrop(
            kind: kind.dropKind, folder: folder.path, name: name.bytes, profile: profile,
            identity: SourceIdentity(found.signature), digest: FileDigest(of: bytes).sha256, jobs: jobs)
        return Prepared(drop: drop, place: place, signature: found.signature, former: try formerDrop(place, in: folder, found))
    }

    private func newKey() -> String { JobKey.make(unixSeconds: unixSeconds()) }

    private func refuse(
        _ name: FileName, _ found: FileStatus, _ kind: Drop.Kind, in folder: WatchedFolder, _ failure: FailureClass,
        _ reason: String, _ nextStep: String
    ) -> Prepared {
        let (profile, plan, outbox) = self.plan(for: folder)
        let job = NewJob(
            key: newKey(), title: name.stem.display, contentKey: "", plan: plan, outboxFolder: outbox,
            refusal: .init(failure: failure, reason: reason, nextStep: nextStep))
        return Prepared(
            drop: NewDrop(
                kind: kind, folder: folder.path, name: name.bytes, profile: profile, identity: SourceIdentity(found.signature),
                digest: "", jobs: [job]),
            place: Place(folder: folder.id, name: name), signature: found.signature, former: nil)
    }

    /// All of them in one transaction; each is a job in the database before anything is done to its file.
    private func commit(_ drops: inout [Prepared], now: Double) throws {
        guard !drops.isEmpty else { return }
        let batch = drops
        drops = []
        do throws(StoreError) {
            var fresh: [Prepared] = []
            for prepared in batch {
                if let former = prepared.former, former.digest == prepared.drop.digest {
                    try store.relocate(
                        drop: former.id, folder: prepared.drop.folder, name: prepared.drop.name, identity: prepared.drop.identity)
                    folders[prepared.place.folder]?.entries[prepared.place.name]?.phase = .known(drop: former.id, prepared.signature)
                    continue
                }
                if let former = prepared.former, former.folder == prepared.drop.folder, former.name == prepared.drop.name,
                    former.identity.device == prepared.drop.identity.device
                {
                    try store.supersede(drop: former.id, why: "the file was replaced by another version").forEach(stopJob)
                }
                fresh.append(prepared)
            }
            Fault.crash("intake.prepared")
            let ids = try store.add(fresh.map(\.drop))
            Fault.crash("intake.committed")
            for (prepared, id) in zip(fresh, ids) {
                folders[prepared.place.folder]?.entries[prepared.place.name]?.phase = .known(drop: id, prepared.signature)
                rememberInode(prepared.signature, drop: id)
                FailureNote.remove(
                    for: prepared.place.name, components: SourceDisposal.components(prepared.drop.folder), failedFolder: options.failed)
            }
            log.info("claimed", metadata: ["drops": "\(fresh.count)"])
        } catch {
            if error.reason == .io || error.reason == .corrupt { throw error }
            log.warning("drops could not be recorded; they stay in the inbox", metadata: ["error": "\(error)"])
            setPaused("the job store: \(error)", for: 5, now: now)
        }
    }

    // MARK: - Lyrics

    /// The song's words beside it: `.txt` before `.lrc`.
    private func lyricsName(for name: FileName, in folder: WatchedFolder) -> FileName? {
        for (candidate, entry) in [".txt", ".lrc"].compactMap({ ending -> (FileName, WatchedFolder.Entry)? in
            let candidate = FileName(name.stem.bytes + Array(ending.utf8))
            return folder.entries[candidate].map { (candidate, $0) }
        }) {
            switch entry.kind {
            case .text, .lyrics: return candidate
            default: continue
            }
        }
        return nil
    }

    private func takeText(
        _ name: FileName, _ found: FileStatus, _ file: File, _ kind: DropKind, _ settling: inout Settling, in folder: WatchedFolder,
        _ directory: Directory, into drops: inout [Prepared], now: Double
    ) throws {
        let recording = folder.entries.first { $0.value.kind == .media && $0.key.stem == name.stem }
        if let recording {
            switch recording.value.phase {
            case .settling, .claiming:
                settling.obstacle = "waiting for its recording"
                settling.notBefore = now + 0.25
            case .known(let drop?, _):
                try attach(name, found, file, to: drop, in: folder, now: now, &settling)
            case .known(nil, _): break
            }
            return
        }
        if kind == .text, found.size <= 1 << 20, let bytes = try? file.readAll(limit: 1 << 20) {
            if LinkList.isList(bytes) {
                drops.append(try prepare(name, found, .list(.txt), bytes, in: folder))
                return
            }
            // It came back with the failed file that it lay beside.
            if FailureNote.isOurs(bytes) {
                try directory.remove(name)
                folder.entries[name] = nil
                return
            }
        }
        if try bringBack(name, in: folder, directory) { return }
        guard now - settling.firstSeen < options.lyricsWait else {
            drops.append(
                refuse(
                    name, found, .lyrics, in: folder, .badMedia, "no recording named \(name.stem.display) came for these lyrics",
                    "drop the recording and its lyrics under one name"))
            return
        }
        settling.obstacle = "waiting for its recording"
        settling.notBefore = now + min(5, options.lyricsWait)
    }

    /// The recording is a job already: its unfinished work goes on with these words.
    private func attach(
        _ name: FileName, _ found: FileStatus, _ file: File, to dropID: Drop.ID, in folder: WatchedFolder, now: Double,
        _ settling: inout Settling
    ) throws {
        guard found.size <= KnownLyricsFile.sizeMax, let digest = try? file.digest() else {
            settling.obstacle = "too large for lyrics"
            settling.notBefore = now + 60
            return
        }
        let all = try store.jobs(drop: dropID)
        let jobs = all.filter { !$0.state.isFinished || $0.state == .held }
        if jobs.isEmpty, all.contains(where: { $0.lyricsDigest != digest.sha256 && $0.state != .superseded }) {
            try takeAgain(dropID, in: folder, now: now, &settling)
            return
        }
        if jobs.contains(where: { $0.lyricsDigest != digest.sha256 }) {
            for job in jobs {
                guard let place = try? Directory.open(options.work).subdirectory(FileName(job.key)) else { continue }
                let target = KnownLyricsFile.workName(for: name)
                // The former words, if any, must not be found first.
                try place.remove("lyrics.txt")
                try place.remove("lyrics.lrc")
                _ = try place.copy(from: file, as: target)
                try place.sync()
            }
            try store.attachLyrics(drop: dropID, name: name.bytes, digest: digest.sha256).forEach(stopJob)
            log.info("lyrics came for a recording", metadata: ["file": "\(name.display)", "drop": "\(dropID)"])
        }
        folder.entries[name]?.phase = .known(drop: dropID, found.signature)
    }

    /// The recording was finished without these words. One that stays in the inbox is taken anew, with them; one that is about to
    /// leave is left to go, and comes back from the archive.
    private func takeAgain(_ dropID: Drop.ID, in folder: WatchedFolder, now: Double, _ settling: inout Settling) throws {
        settling.obstacle = "waiting for its recording"
        settling.notBefore = now + 0.25
        let drop = try store.drop(dropID)
        let name = FileName(drop.name)
        guard drop.disposal == .kept, case .known(_, let signature?)? = folder.entries[name]?.phase else { return }
        try store.finishDisposal(drop: dropID, as: .gone)
        forgetInode(drop.identity.inode)
        folder.entries[name]?.phase = .settling(Settling(again: signature, now: now))
        log.info("lyrics came for a finished recording; it is done again with them", metadata: ["drop": "\(dropID)"])
    }

    /// The recording was done and archived a moment ago: it comes back, and both are taken together.
    private func bringBack(_ name: FileName, in folder: WatchedFolder, _ directory: Directory) throws -> Bool {
        guard
            let drop = try store.archivedDrop(
                folder: folder.path, stem: name.stem.bytes, since: unixSeconds() - options.lyricsGrace),
            let target = drop.disposedTo, drop.lyricsName == nil
        else { return false }
        let components = SourceDisposal.components(target)
        guard let archived = components.last,
            let archive = try? Directory.open(options.archive).descend(Array(components.dropLast())),
            try archive.status(of: archived) != nil, try directory.status(of: FileName(drop.name)) == nil
        else { return false }
        try SourceDisposal.move(archived, from: archive, to: directory, as: FileName(drop.name))
        try store.finishDisposal(drop: drop.id, as: .gone)
        log.info("lyrics came for a finished recording; it is done again with them", metadata: ["file": "\(name.display)"])
        folder.lastScan = -.infinity
        return true
    }
}

extension DropKind {
    /// Bytes above which it is not what its name says.
    fileprivate var readLimit: Int64 {
        if case .link = self { return Int64(LinkFile.sizeMax) }
        return Int64(LinkList.sizeMax)
    }

    fileprivate var noun: String {
        if case .link = self { return "link file" }
        return "list of links"
    }
}

extension WatchedFolder.Entry {
    var signature: FileStatus.Signature? {
        switch phase {
        case .settling(let settling): settling.signature
        case .claiming(let signature): signature
        case .known(_, let signature): signature
        }
    }
}
