import Host
import Jobs

/// The last step of a drop: its source leaves the inbox, after the verdict of all its jobs is durable.
///
/// The target is committed before the move, so a crash between the two is recognised: the source is gone and the target stands.
struct SourceDisposal {
    let options: InboxOptions
    let store: JobStore
    let swept: SweptFolders

    enum Failure: Error { case postponed(String) }

    /// Half-written files of ours, here and in `Directory.replace`.
    static let temporaryPrefix = ".lyricd-"

    /// - Returns: what became of the source.
    func dispose(_ drop: Drop) throws -> Drop.Disposal {
        let jobs = try store.jobs(drop: drop.id, limit: 100_000)
        // Of jobs that were called off before or between their stages nobody else removes the copy.
        if let work = try? Directory.open(options.work) {
            for job in jobs where JobKey.isKey(job.key.utf8) { try? work.removeTree(FileName(job.key)) }
        }
        // A version that was replaced left nothing to move: the name belongs to its successor.
        if jobs.allSatisfy({ $0.state == .superseded }) && !jobs.isEmpty { return try finish(drop, .gone) }
        let succeeded = jobs.allSatisfy { $0.state.isPublished || $0.state == .superseded }
        let components = Self.components(drop.folder)
        let name = FileName(drop.name)
        if succeeded {
            FailureNote.remove(for: name, components: components, failedFolder: options.failed)
            switch options.source {
            case .keep: return try finish(drop, .kept)
            case .delete: return try delete(drop, components: components)
            case .archive: return try move(drop, components: components, to: options.archive, as: .archived, note: nil)
            }
        }
        return try move(drop, components: components, to: options.failed, as: .failed, note: jobs)
    }

    static func components(_ path: [UInt8]) -> [FileName] {
        path.split(separator: UInt8(ascii: "/")).map { FileName(Array($0)) }
    }

    private func finish(_ drop: Drop, _ disposal: Drop.Disposal, to target: [UInt8]? = nil) throws -> Drop.Disposal {
        try store.finishDisposal(drop: drop.id, as: disposal, to: target)
        Fault.crash("dispose.committed")
        return disposal
    }

    private func delete(_ drop: Drop, components: [FileName]) throws -> Drop.Disposal {
        try store.beginDisposal(drop: drop.id, to: nil)
        guard let folder = try source(components), try standing(drop, in: folder) != nil else { return try finish(drop, .gone) }
        for lyrics in lyricsNames(drop, isFailed: false) { try? folder.remove(lyrics) }
        try folder.remove(FileName(drop.name))
        try folder.sync()
        return try finish(drop, .deleted)
    }

    private func move(
        _ drop: Drop, components: [FileName], to root: String, as disposal: Drop.Disposal, note jobs: [Job]?
    ) throws -> Drop.Disposal {
        let target = try Directory.openOrCreate(root).descendMaking(components)
        try swept.sweep(target, Self.temporaryPrefix)
        let name = FileName(drop.name)
        let folder = try source(components)
        guard let folder, let standing = try standing(drop, in: folder) else {
            // A crash after the rename: the target of that attempt is the source's new place.
            if drop.disposal == .disposing, let placed = drop.disposedTo, let last = Self.components(placed).last,
                try target.status(of: last) != nil
            {
                if let jobs { try FailureNote.write(for: last, jobs: jobs, in: target) }
                return try finish(drop, disposal, to: placed)
            }
            if let jobs { try FailureNote.write(for: name, jobs: jobs, in: target) }
            return try finish(drop, .gone)
        }
        // A link or a pipe cannot be copied; where a rename cannot take it there, it stays, with its verdict.
        if drop.kind == .other, try folder.status().device != target.status().device {
            if let jobs { try FailureNote.write(for: name, jobs: jobs, in: target) }
            return try finish(drop, .kept)
        }
        let free = try Self.freeName(name, in: target)
        let path = Array((components + [free]).map(\.bytes).joined(separator: [UInt8(ascii: "/")]))
        try store.beginDisposal(drop: drop.id, to: path)
        Fault.crash("dispose.begun")
        // The reason first: a failed file is never seen without one.
        if let jobs { try FailureNote.write(for: free, jobs: jobs, in: target) }
        // The words before the recording: a crash between the two leaves the recording, and this is done again. The other way round
        // words without a recording would stay behind and wait for one.
        for lyrics in lyricsNames(drop, isFailed: jobs != nil) where (try? folder.status(of: lyrics)) != nil {
            if let freeLyrics = try? Self.freeName(lyrics, in: target) { try? Self.move(lyrics, from: folder, to: target, as: freeLyrics) }
        }
        try Self.move(name, from: folder, to: target, as: free, expecting: standing)
        Fault.crash("dispose.moved")
        return try finish(drop, disposal, to: path)
    }

