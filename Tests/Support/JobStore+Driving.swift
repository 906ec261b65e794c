import FoundationEssentials
import Jobs

/// Jobs moved along by hand, where a test is about something else than the stages.
extension JobStore {
    package static func testing(_ folder: String, run: String = "run 1") throws -> JobStore {
        try JobStore(path: folder + "/jobs.db", run: run, clock: { Date().timeIntervalSince1970 })
    }

    /// Starts the job's next stage, whoever else waits.
    package func start(_ id: Job.ID) throws -> StartedStage {
        let others = try jobs(states: [.queued], limit: .max).map(\.id).filter { $0 != id }
        guard let started = try startNext(
            lane: try job(id).stage.lane, now: .greatestFiniteMagnitude, excluding: Set(others), engine: { "test of \($0.stage.rawValue)" })
        else { throw TimedOut("job \(id) could not be started: \(try job(id).state)") }
        return started
    }

    package func finish(_ started: StartedStage, next: StageName, facts: [String: String] = [:]) throws {
        try finishStage(
            started, engineVersion: "1", seconds: 1, exitStatus: 0, peakMemory: 1 << 20,
            artifacts: [Artifact(path: "\(started.job.stage.rawValue).bin", sha256: String(repeating: "0", count: 64), bytes: 1)],
            facts: facts, next: next)
    }

    /// Runs the job up to `stage`, which is left running.
    @discardableResult
    package func run(_ id: Job.ID, to stage: StageName) throws -> StartedStage {
        while true {
            let started = try start(id)
            guard started.job.stage < stage else { return started }
            try finish(started, next: StageName.allCases.first { $0 > started.job.stage } ?? .publish)
        }
    }

    package func publish(_ id: Job.ID, isInstrumental: Bool = false) throws {
        let started = try run(id, to: .publish)
        guard try beginPublishing(started, name: "job \(id)", comparisonKey: "job \(id)", manifestDigest: "") else {
            throw TimedOut("the name of job \(id) is taken")
        }
        try finishPublishing(job: id, attempt: started.attempt, seconds: 1, isInstrumental: isInstrumental)
    }

    package func fail(
        _ started: StartedStage, _ verdict: FailureVerdict, _ failure: FailureClass = .badMedia, reason: String = "there is no sound in it"
    ) throws {
        try failStage(
            started, failure: failure, reason: reason, nextStep: "record it again", verdict: verdict, seconds: 1, exitStatus: 1, peakMemory: 1,
            stderrTail: "")
    }

    package func fail(_ id: Job.ID) throws { try fail(try start(id), .fail) }
    package func hold(_ id: Job.ID) throws { try fail(try start(id), .hold, .needsAuth, reason: "the site wants cookies") }

    /// What is wrong with the histories: each begins with the job's creation, every arrow begins where the one before it ended and is one
    /// of the diagram, and the last one leads to where the job is.
    package func historyFaults() throws -> [String] {
        var faults: [String] = []
        for job in try jobs(limit: .max) {
            var state: JobState?
            for arrow in try transitions(of: job.id) {
                if arrow.from != state { faults.append("job \(job.id): an arrow from \(String(describing: arrow.from)) after \(String(describing: state))") }
                if let from = arrow.from, !from.successors.contains(arrow.to) { faults.append("job \(job.id): \(from) to \(arrow.to)") }
                state = arrow.to
            }
            if state != job.state { faults.append("job \(job.id) is \(job.state), its history ends in \(String(describing: state))") }
        }
        return faults
    }

    /// Every drop that has a job.
    package func allDrops() throws -> [Drop] {
        try Set(jobs(limit: .max).map(\.drop)).sorted().map { try drop($0) }
    }
}
