import FoundationEssentials
import Jobs
import Synchronization
import TestSupport
import Testing

/// Drops as the inbox would make them, each with contents of its own.
func media(_ name: String, content: String? = nil, lyrics: String? = nil) -> NewDrop {
    let digest = content ?? name
    return NewDrop(
        kind: .media, folder: [], name: Array("\(name).mp3".utf8), profile: "default", identity: identity, digest: digest,
        jobs: [NewJob(key: newKey(), title: name, contentKey: "sha256:" + digest, lyricsDigest: lyrics, plan: Plan())])
}

func list(_ name: String, _ count: Int) -> NewDrop {
    NewDrop(
        kind: .list, folder: [], name: Array("\(name).txt".utf8), profile: "default", identity: identity, digest: name,
        jobs: (0..<count).map {
            let url = "https://example.org/\(name)/\($0)"
            return NewJob(key: newKey(), title: "\(name) \($0)", url: url, contentKey: "url:" + url, plan: Plan())
        })
}

private let identity = SourceIdentity(device: 1, inode: 2, size: 3, modified: 4, changed: 5)
func newKey() -> String { JobKey.make(unixSeconds: Date().timeIntervalSince1970) }

/// A store of its own for one test; afterwards every history in it is whole, and SQLite finds nothing wrong.
func withStore(sourceLocation: SourceLocation = #_sourceLocation, _ body: (JobStore) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let store = try JobStore.testing(folder)
        try await body(store)
        #expect(try store.historyFaults() == [], sourceLocation: sourceLocation)
        try store.close()
        #expect(try await sqlite(store.path, "PRAGMA integrity_check") == "ok", sourceLocation: sourceLocation)
    }
}

private final class Flag: Sendable { let isSet = Mutex(false) }

extension JobStore {
    /// Adds one drop; its first job.
    func added(_ drop: NewDrop) throws -> Job { try #require(try jobs(drop: try add([drop])[0]).first) }
}

@Suite(.timeLimit(.minutes(15))) struct JobStoreTests {
    @Test func commitsAreMadeWithWALAndFullSynchronisation() async throws {
        try await withStore { store in
            #expect(try store.durability() == ("wal", 2))
            for number in 0..<20 {
                try store.publish(try store.added(media("song \(number)")).id)
                _ = try store.jobs()
            }
            try store.copy(to: store.path + ".copy")
            #expect(try store.durability() == ("wal", 2))
            // Write and read version of the file format: 2 is WAL. Source: sqlite.org/fileformat2.html.
            let header = try Array(Data(contentsOf: URL(filePath: store.path)).prefix(20))
            #expect(header[18] == 2 && header[19] == 2)
        }
    }

    @Test func everyCommitSurvivesALossOfTheProcess() async throws {
        try await withTemporaryFolder { folder in
            let store = try JobStore.testing(folder)
            for number in 0..<10 {
                try store.add([media("song \(number)")])
                // What a killed process leaves are its files as they are.
                let copy = folder + "/crash \(number)"
                try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: false)
                for suffix in ["", "-wal"] {
                    try FileManager.default.copyItem(atPath: store.path + suffix, toPath: copy + "/jobs.db" + suffix)
                }
                #expect(try JobStore.testing(copy).jobs().count == number + 1)
            }
        }
    }

    @Test func aDropIsRecordedWithAllItsJobsOrNotAtAll() async throws {
        try await withStore { store in
            var broken = list("links", 10)
            broken.jobs[9].key = broken.jobs[3].key
            #expect(throws: StoreError.self) { try store.add([media("song"), broken]) }
            #expect(try store.jobs().isEmpty)
            #expect(try store.countsByState().isEmpty)
            try store.add([media("song"), list("links", 10)])
            #expect(try store.countsByState() == [.queued: 11])
        }
    }

    @Test func whatIsRefusedOnArrivalHasItsVerdictAtOnce() async throws {
        try await withStore { store in
            var drop = media("song")
            drop.jobs[0].refusal = .init(failure: .policy, reason: "too large", nextStep: "drop a smaller one")
            let job = try store.added(drop)
            #expect(job.state == .failed && job.failure == .policy && job.reason == "too large" && job.nextStep == "drop a smaller one")
            #expect(try store.dropsToDispose().map(\.id) == [job.drop])
            #expect(try store.startNext(lane: .light, now: 0, engine: { _ in "" }) == nil)
        }
    }

