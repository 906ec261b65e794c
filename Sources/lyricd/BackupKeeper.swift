import Dispatch
import Host
import Jobs
import Logging
import ServiceLifecycle

/// A copy of the job store every day.
struct BackupKeeper: Service {
    let state: StateFolder
    let store: JobStore
    let log: Logger
    let settings: @Sendable () -> ServiceSettings
    let unixSeconds: @Sendable () -> Double

    func run() async throws {
        let stop = WakeUp()
        await withTaskCancellationOrGracefulShutdownHandler {
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                let settings = settings()
                let every = settings.backupEvery.seconds
                let newest = (try? state.newestBackup()) ?? 0
                let now = unixSeconds()
                // A stamp from the future is a clock that was wrong; it does not stop the backups.
                if now - newest >= every || newest > now + every { await backUp(keep: settings.backups, at: now) }
                await stop.wait(until: Clock.bootSeconds + min(every, 3600))
            }
        } onCancelOrGracefulShutdown: { stop.signal() }
    }

    private func backUp(keep: Int, at now: Double) async {
        do {
            try await store.perform { try state.backUp($0, keep: keep, at: now) }
        } catch {
            log.error("the daily backup of the job store failed; it is tried again in an hour", metadata: ["error": "\(error)"])
        }
    }
}
