import Host
import Jobs
import Logging

/// Words and their recordings find each other, whichever came first.
extension InboxScanner {
    /// The song's words beside it: `.txt` before `.lrc`.
    func lyricsName(for name: FileName, in folder: WatchedFolder) -> FileName? {
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

    func takeText(
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
