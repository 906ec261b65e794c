import FoundationEssentials
import Host
import Jobs
import Lyrics
import Stages

/// The last stage: the result enters the outbox, complete or not at all.
///
///     build a dot-folder on the outbox's file system → fsync files, manifest, folder → COMMIT publishing, the name reserved
///     → renameat2(NOREPLACE) → fsync the outbox → COMMIT done
struct Publisher {
    let store: JobStore
    let options: PipelineOptions
    let generator: String
    let unixSeconds: @Sendable () -> Double

    /// A name in the outbox that starts like this is being built, and is nobody's result.
    static let temporaryPrefix = ".lyricd-"
    /// Two folders may bear one song's name, but not ten thousand.
    private static let numberMax = 9999

    static func temporaryName(_ key: String) -> FileName { FileName("\(temporaryPrefix)\(key).tmp") }

    /// Everything but the last commit, which is the caller's: the folder stands complete and durable under its name.
    ///
    /// - Returns: the path of the folder below the outbox.
    func publish(_ started: StartedStage, work: WorkFolder) throws -> (path: String, isInstrumental: Bool) {
        let job = started.job
        let outbox = try Directory.openOrCreate(options.outbox, mode: 0o775)
        let temporary = Self.temporaryName(job.key)
        try outbox.removeTree(temporary)
        Fault.crash("publish.begun")
        let base = OutboxName(job.title, fallback: "job \(job.id)")
        let (manifest, digest) = try build(job, base: base.text, work: work, in: outbox, as: temporary)
        Fault.crash("publish.built")

        let place = try outbox.descendMaking(job.outboxFolder)
        for number in 1...Self.numberMax {
            let candidate = number == 1 ? base : base.numbered(number)
            guard try place.status(of: FileName(candidate.text)) == nil else { continue }
            let key = job.outboxFolder + "/" + candidate.comparisonKey
            guard
                try store.beginPublishing(started, name: candidate.text, comparisonKey: key, manifestDigest: digest)
            else { continue }
            Fault.crash("publish.reserved")
            do {
                try outbox.rename(temporary, to: place, as: FileName(candidate.text), replacing: false)
            } catch {
                guard error.isExisting else { throw error }
                // Somebody else made a folder of that name since we looked.
                continue
            }
            Fault.crash("publish.renamed")
            do { try place.sync() } catch {
                // fsync is never asked again about the same data: the folder is taken back, and the result built once more.
                try? place.rename(FileName(candidate.text), to: outbox, as: temporary, replacing: false)
                try? outbox.removeTree(temporary)
                throw error
            }
            Fault.crash("publish.synced")
            return (job.outboxFolder.isEmpty ? candidate.text : job.outboxFolder + "/" + candidate.text, manifest.instrumental)
        }
        throw StoreError(.other, "the outbox holds \(Self.numberMax) folders named \(base.text)")
    }

    private func build(
        _ job: Job, base: String, work: WorkFolder, in outbox: Directory, as name: FileName
    ) throws -> (Manifest, digest: String) {
        try outbox.makeDirectory(name, mode: 0o775)
        let folder = try outbox.subdirectory(name)
        let rendered = try work.directory.subdirectory(FileName(StageName.render.rawValue))
        var files: [Manifest.File] = []
        for file in try rendered.list().sorted() {
            guard let suffix = RenderStage.suffix(of: file.display) else { continue }
            let final = "\(base).\(suffix)"
            let digest = try folder.copy(from: try rendered.openFile(file), as: FileName(final), mode: 0o664)
            files.append(.init(name: final, sha256: digest.sha256, bytes: digest.bytes))
        }
        let drop = try store.drop(job.drop)
        let manifest = Manifest(
            generator: generator, job: job, finished: Date(timeIntervalSince1970: unixSeconds()).formatted(.iso8601),
            source: .init(
                file: FileName(drop.name).display, url: job.url, content: job.contentKey, lyricsSha256: job.lyricsDigest),
            files: files, stages: try stageRecords(job), quality: try quality(job))
        let bytes = try manifest.encoded()
        try folder.write(FileName(Manifest.fileName), bytes, mode: 0o664)
        try folder.sync()
        try outbox.sync()
        return (manifest, FileDigest(of: bytes).sha256)
    }

