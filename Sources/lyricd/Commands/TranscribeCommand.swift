import ArgumentParser
import FoundationEssentials
import Glibc
import Host
import Inbox
import Jobs
import Logging
import Pipeline
import ServiceLifecycle
import Stages
import UnixSignals

struct TranscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcribe", abstract: "Make lyrics of one recording or link, at once and without the daemon.",
        discussion: """
            The same stages as in the service, in a folder of their own that is removed afterwards. The result is a folder beside the
            recording, or in --outbox. Words in a file of the same name (.txt or .lrc) beside the recording are taken as its lyrics.
            """)

    @OptionGroup var options: ConfigurationOption
    @Argument(help: "A recording, or an http or https link.") var source: String
    @Option(name: .long, help: "Where the result goes. Default: the recording's folder; for links the current one.") var outbox: String?
    @Option(name: .long, help: "Known lyrics, .txt or .lrc.") var lyrics: String?
    @Option(name: .long, help: "Profile to take the settings from.") var profile = "default"

    func run() async throws {
        var configuration = try options.load()
        guard let settings = configuration.profiles[profile] else {
            throw UserError("there is no profile named \(profile)", next: "known: \(configuration.profiles.keys.sorted().joined(separator: ", "))")
        }
        // The engines of the installation, before everything else moves into a folder of its own.
        configuration.folders.engines = configuration.folders.enginesPath
        let temporary = FileManager.default.temporaryDirectory.path + "/lyricd-\(JobKey.make(unixSeconds: Daemon.unixSeconds()))"
        _ = try Directory.openOrCreate(temporary, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        configuration.folders.state = temporary
        configuration.folders.outbox = try outbox.map(absolute) ?? (isLink ? absolute(".") : absolute(folder(of: source)))
        let once = OneJob(configuration: configuration, plan: settings.plan(profile, configuration.limits))
        let job = try await once.run(try claim(once))
        switch job.state {
        case .done, .instrumental:
            Terminal.error(job.state == .instrumental ? "no voice was found; the result says so" : "done")
            Terminal.print(configuration.folders.outbox + "/" + (job.outboxPath ?? ""))
        default:
            throw UserError("\(job.stage.rawValue): \(job.reason)", next: job.nextStep.replacing("lyricd retry \(job.id)", with: "run this again"))
        }
    }

    private var isLink: Bool { source.contains("://") }

    private func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func absolute(_ path: String) throws -> String {
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        guard let resolved = realpath(full, nil) else {
            throw UserError("there is no folder \(path)", next: "make it first, or name another with --outbox")
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private func claim(_ once: OneJob) throws -> NewJob {
        let key = JobKey.make(unixSeconds: Daemon.unixSeconds())
        if isLink {
            let link: WebLink
            do { link = try WebLink(source) } catch { throw UserError("\(source): \(error)") }
            return NewJob(key: key, title: link.display, url: link.url, contentKey: "url:" + link.canonical, plan: once.plan)
        }
        let name = FileName(source.split(separator: "/").last.map(String.init) ?? source)
        let from: Directory
        let file: File
        do {
            from = try Directory.open(folder(of: source))
            file = try from.openFile(name)
        } catch { throw UserError("\(source) cannot be read: \(error)") }
        let work = try Directory.openOrCreate(once.state.work)
        try work.makeDirectory(FileName(key))
        let place = try work.subdirectory(FileName(key))
        let digest = try place.copy(from: file, as: "recording")
        var words: String?
        if let found = try lyricsFile(beside: name, in: from) {
            words = try place.copy(from: found.file, as: KnownLyricsFile.workName(for: found.name)).sha256
            Terminal.error("with the lyrics in \(found.name.display)")
        }
        return NewJob(
            key: key, title: name.stem.display, contentKey: "sha256:" + digest.sha256, lyricsDigest: words, plan: once.plan)
    }

    private func lyricsFile(beside name: FileName, in folder: Directory) throws -> (name: FileName, file: File)? {
        if let lyrics {
            let given = FileName(lyrics.split(separator: "/").last.map(String.init) ?? lyrics)
            guard let file = try? Directory.open(self.folder(of: lyrics)).openFile(given) else { throw UserError("\(lyrics) cannot be read") }
            return (given, file)
        }
        for ending in [".txt", ".lrc"] {
            let candidate = FileName(name.stem.bytes + Array(ending.utf8))
            if candidate != name, let file = try? folder.openFile(candidate) { return (candidate, file) }
        }
        return nil
    }
}

/// The pipeline for one job, without inbox and daemon.
struct OneJob {
    let configuration: Configuration
    let plan: Plan
    var state: StateFolder { StateFolder(path: configuration.folders.state) }

    func run(_ new: NewJob) async throws -> Job {
        try state.prepare()
        var log = Logger(label: "lyricd") { _ in StderrLogHandler() }
        // Failures are told in one sentence at the end.
        log.logLevel = .error
        let store = try JobStore(path: state.storePath, run: "once", clock: Daemon.unixSeconds)
        let changed = WakeUp()
        let wake = WakeUp()
        let board = StatusBoard(changed: changed)
        var options = configuration.pipelineOptions(state: state)
        // A person is waiting: what does not work now is said now.
        options.retry.attempts = 1
        options.drain = 0
        let pipeline = PipelineService(
            store: store, engines: try .embedded(configuration: configuration, state: state), options: options,
            generator: "lyricd \(Version.current)", board: board, wake: wake, log: log, unixSeconds: Daemon.unixSeconds,
            onJobFinished: { changed.signal() })
        _ = try await store.perform {
            try $0.add([
                NewDrop(
                    kind: new.url == nil ? .media : .link, folder: [], name: Array(new.title.utf8), profile: plan.profile,
                    identity: SourceIdentity(device: 0, inode: 0, size: 0, modified: 0, changed: 0), digest: new.contentKey, jobs: [new])
            ])
        }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pipeline.run() }
            group.addTask {
                for await _ in signals { pipeline.stopNow(); changed.signal(); return }
            }
            let job = try await follow(store, board, pipeline, changed)
            pipeline.stopNow()
            group.cancelAll()
            return job
        }
    }

    private func follow(_ store: JobStore, _ board: StatusBoard, _ pipeline: PipelineService, _ changed: WakeUp) async throws -> Job {
        var drawn = ""
        var isDrawn = false
        defer { if isDrawn { Terminal.error("") } }
        while true {
            guard let job = try await store.perform({ try $0.jobs(limit: 1).first }) else { throw UserError("the job is gone") }
            if job.state.isFinished { return job }
            // Held back for a later try is, here, an answer.
            if job.state == .queued, job.failure != nil { return job }
            if pipeline.isStopping, pipeline.activeCount == 0 { throw UserError("stopped") }
            if let running = board.all.first {
                let text = "\(Terminal.padded(running.stage, 11)) \(Terminal.bar(running.fraction)) \(running.fraction.map { "\(Int($0 * 100)) %" } ?? "") \(running.detail)"
                if Terminal.isError {
                    Terminal.progress(text)
                    isDrawn = true
                } else if running.stage != drawn {
                    Terminal.error(running.stage)
                }
                drawn = running.stage
            }
            await changed.wait(until: Clock.bootSeconds + 0.25)
        }
    }
}
