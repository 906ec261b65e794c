import Host
import Inbox
import Jobs
import Logging
import Pipeline
import ServiceLifecycle

/// Tells systemd that we are alive, only while the parts that matter prove it: the store answers, the pipeline's loop turns,
/// the inbox has been looked at. Without a watchdog in the unit there is nothing to do, and nothing is done.
///
/// Stands before the pipeline in the group: a service is told to stop when all that stand behind it have ended.
struct Watchdog: Service {
    let store: JobStore
    let inbox: InboxService
    let inboxWake: WakeUp
    let pipeline: PipelineService
    let pipelineWake: WakeUp
    let log: Logger
    /// Whether the whole daemon is stopping.
    let isStopping: @Sendable () -> Bool

    func run() async throws {
        let stop = WakeUp()
        guard let interval = ServiceManager.watchdogInterval else {
            // A service that returned while others are being stopped would pass for one that broke.
            await withTaskCancellationOrGracefulShutdownHandler { await stop.wait() } onCancelOrGracefulShutdown: { stop.signal() }
            return
        }
        let period = interval.seconds / 3
        var turns = -1
        var pass = -1.0
        await withTaskCancellationOrGracefulShutdownHandler {
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                let answers = (try? await store.perform { try $0.ping() }) != nil
                let (turnsNow, passNow) = (pipeline.turns, inbox.status.lastPass)
                // In a stop both loops end while copies and stages go on; it has an end of its own and may take longer than the
                // watchdog allows.
                let isDraining = isStopping()
                let stale = [
                    answers ? nil : "store", turnsNow == turns && !isDraining ? "pipeline" : nil, passNow == pass && !isDraining ? "inbox" : nil,
                ].compactMap { $0 }
                if stale.isEmpty {
                    ServiceManager.notify("WATCHDOG=1")
                } else {
                    log.error("parts of lyricd do not answer; systemd is not told that we are well", metadata: ["parts": "\(stale)"])
                }
                (turns, pass) = (turnsNow, passNow)
                // Idle loops sleep; the question itself makes them turn once, and the next look sees whether they did.
                pipelineWake.signal()
                inboxWake.signal()
                await stop.wait(until: Clock.bootSeconds + period)
            }
        } onCancelOrGracefulShutdown: { stop.signal() }
    }
}
