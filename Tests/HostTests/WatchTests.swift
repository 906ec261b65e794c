import Glibc
import Host
import Synchronization
import Testing

private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
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

private func countOwnDescriptors(_ target: String) throws -> Int {
    try Directory.open("/proc/self/fd").list().count { name in
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(name.display)", &buffer, buffer.count)
        return count > 0 && String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) == target
    }
}

/// Collects hints as they come, the way a scanner would.
private final class Watching: Sendable {
    let watch: DirectoryWatch
    private let wakeUps: Counter
    private let all = Mutex(DirectoryHints())

    init() throws {
        let wakeUps = Counter()
        self.wakeUps = wakeUps
        watch = try DirectoryWatch(onHint: wakeUps.add)
    }

    var wakeUpCount: Int { wakeUps.count }

    /// Everything hinted at since the start.
    var hints: DirectoryHints {
        let new = watch.takeHints()
        return all.withLock { all in
            all.everything = all.everything || new.everything
            all.directories.formUnion(new.directories)
            all.gone.formUnion(new.gone)
            all.movedIn.merge(new.movedIn) { $0.union($1) }
            return all
        }
    }
}

@Suite(.timeLimit(.minutes(2))) struct WatchTests {
    @Test func aNewAMovedAndALinkedFileEachGiveAHint() async throws {
        try await withFolder { folder in
            for name in ["inbox", "outside"] { try folder.makeDirectory(FileName(name)) }
            let inbox = try folder.subdirectory("inbox")
            let outside = try folder.subdirectory("outside")
            try outside.write("a", [])
            try outside.write(FileName([0xFF, 0x0A]), [])
            for (id, act) in [
                { try inbox.write("new", [1]) }, { try outside.rename("a", to: inbox, as: "moved", replacing: false) },
                { link(inbox.path + "/new", inbox.path + "/linked") }, { try inbox.setMode(of: "new", to: 0o600) },
                { try inbox.remove("linked") }, { try inbox.makeDirectory("sub") }, { symlink("x", inbox.path + "/symbolic") },
                { try inbox.rename("moved", to: outside, as: "back", replacing: false) },
            ].enumerated() as EnumeratedSequence<[() throws -> Void]> {
                let watching = try Watching()
                try watching.watch.add(inbox, id: id)
                #expect(watching.hints == DirectoryHints())
                try act()
                try await eventually("a hint for act \(id)") { watching.hints.directories == [id] }
                #expect(watching.wakeUpCount >= 1)
                #expect(watching.hints.movedIn == (id == 1 ? [1: ["moved"]] : [:]))
                #expect(!watching.hints.everything && watching.hints.gone.isEmpty)
            }
        }
    }

    @Test func namesThatAreNotTextArriveAsTheyAre() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("inbox")
            let inbox = try folder.subdirectory("inbox")
            let watching = try Watching()
            try watching.watch.add(inbox, id: 3)
            let name = FileName([0xFF, 0x0A, 0x2E])
            try folder.write("x", [])
            try folder.rename("x", to: inbox, as: name, replacing: false)
            try await eventually { watching.hints.movedIn == [3: [name]] }
        }
    }

    @Test func lookingAndListingGiveNoHint() async throws {
        try await withFolder { folder in
            try folder.write("song", [UInt8](repeating: 1, count: 10_000))
            let watching = try Watching()
            try watching.watch.add(folder, id: 1)
            for _ in 0..<10 {
                _ = try folder.list()
                _ = try folder.openFile("song").digest()
                _ = try folder.openFile("song").isOpenForWriting()
            }
            // Events come in order: once the last one is there, the others would be.
            try folder.write("end", [])
            try await eventually { watching.hints.directories == [1] }
            #expect(watching.wakeUpCount <= 2)
        }
    }

    @Test func eachDirectoryHasItsOwnId() async throws {
        try await withFolder { folder in
            let watching = try Watching()
            for id in 0..<20 {
                try folder.makeDirectory(FileName("\(id)"))
                try watching.watch.add(folder.subdirectory(FileName("\(id)")), id: id)
            }
            // The same directory under a second id.
            try watching.watch.add(folder.subdirectory("7"), id: 70)
            for id in [3, 7, 11] { try folder.subdirectory(FileName("\(id)")).write("x", []) }
            try await eventually { watching.hints.directories == [3, 7, 70, 11] }
        }
    }

    @Test func aRemovedWatchIsSilentAndTheIdCanBeUsedAgain() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("a")
            try folder.makeDirectory("b")
            let watching = try Watching()
            try watching.watch.add(folder.subdirectory("a"), id: 1)
            try watching.watch.add(folder.subdirectory("b"), id: 2)
            watching.watch.remove(id: 1)
            watching.watch.remove(id: 99)
            try folder.subdirectory("a").write("x", [])
            try folder.subdirectory("b").write("x", [])
            try await eventually { watching.hints.directories == [2] }
            #expect(watching.hints.gone.isEmpty)
            try watching.watch.add(folder.subdirectory("a"), id: 2)
            _ = watching.watch.takeHints()
            try folder.subdirectory("b").write("y", [])
            try folder.subdirectory("a").write("y", [])
            try await eventually { watching.hints.directories.contains(2) }
            #expect(watching.hints.gone.isEmpty)
        }
    }

    @Test func aRenamedOrRemovedDirectoryIsGone() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("renamed")
            try folder.makeDirectory("removed")
            let watching = try Watching()
            try watching.watch.add(folder.subdirectory("renamed"), id: 1)
            try watching.watch.add(folder.subdirectory("removed"), id: 2)
            try folder.rename("renamed", to: folder, as: "elsewhere", replacing: false)
            try folder.removeTree("removed")
            try await eventually { watching.hints.gone == [1, 2] }
            // The watch has not moved along.
            let before = watching.wakeUpCount
            try folder.subdirectory("elsewhere").write("x", [])
            try watching.watch.add(folder.subdirectory("elsewhere"), id: 3)
            try folder.subdirectory("elsewhere").write("y", [])
            try await eventually { watching.hints.directories == [3] }
            #expect(watching.wakeUpCount > before)
        }
    }

    @Test func aBurstOfFiveThousandFilesIsHintedAt() async throws {
        try await withFolder { folder in
            try folder.makeDirectory("inbox")
            try folder.makeDirectory("outside")
            let inbox = try folder.subdirectory("inbox")
            let outside = try folder.subdirectory("outside")
            for number in 0..<5_000 { close(open("\(outside.path)/\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)) }
            let watching = try Watching()
            try watching.watch.add(inbox, id: 1)
            for number in 0..<5_000 { try outside.rename(FileName("\(number)"), to: inbox, as: FileName("\(number)"), replacing: false) }
            try await eventually { watching.hints.movedIn[1]?.count == 5_000 }
            #expect(watching.hints.directories == [1])
            #expect(!watching.hints.everything)
        }
    }

    @Test func aQueueThatOverflowsMeansEverything() async throws {
        let limit = try #require(Int(try text(of: "/proc/sys/fs/inotify/max_queued_events").filter(\.isNumber)))
        try #require(limit <= 100_000, "this machine's queue of \(limit) events is too long to fill")
        try await withFolder { folder in
            // The callback holds up the reading thread, as a machine under load would.
            let gate = Gate()
            let watch = try DirectoryWatch(onHint: gate.pass)
            defer { gate.open() }
            try watch.add(folder, id: 1)
            try folder.write("first", [])
            try await eventually("the reader to be held up") { gate.isHolding }
            for number in 0...(limit / 2 + 1_000) { close(open("\(folder.path)/\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)) }
            _ = watch.takeHints()
            gate.open()
            var hints = DirectoryHints()
            try await eventually("overflow") {
                hints = watch.takeHints()
                return hints.everything
            }
            // It goes on working.
            try await eventually("the rest of the queue") { watch.takeHints() == DirectoryHints() }
            try folder.write("after", [])
            try await eventually { watch.takeHints().directories == [1] }
        }
    }

    @Test func anEndedWatchLeavesNoThreadAndNoDescriptor() async throws {
        let inotify = { try countOwnDescriptors("anon_inode:inotify") }
        let before = try inotify()
        for _ in 0..<50 { _ = try DirectoryWatch() }
        for _ in 0..<50 { _ = try MountWatch(onChange: {}) }
        // Other tests have watches of their own meanwhile.
        try await eventually("the descriptors to be closed") { try inotify() <= before + 20 }
    }

    @Test(.enabled(if: geteuid() == 0, "mounting needs root")) func mountingWakesTheMountWatch() async throws {
        try await withFolder { folder in
            let counter = Counter()
            let watch = try MountWatch(onChange: counter.add)
            let mount = ChildCommand(
                executable: "/bin/sh", arguments: ["-c", "mount -t tmpfs none '\(folder.path)' && umount '\(folder.path)'"],
                environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], workingDirectory: "/", owner: "host tests")
            #expect(try await ChildProcess.run(mount, onStandardOutput: { _ in }).ending == .exited(0))
            try await eventually("a mount to be noticed") { counter.count >= 1 }
            withExtendedLifetime(watch) {}
        }
    }
}
