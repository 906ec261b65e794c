import Host
import Inbox
import Jobs
import Pipeline

/// `lyricd jobs --follow`: a picture of the work that keeps itself up to date.
///
/// On a terminal the lines of unfinished jobs are drawn over; elsewhere every change of a job is one line, for logs and scripts.
struct Follower {
    let reader: StoreReader
    let json: Bool
    let limit: Int

    /// Seconds between two looks: a person's eye.
    private static let interval = Duration.milliseconds(300)
    /// Looks in a row without work before following ends: what was dropped a moment ago is still settling.
    private static let quietLooks = 4

    func run() async throws {
        var drawn = 0
        var shown: [Job.ID: String] = [:]
        var quiet = 0
        let first = try reader.store.jobs(newestFirst: true, limit: 1).first?.id ?? 0
        while true {
            let status = reader.status
            let open = try reader.store.jobs(states: [.queued, .running, .publishing], limit: limit)
            let recent = try reader.store.jobs(newestFirst: true, limit: limit).reversed().filter { $0.id > first || shown[$0.id] != nil || !$0.state.isFinished }
            if json || !Terminal.isOutput {
                for job in recent {
                    let mark = "\(job.state.rawValue) \(job.stage.rawValue)"
                    guard shown[job.id] != mark else { continue }
                    shown[job.id] = mark
                    Terminal.print(json ? try JobJSON(job).line() : JobLine.text(job, running: nil))
                }
            } else {
                var lines = recent.map { job in
                    shown[job.id] = job.state.rawValue
                    return JobLine.text(job, running: status?.running.first { $0.job == job.id })
                }
                for waiting in status?.inbox.waiting.prefix(10) ?? [] {
                    lines.append("       \(Terminal.styled(Terminal.padded("waiting", 12), .dim)) \(Terminal.padded(waiting.path, 32)) \(Terminal.styled(waiting.reason, .dim))")
                }
                if status == nil { lines.append(Terminal.styled("lyricd is not running", .yellow)) }
                let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
                Terminal.print(up + lines.map { "\u{1B}[2K" + clipped($0) }.joined(separator: "\n") + (lines.isEmpty ? "" : "\n") + "\u{1B}[J", terminator: "")
                drawn = lines.count
            }
            // What is tried again in an hour is not waited for.
            let now = Daemon.unixSeconds()
            let isBusy = open.contains { $0.notBefore <= now } || (status?.inbox.waiting.contains { !$0.reason.hasPrefix("waiting for its recording") } ?? false)
            quiet = isBusy ? 0 : quiet + 1
            if quiet >= Self.quietLooks { return }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// A line that wraps would be drawn over wrongly. Escape sequences have no width.
    private func clipped(_ line: String) -> String {
        let width = Terminal.width
        var result = ""
        var columns = 0
        var isEscape = false
        for character in line {
            if character == "\u{1B}" { isEscape = true }
            if !isEscape { columns += 1 }
            if columns > width - 1 && !isEscape { continue }
            result.append(character)
            if isEscape, character == "m" { isEscape = false }
        }
        return result
    }
}
