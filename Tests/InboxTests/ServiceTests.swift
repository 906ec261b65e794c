import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// The inbox over its whole life: restarts, full disks, bursts, lists.
@Suite(.timeLimit(.minutes(15))) struct ServiceTests {
    @Test(arguments: bothModes) func aRestartClaimsNothingTwice(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.source = .keep }) { inbox in
            try inbox.drop("done.mp3", "done")
            try inbox.drop("waiting.mp3", "waiting", in: "inbox/album")
            try inbox.drop("words.mp3", "with words")
            try inbox.drop("words.txt", "the words")
            try inbox.link("link.url", "https://example.org/song")
            try inbox.drop("list.urls", "https://example.org/1\nhttps://example.org/2\n")
            try inbox.drop("bad.url", "no link at all")
            let jobs = try await inbox.jobs(7)
            let done = try #require(jobs.first { $0.title == "done" })
            try inbox.store.publish(done.id)
            try await inbox.disposed(done.drop, as: .kept)
            try inbox.store.hold(try #require(jobs.first { $0.title == "link" }).id)
            for _ in 0..<2 {
                try await inbox.stop()
                try await inbox.start()
                try await inbox.quiet()
                #expect(try inbox.allJobs.map(\.id) == jobs.map(\.id))
            }
            // What changed while nobody looked is seen all the same.
            try await inbox.stop()
            try inbox.folder().replace("done.mp3", with: Array("done otherwise".utf8))
            try await run("touch", inbox.path + "/words.mp3")
            try inbox.drop("new.mp3", "new")
            try await run("mv", inbox.path + "/album/waiting.mp3", inbox.path + "/moved.mp3")
            try await inbox.start()
            let after = try await inbox.jobs(9)
            #expect(after[7...].map(\.title).sorted() == ["done", "new"])
            #expect(try inbox.store.job(done.id).state == .done)
            #expect(try inbox.store.allDrops().contains { $0.name == Array("moved.mp3".utf8) && $0.folder.isEmpty })
        }
    }

    @Test(arguments: bothModes) func whatAnInterruptedClaimLeftIsNoJob(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try await inbox.stop()
            // Died after the copy, before the commit: the folder is nobody's, and the file still in the inbox.
            let key = JobKey.make(unixSeconds: 1)
            try inbox.drop("recording.tmp", "half a so", in: "work/" + key)
            try inbox.drop("song.mp3", "a song")
            try await inbox.start()
            _ = try await waitUntil("the song") { try inbox.allJobs.count == 1 ? true : nil }
            // As the pipeline does at its start with folders that no job owns.
            try inbox.folder("work").removeTree(FileName(key))
            let job = try await inbox.jobs(1)[0]
            #expect(job.key != key)
        }
    }

    @Test(arguments: bothModes) func aListOfAThousandLinksIsABatchWithAStateForEach(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            var lines = (0..<998).map { "https://example.org/song/\($0)" }
            lines.insert("file:///etc/passwd", at: 100)
            lines.insert("javascript:alert(1)", at: 200)
            lines.insert("# a remark", at: 300)
            try inbox.drop("my list.urls", lines.joined(separator: "\n"))
            let jobs = try await inbox.jobs(1000)
            #expect(Set(jobs.map(\.drop)).count == 1)
            let refused = jobs.filter { $0.state == .failed }
            #expect(refused.count == 2 && refused.allSatisfy { !$0.reason.isEmpty && !$0.nextStep.isEmpty && $0.title.contains("my list, line ") })
            #expect(jobs.count { $0.state == .queued && $0.stage == .fetch } == 998)
            // The whole list waits for its last child.
            for job in jobs where job.state == .queued { _ = try inbox.store.cancel(job: job.id, why: "enough") }
            try await inbox.disposed(jobs[0].drop, as: .failed)
            let note = try inbox.text("failed/my list.urls.txt")
            #expect(note.contains("0 of 1000 are done") && note.contains("https://example.org/song/500"))
        }
    }

    @Test(arguments: bothModes) func linkFilesThatHoldNoLinkAreRefusedWithAReason(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            let noise = String(repeating: "\u{1}noise ", count: 10_000)
            let bad = [
                ("none.url", "[InternetShortcut]\n"), ("two.url", "[InternetShortcut]\nURL=https://a.example/\nURL=https://b.example/\n"),
                ("file.url", "[InternetShortcut]\nURL=file:///etc/passwd\n"), ("script.url", "[InternetShortcut]\nURL=javascript:alert(1)\n"),
                ("dash.url", "[InternetShortcut]\nURL=--exec=reboot\n"), ("noise.url", noise), ("noise.webloc", noise),
                ("app.desktop", "[Desktop Entry]\nType=Application\nExec=reboot\n"), ("empty.m3u", "#EXTM3U\n"),
            ]
            for (name, contents) in bad { try inbox.drop(FileName(name), contents) }
            try inbox.link("good.url", "https://example.org/good")
            let jobs = try await inbox.jobs(bad.count + 1)
            for job in jobs where job.title != "good" {
                #expect(job.state == .failed && !job.reason.isEmpty && !job.nextStep.isEmpty, "\(job.title)")
                try await inbox.disposed(job.drop, as: .failed)
            }
            for (name, contents) in bad {
                #expect(try inbox.text("failed/" + name) == contents)
                #expect(inbox.exists("failed/\(name).txt"))
            }
            #expect(try inbox.names("inbox") == ["good.url"])
        }
    }

    @Test(arguments: bothModes) func moreThanOneBatchOfRefusalsIsPutAway(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try await inbox.stop()
            for number in 0..<600 { try inbox.folder().replace(FileName("\(number).url"), with: Array("nothing".utf8), durable: false) }
            try await inbox.start()
            _ = try await waitUntil("all to be put away", seconds: 120) { try inbox.names("inbox").isEmpty ? true : nil }
            #expect(try inbox.names("failed").count == 1200)
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func aFullDiskUnderTheWorkFolderPausesTheInboxUntilThereIsRoom(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            // Room for the job's folder, and none for the recording in it.
            try await withMount(inbox.options.work, "size=1m,nr_inodes=2") {
                try inbox.drop("song.mp3", "a song")
                let reason = try await waitUntil("the pause") { inbox.status.paused }
                #expect(reason.contains("no space left"))
                #expect(try inbox.allJobs.isEmpty)
                #expect(try inbox.names("work") == [])
                try await run("mount", "-o", "remount,nr_inodes=1000", inbox.options.work)
                try await inbox.jobs(1)
                #expect(inbox.status.paused == nil)
                try inbox.store.fail(try inbox.allJobs[0].id)
                try await inbox.disposed(try inbox.allJobs[0].drop, as: .failed)
            }
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func nothingIsTakenWhileLessIsFreeThanMustStayFree(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.freeSpace = 4 << 20 }) { inbox in
            try await withMount(inbox.options.work, "size=1m") {
                try inbox.drop("song.mp3", "a song")
                try inbox.link("song.url", "https://example.org/song")
                let reason = try await waitUntil("the pause") { inbox.status.paused }
                #expect(reason.contains("4 MiB must stay free"))
                #expect(try inbox.allJobs.isEmpty)
                try await run("mount", "-o", "remount,size=16m", inbox.options.work)
                let jobs = try await inbox.jobs(2)
                for job in jobs { _ = try inbox.store.cancel(job: job.id, why: "enough") }
                for job in jobs { try await inbox.disposed(job.drop, as: .failed) }
            }
        }
    }

    @Test(arguments: bothModes) func nothingIsTakenWhileTooManyJobsWait(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.queueMax = 3 }) { inbox in
            try inbox.drop("links.urls", (0..<3).map { "https://example.org/\($0)" }.joined(separator: "\n"))
            let jobs = try await inbox.jobs(3)
            try inbox.drop("song.mp3", "a song")
            let reason = try await waitUntil("the pause") { inbox.status.paused }
            #expect(reason.contains("3 jobs are waiting"))
            #expect(try inbox.allJobs.count == 3)
            _ = try inbox.store.cancel(job: jobs[0].id, why: "enough")
            try await inbox.jobs(4)
        }
    }

    @Test(arguments: bothModes) func theSameSongDroppedTwiceUnderTwoNamesIsTwoDrops(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("one.mp3", "the same song")
            try inbox.drop("other.mp3", "the same song")
            let jobs = try await inbox.jobs(2)
            #expect(jobs[0].contentKey == jobs[1].contentKey && jobs[0].drop != jobs[1].drop)
            // Only one of them is worked on; its result answers the other.
            #expect(try inbox.store.startNext(lane: .light, now: 4e9, engine: { _ in "" })?.job.id == jobs[0].id)
            #expect(try inbox.store.startNext(lane: .light, now: 4e9, engine: { _ in "" }) == nil)
        }
    }

    @Test(arguments: bothModes) func newSettingsAreInForceFromTheNextLookOn(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.settle = 3600 }) { inbox in
            try inbox.drop("song.mp3", "a song")
            try await inbox.waiting("song.mp3", because: "waiting until it stays unchanged")
            var options = inbox.options
            options.settle = 0.1
            inbox.update(options)
            _ = try await waitUntil("the song") { try inbox.allJobs.count == 1 ? true : nil }
        }
    }
}