    private func stageRecords(_ job: Job) throws -> [Manifest.StageRecord] {
        var records: [String: Manifest.StageRecord] = [:]
        let source = try job.cachedFrom.map { try store.attempts(of: $0) } ?? []
        for attempt in try source + store.attempts(of: job.id) where attempt.outcome == .done && attempt.stage != .publish {
            records[attempt.stage.rawValue] = .init(
                stage: attempt.stage.rawValue, engine: attempt.engine, version: attempt.engineVersion,
                seconds: attempt.seconds ?? 0, peakMemory: attempt.peakMemory ?? 0,
                // The embedded engines all work on this machine; fetch gets sound, it sends none away.
                leavesMachine: false)
        }
        return StageName.allCases.compactMap { records[$0.rawValue] }
    }

    private func quality(_ job: Job) throws -> Manifest.Quality {
        if job.facts["instrumental"] == "yes" {
            return .init(lyrics: "none", words: 0, measuredShare: 0, remarks: ["no voice was found"])
        }
        let isGiven = job.facts["lyrics"] == "given"
        var remarks = job.facts["remark"].map { [$0] } ?? []
        if !isGiven, job.plan.transcribe == "pocketsphinx" {
            remarks.append("recognised by the embedded engine, which is poor on songs; known lyrics beside the recording give exact words")
        }
        return .init(
            lyrics: isGiven ? "given" : "recognised", words: job.facts["words"].flatMap(Int.init) ?? 0,
            measuredShare: job.facts["measured_share"].flatMap(Double.init) ?? 0, remarks: remarks)
    }

    // MARK: - After a restart

    /// Decides what became of a publication that was under way when the daemon ended.
    func recover(_ job: Job) throws {
        if let (place, manifest) = standing(job) {
            // The rename may not have reached the disk's directory yet.
            try place.sync()
            try store.finishPublishing(job: job.id, attempt: nil, seconds: 0, isInstrumental: manifest.instrumental)
            return
        }
        try? Directory.open(options.outbox).removeTree(Self.temporaryName(job.key))
        try store.republish(job: job.id)
    }

    /// The folder that bears the reserved name, if it is this job's and complete.
    func standing(_ job: Job) -> (place: Directory, manifest: Manifest)? {
        guard let name = job.outboxName, let place = try? Directory.open(options.outbox).descend(job.outboxFolder),
            let manifest = Self.verifiedManifest(in: place, FileName(name)), manifest.key == job.key
        else { return nil }
        return (place, manifest)
    }

    /// The manifest of a folder all of whose files are what the manifest says; `nil` otherwise.
    static func verifiedManifest(in place: Directory, _ name: FileName) -> Manifest? {
        guard let folder = try? place.subdirectory(name),
            let bytes = try? folder.openFile(FileName(Manifest.fileName)).readAll(limit: 4 << 20),
            let manifest = try? Manifest(decoding: bytes)
        else { return nil }
        for file in manifest.files {
            guard !file.name.contains("/"), let digest = try? folder.openFile(FileName(file.name)).digest(),
                digest.sha256 == file.sha256
            else { return nil }
        }
        return manifest
    }

    /// Removes what a former life was building; nothing without our own kind of name is touched.
    func removeLeftovers() throws {
        guard let outbox = try? Directory.open(options.outbox) else { return }
        let prefix = Array(Self.temporaryPrefix.utf8)
        let suffix = Array(".tmp".utf8)
        for name in try outbox.list() where name.bytes.starts(with: prefix) && name.bytes.suffix(suffix.count).elementsEqual(suffix) {
            if JobKey.isKey(name.bytes.dropFirst(prefix.count).dropLast(suffix.count)) { try outbox.removeTree(name) }
        }
    }
}

extension Directory {
    /// Walks a mirrored path of sanitised names.
    func descend(_ path: String) throws(SystemCallError) -> Directory {
        var folder = self
        for part in path.split(separator: "/") { folder = try folder.subdirectory(FileName(String(part))) }
        return folder
    }

    func descendMaking(_ path: String) throws(SystemCallError) -> Directory {
        var folder = self
        for part in path.split(separator: "/") {
            let name = FileName(String(part))
            if try folder.status(of: name) == nil {
                // Another job may make the same folder at this moment.
                do { try folder.makeDirectory(name, mode: 0o775) } catch { if !error.isExisting { throw error } }
                try folder.sync()
            }
            folder = try folder.subdirectory(name)
        }
        return folder
    }
}
