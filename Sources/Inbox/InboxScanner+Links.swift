import FoundationEssentials
import Host
import Jobs
import Logging

/// Drops that need no copy: link files, lists, and what is refused.
extension InboxScanner {
    /// A drop that is ready to be recorded with others.
    struct Prepared {
        var drop: NewDrop
        var place: Place
        var signature: FileStatus.Signature
        var former: Drop?
    }

    func takeSmall(
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

    func prepare(
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

    func refuse(
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
    func commit(_ drops: inout [Prepared], now: Double) throws {
        guard !drops.isEmpty else { return }
        let batch = drops
        drops = []
        do throws(StoreError) {
            var fresh: [Prepared] = []
            for prepared in batch {
                if let former = prepared.former, former.digest == prepared.drop.digest,
                    try store.relocate(
                        drop: former.id, folder: prepared.drop.folder, name: prepared.drop.name, identity: prepared.drop.identity)
                {
                    folders[prepared.place.folder]?.entries[prepared.place.name]?.phase = .known(drop: former.id, prepared.signature)
                    continue
                }
                if let former = prepared.former, former.folder == prepared.drop.folder, former.name == prepared.drop.name,
                    former.identity.device == prepared.drop.identity.device
                {
                    let place = (prepared.drop.folder, prepared.drop.name)
                    try store.supersede(drop: former.id, at: place, why: "the file was replaced by another version").forEach(stopJob)
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