    private func source(_ components: [FileName]) throws -> Directory? {
        do {
            return try Directory.open(options.inbox).descend(components)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// The file that was claimed, if the name still means it. A newer version under the name is left for the next look.
    private func standing(_ drop: Drop, in folder: Directory) throws -> FileStatus.Signature? {
        guard let status = try folder.status(of: FileName(drop.name)) else { return nil }
        if SourceIdentity(status.signature) == drop.identity { return status.signature }
        if drop.kind == .other { return status.kind == .regular ? nil : status.signature }
        // Touched, or its permissions changed: the same song all the same.
        guard status.kind == .regular, status.size == drop.identity.size, !drop.digest.isEmpty,
            try folder.openFile(FileName(drop.name)).digest().sha256 == drop.digest
        else { return nil }
        return status.signature
    }

    /// The words that go with their recording. Words that came too late for it stay: they bring the recording back.
    private func lyricsNames(_ drop: Drop, isFailed: Bool) -> [FileName] {
        guard drop.kind == .media, isFailed || drop.lyricsName != nil else { return [] }
        let stem = FileName(drop.name).stem
        // The other spelling too: a text and an .lrc of one song are one person's one wish.
        var names = [FileName(stem.bytes + Array(".txt".utf8)), FileName(stem.bytes + Array(".lrc".utf8))]
        if let used = drop.lyricsName.map({ FileName($0) }), !names.contains(used) { names.append(used) }
        return names
    }

    private static func freeName(_ name: FileName, in folder: Directory) throws -> FileName {
        var candidate = name
        var number = 2
        while try folder.status(of: candidate) != nil {
            let ending = name.pathExtension.isEmpty ? [] : Array(name.bytes.dropFirst(name.stem.bytes.count))
            let suffix = Array(" (\(number))".utf8)
            candidate = FileName(Array(name.stem.bytes.prefix(255 - suffix.count - ending.count)) + suffix + ending)
            number += 1
        }
        return candidate
    }

    /// A rename where one file system holds both; else copy, compare, fsync, and only then unlink.
    ///
    /// - Parameter expected: what is to be moved. Another file that took the name meanwhile is nobody's yet, and stays in the inbox.
    static func move(
        _ name: FileName, from source: Directory, to target: Directory, as newName: FileName, expecting expected: FileStatus.Signature? = nil
    ) throws {
        do {
            try source.rename(name, to: target, as: newName, replacing: false)
            if let expected, let moved = try target.status(of: newName)?.signature, !moved.isSameVersion(as: expected) {
                do throws(SystemCallError) {
                    try target.rename(newName, to: source, as: name, replacing: false)
                } catch {
                    guard error.isExisting else { throw error }
                    // And yet another one came: both are drops.
                    try target.rename(newName, to: source, as: try freeName(name, in: source), replacing: false)
                }
                throw Failure.postponed("another version of the file came while it was moved")
            }
        } catch {
            guard let failed = error as? SystemCallError, failed.isCrossDevice else { throw error }
            let file = try source.openFile(name)
            let before = try file.status()
            if let expected, !before.signature.isSameVersion(as: expected) {
                throw Failure.postponed("another version of the file came while it was moved")
            }
            // Under a name that is nobody's until it is whole: a crash must not leave half a song in the archive.
            let temporary = FileName("\(temporaryPrefix)move.tmp")
            try target.remove(temporary)
            let copied = try target.copy(from: file, as: temporary)
            guard try source.status(of: name)?.signature == before.signature, copied.bytes == before.size else {
                try target.remove(temporary)
                throw Failure.postponed("the file changed while it was moved")
            }
            try target.rename(temporary, to: target, as: newName, replacing: false)
            try target.sync()
            try source.remove(name)
        }
        try target.sync()
        try source.sync()
    }
}

/// The folders in which this run has removed what an interrupted disposal of an earlier one had left; nobody else writes there.
///
/// Confined to the inbox thread. Once for each folder: an archive of a hundred thousand songs is not listed for every one of them.
final class SweptFolders {
    private var seen: Set<[UInt64]> = []

    func sweep(_ folder: Directory, _ prefix: String) throws {
        let status = try folder.status()
        guard seen.insert([status.device, status.inode]).inserted else { return }
        for name in try folder.list() where name.bytes.starts(with: prefix.utf8) { try folder.remove(name) }
    }
}

extension FileStatus.Signature {
    /// A rename changes the time of the inode and nothing else.
    fileprivate func isSameVersion(as other: FileStatus.Signature) -> Bool {
        (device, inode, size, modifiedNanoseconds) == (other.device, other.inode, other.size, other.modifiedNanoseconds)
    }
}
