import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// A text beside a recording holds its words, whenever it comes.
@Suite(.timeLimit(.minutes(15))) struct LyricsTests {
    private static let words = "First line of the song\nSecond line of the song\n"

    private func expectWords(_ inbox: TestInbox, _ job: Job, _ words: String = words, file: String = "lyrics.txt") throws {
        #expect(try inbox.store.job(job.id).lyricsDigest == FileDigest(of: Array(words.utf8)).sha256)
        #expect(try inbox.text("work/\(job.key)/\(file)") == words)
    }

    @Test(arguments: bothModes, ["txt", "lrc"]) func wordsThatCameFirstWaitForTheirRecording(watch: InboxOptions.Watch, ending: String) async throws {
        try await withInbox(watch, { $0.lyricsWait = 60 }) { inbox in
            try inbox.drop(FileName("song.\(ending)"), Self.words)
            try await inbox.waiting("song.\(ending)", because: "waiting for its recording")
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            try expectWords(inbox, job, file: "lyrics.\(ending)")
            #expect(job.stage == .probe)
        }
    }

    @Test(arguments: bothModes) func wordsThatComeTogetherWithTheRecordingAreTakenWithIt(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            try inbox.drop("song.txt", Self.words)
            let job = try await inbox.jobs(1)[0]
            try expectWords(inbox, job)
            try inbox.store.publish(job.id)
            try await inbox.disposed(job.drop, as: .archived)
            #expect(try inbox.names("archive") == ["song.mp3", "song.txt"])
            #expect(try inbox.names("inbox") == [])
        }
    }

    @Test(arguments: bothModes, [StageName.probe, .separate, .transcribe, .align, .render])
    func wordsThatComeWhileTheJobIsUnderWayAreUsed(watch: InboxOptions.Watch, stage: StageName) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            let started = stage == .probe ? nil : try inbox.store.run(job.id, to: stage)
            try inbox.drop("song.txt", Self.words)
            _ = try await waitUntil("the words to be attached") { try inbox.store.job(job.id).lyricsDigest }
            try await inbox.quiet()
            try expectWords(inbox, job)
            let after = try inbox.store.job(job.id)
            if stage > .separate {
                #expect(after.state == .queued && after.stage == .align)
                #expect(inbox.stopped == [job.id])
                #expect(try inbox.store.attempts(of: job.id).last?.outcome == .stopped)
            } else {
                #expect(after.state == (started == nil ? .queued : .running) && after.stage == stage)
                #expect(inbox.stopped.isEmpty)
            }
            try await inbox.jobs(1)
        }
    }

    @Test(arguments: bothModes) func wordsForAFinishedRecordingBringItBackFromTheArchive(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song", in: "inbox/album")
            let first = try await inbox.jobs(1)[0]
            try inbox.store.publish(first.id)
            try await inbox.disposed(first.drop, as: .archived)
            try inbox.drop("song.txt", Self.words, in: "inbox/album")
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.state) == [.done, .queued])
            try expectWords(inbox, jobs[1])
            #expect(jobs[1].contentKey == first.contentKey && jobs[1].outboxFolder == "album")
            try inbox.store.publish(jobs[1].id)
            try await inbox.disposed(jobs[1].drop, as: .archived)
            #expect(try inbox.names("archive/album") == ["song.mp3", "song.txt"])
            try await inbox.quiet()
            #expect(try inbox.allJobs.count == 2)
        }
    }

    @Test(arguments: bothModes) func wordsForAFinishedRecordingThatStaysHaveItDoneAgain(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.source = .keep }) { inbox in
            try inbox.drop("song.mp3", "a song")
            let first = try await inbox.jobs(1)[0]
            try inbox.store.publish(first.id)
            try await inbox.disposed(first.drop, as: .kept)
            try inbox.drop("song.txt", Self.words)
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.state) == [.done, .queued])
            try expectWords(inbox, jobs[1])
            try inbox.store.publish(jobs[1].id)
            try await inbox.disposed(jobs[1].drop, as: .kept)
            try await inbox.stop()
            try await inbox.start()
            try await inbox.quiet()
            #expect(try inbox.allJobs.count == 2)
        }
    }

    @Test(arguments: bothModes) func changedWordsTakeThePlaceOfTheFormer(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            try inbox.drop("song.txt", Self.words)
            let job = try await inbox.jobs(1)[0]
            let former = job.lyricsDigest
            try inbox.folder().replace("song.txt", with: Array("Better words\n".utf8))
            _ = try await waitUntil("the better words") { try inbox.store.job(job.id).lyricsDigest != former ? true : nil }
            try expectWords(inbox, job, "Better words\n")
            try await inbox.jobs(1)
        }
    }

    @Test(arguments: bothModes) func wordsThatComeWhileTheRecordingIsLookedAtAgainAreNotLost(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            // The touched recording settles again, and the words settle with it.
            try await run("touch", inbox.path + "/song.mp3")
            try inbox.drop("song.txt", Self.words)
            _ = try await waitUntil("the words to be attached") { try inbox.store.job(job.id).lyricsDigest }
            try await inbox.jobs(1)
            try expectWords(inbox, job)
        }
    }

    @Test(arguments: bothModes) func wordsWithoutARecordingAreRefusedInTheEnd(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.txt", Self.words)
            try inbox.drop("other.lrc", "[00:01.00]A line")
            let jobs = try await inbox.jobs(2)
            #expect(jobs.allSatisfy { $0.state == .failed && $0.reason.contains("no recording named") })
            for job in jobs { try await inbox.disposed(job.drop, as: .failed) }
            #expect(try inbox.names("failed") == ["other.lrc", "other.lrc.txt", "song.txt", "song.txt.txt"])
            #expect(try inbox.text("failed/song.txt.txt").contains("drop the recording and its lyrics under one name"))
        }
    }

    @Test(arguments: bothModes) func aTextOfLinksIsAListAndProseIsNot(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch, { $0.lyricsWait = 60 }) { inbox in
            try inbox.drop("links.txt", "https://example.org/one\nhttps://example.org/two\n")
            try inbox.drop("prose.txt", "I found this at https://example.org/one\nand liked it\n")
            let jobs = try await inboxJobs(inbox, 2)
            #expect(jobs.map(\.url) == ["https://example.org/one", "https://example.org/two"])
            #expect(try inbox.store.drop(jobs[0].drop).kind == .list)
            try await inbox.waiting("prose.txt", because: "waiting for its recording")
            #expect(try inbox.allJobs.count == 2)
        }
    }

    private func inboxJobs(_ inbox: TestInbox, _ count: Int) async throws -> [Job] {
        try await waitUntil("\(count) jobs") { try inbox.allJobs.count == count ? try inbox.allJobs : nil }
    }
}