    @Test func anAttemptCountsWhenItBeginsAndIsGivenBackByAStopAlone() async throws {
        try await withTemporaryFolder { folder in
            var store = try JobStore.testing(folder, run: "run 1")
            let id = try store.added(media("song")).id
            let first = try store.start(id)
            #expect(first.job.attempts == 1)
            try store.giveBack(first, seconds: 1, why: "a stop")
            #expect(try store.job(id).attempts == 0)

            try store.fail(try store.start(id), .retry(notBefore: 0, isCounted: true))
            #expect(try store.job(id).attempts == 1)
            try store.fail(try store.start(id), .retry(notBefore: 0, isCounted: false))
            #expect(try store.job(id).attempts == 1)

            _ = try store.start(id)
            try store.close()
            store = try JobStore.testing(folder, run: "run 2")
            #expect(try store.recover(crashLimit: 3) == RecoveryReport(resumed: [id]))
            #expect(try store.job(id).attempts == 2)
            #expect(try store.job(id).crashes == 1)
            #expect(try store.attempts(of: id).map(\.outcome) == [.stopped, .failed, .failed, .crashed])

            // A stage that is done begins the count anew for the next.
            try store.finish(try store.start(id), next: .separate)
            #expect(try store.job(id).attempts == 0)
        }
    }

    @Test func aJobThatTookTheDaemonDownTooOftenWaitsForAPerson() async throws {
        try await withTemporaryFolder { folder in
            let id = try JobStore.testing(folder).added(media("poison")).id
            for life in 1...3 {
                let store = try JobStore.testing(folder, run: "run \(life)")
                let report = try store.recover(crashLimit: 2)
                switch life {
                case 1: #expect(report == RecoveryReport())
                case 2: #expect(report == RecoveryReport(resumed: [id]))
                default: #expect(report == RecoveryReport(poisoned: [id]))
                }
                if life < 3 { _ = try store.start(id) }
                try store.close()
            }
            let store = try JobStore.testing(folder, run: "run 4")
            let job = try store.job(id)
            #expect(job.state == .held && job.crashes == 2 && job.failure == .ours)
            #expect(job.reason.contains("died 2 times") && job.nextStep.contains("lyricd retry \(id)"))
            try store.retry(job: id, why: "mended")
            #expect(try store.job(id).crashes == 0)
            #expect(try store.historyFaults() == [])
        }
    }

    @Test func recoveringTwiceIsTheSameAsOnce() async throws {
        try await withTemporaryFolder { folder in
            let former = try JobStore.testing(folder, run: "run 1")
            let running = try former.added(media("running")).id
            let publishing = try former.added(media("publishing")).id
            try former.run(running, to: .separate)
            let started = try former.run(publishing, to: .publish)
            #expect(try former.beginPublishing(started, name: "x", comparisonKey: "x", manifestDigest: "y"))
            try former.close()
            let store = try JobStore.testing(folder, run: "run 2")
            let first = try store.recover(crashLimit: 5)
            #expect(first.resumed == [running] && first.publishing.map(\.id) == [publishing])
            let before = try [running, publishing].map { try store.transitions(of: $0) }
            let second = try store.recover(crashLimit: 5)
            #expect(second.resumed.isEmpty && second.poisoned.isEmpty && second.publishing.map(\.id) == [publishing])
            #expect(try [running, publishing].map { try store.transitions(of: $0) } == before)
            #expect(try store.job(running).crashes == 1)
            // What this life runs itself is not taken for a left-over.
            _ = try store.start(running)
            #expect(try store.recover(crashLimit: 5).resumed.isEmpty)
        }
    }

    @Test func aNameInTheOutboxIsReservedForOneJobAtATime() async throws {
        try await withStore { store in
            let one = try store.run(try store.added(media("one")).id, to: .publish)
            let other = try store.run(try store.added(media("other")).id, to: .publish)
            #expect(try store.beginPublishing(one, name: "Song", comparisonKey: "song", manifestDigest: ""))
            #expect(try !store.beginPublishing(other, name: "song", comparisonKey: "song", manifestDigest: ""))
            #expect(try store.job(other.job.id).state == .running)
            // Nor by changing to it.
            #expect(try store.beginPublishing(other, name: "song (2)", comparisonKey: "song (2)", manifestDigest: ""))
            #expect(try !store.beginPublishing(other, name: "song", comparisonKey: "song", manifestDigest: ""))
            #expect(try store.beginPublishing(other, name: "song (3)", comparisonKey: "song (3)", manifestDigest: ""))
            #expect(try store.job(other.job.id).outboxName == "song (3)")
            try store.finishPublishing(job: one.job.id, attempt: one.attempt, seconds: 1, isInstrumental: false)
            // What stands in the outbox by now is for the disk to say.
            #expect(try store.beginPublishing(other, name: "song", comparisonKey: "song", manifestDigest: ""))
        }
    }

