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

    /// - Returns: drops whose source is back in the inbox.
    func doAll() throws -> [Drop] {
        guard let folder = try? Directory.open(options.orders) else { return [] }
        var returned: [Drop] = []
        for name in try folder.list().sorted() where name.pathExtension == "json" && name.bytes.first != UInt8(ascii: ".") {
            guard let bytes = try? folder.openFile(name).readAll(limit: Order.sizeMax),
                let order = try? JSONDecoder().decode(Order.self, from: Data(bytes))
            else {
                // Not by a mistake in it, nor because it is a folder, may one order keep the others waiting.
                try folder.removeTree(name)
                continue
            }
            do {
                if let drop = try carryOut(order) { returned.append(drop) }
            } catch let error as StoreError where error.reason == .conflict || error.reason == .notFound {
                try folder.replace(FileName(name.stem.bytes + Array(".refused".utf8)), with: Array(error.message.utf8), durable: false)
            } catch let error as SourceDisposal.Failure {
                guard case .postponed(let reason) = error else { continue }
                try folder.replace(FileName(name.stem.bytes + Array(".refused".utf8)), with: Array(reason.utf8), durable: false)
            }
            try folder.remove(name)
        }
        return returned
    }

    private func carryOut(_ order: Order) throws -> Drop? {
        switch order.verb {
        case .cancel:
            if try store.cancel(job: order.job, why: "cancelled by a person") { stopJob(order.job) }
            return nil
        case .retry:
            let job = try store.job(order.job)
            let source = SourceReturn(options: options, store: store)
            if try source.returnAsNew(job) { return nil }
            let drop = try source.prepare(job)
            try store.retry(job: order.job, why: "retried by a person")
            return drop
        }
    }
}

/// Brings the source of a failed job back, so that it can run again.
struct SourceReturn {
    let options: InboxOptions
    let store: JobStore

    /// What was refused unread has nothing that a retry could repeat: its file comes back as a new drop, and is judged anew.
    ///
    /// - Returns: whether that was done.
    func returnAsNew(_ job: Job) throws -> Bool {
        guard job.state == .failed, job.contentKey.isEmpty else { return false }
        let drop = try store.drop(job.drop)
        guard drop.disposal == .failed, let placed = drop.disposedTo else {
            throw SourceDisposal.Failure.postponed("the file of job \(job.id) is not in the failed folder; mend it and drop it again")
        }
        // The rows after the move: a crash between the two leaves a file in the inbox, which is a new drop in any case.
        try moveFile(drop, from: placed)
        try store.supersede(drop: drop.id, why: "dropped again by a person")
        return true
    }

    /// - Returns: the drop, if its source came back into the inbox.
    func prepare(_ job: Job) throws -> Drop? {
        guard [.failed, .cancelled, .held].contains(job.state) else { return nil }
        var drop = try store.drop(job.drop)
        let name = FileName(drop.name)
        var returned: Drop?
        if let placed = drop.disposedTo, try drop.disposal == .failed || isMoveInterrupted(drop, placed) {
            try moveBack(drop, from: placed)
            drop = try store.drop(job.drop)
            returned = drop
        }
        guard drop.kind == .media, job.url == nil, !drop.digest.isEmpty else { return returned }
        let work = try Directory.open(options.work)
        if try work.status(of: FileName(job.key)) == nil { try work.makeDirectory(FileName(job.key)) }
        let place = try work.subdirectory(FileName(job.key))
        guard try place.status(of: "recording") == nil else { return returned }
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
        return returned
    }

    /// The row says that the source is back, and the daemon died before it was.
    private func isMoveInterrupted(_ drop: Drop, _ placed: [UInt8]) throws -> Bool {
        guard drop.disposal == .present, let last = SourceDisposal.components(placed).last,
            let failed = try? Directory.open(options.failed).descend(Array(SourceDisposal.components(placed).dropLast())),
            try failed.status(of: last) != nil
        else { return false }
        let inbox = try? Directory.open(options.inbox).descend(SourceDisposal.components(drop.folder))
        return try inbox?.status(of: FileName(drop.name)) == nil
    }

    private func moveBack(_ drop: Drop, from placed: [UInt8]) throws {
        // The row first: a file that is back in the inbox is this drop, not a new one.
        try moveFile(drop, from: placed) { try store.finishDisposal(drop: drop.id, as: .present) }
        let inbox = try Directory.open(options.inbox).descend(SourceDisposal.components(drop.folder))
        if let status = try inbox.status(of: FileName(drop.name)) {
            try store.relocate(drop: drop.id, folder: drop.folder, name: drop.name, identity: SourceIdentity(status.signature))
        }
    }

    /// - Parameter body: runs when everything is known to be in order, before anything is moved.
    private func moveFile(_ drop: Drop, from placed: [UInt8], first body: () throws -> Void = {}) throws {
        let components = SourceDisposal.components(placed)
        guard let last = components.last,
            let failed = try? Directory.open(options.failed).descend(Array(components.dropLast())), try failed.status(of: last) != nil
        else { throw SourceDisposal.Failure.postponed("the failed file is gone from \(options.failed); drop it again") }
        let inbox = try Directory.open(options.inbox).descendMaking(SourceDisposal.components(drop.folder))
        let name = FileName(drop.name)
        guard try inbox.status(of: name) == nil else {
            throw SourceDisposal.Failure.postponed("the inbox holds another file of that name; move one of them away")
        }
        try body()
        try SourceDisposal.move(last, from: failed, to: inbox, as: name)
        for ending in [".txt", ".lrc"] {
            let lyrics = FileName(last.stem.bytes + Array(ending.utf8))
            guard drop.kind == .media, try failed.status(of: lyrics) != nil else { continue }
            try? SourceDisposal.move(lyrics, from: failed, to: inbox, as: FileName(name.stem.bytes + Array(ending.utf8)))
        }
        FailureNote.remove(for: last, components: Array(components.dropLast()), failedFolder: options.failed)
    }
}
