import FoundationEssentials
import Glibc
import Host
import Inbox
import Jobs
import Logging
import Synchronization
import TestSupport
import Testing

/// Where the inbox is, and what is in it, whatever happens to the folders.
@Suite(.timeLimit(.minutes(15))) struct ScannerTests {
    @Test(arguments: bothModes) func foldersThatComeWithFilesInThemAreReadToTheBottom(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            for number in 0..<50 { try inbox.drop(FileName("\(number).mp3"), "song \(number)", in: "outside/album") }
            try await run("mv", inbox.root + "/outside/album", inbox.path + "/album")
            try await run("mkdir", "-p", inbox.path + "/a/b/c")
            try inbox.drop("deep.mp3", "a deep song", in: "inbox/a/b/c")
            let jobs = try await inbox.jobs(51)
            #expect(jobs.count { $0.outboxFolder == "album" } == 50)
            #expect(jobs.first { $0.title == "deep" }?.outboxFolder == "a/b/c")
            // And they are watched from now on.
            try inbox.drop("later.mp3", "a later song", in: "inbox/a/b/c")
            try inbox.drop("later.mp3", "another later song", in: "inbox/album")
            try await inbox.jobs(53)
            #expect(inbox.status.folders == 5)
        }
    }

    @Test(arguments: bothModes) func aFolderWithAProfilesNameSelectsItAndOthersAreMirrored(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("one.mp3", "one", in: "inbox/karaoke/live: 2024")
            try inbox.drop("two.mp3", "two", in: "inbox/albums/karaoke")
            try inbox.drop("three.mp3", "three", in: "inbox/default")
            let jobs = try await inbox.jobs(3).sorted { $0.title < $1.title }
            #expect(jobs.map(\.plan.profile) == ["karaoke", "default", "default"])
            #expect(jobs.map(\.plan.separate) == ["none", "centre", "centre"])
            #expect(jobs.map(\.outboxFolder) == ["live- 2024", "default", "albums/karaoke"])
            #expect(try jobs.map { try inbox.store.drop($0.drop).profile } == ["karaoke", "default", "default"])
        }
    }

    @Test(arguments: bothModes) func whatNobodyDroppedIsLeftAloneAndCounted(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            let ignored: [FileName] = [".DS_Store", "._song.mp3", "song.mp3.part", "Thumbs.db", "~$list.txt", "song.mp3~", ".song.mp3.Xy12Zw"]
            for name in ignored { try inbox.drop(name, "x") }
            for folder in ["@eaDir", ".rsync-partial", "song.mp3.download", "lost+found"] { try inbox.drop("song.mp3", folder, in: "inbox/" + folder) }
            for name in ["cover.jpg", "readme", "album.zip"] { try inbox.drop(FileName(name), "x") }
            try inbox.drop("song.mp3", "a song")
            try await inbox.jobs(1)
            #expect(inbox.status.ignoredCount == ignored.count + 4 && inbox.status.unsupportedCount == 3)
            for folder in ["@eaDir", ".rsync-partial", "song.mp3.download", "lost+found"] { inbox.expectIncomplete(folder + "/song.mp3") }
        }
    }

    @Test(arguments: bothModes) func treesThatAreTooDeepAreLeftOut(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { ($0.maxDepth, $0.maxFolders) = (3, 20) }) { inbox in
            try inbox.drop("in.mp3", "in", in: "inbox/a/b/c")
            try inbox.drop("out.mp3", "out", in: "inbox/a/b/c/d")
            inbox.expectIncomplete("a/b/c/d/out.mp3")
            #expect(try await inbox.jobs(1)[0].title == "in")
            for number in 0..<100 { _ = try inbox.folder("inbox/many/\(number)") }
            try inbox.drop("after.mp3", "after")
            try await inbox.jobs(2)
            #expect(inbox.status.folders == 20)
        }
    }

    enum Fate: String, CaseIterable, Sendable { case renamedAndBack, replaced, removedAndMadeAgain, parentRenamed, linkTurned }

    @Test(arguments: bothModes, Fate.allCases) func theInboxIsFoundAgainWhateverBecomesOfIt(watch: InboxOptions.Watch, fate: Fate) async throws {
        try await withInbox(watch, {
            if fate == .parentRenamed { $0.inbox = $0.inbox.replacing("/inbox", with: "/parent/inbox") }
            if fate == .linkTurned { $0.inbox = $0.inbox.replacing("/inbox", with: "/pointer") }
        }) { inbox in
            let path = inbox.path
            let root = inbox.root
            func dropped(_ name: String) throws { try Directory.open(path).write(FileName(name + ".mp3"), Array(name.utf8)) }
            if fate == .parentRenamed { _ = try inbox.folder("parent/inbox") }
            if fate == .linkTurned {
                _ = try inbox.folder("one")
                _ = try inbox.folder("two")
                symlink("one", path)
            }
            _ = try await waitUntil("the inbox to be there") { inbox.status.folders == 1 && inbox.status.absent == nil ? true : nil }
            try dropped("before")
            try await inbox.jobs(1)
            switch fate {
            case .renamedAndBack:
                rename(path, root + "/elsewhere")
                rename(root + "/elsewhere", path)
            case .replaced:
                rename(path, root + "/elsewhere")
                _ = try await waitUntil("the inbox to be missed") { inbox.status.absent }
                mkdir(path, 0o755)
            case .removedAndMadeAgain:
                try await run("rm", "-r", path)
                _ = try await waitUntil("the inbox to be missed") { inbox.status.absent }
                mkdir(path, 0o755)
            case .parentRenamed:
                rename(root + "/parent", root + "/former")
                _ = try inbox.folder("parent/inbox")
                _ = try await waitUntil("the new inbox") {
                    try dropped("found")
                    return true
                }
            case .linkTurned:
                symlink("two", root + "/next")
                rename(root + "/next", path)
            }
            if fate != .parentRenamed { try dropped("found") }
            try await inbox.jobs(2)
            // It is watched again, not only listed once.
            try dropped("watched")
            let jobs = try await inbox.jobs(3)
            #expect(jobs.map(\.title) == ["before", "found", "watched"])
            #expect(jobs.allSatisfy { $0.state == .queued })
            #expect(inbox.status.absent == nil)
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func whatIsMountedOverTheInboxIsTheInboxUntilItIsUnmounted(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("below.mp3", "below")
            let below = try await inbox.jobs(1)[0]
            try await withMount(inbox.path, "size=1m") {
                // The same name on another disk is another song, and takes nothing from the first.
                try inbox.drop("below.mp3", "above")
                try inbox.drop("above.mp3", "also above")
                try await inbox.jobs(3)
                #expect(inbox.stopped.isEmpty)
                // Nothing of ours keeps it from being unmounted.
                _ = try await waitUntil("it to be unmounted") { (try? await run("umount", inbox.path)) != nil ? true : nil }
                try inbox.drop("after.mp3", "after")
                try await inbox.jobs(4)
                #expect(try inbox.store.job(below.id) == below)
                try await run("mount", "-t", "tmpfs", "-o", "size=1m", "lyricd-test", inbox.path)
                try inbox.drop("again.mp3", "again")
                try await inbox.jobs(5)
            }
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func aFolderInTheInboxMayBeMountedOverToo(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("below.mp3", "below", in: "inbox/disk")
            try await inbox.jobs(1)
            try await withMount(inbox.path + "/disk", "size=1m") {
                try inbox.drop("above.mp3", "above", in: "inbox/disk")
                try await inbox.jobs(2)
                try inbox.drop("later.mp3", "later", in: "inbox/disk")
                try await inbox.jobs(3)
            }
            try inbox.drop("after.mp3", "after", in: "inbox/disk")
            try await inbox.jobs(4)
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func anInboxThatHasToBeAMountPointIsNotReadUntilItIs(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.requireMount = true }) { inbox in
            try inbox.drop("below.mp3", "below")
            inbox.expectIncomplete("below.mp3")
            _ = try await waitUntil("the missing disk to be said") { inbox.status.absent?.contains("is not mounted") == true ? true : nil }
            try await withMount(inbox.path, "size=1m") {
                try inbox.drop("above.mp3", "above")
                #expect(try await inbox.jobs(1)[0].title == "above")
            }
            _ = try await waitUntil("the disk to be missed") { inbox.status.absent }
            #expect(try inbox.allJobs.count == 1)
        }
    }

    // MARK: - What inotify may do

    /// A scanner whose looks are the test's own.
    private struct Bench {
        let root: String
        let store: JobStore
        let scanner: InboxScanner
        let claims: ClaimPool
        let watch: DirectoryWatch

        init(_ root: String, onHint: @escaping @Sendable () -> Void = {}) throws {
            self.root = root
            for name in ["inbox", "work"] { _ = try Directory.openOrCreate(root + "/" + name) }
            var options = InboxOptions(
                inbox: root + "/inbox", archive: root + "/a", failed: root + "/f", work: root + "/work", orders: root + "/o")
            (options.settle, options.settleMoved, options.poll, options.rescan, options.freeSpace) = (0.02, 0.02, 0.02, 3600, 0)
            store = try JobStore.testing(root)
            claims = ClaimPool(store: store, wake: WakeUp())
            let watch = try DirectoryWatch(onHint: onHint)
            self.watch = watch
            scanner = InboxScanner(
                store: store, claims: claims, options: options, makeWatch: { watch }, stopJob: { _ in },
                unixSeconds: { Date().timeIntervalSince1970 }, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func drop(_ name: FileName) throws { try Directory.open(root + "/inbox").write(name, Array(name.bytes)) }

        func look(until what: String, _ isDone: () throws -> Bool) async throws {
            _ = try await waitUntil(what) {
                _ = try scanner.pass()
                return try isDone() ? true : nil
            }
            await claims.drain()
        }
    }

    @Test func aFileSystemThatReportsNothingIsPolled() async throws {
        try await withTemporaryFolder { root in
            // The reader of events stands still from the first one on: as deaf as a file system that has none.
            let gate = Gate()
            defer { gate.open() }
            let bench = try Bench(root, onHint: { gate.pass() })
            let other = try Directory.openOrCreate(root + "/other")
            try bench.watch.add(other, id: 4711)
            try other.write("x", [])
            _ = try await waitUntil("the reader to stand still") { gate.isHolding ? true : nil }
            _ = try bench.scanner.pass()
            guard bench.scanner.status.mode == "inotify" else { return }
            try await bench.look(until: "polling") { bench.scanner.status.mode == "poll" }
            #expect(bench.scanner.status.modeReason == "the file system reports no events")
            try bench.drop("song.mp3")
            try await bench.look(until: "the song") { try bench.store.jobs().count == 1 }
        }
    }

    @Test func aFileSystemThatReportsItsChangesStaysWatched() async throws {
        try await withTemporaryFolder { root in
            let bench = try Bench(root)
            _ = try bench.scanner.pass()
            guard bench.scanner.status.mode == "inotify" else { return }
            let start = Clock.bootSeconds
            // Longer than the file system is given to answer.
            try await bench.look(until: "2.5 seconds") { Clock.bootSeconds > start + 2.5 }
            #expect(bench.scanner.status.mode == "inotify")
            #expect(try Directory.open(root + "/inbox").list().isEmpty)
        }
    }

    @Test func anOverflowingQueueLosesNothing() async throws {
        try await withTemporaryFolder { root in
            let gate = Gate()
            let bench = try Bench(root, onHint: { gate.pass() })
            _ = try bench.scanner.pass()
            guard bench.scanner.status.mode == "inotify" else { return }
            let inbox = root + "/inbox"
            try bench.drop(".a")
            try bench.drop(".b")
            _ = try await waitUntil("the reader to stand still") { gate.isHolding ? true : nil }
            let limit = try #require(Int(try await run("cat", "/proc/sys/fs/inotify/max_queued_events")))
            // Not two of the same kind after each other: those would be made one.
            for number in 0..<(limit + 1000) { chmod(inbox + (number % 2 == 0 ? "/.a" : "/.b"), 0o600) }
            try bench.drop("song.mp3")
            #expect(try bench.store.jobs().isEmpty)
            gate.open()
            try await bench.look(until: "the song of which there was no event") { try bench.store.jobs().count == 1 }
            // Events flow again.
            try bench.drop("next.mp3")
            try await bench.look(until: "the next song") { try bench.store.jobs().count == 2 }
        }
    }

    @Test(.enabled("the kernel gives no user namespace here") { await mayHaveOwnProcess() || isInOwnProcess })
    func withoutWatchesLeftFoldersArePolledAndLaterWatchedAgain() async throws {
        try await inOwnProcess("withoutWatchesLeftFoldersArePolledAndLaterWatchedAgain", limits: ["max_inotify_watches": 2]) {
            try await withInbox(.auto, { $0.rescan = 0.3 }) { inbox in
                for folder in ["a", "b"] { try inbox.drop("song.mp3", folder, in: "inbox/" + folder) }
                try await inbox.jobs(2)
                _ = try await waitUntil("the polled folders to be said") {
                    inbox.status.modeReason?.contains("folders are polled") == true || inbox.status.mode == "poll" ? true : nil
                }
                try inbox.drop("later.mp3", "later", in: "inbox/b")
                try await inbox.jobs(3)
                try Data("100".utf8).write(to: URL(filePath: "/proc/sys/user/max_inotify_watches"))
                _ = try await waitUntil("all to be watched") {
                    inbox.status.mode == "inotify" && inbox.status.modeReason == nil && inbox.status.folders == 3 ? true : nil
                }
                try inbox.drop("last.mp3", "last", in: "inbox/b")
                try await inbox.jobs(4)
            }
        }
    }

    @Test(.enabled("the kernel gives no user namespace here") { await mayHaveOwnProcess() || isInOwnProcess })
    func withoutInotifyAtAllTheInboxIsPolledAndLaterWatched() async throws {
        try await inOwnProcess("withoutInotifyAtAllTheInboxIsPolledAndLaterWatched", limits: ["max_inotify_instances": 0]) {
            try await withInbox(.auto, { $0.rescan = 0.3 }) { inbox in
                try inbox.drop("song.mp3", "a song")
                let job = try await inbox.jobs(1)[0]
                #expect(inbox.status.mode == "poll" && inbox.status.modeReason?.contains("inotify_init1") == true)
                // Orders are found as well.
                try inbox.order(.cancel, job.id)
                try await inbox.job(job.id, becomes: .cancelled)
                try Data("10".utf8).write(to: URL(filePath: "/proc/sys/user/max_inotify_instances"))
                _ = try await waitUntil("the inbox to be watched") { inbox.status.mode == "inotify" ? true : nil }
                try inbox.drop("later.mp3", "a later song")
                try await inbox.jobs(2)
            }
        }
    }
}

/// Holds a thread up until it is opened.
private final class Gate: Sendable {
    private let state = Mutex((isOpen: false, isHolding: false))
    var isHolding: Bool { state.withLock { $0.isHolding } }
    func open() { state.withLock { $0.isOpen = true } }
    func pass() {
        while state.withLock({ state in
            state.isHolding = !state.isOpen
            return !state.isOpen
        }) { usleep(1_000) }
    }
}
