import Host
import Jobs
import Stages
import Synchronization

/// What runs at this moment, for people: progress is worth nothing after a crash, so it is kept in memory only.
package final class StatusBoard: Sendable {
    package struct Running: Sendable, Equatable, Codable {
        package var job: Job.ID
        package var title: String
        package var stage: String
        package var engine: String
        package var attempt: Int64
        /// Boot clock, seconds.
        package var since: Double
        /// 0…1; `nil` where the engine cannot tell.
        package var fraction: Double?
        package var detail: String
    }

    private let running = Mutex<[Job.ID: Running]>([:])
    private let changed: WakeUp

    package init(changed: WakeUp) { self.changed = changed }

    package var all: [Running] { running.withLock { $0.values.sorted { $0.job < $1.job } } }

    func begin(_ started: StartedStage, engine: String) {
        let entry = Running(
            job: started.job.id, title: started.job.title, stage: started.job.stage.rawValue, engine: engine, attempt: started.attempt,
            since: Clock.bootSeconds, fraction: nil, detail: "")
        running.withLock { $0[started.job.id] = entry }
        changed.signal()
    }

    func report(_ progress: StageProgress, for job: Job.ID) {
        running.withLock {
            $0[job]?.fraction = progress.fraction
            $0[job]?.detail = progress.detail
        }
        changed.signal()
    }

    func end(_ job: Job.ID) {
        running.withLock { $0[job] = nil }
        changed.signal()
    }
}