    @Test func whatAStageReportsAfterItsJobWasTakenFromItChangesNothing() async throws {
        try await withStore { store in
            let id = try store.added(media("song")).id
            let stale = try store.run(id, to: .separate)
            #expect(try store.cancel(job: id, why: "a person"))
            try store.retry(job: id, why: "a person")
            let fresh = try store.start(id)
            // The job runs again, so its state alone would not tell.
            #expect(try !store.isCurrent(stale))
            #expect(try store.isCurrent(fresh))
            let before = (try store.job(id), try store.attempts(of: id))
            for report in [
                { try store.finish(stale, next: .align) }, { try store.fail(stale, .fail) },
                { try store.giveBack(stale, seconds: 1, why: "") }, { try store.sendBack(stale, to: .probe, why: "") },
            ] as [() throws -> Void] {
                let error = #expect(throws: StoreError.self) { try report() }
                #expect(error?.reason == .conflict)
            }
            try store.closeAttempt(stale, seconds: 1, why: "")
            #expect(try (store.job(id), store.attempts(of: id)) == before)
            try store.finish(fresh, next: .align)
        }
    }

    @Test func aStageWhoseJobWasTakenFromItIsNoLongerTheCurrentOne() async throws {
        try await withStore { store in
            let superseded = try store.added(media("song"))
            let first = try store.start(superseded.id)
            #expect(try store.isCurrent(first))
            _ = try store.supersede(drop: superseded.drop, why: "replaced")
            #expect(try !store.isCurrent(first))

            let cancelled = try store.start(try store.added(media("another")).id)
            #expect(try store.cancel(job: cancelled.job.id, why: "a person"))
            #expect(try !store.isCurrent(cancelled))
        }
    }

    @Test func aCopyMadeWhileOthersWriteIsWhole() async throws {
        try await withStore { store in
            let end = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var number = 0
                    while !end.isSet.withLock({ $0 }) {
                        let drop = list("links \(number)", 20)
                        _ = try await store.perform { try $0.add([drop]) }
                        number += 1
                    }
                }
                for number in 0..<5 {
                    _ = try await waitUntil("further drops") { try store.jobs(limit: .max).count > number * 100 ? true : nil }
                    let before = try store.jobs(limit: .max).count
                    let path = store.path + ".copy \(number)"
                    try store.copy(to: path)
                    let after = try store.jobs(limit: .max).count
                    #expect(JobStore.isHealthy(path: path))
                    let copied = try JobStore(readingOnly: path).jobs(limit: .max).count
                    #expect(copied >= before && copied <= after && copied % 20 == 0)
                }
                end.isSet.withLock { $0 = true }
                try await group.waitForAll()
            }
        }
    }

    @Test(.enabled(if: mayMount, "mounting a file system of the test's own needs root"))
    func aFullDiskRefusesAChangeWholeAndReadingGoesOn() async throws {
        try await withTemporaryFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/state", withIntermediateDirectories: false)
            try await withMount(folder + "/state", "size=1m") {
                let store = try JobStore.testing(folder + "/state")
                var count = 0
                var refusal: StoreError?
                while refusal == nil {
                    do throws(StoreError) {
                        try store.add([list("links \(count)", 100)])
                        count += 1
                    } catch { refusal = error }
                }
                #expect(refusal?.reason == .full)
                #expect(try store.jobs(limit: .max).count == count * 100)
                #expect(throws: StoreError.self) { try store.add([list("more links", 500)]) }
                #expect(try store.historyFaults() == [])
                try await run("mount", "-o", "remount,size=16m", folder + "/state")
                try store.add([list("more links", 500)])
                #expect(try store.jobs(limit: .max).count == count * 100 + 500)
                try store.close()
            }
        }
    }

    @Test func aStoreThatSomebodyElseLocksRefusesForAWhileAndGoesOn() async throws {
        try await withStore { store in
            let id = try store.added(media("song")).id
            let locker = Task {
                // Longer than the five seconds for which the store waits.
                try await run(
                    "python3", "-c",
                    """
                    import os, sqlite3, sys, time
                    c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
                    c.execute("BEGIN IMMEDIATE")
                    open(sys.argv[1] + ".locked", "w").close()
                    for _ in range(1000):
                        time.sleep(0.05)
                        if os.path.exists(sys.argv[1] + ".refused"): break
                    c.execute("ROLLBACK")
                    """, store.path)
            }
            _ = try await waitUntil("the lock") { FileManager.default.fileExists(atPath: store.path + ".locked") ? true : nil }
            let refusal = await #expect(throws: StoreError.self) { try await store.perform { try $0.add([media("other")]) } }
            #expect(refusal?.reason == .other)
            #expect(try store.job(id).state == .queued)
            _ = FileManager.default.createFile(atPath: store.path + ".refused", contents: nil)
            _ = try await locker.value
            try store.add([media("other")])
        }
    }
}
