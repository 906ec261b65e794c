import ArgumentParser
import FoundationEssentials
import Host
import Inbox
import Jobs
import Pipeline

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs, the newest last; with --json the newest first.",
        discussion: "With --follow the list stays on the screen and shows how far each stage is, until all jobs are done.")

    @OptionGroup var options: ConfigurationOption
    @Flag(name: [.short, .long], help: "Keep showing until nothing is waiting or running any more.") var follow = false
    @Flag(name: .long, help: "One JSON object for each job and line.") var json = false
    @Option(name: .long, help: "Only jobs in this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).") var state: String?
    @Option(name: .long, help: "At most so many jobs.") var limit = 50

    func validate() throws {
        if let state, JobState(rawValue: state) == nil { throw ValidationError("there is no state named \(state)") }
        if limit < 1 { throw ValidationError("--limit wants a number above 0") }
    }

    func run() async throws {
        let reader = try StoreReader(configuration: try options.load())
        guard follow else {
            try show(reader)
            return
        }
        try await Follower(reader: reader, json: json, limit: limit).run()
    }

    private func show(_ reader: StoreReader) throws {
        let jobs = try reader.store.jobs(states: state.flatMap(JobState.init).map { [$0] } ?? [], newestFirst: true, limit: limit)
        if json {
            for job in jobs { Terminal.print(try JobJSON(job).line()) }
            return
        }
        let status = reader.status
        for job in jobs.reversed() { Terminal.print(JobLine.text(job, running: status?.running.first { $0.job == job.id })) }
        for waiting in status?.inbox.waiting.prefix(20) ?? [] {
            Terminal.print("  \(Terminal.styled(Terminal.padded("waiting", 12), .dim)) \(waiting.path)  \(Terminal.styled(waiting.reason, .dim))")
        }
        if jobs.isEmpty, status?.inbox.waiting.isEmpty ?? true { Terminal.print("no jobs yet; drop something into \(reader.inbox)") }
        if status == nil { Terminal.print(Terminal.styled("lyricd is not running; start it with: systemctl start lyricd", .yellow)) }
        if let absent = status?.inbox.absent { Terminal.print(Terminal.styled("the inbox cannot be read: \(absent)", .red)) }
        if let paused = status?.paused ?? status?.inbox.paused { Terminal.print(Terminal.styled("paused: \(paused)", .yellow)) }
    }
}

/// The store of a daemon, for reading, and what the daemon says of the moment.
struct StoreReader {
    let store: JobStore
    let runtime: String
    let inbox: String
    let state: StateFolder

    init(configuration: Configuration) throws {
        runtime = configuration.folders.runtime
        inbox = configuration.folders.inbox
        state = StateFolder(path: configuration.folders.state)
        guard (try? Directory.open(state.path).status(of: FileName(StateFolder.storeName))) ?? nil != nil else {
            throw UserError(
                "there is no job store in \(state.path), or you may not look there",
                next: "start the service (systemctl start lyricd), or join its group: usermod -aG lyricd \(ProcessInfo.processInfo.userName)")
        }
        store = try JobStore(readingOnly: state.storePath)
    }

    var status: StatusFile? { StatusFile.read(from: runtime) }
}

/// One line for one job.
enum JobLine {
    static func text(_ job: Job, running: StatusBoard.Running?) -> String {
        let (word, style): (String, Terminal.Style) =
            switch job.state {
            case .done: ("done", .green)
            case .instrumental: ("instrumental", .green)
            case .queued: (job.notBefore > Daemon.unixSeconds() ? "again later" : "queued", .dim)
            case .running: (job.stage.rawValue, .cyan)
            case .publishing: ("publishing", .cyan)
            case .failed: ("failed", .red)
            case .held: ("held", .yellow)
            case .cancelled, .superseded: (job.state.rawValue, .dim)
            }
        let number = String(job.id)
        let head = String(repeating: " ", count: max(0, 5 - number.count)) + number
        var line = "\(head)  \(Terminal.styled(Terminal.padded(word, 12), style)) \(Terminal.padded(PrintableTitle.text(job.title), 32))"
        // The status is a moment older than the store: what it says of a job that has just ended is over.
        if let running, job.state == .running {
            let percent = running.fraction.map { "\(Int($0 * 100)) %" } ?? ""
            line += " \(Terminal.bar(running.fraction, columns: 16)) \(percent) \(running.detail)"
        } else if job.state.isPublished {
            line += " \(job.outboxPath ?? "")" + (job.cachedFrom.map { Terminal.styled("  (from job \($0))", .dim) } ?? "")
        } else if !job.reason.isEmpty {
            line += " \(job.reason)"
        }
        return line
    }
}

/// Titles are written by strangers: nothing in them may steer a terminal.
enum PrintableTitle {
    static func text(_ title: String) -> String { FileName(title).display }
}

/// What scripts read. Names are never changed after a release; fields may be added.
struct JobJSON: Encodable {
    var id: Job.ID
    var key: String
    var title: String
    var url: String?
    var state: String
    var stage: String
    var attempts: Int
    var failure: String?
    var reason: String
    var nextStep: String
    var outbox: String?
    var cachedFrom: Job.ID?
    var profile: String
    var createdAt: Double
    var updatedAt: Double
    var facts: [String: String]

    init(_ job: Job) {
        id = job.id
        key = job.key
        title = job.title
        url = job.url
        state = job.state.rawValue
        stage = job.stage.rawValue
        attempts = job.attempts
        failure = job.failure?.rawValue
        reason = job.reason
        nextStep = job.nextStep
        outbox = job.outboxPath
        cachedFrom = job.cachedFrom
        profile = job.plan.profile
        createdAt = job.createdAt
        updatedAt = job.updatedAt
        facts = job.facts
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
