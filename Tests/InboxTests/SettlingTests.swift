import Glibc
import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// When a file is complete: however it comes, it becomes one job, with the contents it had in the end.
@Suite(.timeLimit(.minutes(15))) struct SettlingTests {
    /// How programs put a file into a folder.
    enum Tool: String, CaseIterable, Sendable {
        case copy, move, moveAcrossFolders, hardLink, temporaryThenRename, rsync, unnamedThenLinked, inPlace, download
    }

    @Test(arguments: bothModes, Tool.allCases)
    func whateverBringsAFileItBecomesOneJob(watch: InboxOptions.Watch, tool: Tool) async throws {
        try await withInbox(watch) { inbox in
            let contents = "a song brought by \(tool.rawValue)"
            try inbox.drop("source.mp3", contents, in: "outside")
            let source = inbox.root + "/outside/source.mp3"
            let target = inbox.path + "/song.mp3"
            switch tool {
            case .copy: try await run("cp", source, target)
            case .move: try await run("mv", source, target)
            case .moveAcrossFolders:
                try inbox.drop("song.mp3", contents, in: "inbox/album")
                try await inbox.jobs(1)
                try await run("mv", inbox.path + "/album/song.mp3", target)
            case .hardLink: try #require(Glibc.link(source, target) == 0)
            case .temporaryThenRename:
                try await run("cp", source, inbox.path + "/.song.mp3.Xy12Zw")
                try await inbox.quiet()
                #expect(try inbox.allJobs.isEmpty)
                try await run("mv", inbox.path + "/.song.mp3.Xy12Zw", target)
            case .rsync:
                // rsync without a temporary folder beside it: the name it copies to is not hidden, but says what it is.
                try await run("cp", source, inbox.path + "/song.mp3.part")
                try await run("mv", inbox.path + "/song.mp3.part", target)
            case .unnamedThenLinked:
                let file = open(inbox.path, O_WRONLY | 0o20_200_000, 0o644)
                try #require(file >= 0)
                defer { close(file) }
                _ = contents.withCString { write(file, $0, strlen($0)) }
                try #require(linkat(AT_FDCWD, "/proc/self/fd/\(file)", AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0)
            case .inPlace: try await run("dd", "if=\(source)", "of=\(target)", "bs=4", "conv=notrunc", "status=none")
            case .download:
                // Firefox leaves an empty file under the final name while the contents grow beside it.
                try inbox.drop("song.mp3", "")
                try await run("cp", source, inbox.path + "/song.mp3.crdownload")
                try await run("mv", inbox.path + "/song.mp3.crdownload", target)
            }
            let jobs = try await inbox.jobs(1)
            let drop = try inbox.store.drop(try #require(jobs.first).drop)
            #expect(drop.digest == FileDigest(of: Array(contents.utf8)).sha256)
            #expect(jobs[0].state == .queued && jobs[0].stage == .probe && jobs[0].title == "song")
            #expect(drop.name == Array("song.mp3".utf8) && drop.folder.isEmpty)
        }
    }

    @Test(arguments: bothModes) func aSlowWriterIsWaitedForHoweverLongItRests(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            let file = open(inbox.path + "/song.mp3", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            try #require(file >= 0)
            let parts = ["first ", "second ", "third"]
            for part in parts {
                _ = part.withCString { write(file, $0, strlen($0)) }
                // It rests for longer than a file takes to settle: until it is looked at, and found open.
                try await inbox.waiting("song.mp3", because: "still has it open for writing")
                #expect(try inbox.allJobs.isEmpty)
            }
            close(file)
            let jobs = try await inbox.jobs(1)
            #expect(try inbox.store.drop(jobs[0].drop).digest == FileDigest(of: Array(parts.joined().utf8)).sha256)
        }
    }

    @Test(arguments: bothModes) func aMappedFileIsWaitedForAlthoughNobodyHasItOpen(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", String(repeating: "old ", count: 1024), in: "outside")
            let file = open(inbox.root + "/outside/song.mp3", O_RDWR | O_CLOEXEC)
            let memory = try #require(mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0))
            close(file)
            try await run("mv", inbox.root + "/outside/song.mp3", inbox.path + "/song.mp3")
            try await inbox.waiting("song.mp3", because: "still has it open for writing")
            for index in 0..<4096 { memory.storeBytes(of: UInt8(ascii: "n"), toByteOffset: index, as: UInt8.self) }
            msync(memory, 4096, MS_SYNC)
            munmap(memory, 4096)
            let jobs = try await inbox.jobs(1)
            #expect(try inbox.store.drop(jobs[0].drop).digest == FileDigest(of: [UInt8](repeating: UInt8(ascii: "n"), count: 4096)).sha256)
        }
    }

    @Test(arguments: bothModes) func touchingAFileOrItsPermissionsMakesNoSecondJob(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let first = try await inbox.jobs(1)[0]
            let before = try inbox.store.drop(first.drop).identity
            try await run("touch", "-d", "2099-01-01", inbox.path + "/song.mp3")
            _ = try await waitUntil("the touched file to be known again") { try inbox.store.drop(first.drop).identity != before ? true : nil }
            let touched = try inbox.store.drop(first.drop).identity
            try await run("chmod", "0600", inbox.path + "/song.mp3")
            _ = try await waitUntil("the changed permissions to be known") { try inbox.store.drop(first.drop).identity != touched ? true : nil }
            #expect(try await inbox.jobs(1)[0] == first)
            #expect(inbox.stopped.isEmpty)
        }
    }

    @Test(arguments: bothModes) func copyingTheSameFileOverItselfMakesNoSecondJob(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song", in: "outside")
            for _ in 0..<2 {
                let before = try inbox.allJobs.first.map { try inbox.store.drop($0.drop).identity }
                try await run("cp", inbox.root + "/outside/song.mp3", inbox.path + "/song.mp3")
                _ = try await waitUntil("the copy to be known") {
                    try inbox.allJobs.first.map { try inbox.store.drop($0.drop).identity != before } == true ? true : nil
                }
            }
            try await inbox.jobs(1)
        }
    }

    @Test(arguments: bothModes) func aResumedUploadSupersedesWhatWasTakenOfIt(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "the first half, ")
            let torn = try await inbox.jobs(1)[0]
            try inbox.store.run(torn.id, to: .separate)
            let file = open(inbox.path + "/song.mp3", O_WRONLY | O_APPEND | O_CLOEXEC)
            _ = "and the second".withCString { write(file, $0, strlen($0)) }
            close(file)
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.state) == [.superseded, .queued])
            #expect(inbox.stopped == [torn.id])
            #expect(try inbox.store.drop(torn.drop).disposal == .gone)
            #expect(try inbox.store.drop(jobs[1].drop).digest == FileDigest(of: Array("the first half, and the second".utf8)).sha256)
            // The attempt that was under way is closed, not left running for ever.
            #expect(try inbox.store.attempts(of: torn.id).map(\.outcome) == [.done, .stopped])
        }
    }

    @Test(arguments: bothModes) func aRenamedFileIsTheSameDropUnderItsNewName(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            _ = try inbox.folder("inbox/album")
            try await run("mv", inbox.path + "/song.mp3", inbox.path + "/album/better name.mp3")
            _ = try await waitUntil("the new name to be known") {
                try inbox.store.drop(job.drop).name == Array("better name.mp3".utf8) ? true : nil
            }
            #expect(try inbox.store.drop(job.drop).folder == Array("album".utf8))
            #expect(try await inbox.jobs(1)[0].state == .queued)
        }
    }

    /// Both settle at once, and both look like what the first file was.
    @Test(arguments: bothModes) func aRenamedFileAndItsSuccessorAreTwoDrops(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            for round in 1...10 {
                try inbox.drop("song.mp3", "song of round \(round)")
                try await inbox.jobs(2 * round - 1)
                rename(inbox.path + "/song.mp3", inbox.path + "/first of \(round).mp3")
                try inbox.drop("song.mp3", "another song of round \(round)")
                _ = try await waitUntil("both to have their drops") {
                    let drops = try inbox.store.allDrops().filter { $0.disposal == .present }
                    let names = Set(drops.map { FileName($0.name) })
                    return drops.contains { $0.digest == FileDigest(of: Array("another song of round \(round)".utf8)).sha256 }
                        && names.contains(FileName("first of \(round).mp3")) ? true : nil
                }
                rename(inbox.path + "/song.mp3", inbox.path + "/second of \(round).mp3")
                try await inbox.quiet()
                // In one order or the other: the renamed one goes on, or is taken anew; it never goes without a job.
                let jobs = try inbox.allJobs.filter { !$0.state.isFinished }
                #expect(jobs.count == 2 * round)
                if try inbox.allJobs.count != 2 * round { break }
            }
        }
    }

    /// File systems give the number of a removed file to the next one.
    @Test(arguments: bothModes) func anotherSongOnARemovedFilesInodeLeavesThatFilesJobAlone(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("first.mp3", "a song")
            let first = try await inbox.jobs(1)[0]
            // A rename and other contents: the inode is the former song's for certain.
            try await run("mv", inbox.path + "/first.mp3", inbox.root + "/outside/second.mp3")
            let file = open(inbox.root + "/outside/second.mp3", O_WRONLY | O_TRUNC | O_CLOEXEC)
            _ = "another song".withCString { write(file, $0, strlen($0)) }
            close(file)
            try await run("mv", inbox.root + "/outside/second.mp3", inbox.path + "/second.mp3")
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.state) == [.queued, .queued])
            #expect(inbox.stopped.isEmpty)
            #expect(try inbox.store.job(first.id) == first)
        }
    }

    @Test(arguments: bothModes) func twoHundredFilesSettleSideBySide(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.settle = 1 }) { inbox in
            let start = Clock.bootSeconds
            let folder = open(inbox.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            defer { close(folder) }
            for number in 0..<200 {
                let file = openat(folder, "song \(number).mp3", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
                _ = "song number \(number)".withCString { write(file, $0, strlen($0)) }
                close(file)
            }
            try await inbox.jobs(200, seconds: 90)
            // One after another they would take 200 s for settling alone.
            #expect(Clock.bootSeconds - start < 100)
            #expect(try Set(inbox.allJobs.map(\.contentKey)).count == 200)
        }
    }

    @Test(arguments: bothModes) func anEmptyFileIsWaitedForAndThenRefused(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.settleEmpty = 0.5 }) { inbox in
            try inbox.drop("song.mp3", "")
            try inbox.drop("empty.url", "")
            try await inbox.waiting("song.mp3", because: "empty so far")
            let jobs = try await inbox.jobs(2)
            #expect(Set(jobs.map(\.state)) == [.failed])
            #expect(jobs.allSatisfy { $0.reason == "the file is empty" && $0.nextStep.contains("copy it again") })
            for job in jobs { try await inbox.disposed(job.drop, as: .failed) }
            #expect(try inbox.text("failed/song.mp3.txt").contains("the file is empty"))
        }
    }

    @Test(arguments: bothModes) func anEmptyFileThatIsFilledInTimeIsTaken(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.settleEmpty = 60 }) { inbox in
            try inbox.drop("song.mp3", "")
            try await inbox.waiting("song.mp3", because: "empty so far")
            try await run("dd", "if=/etc/hostname", "of=\(inbox.path)/song.mp3", "conv=notrunc", "status=none")
            #expect(try await inbox.jobs(1)[0].state == .queued)
        }
    }

    @Test(arguments: bothModes) func aWriterThatNeverEndsIsReportedAndItsFileNeverTaken(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.settleMax = 0.3; $0.settle = 60 }) { inbox in
            let file = open(inbox.path + "/stream.mp3", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            defer { close(file) }
            inbox.expectIncomplete("stream.mp3")
            _ = try await waitUntil("the endless file to be reported") {
                _ = "more ".withCString { write(file, $0, strlen($0)) }
                return inbox.status.waiting.contains { $0.reason.contains("still being written, for") } ? true : nil
            }
            #expect(inbox.status.waitingCount == 1)
            #expect(try inbox.allJobs.isEmpty)
        }
    }

    @Test(arguments: bothModes) func aFileWithHolesSettlesForLonger(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.settleSuspect = 60 }) { inbox in
            // As a torrent or a copying program makes it: the final size at once, and nothing in it.
            let file = open(inbox.path + "/holes.mp3", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            try #require(ftruncate(file, 1 << 20) == 0)
            close(file)
            try inbox.drop("whole.mp3", "a song")
            inbox.expectIncomplete("holes.mp3")
            _ = try await waitUntil("the whole song") { try inbox.allJobs.count == 1 ? true : nil }
            #expect(try inbox.allJobs.map(\.title) == ["whole"])
            #expect(inbox.status.waiting.map(\.path) == ["holes.mp3"])
        }
    }

    @Test(arguments: bothModes) func aLeaseHolderIsWaitedForWithoutStandingStill(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("held.mp3", "a held song", in: "outside")
            // As smbd does for a client that may cache its writes; opening such a file would wait for 45 seconds.
            let holder = try await Lease.take(inbox.root + "/outside/held.mp3")
            defer { holder.giveUp() }
            try await run("mv", inbox.root + "/outside/held.mp3", inbox.path + "/held.mp3")
            let start = Clock.bootSeconds
            try inbox.drop("free.mp3", "a free song")
            try await inbox.waiting("held.mp3", because: "another program holds it")
            _ = try await waitUntil("the free song") { try inbox.allJobs.count == 1 ? true : nil }
            #expect(Clock.bootSeconds - start < 30)
            holder.giveUp()
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.title).sorted() == ["free", "held"])
        }
    }

    @Test(arguments: bothModes) func aFileFromAnotherTimeSettlesAsAnyOther(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            for (name, date) in [("future", "2090-06-01"), ("past", "1971-06-01")] {
                try inbox.drop(FileName(name + ".mp3"), name, in: "outside")
                try await run("touch", "-d", date, inbox.root + "/outside/\(name).mp3")
                try await run("cp", "-p", inbox.root + "/outside/\(name).mp3", inbox.path)
            }
            try await inbox.jobs(2)
        }
    }
}

/// A write lease on a file, held by another process.
private struct Lease {
    let path: String
    let task: Task<ChildResult, any Error>

    static func take(_ path: String) async throws -> Lease {
        // F_SETLEASE is 1024 and F_WRLCK 1; the holder ignores the request to give it up, as a slow client does.
        let program = """
            import fcntl, os, signal, sys
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            f = os.open(sys.argv[1], os.O_RDWR)
            fcntl.fcntl(f, 1024, 1)
            os.close(os.open(sys.argv[1] + '.held', os.O_CREAT | os.O_WRONLY))
            signal.pause()
            """
        let command = ChildCommand(
            executable: "python3", arguments: ["-c", program, path], environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/",
            owner: "lyricd-test-\(getpid())", timeLimit: .seconds(120), stallLimit: nil)
        let task = Task { try await ChildProcess.run(command, onStandardOutput: { _ in }) }
        _ = try await waitUntil("the lease to be held") { access(path + ".held", F_OK) == 0 ? true : nil }
        unlink(path + ".held")
        return Lease(path: path, task: task)
    }

    func giveUp() { task.cancel() }
}
