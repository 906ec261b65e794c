import FoundationEssentials
import Glibc
import Host
import Inbox
import Jobs
import Logging
import Synchronization
import TestSupport
import Testing

/// Both ways to notice a drop; everything holds in either.
let bothModes: [InboxOptions.Watch] = [.auto, .poll]

/// As many inboxes at once as a machine has inotify instances for: 128 for each user, for all programs together.
private let rooms = Rooms(count: 10)

private actor Rooms {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    init(count: Int) { free = count }

    func enter() async {
        if free > 0 { free -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// A real inbox with its service, on real files and a real job store; nobody works on the jobs but the test.
///
/// When the body is done the service is stopped, and what must hold after anything is checked: a healthy store with whole histories,
/// exactly one drop for every complete file (P1), nothing half left anywhere.
func withInbox(
    _ watch: InboxOptions.Watch, _ change: (inout InboxOptions) -> Void = { _ in }, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (TestInbox) async throws -> Void
) async throws {
    await rooms.enter()
    do {
        try await withTemporaryFolder { root in
            let inbox = try TestInbox(root, watch, change)
            try await inbox.start()
            do { try await body(inbox) } catch {
                Issue.record("\(error); the inbox says \(inbox.status); jobs: \(try inbox.summary())", sourceLocation: sourceLocation)
            }
            try await inbox.stop()
            try inbox.check(sourceLocation)
        }
    } catch {
        await rooms.leave()
        throw error
    }
    await rooms.leave()
}

final class TestInbox: Sendable {
    let root: String
    let store: JobStore
    let options: InboxOptions
    /// Places below root/ whose files are not complete, so that no drop is asked for.
    private let incomplete = Mutex<Set<String>>([])
    private let stoppedJobs = Mutex<Set<Job.ID>>([])
    private let life = Mutex<(service: InboxService, wake: WakeUp, task: Task<Void, any Error>)?>(nil)

    var path: String { options.inbox }
    func expectIncomplete(_ path: String) { _ = incomplete.withLock { $0.insert(path) } }
    var stopped: Set<Job.ID> { stoppedJobs.withLock { $0 } }

    init(_ root: String, _ watch: InboxOptions.Watch, _ change: (inout InboxOptions) -> Void) throws {
        self.root = root
        for name in ["inbox", "archive", "failed", "work", "orders", "outside"] { _ = try Directory.openOrCreate(root + "/" + name) }
        var options = InboxOptions(
            inbox: root + "/inbox", archive: root + "/archive", failed: root + "/failed", work: root + "/work", orders: root + "/orders")
        options.watch = watch
        (options.settle, options.settleMoved, options.settleLink, options.settleSuspect) = (0.12, 0.08, 0.06, 0.3)
        (options.settleNetwork, options.settleEmpty, options.lyricsWait) = (0.2, 0.4, 1)
        // Nothing is listed again within the test unless something is noticed.
        (options.poll, options.rescan) = (0.05, 3600)
        options.freeSpace = 0
        options.plans["karaoke"] = Plan(profile: "karaoke", separate: "none")
        change(&options)
        self.options = options
        store = try JobStore.testing(root)
    }

    func start() async throws {
        let wake = WakeUp()
        let service = InboxService(
            store: store, options: options, wake: wake, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            stopJob: { [self] id in _ = stoppedJobs.withLock { $0.insert(id) } })
        try await service.start(unixSeconds: { Date().timeIntervalSince1970 })
        let task = Task { try await service.run() }
        life.withLock { $0 = (service, wake, task) }
    }

    /// Throws what ended the service before its time.
    func stop() async throws {
        guard let (service, _, task) = life.withLock({ life in
            defer { life = nil }
            return life
        }) else { return }
        service.stop()
        try await task.value
    }

    /// From now on nothing settles within the test, until `update(options)`.
    func settleSlowly() {
        var slow = options
        (slow.settle, slow.settleMoved, slow.settleLink, slow.settleSuspect) = (3600, 3600, 3600, 3600)
        update(slow)
    }

    func update(_ options: InboxOptions) { life.withLock { $0?.service }?.update(options) }

    var status: InboxStatus { life.withLock { $0?.service.status } ?? InboxStatus() }

    /// As the pipeline does when a job is finished.
    func wake() { life.withLock { $0?.wake }?.signal() }

    // MARK: Dropping

    func folder(_ path: String = "inbox") throws -> Directory { try Directory.openOrCreate(root + "/" + path) }

    /// In one go, as `cp` does.
    func drop(_ name: FileName, _ contents: String, in folder: String = "inbox") throws {
        try self.folder(folder).write(name, Array(contents.utf8))
    }

    func link(_ name: FileName, _ url: String, in folder: String = "inbox") throws {
        try drop(name, "[InternetShortcut]\r\nURL=\(url)\r\n", in: folder)
    }

    func order(_ verb: Order.Verb, _ job: Job.ID) throws { try Order(verb, job: job).give(in: options.orders, name: "\(verb.rawValue)-\(job)") }

    // MARK: Asking

    func names(_ path: String) throws -> [String] { try folder(path).list().map(\.display).sorted() }
    func text(_ path: String) throws -> String {
        let parts = path.split(separator: "/").map(String.init)
        return String(decoding: try folder(parts.dropLast().joined(separator: "/")).openFile(FileName(parts[parts.count - 1])).readAll(limit: 1 << 20), as: UTF8.self)
    }

    func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(root + "/" + path, &status) == 0
    }

    var allJobs: [Job] { get throws { try store.jobs(limit: .max) } }
    func summary() throws -> [String] { try allJobs.map { "\($0.id) \($0.title) \($0.state) \($0.reason)" } }

    /// Waits for the jobs of that many drops, and until nothing more is to come: no file settles and every folder was looked at since.
    @discardableResult
    func jobs(_ count: Int, seconds: Double = 30) async throws -> [Job] {
        _ = try await waitUntil("\(count) jobs", seconds: seconds) { try allJobs.count >= count ? true : nil }
        try await quiet()
        let jobs = try allJobs
        if jobs.count != count { throw TimedOut("\(jobs.count) jobs instead of \(count)") }
        return jobs
    }

    func job(_ id: Job.ID, becomes state: JobState) async throws {
        _ = try await waitUntil("job \(id) to be \(state)") { try store.job(id).state == state ? true : nil }
    }

    /// Until nothing settles or is being copied any more.
    func quiet(except waiting: Int = 0) async throws {
        // Longer than what a file takes to settle: what was seen last has its verdict after it.
        let from = Clock.bootSeconds + 2 * max(options.settle, options.settleSuspect)
        _ = try await waitUntil("the inbox to be quiet") {
            let status = status
            let isCopying = try folder("work").list().contains { !(try store.isKnown(key: $0.display)) }
            return status.lastPass > from && status.waitingCount <= waiting && !isCopying ? true : nil
        }
    }

    /// Waits until the status says so of a file.
    func waiting(_ name: String, because reason: String) async throws {
        _ = try await waitUntil("\(name) to be waiting: \(reason)") {
            status.waiting.contains { $0.path == name && $0.reason.contains(reason) } ? true : nil
        }
    }

    func disposed(_ drop: Drop.ID, as disposal: Drop.Disposal) async throws {
        wake()
        _ = try await waitUntil("drop \(drop) to be \(disposal)") { try store.drop(drop).disposal == disposal ? true : nil }
    }

    // MARK: What holds after everything

    func check(_ sourceLocation: SourceLocation) throws {
        #expect(try store.historyFaults() == [], sourceLocation: sourceLocation)
        try store.copy(to: root + "/copy.db")
        #expect(JobStore.isHealthy(path: root + "/copy.db"), sourceLocation: sourceLocation)
        let drops = try store.allDrops()
        var problems: [String] = []
        let incomplete = incomplete.withLock { $0 }
        try walk("inbox") { components, folder, name, status in
            let path = (components + [name]).map(\.display).joined(separator: "/")
            guard !incomplete.contains(path), status.kind == .regular else { return }
            switch DropKind(name) {
            case .media, .link, .list: break
            default: return
            }
            let digest = try folder.openFile(name).digest().sha256
            let rows = drops.filter {
                [.present, .kept, .disposing].contains($0.disposal) && $0.folder == joined(components) && $0.name == name.bytes
                    && ($0.digest == digest || $0.digest.isEmpty)
            }
            if rows.count != 1 { problems.append("inbox/\(path) has \(rows.count) drops: \(rows)") }
        }
        for (place, disposal) in [("archive", Drop.Disposal.archived), ("failed", .failed)] {
            try walk(place) { components, folder, name, status in
                guard status.kind == .regular, case .media = DropKind(name) else { return }
                let digest = try folder.openFile(name).digest().sha256
                let path = joined(components + [name])
                let rows = drops.filter { $0.disposal == disposal && $0.disposedTo == path && ($0.digest == digest || $0.digest.isEmpty) }
                if rows.count != 1 { problems.append("\(place)/\(FileName(path).display) has \(rows.count) drops: \(rows)") }
            }
        }
        for place in ["inbox", "archive", "failed", "orders"] {
            try walk(place) { _, folder, name, _ in
                if name.bytes.starts(with: ".lyricd-".utf8) { problems.append("\(folder.path)/\(name.display) was left") }
            }
        }
        for name in try folder("work").list() {
            if !(try store.isKnown(key: name.display)) { problems.append("work/\(name.display) belongs to nobody") }
            if try folder("work/" + name.display).list().contains(where: { $0.pathExtension == "tmp" }) { problems.append("work/\(name.display) is half") }
        }
        // What waits to be worked on has its own copy, and it is the right one.
        for job in try allJobs where job.url == nil && [.queued, .running].contains(job.state) {
            let drop = try store.drop(job.drop)
            guard let copy = try? folder("work/" + job.key).openFile("recording").digest().sha256, copy == drop.digest else {
                problems.append("job \(job.id) has no copy of its recording")
                continue
            }
        }
        #expect(problems == [], sourceLocation: sourceLocation)
    }

    private func joined(_ components: [FileName]) -> [UInt8] { Array(components.map(\.bytes).joined(separator: [UInt8(ascii: "/")])) }

    private func walk(_ place: String, _ body: ([FileName], Directory, FileName, FileStatus) throws -> Void) throws {
        func enter(_ folder: Directory, _ components: [FileName]) throws {
            for name in try folder.list() {
                guard let status = try folder.status(of: name) else { continue }
                if status.kind == .directory {
                    try enter(try folder.subdirectory(name), components + [name])
                } else {
                    try body(components, folder, name, status)
                }
            }
        }
        try enter(try folder(place), [])
    }
}
