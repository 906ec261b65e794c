import Host
import Jobs

/// Takes a complete recording: copies it into the work folder and records its job. The inbox's own file is not touched.
///
///     open without following links → copy while hashing → stat again → fsync file, folder, parent → COMMIT
///
/// A crash before the commit leaves a folder that no row owns; the next start removes it, and the file is claimed again.
struct Claim: Sendable {
    enum Outcome: Sendable {
        /// Recorded; stop these jobs, which an older version of the file was running.
        case claimed(Drop.ID, stop: [Job.ID])
        /// The same content as before: only its place or times are new.
        case same(Drop.ID)
        /// It changed under our hands, or went away: look again.
        case changed
        /// Cannot be read now; the reason is for the status.
        case postponed(String)
    }

    let options: InboxOptions
    let components: [FileName]
    let name: FileName
    let signature: FileStatus.Signature
    let lyrics: FileName?
    let profile: String
    let plan: Plan
    let outboxFolder: String
    /// The drop that lay under this name, or was this file under another name.
    let former: Drop?
    let unixSeconds: Double

    /// The older version that lay under this very name and gives way. A file that only has the inode of another one (renamed and
    /// changed, or the number used again) replaces nothing, nor does one of another disk under the same path.
    private var replaced: Drop? {
        guard let former, former.folder == folderPath, former.name == name.bytes, former.identity.device == identity.device else { return nil }
        return former
    }

    var folderPath: [UInt8] { Array(components.map(\.bytes).joined(separator: [UInt8(ascii: "/")])) }
    var identity: SourceIdentity { SourceIdentity(signature) }

    func perform(store: JobStore) throws -> Outcome {
        let folder = try Directory.open(options.inbox).descend(components)
        let file = try folder.openFile(name)
        guard try file.status().signature == signature else { return .changed }
        Fault.crash("claim.opened")

        if let former, try file.digest().sha256 == former.digest,
            try store.relocate(drop: former.id, folder: folderPath, name: name.bytes, identity: identity)
        {
            return .same(former.id)
        }
        if signature.size > plan.sizeMaxBytes { return try refuseSize(store) }

        let work = try Directory.open(options.work)
        let key = JobKey.make(unixSeconds: unixSeconds)
        try work.makeDirectory(FileName(key))
        do {
            let place = try work.subdirectory(FileName(key))
            let digest = try place.copy(from: file, as: "recording.tmp")
            Fault.crash("claim.copied")
            // The name as well: the file may have been replaced while the old one was read.
            guard try file.status().signature == signature, try folder.status(of: name)?.signature == signature else {
                try work.removeTree(FileName(key))
                return .changed
            }
            let lyricsDigest = try copyLyrics(from: folder, to: place)
            try place.rename("recording.tmp", to: place, as: "recording", replacing: false)
            try place.sync()
            try work.sync()
            Fault.crash("claim.durable")
            var stop: [Job.ID] = []
            if let replaced { stop = try supersede(replaced, store) }
            let ids = try store.add([
                NewDrop(
                    kind: .media, folder: folderPath, name: name.bytes, profile: profile, identity: identity,
                    digest: digest.sha256, lyricsName: lyricsDigest == nil ? nil : lyrics?.bytes,
                    jobs: [
                        NewJob(
                            key: key, title: name.stem.display, contentKey: "sha256:" + digest.sha256, lyricsDigest: lyricsDigest,
                            plan: plan, outboxFolder: outboxFolder)
                    ])
            ])
            Fault.crash("claim.committed")
            FailureNote.remove(for: name, components: components, failedFolder: options.failed)
            return .claimed(ids[0], stop: stop)
        } catch {
            // A commit that failed below SQLite may stand all the same; then the copy is the job's. The next start knows.
            guard (error as? StoreError)?.reason != .io else { throw error }
            try? work.removeTree(FileName(key))
            throw error
        }
    }

    private func copyLyrics(from folder: Directory, to place: Directory) throws -> String? {
        guard let lyrics, try folder.status(of: lyrics) != nil else { return nil }
        let file = try folder.openFile(lyrics)
        guard try file.status().size <= KnownLyricsFile.sizeMax else { return nil }
        return try place.copy(from: file, as: KnownLyricsFile.workName(for: lyrics)).sha256
    }

    /// Unless the older version was found under another name meanwhile: then it was renamed, and both are drops.
    private func supersede(_ older: Drop, _ store: JobStore) throws -> [Job.ID] {
        try store.supersede(drop: older.id, at: (folderPath, name.bytes), why: "the file was replaced by another version")
    }

    private func refuseSize(_ store: JobStore) throws -> Outcome {
        let refusal = NewJob.Refusal(
            failure: .policy,
            reason: "the file has \(signature.size >> 20) MiB, more than the \(plan.sizeMaxBytes >> 20) MiB that are allowed",
            nextStep: "raise size_max in [limits], or drop a smaller file")
        let stop = try replaced.map { try supersede($0, store) } ?? []
        let ids = try store.add([
            NewDrop(
                kind: .media, folder: folderPath, name: name.bytes, profile: profile, identity: identity, digest: "",
                jobs: [
                    NewJob(
                        key: JobKey.make(unixSeconds: unixSeconds), title: name.stem.display, contentKey: "", plan: plan,
                        outboxFolder: outboxFolder, refusal: refusal)
                ])
        ])
        return .claimed(ids[0], stop: stop)
    }
}

/// Known lyrics beside a recording.
package enum KnownLyricsFile {
    /// Bytes. The longest song texts have some ten thousand; a megabyte is no lyrics.
    package static let sizeMax: Int64 = 1 << 20

    /// Name in the work folder: the ending tells how to read it.
    package static func workName(for name: FileName) -> FileName {
        name.pathExtension == "lrc" ? "lyrics.lrc" : "lyrics.txt"
    }
}

extension SourceIdentity {
    init(_ signature: FileStatus.Signature) {
        self.init(
            device: Int64(bitPattern: signature.device), inode: Int64(bitPattern: signature.inode), size: signature.size,
            modified: signature.modifiedNanoseconds, changed: signature.changedNanoseconds)
    }
}

extension FileStatus.Signature {
    init(_ identity: SourceIdentity) {
        self.init(
            device: UInt64(bitPattern: identity.device), inode: UInt64(bitPattern: identity.inode), size: identity.size,
            modifiedNanoseconds: identity.modified, changedNanoseconds: identity.changed)
    }
}

extension Directory {
    /// Walks down without ever following a link.
    func descend(_ components: [FileName]) throws(SystemCallError) -> Directory {
        var folder = self
        for component in components { folder = try folder.subdirectory(component) }
        return folder
    }

    /// The same, making what is missing.
    func descendMaking(_ components: [FileName]) throws(SystemCallError) -> Directory {
        var folder = self
        for component in components {
            if try folder.status(of: component) == nil {
                // People move what failed back into the inbox by hand: the group may write here, as far as the umask lets it.
                try folder.makeDirectory(component, mode: 0o775)
                try folder.sync()
            }
            folder = try folder.subdirectory(component)
        }
        return folder
    }
}
