import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// What a person asks for through the orders folder.
@Suite(.timeLimit(.minutes(15))) struct OrdersTests {
    @Test(arguments: bothModes) func aRetryBringsTheFailedFileBackAsTheSameJob(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song", in: "inbox/album")
            try inbox.drop("song.txt", "its words", in: "inbox/album")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.fail(job.id)
            try await inbox.disposed(job.drop, as: .failed)
            // As the pipeline does with the folder of a failed job.
            try inbox.folder("work").removeTree(FileName(job.key))
            #expect(try inbox.names("failed/album") == ["song.mp3", "song.mp3.txt", "song.txt"])
            try inbox.order(.retry, job.id)
            try await inbox.job(job.id, becomes: .queued)
            try await inbox.quiet()
            #expect(try inbox.names("inbox/album") == ["song.mp3", "song.txt"])
            #expect(try inbox.names("failed/album") == [])
            #expect(try inbox.names("orders") == [])
            #expect(try inbox.names("work/" + job.key) == ["lyrics.txt", "recording"])
            // The file in the inbox is the job's own, not a new drop.
            let jobs = try await inbox.jobs(1)
            #expect(jobs[0].attempts == 0 && jobs[0].reason.isEmpty)
            try inbox.store.publish(job.id)
            try await inbox.disposed(job.drop, as: .archived)
        }
    }

    @Test(arguments: bothModes) func aRetryOfWhatWasRefusedIsANewLookAtIt(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.url", "[InternetShortcut]\r\nURL=file:///etc/passwd\r\n")
            let refused = try await inbox.jobs(1)[0]
            try await inbox.disposed(refused.drop, as: .failed)
            // Mended where it lies.
            try inbox.folder("failed").remove("song.url")
            try inbox.link("song.url", "https://example.org/song", in: "failed")
            try inbox.order(.retry, refused.id)
            let jobs = try await inbox.jobs(2)
            #expect(jobs.map(\.state) == [.superseded, .queued])
            #expect(jobs[1].url == "https://example.org/song")
            #expect(try inbox.names("failed") == [])
        }
    }

    @Test(arguments: bothModes) func aCancelStopsARunningJobAndPutsItsSourceAside(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.run(job.id, to: .separate)
            try inbox.order(.cancel, job.id)
            try await inbox.job(job.id, becomes: .cancelled)
            #expect(inbox.stopped == [job.id])
            try await inbox.disposed(job.drop, as: .failed)
            #expect(try inbox.text("failed/song.mp3.txt").contains("cancelled by a person"))
            try inbox.order(.retry, job.id)
            try await inbox.job(job.id, becomes: .queued)
            _ = try await waitUntil("the source to be back") { inbox.exists("inbox/song.mp3") ? true : nil }
            try await inbox.jobs(1)
        }
    }

    @Test(arguments: bothModes) func ordersGivenWhileNobodyListensAreDoneAtTheStart(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            for name in ["a", "b"] { try inbox.drop(FileName(name + ".mp3"), name) }
            let jobs = try await inbox.jobs(2).sorted { $0.title < $1.title }
            try inbox.store.fail(jobs[1].id)
            try await inbox.disposed(jobs[1].drop, as: .failed)
            try await inbox.stop()
            try inbox.order(.cancel, jobs[0].id)
            try inbox.order(.retry, jobs[1].id)
            #expect(Order.isWaiting(in: inbox.options.orders, name: "cancel-\(jobs[0].id)"))
            try await inbox.start()
            try await inbox.job(jobs[0].id, becomes: .cancelled)
            try await inbox.job(jobs[1].id, becomes: .queued)
            _ = try await waitUntil("the orders to be gone") { try inbox.names("orders").isEmpty ? true : nil }
            try await inbox.jobs(2)
        }
    }

    @Test(arguments: bothModes) func anOrderThatCannotBeDoneSaysWhy(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("done.mp3", "a song")
            try inbox.drop("lost.mp3", "no song")
            let jobs = try await inbox.jobs(2).sorted { $0.title < $1.title }
            try inbox.store.publish(jobs[0].id)
            try inbox.store.fail(jobs[1].id)
            try await inbox.disposed(jobs[0].drop, as: .archived)
            try await inbox.disposed(jobs[1].drop, as: .failed)
            try inbox.folder("failed").remove("lost.mp3")
            try inbox.folder("work").removeTree(FileName(jobs[1].key))
            for (verb, id, reason) in [
                (.retry, jobs[0].id, "only failed, held and cancelled jobs can be retried"), (.cancel, jobs[0].id, "is done already"),
                (.retry, 4711, "there is no job 4711"), (.retry, jobs[1].id, "drop it again"),
            ] as [(Order.Verb, Job.ID, String)] {
                try inbox.order(verb, id)
                let answer = try await waitUntil("an answer to \(verb) \(id)") {
                    Order.takeRefusal(in: inbox.options.orders, name: "\(verb.rawValue)-\(id)")
                }
                #expect(answer.contains(reason), "\(answer)")
            }
            #expect(try inbox.allJobs.map(\.state).sorted { $0.rawValue < $1.rawValue } == [.done, .failed])
        }
    }

    @Test(arguments: bothModes) func rubbishInTheOrdersFolderKeepsNobodyWaiting(watch: InboxOptions.Watch) async throws {
        try await withInbox(watch) { inbox in
            try inbox.drop("song.mp3", "a song")
            let job = try await inbox.jobs(1)[0]
            try inbox.folder("orders").makeDirectory("a folder.json")
            try inbox.drop("a.json", "{ \"verb\": \"explode\", \"job\": 1 }", in: "orders")
            try inbox.drop("b.json", String(repeating: "[", count: 100_000), in: "orders")
            try inbox.drop("c.json", "{ \"verb\": \"cancel\", \"job\": 1e300 }", in: "orders")
            try inbox.order(.cancel, job.id)
            try await inbox.job(job.id, becomes: .cancelled)
            try await inbox.disposed(job.drop, as: .failed)
            #expect(try inbox.names("orders") == [])
        }
    }
}
