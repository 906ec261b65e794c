import Glibc
import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// The source leaves the inbox last, and a failed one says why.
@Suite(.timeLimit(.minutes(15))) struct DisposalTests {
    @Test(arguments: bothModes) func aFinishedRecordingMovesToTheArchiveWithItsFolder(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song", in: "inbox/album")
            let job = try await inbox.jobs(1)[0]
            #expect(inbox.exists("inbox/album/song.mp3"))
            let started = try inbox.store.run(job.id, to: .publish)
            inbox.wake()
            try await inbox.quiet()
            // Published is not yet said: the source stays.
            #expect(inbox.exists("inbox/album/song.mp3"))
            #expect(try inbox.store.beginPublishing(started, name: "song", comparisonKey: "song", manifestDigest: ""))
            try inbox.store.finishPublishing(job: job.id, attempt: nil, seconds: 1, isInstrumental: false)
            try await inbox.disposed(job.drop, as: .archived)
            #expect(try inbox.text("archive/album/song.mp3") == "a song")
            #expect(!inbox.exists("inbox/album/song.mp3"))
            #expect(try inbox.names("failed") == [])
        }
    }

    @Test(arguments: bothModes) func theSourceStaysOrGoesAsConfigured(watch: InboxOptions.Watch) async throws {
        for rule in [InboxOptions.SourceRule.keep, .delete] {
            try await withInbox(watch, { $0.source = rule }) { inbox in
                try inbox.drop("song.mp3", "a song")
                try inbox.drop("song.txt", "the words")
                let job = try await inbox.jobs(1)[0]
                try inbox.store.publish(job.id, isInstrumental: true)
                try await inbox.disposed(job.drop, as: rule == .keep ? .kept : .deleted)
                #expect(try inbox.names("inbox") == (rule == .keep ? ["song.mp3", "song.txt"] : []))
                #expect(try inbox.names("archive") == [])
                try await inbox.quiet()
                #expect(try inbox.allJobs.count == 1)
            }
        }
    }

    @Test(arguments: bothModes) func twoSongsOfOneNameBothFindAPlaceInTheArchive(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            for (number, contents) in ["first", "second", "third"].enumerated() {
                try inbox.drop("song.mp3", contents)
                let job = try #require(try await inbox.jobs(number + 1).last)
                try inbox.store.publish(job.id)
                try await inbox.disposed(job.drop, as: .archived)
            }
            #expect(try inbox.names("archive") == ["song (2).mp3", "song (3).mp3", "song.mp3"])
            #expect(try inbox.text("archive/song (3).mp3") == "third")
        }
    }

    @Test(arguments: bothModes) func aFailedSongLiesBesideItsReasonAndComesBackAsANewWish(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "no song", in: "inbox/album")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.fail(job.id)
            try await inbox.disposed(job.drop, as: .failed)
            #expect(try inbox.text("failed/album/song.mp3") == "no song")
            let note = try inbox.text("failed/album/song.mp3.txt")
            #expect(note.contains("there is no sound in it") && note.contains("record it again") && note.contains("lyricd retry \(job.id)"))
            // All that lies there is moved back, the note as well.
            try await run("mv", inbox.root + "/failed/album/song.mp3", inbox.root + "/failed/album/song.mp3.txt", inbox.path + "/album")
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.state) == [.superseded, .queued])
            #expect(jobs[1].outboxFolder == "album")
            #expect(try inbox.names("inbox/album") == ["song.mp3"])
            #expect(try inbox.names("failed/album") == [])
        }
    }

    @Test(arguments: bothModes) func aHeldDropStaysAndItsNoteGoesWhenItIsResolved(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.link("song.url", "https://example.org/song")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.hold(job.id)
            inbox.wake()
            let note = try await waitUntil("the note") { inbox.exists("failed/song.url.txt") ? try inbox.text("failed/song.url.txt") : nil }
            #expect(note.contains("needs your help") && note.contains("the site wants cookies") && note.contains("lyricd retry \(job.id)"))
            #expect(inbox.exists("inbox/song.url"))
            try inbox.order(.retry, job.id)
            _ = try await waitUntil("the note to go") { inbox.exists("failed/song.url.txt") ? nil : true }
            #expect(try inbox.store.job(job.id).state == .queued)
            #expect(inbox.exists("inbox/song.url"))
        }
    }

    @Test(arguments: bothModes) func anotherTextUnderTheNotesNameIsLeftAlone(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3.txt", "my own text", in: "failed")
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.publish(job.id)
            try await inbox.disposed(job.drop, as: .archived)
            #expect(try inbox.text("failed/song.mp3.txt") == "my own text")
        }
    }

    @Test(arguments: bothModes) func aSongTouchedBehindItsJobsBackIsStillPutAway(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            // The job is finished while the touched file still settles.
            inbox.settleSlowly()
            try await run("touch", inbox.path + "/song.mp3")
            try inbox.store.publish(job.id)
            try await inbox.disposed(job.drop, as: .archived)
            inbox.update(inbox.options)
            try await inbox.quiet()
            #expect(try inbox.allJobs.count == 1)
        }
    }

    @Test(arguments: bothModes) func anotherVersionThatCameMeanwhileIsNotPutAwayWithTheFirst(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            inbox.settleSlowly()
            try inbox.drop("song.mp3", "another song", in: "outside")
            try await run("cp", inbox.root + "/outside/song.mp3", inbox.path + "/song.mp3")
            try inbox.store.publish(job.id)
            try await inbox.disposed(job.drop, as: .gone)
            #expect(try inbox.text("inbox/song.mp3") == "another song")
            inbox.update(inbox.options)
            #expect(try await inbox.jobs(2).map(\.state) == [.done, .queued])
        }
    }

    /// Somebody replaces the file at the very moment in which its predecessor is put away, again and again.
    @Test(arguments: bothModes) func noVersionIsPutAwayInThePlaceOfAnother(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { ($0.settle, $0.settleMoved, $0.settleLink, $0.settleSuspect) = (0.01, 0.01, 0.01, 0.01) }) { inbox in
            let hidden = inbox.root + "/outside/next"
            func prepare(_ round: Int) throws { try inbox.folder("outside").write("next", Array("version \(round)".utf8)) }
            try prepare(0)
            rename(hidden, inbox.path + "/song.mp3")
            for round in 0..<12 {
                let digest = FileDigest(of: Array("version \(round)".utf8)).sha256
                let drop = try await waitUntil("version \(round)") { try inbox.store.allDrops().last { $0.digest == digest } }
                try prepare(round + 1)
                for job in try inbox.store.jobs(drop: drop.id) where job.state == .queued { try inbox.store.fail(job.id) }
                inbox.wake()
                // Its place is decided, and its note is being written: now.
                _ = try await waitUntil("its end") { () -> Bool? in
                    for _ in 0..<1000 where try inbox.store.drop(drop.id).disposal != .present { return true }
                    return nil
                }
                rename(hidden, inbox.path + "/song.mp3")
            }
            try await inbox.jobs(13)
            for job in try inbox.allJobs where job.state == .queued { try inbox.store.publish(job.id) }
            inbox.wake()
            _ = try await waitUntil("all to be put away") { try inbox.names("inbox").isEmpty ? true : nil }
            // What was put away as the first version is the first version: the checks compare every one of them.
            try await inbox.quiet()
            #expect(try inbox.text("archive/song.mp3") == "version 12")
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func theArchiveMayLieOnAnotherFileSystem(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try await withMount(inbox.options.archive, "size=1m") {
                try inbox.drop("song.mp3", "a song")
                let job = try await inbox.jobs(1)[0]
                try inbox.store.publish(job.id)
                try await inbox.disposed(job.drop, as: .archived)
                #expect(try inbox.text("archive/song.mp3") == "a song")
                #expect(try inbox.names("archive") == ["song.mp3"])
                #expect(!inbox.exists("inbox/song.mp3"))
            }
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func aFullArchiveKeepsTheSourceUntilThereIsRoom(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try await withMount(inbox.options.archive, "size=64k") {
                try inbox.drop("filler", String(repeating: "x", count: 60 << 10), in: "archive")
                try inbox.drop("song.mp3", String(repeating: "a song ", count: 2000))
                try inbox.drop("bad.mp3", "no song")
                let jobs = try await inbox.jobs(2).sorted { $0.title < $1.title }
                try inbox.store.publish(jobs[1].id)
                try inbox.store.fail(jobs[0].id)
                // What stands in nobody's way is put away meanwhile.
                try await inbox.disposed(jobs[0].drop, as: .failed)
                #expect(inbox.exists("inbox/song.mp3"))
                #expect(try inbox.names("archive") == ["filler"])
                try inbox.folder("archive").remove("filler")
                try await inbox.disposed(jobs[1].drop, as: .archived)
                #expect(try inbox.names("archive") == ["song.mp3"])
            }
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"), arguments: bothModes)
    func aPipeOnAnotherFileSystemStaysWithItsVerdict(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try await withMount(inbox.options.failed, "size=1m") {
                try #require(mkfifo(inbox.path + "/song.mp3", 0o600) == 0)
                let job = try await inbox.jobs(1)[0]
                try await inbox.disposed(job.drop, as: .kept)
                #expect(try inbox.text("failed/song.mp3.txt").contains("never follows or opens"))
                try await inbox.quiet()
                #expect(try inbox.allJobs.count == 1)
            }
        }
    }

    @Test(arguments: bothModes) func whatAnInterruptedDisposalLeftIsDoneAgainAndSweptUp(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            try inbox.drop("other.mp3", "another song")
            let jobs = try await inbox.jobs(2).sorted { $0.title > $1.title }
            try await inbox.stop()
            // Died after the decision, before the move; and, for the other one, after the move. Half a copy lies about.
            for job in jobs { try inbox.store.publish(job.id) }
            try inbox.store.beginDisposal(drop: jobs[0].drop, to: Array("song.mp3".utf8))
            try inbox.store.beginDisposal(drop: jobs[1].drop, to: Array("other.mp3".utf8))
            try await run("mv", inbox.path + "/other.mp3", inbox.root + "/archive/other.mp3")
            try inbox.drop(".lyricd-move.tmp", "half a so", in: "archive")
            try await inbox.start()
            for job in jobs { try await inbox.disposed(job.drop, as: .archived) }
            #expect(try inbox.names("archive") == ["other.mp3", "song.mp3"])
            #expect(try inbox.names("inbox") == [])
        }
    }

    @Test(arguments: bothModes) func aSourceThatSomebodyTookAwayLeavesItsResultAlone(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            try inbox.folder().remove("song.mp3")
            try inbox.store.publish(job.id)
            try await inbox.disposed(job.drop, as: .gone)
            #expect(try inbox.store.job(job.id).state == .done)
        }
    }
}
