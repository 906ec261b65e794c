import Jobs
import TestSupport
import Testing

/// Whose turn it is.
@Suite(.timeLimit(.minutes(15))) struct JobStoreTurnTests {
    private func next(_ store: JobStore, _ lane: Lane) throws -> StartedStage? {
        try store.startNext(lane: lane, now: 0, engine: { _ in "test" })
    }

    private func started(_ store: JobStore, _ lane: Lane, _ count: Int) throws -> [String] {
        try (0..<count).compactMap { _ in try next(store, lane)?.job.title }
    }

    @Test func firstComeIsFirstServed() async throws {
        try await withStore { store in
            for number in 0..<10 { try store.add([list("link \(number)", 1)]) }
            #expect(try started(store, .network, 11) == (0..<10).map { "link \($0) 0" })
        }
    }

    @Test func aListOfAThousandLinksDelaysALaterLinkByOneJobAtMost() async throws {
        try await withStore { store in
            try store.add([list("thousand", 1000)])
            try store.add([list("before", 1)])
            #expect(try started(store, .network, 3) == ["thousand 0", "before 0", "thousand 1"])
            for number in 2..<300 { #expect(try started(store, .network, 1) == ["thousand \(number)"]) }
            try store.add([list("after", 1)])
            #expect(try started(store, .network, 3) == ["thousand 300", "after 0", "thousand 301"])
        }
    }

    @Test func twoListsTakeTurns() async throws {
        try await withStore { store in
            try store.add([list("a", 4), list("b", 4)])
            #expect(try started(store, .network, 8) == (0..<4).flatMap { ["a \($0)", "b \($0)"] })
        }
    }

    /// Downloads run ahead of the recogniser: hundreds of songs of a list may wait for it when a single one is dropped.
    @Test func whatAListHasDownloadedBeforeDelaysALaterSongByOneJobAtMost() async throws {
        try await withStore { store in
            try store.add([list("thousand", 1000)])
            for _ in 0..<50 { try store.finish(try #require(try next(store, .network)), next: .transcribe) }
            for _ in 0..<3 { _ = try next(store, .heavy) }
            let song = try store.added(media("song")).id
            try store.finish(try #require(try next(store, .light)), next: .transcribe)
            #expect(try store.job(song).stage == .transcribe)
            #expect(try started(store, .heavy, 2).contains("song"))
        }
    }

    @Test func lanesDoNotWaitForEachOther() async throws {
        try await withStore { store in
            try store.add([list("links", 2), media("song")])
            #expect(try next(store, .network)?.job.title == "links 0")
            #expect(try next(store, .light)?.job.title == "song")
            #expect(try next(store, .heavy) == nil)
        }
    }

    @Test func theSameRecordingWithTheSameWishWaitsForTheEarlierOne() async throws {
        try await withStore { store in
            let first = try store.added(media("first", content: "same")).id
            let second = try store.added(media("second", content: "same")).id
            let withWords = try store.added(media("with words", content: "same", lyrics: "words")).id
            let other = try store.added(media("other")).id
            #expect(try started(store, .light, 5) == ["first", "with words", "other"])
            for id in [withWords, other] { _ = try store.cancel(job: id, why: "") }
            _ = try store.cancel(job: first, why: "")
            // Nothing is coming from the first any more.
            #expect(try next(store, .light)?.job.id == second)
            try store.retry(job: first, why: "")
            #expect(try next(store, .light)?.job.id == first)
        }
    }

    @Test func theEarlierResultIsFoundWhereContentAndPlanAreTheSame() async throws {
        try await withStore { store in
            let first = try store.added(media("first", content: "same")).id
            try store.publish(first)
            let second = try store.added(media("second", content: "same"))
            #expect(try store.earlierResult(of: second)?.id == first)
            #expect(try store.earlierResult(of: store.added(media("third", content: "same", lyrics: "words"))) == nil)
            let started = try store.start(second.id)
            try store.answerFromEarlier(started, earlier: try store.job(first), seconds: 0.1)
            let answered = try store.job(second.id)
            #expect(answered.state == .done && answered.cachedFrom == first && answered.outboxName == "job \(first)")
            #expect(answered.reason.contains("job \(first)"))
        }
    }

    @Test func delayedAndExcludedJobsLetOthersPass() async throws {
        try await withStore { store in
            let ids = try ["a", "b", "c"].map { try store.added(media($0)).id }
            try store.fail(try store.start(ids[0]), .retry(notBefore: 100, isCounted: true))
            let started = try store.startNext(lane: .light, now: 99, excluding: [ids[1]], engine: { _ in "" })
            #expect(started?.job.id == ids[2])
            #expect(try store.startNext(lane: .light, now: 99, excluding: [ids[1]], engine: { _ in "" }) == nil)
            #expect(try store.startNext(lane: .light, now: 100, engine: { _ in "" })?.job.id == ids[0])
        }
    }

    @Test func aFailedFileThatIsDroppedAgainReplacesItsOldJob() async throws {
        try await withStore { store in
            let old = try store.added(media("song"))
            try store.fail(old.id)
            try store.finishDisposal(drop: old.drop, as: .failed, to: Array("album/song (2).mp3".utf8))
            let other = try store.added(media("other", content: "song"))
            #expect(try store.job(old.id).state == .failed)
            // By the name that it had in the failed folder.
            let again = try store.added(media("song (2)", content: "song"))
            #expect(try store.job(old.id).state == .superseded)
            #expect(try [other.id, again.id].map { try store.job($0).state } == [.queued, .queued])
        }
    }
}
