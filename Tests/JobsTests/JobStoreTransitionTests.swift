import Jobs
import TestSupport
import Testing

/// The state diagram: what leads where, for every question that can be put to the store in every state.
@Suite(.timeLimit(.minutes(15))) struct JobStoreTransitionTests {
    /// One job in one state, and the stage that it last started.
    private struct Subject: Sendable {
        let id: Job.ID
        let drop: Drop.ID
        let started: StartedStage
    }

    private func make(_ state: JobState, in store: JobStore, _ name: String) throws -> Subject {
        let job = try store.added(media(name))
        var started = try store.run(job.id, to: .align)
        switch state {
        case .running: break
        case .queued: try store.giveBack(started, seconds: 1, why: "a stop")
        case .publishing, .done, .instrumental:
            try store.finish(started, next: .publish)
            started = try store.start(job.id)
            #expect(try store.beginPublishing(started, name: name, comparisonKey: name, manifestDigest: ""))
            if state != .publishing {
                try store.finishPublishing(job: job.id, attempt: started.attempt, seconds: 1, isInstrumental: state == .instrumental)
            }
        case .failed: try store.fail(started, .fail)
        case .held: try store.fail(started, .hold)
        case .cancelled: _ = try store.cancel(job: job.id, why: "a person")
        case .superseded: try store.supersede(drop: job.drop, why: "another version")
        }
        #expect(try store.job(job.id).state == state)
        return Subject(id: job.id, drop: job.drop, started: started)
    }

    /// Every way to change a job, and where it leads from the states it may be used in; from all others it leads nowhere.
    private struct Call: Sendable {
        let name: String
        let leads: [JobState: JobState]
        /// Whether it says so where it cannot be done; otherwise it quietly does nothing.
        var refuses = true
        let make: @Sendable (JobStore, Subject, Job) throws -> Void
    }

    private static let calls: [Call] = [
        Call(
            name: "cancel", leads: [.queued: .cancelled, .running: .cancelled, .held: .cancelled, .failed: .cancelled],
            make: { store, job, _ in _ = try store.cancel(job: job.id, why: "") }),
        Call(
            name: "retry", leads: [.failed: .queued, .held: .queued, .cancelled: .queued, .queued: .queued],
            make: { store, job, _ in try store.retry(job: job.id, why: "") }),
        Call(
            name: "start", leads: [.queued: .running], refuses: false,
            make: { store, job, _ in
                let others = Set(try store.jobs(limit: .max).map(\.id)).subtracting([job.id])
                for lane in Lane.allCases { _ = try store.startNext(lane: lane, now: 1e18, excluding: others, engine: { _ in "" }) }
            }),
        Call(
            name: "finish a stage", leads: [.running: .queued],
            make: { store, job, _ in try store.finish(job.started, next: .render) }),
        Call(
            name: "fail and try again", leads: [.running: .queued],
            make: { store, job, _ in try store.fail(job.started, .retry(notBefore: 0, isCounted: true)) }),
        Call(name: "fail and hold", leads: [.running: .held], make: { store, job, _ in try store.fail(job.started, .hold) }),
        Call(name: "fail", leads: [.running: .failed], make: { store, job, _ in try store.fail(job.started, .fail) }),
        Call(
            name: "give back", leads: [.running: .queued],
            make: { store, job, _ in try store.giveBack(job.started, seconds: 1, why: "") }),
        Call(
            name: "send back", leads: [.running: .queued],
            make: { store, job, _ in try store.sendBack(job.started, to: .probe, why: "") }),
        Call(
            name: "begin to publish", leads: [.running: .publishing, .publishing: .publishing],
            make: { store, job, _ in
                _ = try store.beginPublishing(job.started, name: "n\(job.id)", comparisonKey: "n\(job.id)", manifestDigest: "")
            }),
        Call(
            name: "finish publishing", leads: [.publishing: .done],
            make: { store, job, _ in
                try store.finishPublishing(job: job.id, attempt: job.started.attempt, seconds: 1, isInstrumental: false)
            }),
        Call(
            name: "finish publishing after a restart", leads: [.publishing: .instrumental],
            make: { store, job, _ in try store.finishPublishing(job: job.id, attempt: nil, seconds: 1, isInstrumental: true) }),
        Call(name: "publish again", leads: [.publishing: .queued], make: { store, job, _ in try store.republish(job: job.id) }),
        Call(
            name: "publish again later", leads: [.publishing: .queued],
            make: { store, job, _ in try store.republish(job: job.id, failing: job.started, reason: "", notBefore: 0) }),
        Call(
            name: "answer from an earlier result", leads: [.running: .done],
            make: { store, job, earlier in try store.answerFromEarlier(job.started, earlier: earlier, seconds: 1) }),
        Call(
            name: "supersede",
            leads: [.queued: .superseded, .running: .superseded, .held: .superseded, .failed: .superseded], refuses: false,
            make: { store, job, _ in try store.supersede(drop: job.drop, why: "") }),
        Call(
            name: "attach lyrics", leads: [.queued: .queued, .running: .queued, .held: .queued], refuses: false,
            make: { store, job, _ in _ = try store.attachLyrics(drop: job.drop, name: [1], digest: "words") }),
        Call(
            name: "close the attempt", leads: [:], refuses: false,
            make: { store, job, _ in try store.closeAttempt(job.started, seconds: 1, why: "") }),
    ]

    @Test(arguments: JobState.allCases) func onlyTheArrowsOfTheDiagramAreTaken(from state: JobState) async throws {
        try await withStore { store in
            let earlierID = try store.added(media("earlier")).id
            try store.publish(earlierID)
            let earlier = try store.job(earlierID)
            for (index, call) in Self.calls.enumerated() {
                let subject = try make(state, in: store, "\(state.rawValue) \(index)")
                let before = (try store.job(subject.id), try store.transitions(of: subject.id))
                var refusal: StoreError?
                do { try call.make(store, subject, earlier) } catch { refusal = error as? StoreError }
                let after = (try store.job(subject.id), try store.transitions(of: subject.id))
                if let to = call.leads[state] {
                    #expect(refusal == nil, "\(call.name) from \(state)")
                    #expect(after.0.state == to, "\(call.name) from \(state)")
                    #expect(after.1.count > before.1.count || state == to, "\(call.name) from \(state) left no trace")
                } else {
                    #expect(refusal?.reason == (call.refuses ? .conflict : nil), "\(call.name) from \(state)")
                    #expect(after == before, "\(call.name) from \(state)")
                }
            }
        }
    }

    @Test(arguments: JobState.allCases) func anotherLifesJobIsTakenOverOnlyFromTheMiddleOfItsWork(state: JobState) async throws {
        try await withTemporaryFolder { folder in
            let former = try JobStore.testing(folder, run: "run 1")
            let subject = try make(state, in: former, "song")
            let before = try former.job(subject.id)
            try former.close()
            let store = try JobStore.testing(folder, run: "run 2")
            let report = try store.recover(crashLimit: 2)
            let after = try store.job(subject.id)
            #expect(report.resumed == (state == .running ? [subject.id] : []))
            #expect(report.publishing.map(\.id) == (state == .publishing ? [subject.id] : []))
            #expect(after.state == (state == .running ? .queued : before.state))
            if state != .running { #expect(after == before) }
            #expect(try store.historyFaults() == [])
            // The other life's stage is nobody's now.
            #expect(throws: StoreError.self) { try store.finish(subject.started, next: .render) }
        }
    }

    @Test func theDiagramHasNoWayOutOfADoneJob() {
        for state in JobState.allCases {
            let isEnd = [.done, .instrumental, .superseded].contains(state)
            #expect(state.successors.isEmpty == isEnd)
            #expect(!state.successors.contains(state) || state == .queued || state == .cancelled)
            #expect(!isEnd || state.isFinished)
        }
        #expect(JobState.allCases.filter { $0.successors.contains(.done) } == [.queued, .publishing])
        #expect(JobState.allCases.filter { $0.successors.contains(.running) } == [.queued])
    }

    @Test func theHistoryIsOnlyEverAddedTo() async throws {
        try await withTemporaryFolder { folder in
            let store = try JobStore.testing(folder)
            let id = try store.added(media("song")).id
            try store.publish(id)
            let history = try store.transitions(of: id)
            #expect(history.first?.from == nil && history.last?.to == .done && history.count == 14)
            #expect(history.allSatisfy { $0.run == "run 1" && !$0.why.isEmpty && $0.at > 0 })
            try store.close()
            for statement in [
                "UPDATE transitions SET why = 'otherwise' WHERE id = 3", "DELETE FROM transitions", "DELETE FROM transitions WHERE id = 14",
                "INSERT INTO transitions VALUES (NULL, \(id), 'queued', 'running', 'align', 'a gap', 0, '')",
                "INSERT INTO transitions VALUES (NULL, \(id), NULL, 'queued', 'align', 'a second birth', 0, '')",
            ] {
                await #expect(throws: TimedOut.self, "\(statement)") { try await sqlite(store.path, statement) }
            }
            #expect(try JobStore.testing(folder).transitions(of: id) == history)
        }
    }

    @Test func anUnknownJobIsNotFound() async throws {
        try await withStore { store in
            for call in [
                { _ = try store.job(7) }, { _ = try store.cancel(job: 7, why: "") }, { try store.retry(job: 7, why: "") },
                { try store.republish(job: 7) }, { _ = try store.drop(7) },
            ] as [() throws -> Void] {
                let error = #expect(throws: StoreError.self) { try call() }
                #expect(error?.reason == .notFound)
            }
        }
    }

    @Test func aWaitingJobThatIsRetriedMayGoAtOnce() async throws {
        try await withStore { store in
            let id = try store.added(media("song")).id
            try store.fail(try store.start(id), .retry(notBefore: 4e9, isCounted: true))
            #expect(try store.startNext(lane: .light, now: 2e9, engine: { _ in "" }) == nil)
            #expect(try store.nextDue() == 4e9)
            try store.retry(job: id, why: "a person")
            #expect(try store.startNext(lane: .light, now: 2e9, engine: { _ in "" })?.job.id == id)
        }
    }
}
