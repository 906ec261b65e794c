import Glibc
import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// What is taken, under which name, and what never is.
@Suite(.timeLimit(.minutes(15))) struct ClaimTests {
    private static let names: [FileName] = [
        "two\nlines.mp3", FileName(Array("caf".utf8) + [0xFF, 0xFE] + Array(".mp3".utf8)),
        FileName([UInt8](repeating: UInt8(ascii: "l"), count: 251) + Array(".mp3".utf8)), "-rf.mp3", "--exec=id;.mp3", " .mp3", "🎵 song 🎶.mp3",
        "cafe\u{301}.mp3", "caf\u{E9}.mp3", "CON.mp3", "a:b.mp3", "\u{202E}3pm.gnos.mp3", "$(reboot).mp3", "'\";&|.mp3", "UPPER.MP3", "..a.mp3",
    ]

    @Test(arguments: bothModes) func everyNameThatLinuxAllowsBecomesOneJob(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            for (number, name) in Self.names.enumerated() { try inbox.drop(name, "song \(number)") }
            let visible = Self.names.filter { $0.bytes.first != UInt8(ascii: ".") }
            let jobs = try await inbox.jobs(visible.count)
            #expect(Set(try jobs.map { FileName(try inbox.store.drop($0.drop).name) }) == Set(visible))
            #expect(jobs.allSatisfy { job in job.state == .queued && job.title.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{202E}" } })
            // And each finds its place in the archive or beside its reason, under the name it had.
            for job in jobs.dropFirst() { try inbox.store.publish(job.id) }
            try inbox.store.fail(jobs[0].id)
            for job in jobs.dropFirst() { try await inbox.disposed(job.drop, as: .archived) }
            try await inbox.disposed(jobs[0].drop, as: .failed)
            #expect(try inbox.folder().list() == ["..a.mp3"])
        }
    }

    @Test func theNoteOfALongNameFitsBesideIt() async throws {
        try await withInbox(.auto) { inbox in
            let long = FileName([UInt8](repeating: UInt8(ascii: "x"), count: 251) + Array(".mp3".utf8))
            try inbox.drop(long, "a song")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.fail(job.id)
            try await inbox.disposed(job.drop, as: .failed)
            #expect(try Set(inbox.folder("failed").list()) == [long, FailureNote.name(for: long)])
        }
    }

    @Test(arguments: bothModes) func whatIsNoFileIsRefusedAndNeitherFollowedNorOpened(watch: InboxOptions.Watch) async throws {
        // Their verdict does not wait for what an empty file waits for.
        try await withInbox(watch, { $0.settleEmpty = 3600 }) { inbox in
            try inbox.drop("secret.mp3", "the secret", in: "outside")
            let path = inbox.path
            for (name, target) in [("link", inbox.root + "/outside/secret.mp3"), ("dangling", "/nowhere"), ("loop", "loop.mp3"), ("folder", "/etc")] {
                try #require(symlink(target, "\(path)/\(name).mp3") == 0)
            }
            try #require(symlink("/etc/hosts", path + "/link.url") == 0)
            try #require(symlink("/etc/hosts", path + "/words.txt") == 0)
            try #require(mkfifo(path + "/pipe.mp3", 0o600) == 0)
            try #require(mkfifo(path + "/pipe.url", 0o600) == 0)
            try await run("python3", "-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path + "/socket.mp3")
            var count = 9
            if mayMount, mknod(path + "/device.mp3", S_IFCHR | 0o600, 0x0105) == 0 { count += 1 }
            // A folder may be named like a song; what is in it is a song.
            try inbox.drop("real.mp3", "a real song", in: "inbox/folder named.mp3")
            let jobs = try await inbox.jobs(count + 1)
            let real = try #require(jobs.first { $0.title == "real" })
            #expect(real.state == .queued && real.outboxFolder == "folder named.mp3")
            for job in jobs where job.id != real.id {
                #expect(job.state == .failed && job.failure == .policy && job.reason.contains("which lyricd never follows or opens"))
                try await inbox.disposed(job.drop, as: .failed)
            }
            // Moved as they are.
            #expect(try inbox.folder("failed").status(of: "link.mp3")?.kind == .symbolicLink)
            #expect(try inbox.folder("failed").status(of: "pipe.mp3")?.kind == .other)
            #expect(try inbox.text("outside/secret.mp3") == "the secret")
        }
    }

    /// Somebody swaps the file for a link as fast as he can, between our looking at it and our opening it.
    @Test(arguments: bothModes) func aFileThatIsSwappedForALinkNeverLetsItsTargetBeRead(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { ($0.settle, $0.settleMoved, $0.settleLink, $0.settleSuspect, $0.poll) = (0, 0, 0, 0, 0.001) }) { inbox in
            try inbox.drop("secret.mp3", "the secret", in: "outside")
            let secret = FileDigest(of: Array("the secret".utf8)).sha256
            let (song, hidden) = (inbox.path + "/song.mp3", inbox.path + "/.swap")
            for round in 0..<1000 {
                let file = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
                _ = "version \(round)".withCString { write(file, $0, strlen($0)) }
                close(file)
                rename(hidden, song)
                // Sometimes at once, sometimes after it may have been seen.
                if round % 3 != 0 { usleep(UInt32.random(in: 0..<1500)) }
                symlink(inbox.root + "/outside/secret.mp3", hidden)
                rename(hidden, song)
                if round % 7 == 0 { await Task.yield() }
            }
            try inbox.drop(".swap", "the last version")
            rename(hidden, song)
            _ = try await waitUntil("the last version", seconds: 60) {
                try inbox.store.allDrops().contains { $0.digest == FileDigest(of: Array("the last version".utf8)).sha256 } ? true : nil
            }
            try await inbox.quiet()
            #expect(try !inbox.store.allDrops().contains { $0.digest == secret })
            #expect(try inbox.allJobs.allSatisfy { $0.contentKey != "sha256:" + secret })
            for name in try inbox.folder("work").list() {
                #expect(try inbox.folder("work/" + name.display).openFile("recording").digest().sha256 != secret)
            }
            // The swapping was met.
            #expect(try inbox.allJobs.count > 10)
        }
    }

    /// Cut, grown, replaced or taken away again and again, while it is looked at and copied.
    @Test(arguments: bothModes) func aFileThatChangesUnderOurHandsIsTakenAsItWasAtOneMoment(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { ($0.settle, $0.settleMoved, $0.settleLink, $0.settleSuspect, $0.poll) = (0, 0, 0, 0, 0.001) }) { inbox in
            let song = inbox.path + "/song.mp3"
            var versions: Set<String> = []
            // Written elsewhere, so that there is no half version to be taken; 200 KiB, so that a copy lasts.
            for round in 0..<150 {
                let contents = [UInt8](repeating: UInt8(round), count: 200_000)
                versions.insert(FileDigest(of: contents).sha256)
                let hidden = inbox.root + "/outside/next"
                let file = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
                _ = contents.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
                close(file)
                rename(hidden, song)
                usleep(UInt32.random(in: 0..<4000))
                switch round % 3 {
                case 0: unlink(song)
                case 1: rename(song, inbox.path + "/other.mp3")
                default: break
                }
                if round % 7 == 0 { await Task.yield() }
            }
            try await inbox.quiet()
            #expect(try Set(inbox.store.allDrops().map(\.digest)).isSubset(of: versions))
            #expect(try !inbox.allJobs.isEmpty)
        }
    }

    @Test(arguments: bothModes) func whatIsTooLargeIsRefusedWithoutBeingCopied(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.plans["default"]?.sizeMaxBytes = 1 << 20 }) { inbox in
            try inbox.drop("song.mp3", String(repeating: "x", count: (1 << 20) + 1))
            let job = try await inbox.jobs(1)[0]
            #expect(job.state == .failed && job.failure == .policy && job.reason.contains("more than the 1 MiB that are allowed"))
            try await inbox.disposed(job.drop, as: .failed)
            #expect(try inbox.names("work") == [])
        }
    }

    @Test(.enabled("the kernel gives no user namespace here") { await mayHaveOwnProcess() || isInOwnProcess })
    func aFileThatMayNotBeReadWaitsUntilItMay() async throws {
        try await inOwnProcess("aFileThatMayNotBeReadWaitsUntilItMay") {
            for watch in bothModes {
                try await withInbox(watch) { inbox in
                    try inbox.drop("song.mp3", "a song", in: "outside")
                    chmod(inbox.root + "/outside/song.mp3", 0)
                    rename(inbox.root + "/outside/song.mp3", inbox.path + "/song.mp3")
                    try await inbox.waiting("song.mp3", because: "lyricd may not read it")
                    #expect(try inbox.allJobs.isEmpty)
                    chmod(inbox.path + "/song.mp3", 0o600)
                    try await inbox.jobs(1)
                }
            }
        }
    }
}
