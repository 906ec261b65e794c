import Glibc
import Host
import Inbox
import Jobs
import Pipeline
import ServiceLifecycle

/// Tells people what goes on: the status file for the command line, the status line for systemd. Silent while nothing changes.
struct StatusReporter: Service {
    let folder: String
    let run: String
    let wake: WakeUp
    let board: StatusBoard
    let inbox: InboxService
    let pipeline: PipelineService
    let store: JobStore
    let isStopping: @Sendable () -> Bool
    let note: @Sendable () -> String?

    /// Seconds between two writes: progress is for eyes.
    private static let interval = 0.4

    func run() async throws {
        let stop = WakeUp()
        var last = ""
        var lastWritten: StatusFile?
        await withTaskCancellationOrGracefulShutdownHandler {
            while !Task.isShuttingDownGracefully, !Task.isCancelled {
                // The inbox looks around also when nothing happens; that is nobody's news.
                let status = current()
                if status != lastWritten {
                    try? status.stamped(Clock.bootSeconds).write(to: folder)
                    lastWritten = status
                    let line = await statusLine()
                    if line != last { ServiceManager.notify("STATUS=\(line)") }
                    last = line
                }
                await stop.wait(until: Clock.bootSeconds + Self.interval)
                if Task.isShuttingDownGracefully || Task.isCancelled { break }
                await wake.wait()
            }
        } onCancelOrGracefulShutdown: {
            stop.signal()
            wake.signal()
        }
    }

    private func current() -> StatusFile {
        var inbox = inbox.status
        inbox.lastPass = 0
        return StatusFile(
            pid: getpid(), run: run, version: Version.current, writtenAt: 0, isStopping: isStopping(), paused: pipeline.pausedReason,
            note: note(), running: board.all, inbox: inbox)
    }

    private func statusLine() async -> String {
        if let note = note() { return note }
        let inbox = inbox.status
        if let absent = inbox.absent { return "the inbox cannot be read: \(absent)" }
        var parts: [String] = []
        for running in board.all.prefix(2) {
            let percent = running.fraction.map { " \(Int($0 * 100)) %" } ?? ""
            parts.append("job \(running.job) \(running.stage)\(percent)")
        }
        let waiting = (try? await store.perform { try $0.countsByState()[.queued] ?? 0 }) ?? 0
        if waiting > 0 { parts.append("\(waiting) waiting") }
        if inbox.waitingCount > 0 { parts.append("\(inbox.waitingCount) settling") }
        if let paused = pipeline.pausedReason ?? inbox.paused { parts.append("paused: \(paused)") }
        if inbox.mode == "poll" { parts.append("polling") }
        return parts.isEmpty ? "idle" : parts.joined(separator: ", ")
    }
}
