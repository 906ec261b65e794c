import ArgumentParser
import FoundationEssentials
import Host
import Jobs
import Pipeline

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Everything about one job: what was done, with what, how long it took, and what went wrong.")

    @OptionGroup var options: ConfigurationOption
    @Argument(help: "Number of the job, as in `lyricd jobs`.") var job: Int64
    @Flag(name: .long, help: "One JSON object.") var json = false

    func run() throws {
        let configuration = try options.load()
        let reader = try StoreReader(configuration: configuration)
        let job: Job
        do { job = try reader.store.job(self.job) } catch { throw UserError(error.message, next: "lyricd jobs lists those there are") }
        if json {
            Terminal.print(try JobJSON(job).line())
            return
        }
        let drop = try reader.store.drop(job.drop)
        Terminal.print(JobLine.text(job, running: reader.status?.running.first { $0.job == job.id }))
        field("source", job.url ?? FileName(drop.name).display)
        field("profile", job.plan.profile)
        if let path = job.outboxPath { field("result", configuration.folders.outbox + "/" + path) }
        if let duration = job.facts["duration"].flatMap(Double.init) { field("duration", Terminal.seconds(duration)) }
        if let share = job.facts["measured_share"].flatMap(Double.init), let words = job.facts["words"] {
            field("words", "\(words), \(Int((share * 100).rounded())) % with a measured time, \(job.facts["lyrics"] == "given" ? "given" : "recognised")")
        }
        if let earlier = job.cachedFrom { field("answered from", "job \(earlier), which had the same recording and settings") }
        if !job.reason.isEmpty { field("why", job.reason) }
        if !job.nextStep.isEmpty { field("what to do", job.nextStep) }
        if job.notBefore > Daemon.unixSeconds() { field("next try", "in \(Terminal.seconds(job.notBefore - Daemon.unixSeconds()))") }
        Terminal.print("")
        for attempt in try reader.store.attempts(of: job.id) {
            let engine = [attempt.engine, attempt.engineVersion].compactMap { $0 }.joined(separator: " ")
            let time = attempt.seconds.map(Terminal.seconds) ?? ""
            let memory = attempt.peakMemory.flatMap { $0 > 0 ? Terminal.bytes($0) : nil } ?? ""
            Terminal.print(
                "  \(Terminal.padded(attempt.stage.rawValue, 11))\(Terminal.padded(attempt.outcome.rawValue, 9))\(Terminal.padded(engine, 30)) \(Terminal.padded(time, 10)) \(Terminal.padded(memory, 9)) \(attempt.message)")
            if attempt.outcome == .failed, !attempt.stderrTail.isEmpty {
                for line in attempt.stderrTail.split(separator: "\n").suffix(6) { Terminal.print("      \(Terminal.styled(FileName(String(line)).display, .dim))") }
            }
        }
        Terminal.print("")
        for step in try reader.store.transitions(of: job.id) {
            let time = Date(timeIntervalSince1970: step.at).formatted(.iso8601)
            Terminal.print("  \(time)  \(Terminal.padded(step.to.rawValue, 13))\(FileName(step.why).display)")
        }
    }

    private func field(_ name: String, _ value: String) {
        Terminal.print("       \(Terminal.styled(Terminal.padded(name, 14), .dim)) \(FileName(value).display)")
    }
}
