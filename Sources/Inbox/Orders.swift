import FoundationEssentials
import Host
import Jobs

/// What a person asks of the daemon from the command line.
///
/// An order is a file that appears in the orders folder by a rename; it is done and removed. So an order given while the
/// daemon is down is done when it comes up, none is lost, and no other process writes the job store.
package struct Order: Codable, Sendable, Equatable {
    package enum Verb: String, Codable, Sendable { case cancel, retry }
    package var verb: Verb
    package var job: Job.ID

    package init(_ verb: Verb, job: Job.ID) {
        self.verb = verb
        self.job = job
    }

    /// Bytes; an order has about forty.
    static let sizeMax = 4096

    /// Puts the order where the daemon finds it; returns when that is durable.
    package func give(in path: String, name: String) throws {
        let folder = try Directory.open(path)
        try folder.replace(FileName("\(name).json"), with: Array(try JSONEncoder().encode(self)))
    }

    /// Whether the daemon has not done the order yet.
    package static func isWaiting(in path: String, name: String) -> Bool {
        guard let folder = try? Directory.open(path) else { return false }
        return (try? folder.status(of: FileName("\(name).json"))) ?? nil != nil
    }

    /// The answer, where the daemon refused the order.
    package static func takeRefusal(in path: String, name: String) -> String? {
        guard let folder = try? Directory.open(path),
            let bytes = try? folder.openFile(FileName("\(name).refused")).readAll(limit: sizeMax)
        else { return nil }
        try? folder.remove(FileName("\(name).refused"))
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Does the orders of the folder, one after another.
struct OrderDesk {
    let options: InboxOptions
    let store: JobStore
    let stopJob: @Sendable (Job.ID) -> Void

    func doAll() throws {
        guard let folder = try? Directory.open(options.orders) else { return }
        for name in try folder.list().sorted() where name.pathExtension == "json" && name.bytes.first != UInt8(ascii: ".") {
            guard let bytes = try? folder.openFile(name).readAll(limit: Order.sizeMax),
                let order = try? JSONDecoder().decode(Order.self, from: Data(bytes))
            else {
                try folder.remove(name)
                continue
            }
            do {
                try carryOut(order)
            } catch let error as StoreError where error.reason == .conflict || error.reason == .notFound {
                try folder.replace(FileName(name.stem.bytes + Array(".refused".utf8)), with: Array(error.message.utf8), durable: false)
            } catch let error as SourceDisposal.Failure {
                guard case .postponed(let reason) = error else { continue }
                try folder.replace(FileName(name.stem.bytes + Array(".refused".utf8)), with: Array(reason.utf8), durable: false)
            }
            try folder.remove(name)
        }
    }

    private func carryOut(_ order: Order) throws {
        switch order.verb {
        case .cancel:
            if try store.cancel(job: order.job, why: "cancelled by a person") { stopJob(order.job) }
        case .retry:
            let job = try store.job(order.job)
            try SourceReturn(options: options, store: store).prepare(job)
            try store.retry(job: order.job, why: "retried by a person")
        }
    }
}

/// Brings the source of a failed job back, so that it can run again.
struct SourceReturn {
    let options: InboxOptions
    let store: JobStore

    func prepare(_ job: Job) throws {
        guard [.failed, .cancelled, .held].contains(job.state) else { return }
        let drop = try store.drop(job.drop)
        let name = FileName(drop.name)
        if drop.disposal == .failed, let placed = drop.disposedTo { try moveBack(drop, from: placed) }
        guard drop.kind == .media, job.url == nil, !drop.digest.isEmpty else { return }
        let work = try Directory.open(options.work)
        if try work.status(of: FileName(job.key)) == nil { try work.makeDirectory(FileName(job.key)) }
        let place = try work.subdirectory(FileName(job.key))
        guard try place.status(of: "recording") == nil else { return }
        let inbox = try Directory.open(options.inbox).descend(SourceDisposal.components(drop.folder))
        guard try inbox.status(of: name) != nil else {
            throw SourceDisposal.Failure.postponed("the file of job \(job.id) is gone; drop it again")
        }
        try place.remove("recording.tmp")
        let digest = try place.copy(from: try inbox.openFile(name), as: "recording.tmp")
        guard digest.sha256 == drop.digest else {
            try work.removeTree(FileName(job.key))
            throw SourceDisposal.Failure.postponed("the file of job \(job.id) is not the one that was dropped; move it into the inbox instead")
        }
        if let lyrics = drop.lyricsName.map({ FileName($0) }), try inbox.status(of: lyrics) != nil {
            try place.remove(KnownLyricsFile.workName(for: lyrics))
            _ = try place.copy(from: try inbox.openFile(lyrics), as: KnownLyricsFile.workName(for: lyrics))
        }
        try place.rename("recording.tmp", to: place, as: "recording", replacing: true)
        try place.sync()
        try work.sync()
    }

    private func moveBack(_ drop: Drop, from placed: [UInt8]) throws {
        let components = SourceDisposal.components(placed)
        guard let last = components.last,
            let failed = try? Directory.open(options.failed).descend(Array(components.dropLast())), try failed.status(of: last) != nil
        else { throw SourceDisposal.Failure.postponed("the failed file is gone from \(options.failed); drop it again") }
        let inbox = try Directory.open(options.inbox).descendMaking(SourceDisposal.components(drop.folder))
        let name = FileName(drop.name)
        guard try inbox.status(of: name) == nil else {
            throw SourceDisposal.Failure.postponed("the inbox holds another file of that name; move one of them away")
        }
        // The row first: a file that is back in the inbox is this drop, not a new one.
        try store.finishDisposal(drop: drop.id, as: .present)
        try SourceDisposal.move(last, from: failed, to: inbox, as: name)
        if let status = try inbox.status(of: name) {
            try store.relocate(drop: drop.id, folder: drop.folder, name: drop.name, identity: SourceIdentity(status.signature))
        }
        for ending in [".txt", ".lrc"] {
            let lyrics = FileName(last.stem.bytes + Array(ending.utf8))
            guard drop.kind == .media, try failed.status(of: lyrics) != nil else { continue }
            try? SourceDisposal.move(lyrics, from: failed, to: inbox, as: FileName(name.stem.bytes + Array(ending.utf8)))
        }
        FailureNote.remove(for: last, components: Array(components.dropLast()), failedFolder: options.failed)
    }
}
