import Glibc
import Host
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// TERM and INT drain, a second one stops at once, a third one exits; HUP reads the configuration again.
struct SignalDesk: Sendable {
    let log: Logger
    let onReload: @Sendable () -> Void
    let onStop: @Sendable () -> Void
    let onStopNow: @Sendable () -> Void
    /// Trapped before anything else is done: a signal that comes during the start waits until there is something to stop.
    let signals: UnixSignalsSequence

    static func trap() async -> UnixSignalsSequence { await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) }

    /// Runs the services until they have ended, by a signal or by an error of their own.
    func run(_ group: ServiceGroup) async -> Result<Void, any Error> {
        // The group is ended by signals only, never by the cancellation of a caller.
        let services = Task { try await group.run() }
        let desk = Task {
            var stops = 0
            for await signal in signals {
                if signal == .sighup {
                    ServiceManager.notify("RELOADING=1", "MONOTONIC_USEC=\(Int(Clock.awakeSeconds * 1e6))")
                    onReload()
                    ServiceManager.notify("READY=1")
                    continue
                }
                stops += 1
                switch stops {
                case 1:
                    log.notice("stopping; running stages may finish")
                    onStop()
                    await group.triggerGracefulShutdown()
                case 2:
                    log.notice("stopping at once; what ran goes on after the next start")
                    onStopNow()
                default: _exit(Daemon.Exit.unavailable)
                }
            }
        }
        let outcome = await services.result
        desk.cancel()
        return outcome
    }
}
