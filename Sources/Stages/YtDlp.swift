import Host
import Jobs
import Synchronization

/// Fetches the recording behind a link, with yt-dlp.
///
/// Leaves `media.<extension>`, as the site sends it, and `fetch.json`, a ``FetchedMedia``.
package struct YtDlp: StageEngine {
    package let stage = StageName.fetch
    package let name = "yt-dlp"

    private let paths: EnginePaths
    private let scripts: EngineScripts
    private let environment: EngineEnvironment
    private let addressGuard: AddressGuard
    private let noProgressLimit: Duration
    private let asked = EngineVersion()

    /// A download that brings less than this within `noProgressLimit` stands still, bytes.
    private static let leastProgress = 16_384.0

    /// - Parameter noProgressLimit: how long a download may bring (next to) nothing.
    package init(
        paths: EnginePaths, scripts: EngineScripts, environment: EngineEnvironment, addressGuard: AddressGuard = AddressGuard(),
        noProgressLimit: Duration = .seconds(120)
    ) {
        self.paths = paths
        self.scripts = scripts
        self.environment = environment
        self.addressGuard = addressGuard
        self.noProgressLimit = noProgressLimit
    }

    package func version() async -> String? {
        await asked.ask(paths.ytDlp, ["--ignore-config", "--no-plugin-dirs", "--version"], environment: environment) { $0 }
    }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        try await EngineRun.with(request, stage: stage, engine: name, environment: environment) { (run) async throws(StageError) in
            guard let url = request.url else { throw run.failure(.failed(.ours), "the job has no link") }
            guard let program = paths.ytDlp, let python = Self.interpreter(of: program) else {
                throw run.engineMissing(paths.ytDlp ?? "yt-dlp", install: paths.installCommand)
            }
            let link = try await check(url, run)
            let script: String
            do { script = try scripts.path(of: .ytDlp) } catch { throw run.failure(error) }
            let isOpen = addressGuard.allowPrivateAddresses
            return try await download(
                run, python,
                EngineEnvironment.pythonOptions + [script, isOpen ? "open" : "guard", program] + Self.arguments(link.url, run))
        }
    }

    private func check(_ url: String, _ run: EngineRun) async throws(StageError) -> WebLink {
        do {
            return try await addressGuard.check(url)
        } catch {
            if Task.isCancelled { throw run.failure(.cancelled, "stopped") }
            switch error {
            case .link(let error): throw run.failure(.failed(.policy), error.reason, next: error.nextStep)
            case .privateAddress(let host, let address):
                throw run.failure(
                    .failed(.policy), "the link points at a private address: \(host) is \(address)",
                    next: "drop the file itself instead of a link into the local network")
            case .unresolved(let host, let reason):
                throw run.failure(
                    .failed(.transient), "\(host) has no address: \(reason)",
                    next: "it is tried again by itself; check the link and this machine's network")
            }
        }
    }

    private struct Reading {
        var output = YtDlpOutput()
        /// What was there when something last happened: time in awake seconds, bytes.
        var lifeSign: (at: Double, done: Double)
        var isTooBig = false
        var hasStalled = false
    }

    private func download(_ run: EngineRun, _ python: String, _ arguments: [String]) async throws(StageError) -> StageOutcome {
        let reading = Mutex(Reading(lifeSign: (Clock.awakeSeconds, 0)))
        let limit = Double(run.request.plan.sizeMaxBytes)
        let brake = Brake()
        // yt-dlp waits for a whole block before it says anything, so a server that drips keeps it silent and busy: its bytes
        // are watched from outside.
        let watch = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: noProgressLimit / 4)
                let hasStalled = reading.withLock { reading in
                    reading.hasStalled = Clock.awakeSeconds - reading.lifeSign.at > noProgressLimit.seconds
                    return reading.hasStalled
                }
                if hasStalled, !Task.isCancelled { return brake.pull() }
            }
        }
        defer { watch.cancel() }
        let result = try await run.execute(python, arguments, brake: brake) { line in
            let (progress, isTooBig) = reading.withLock { reading in
                let wasDownloading = reading.output.chosen != nil
                reading.output.take(line)
                let done = reading.output.progress.done ?? 0
                if done - reading.lifeSign.done >= Self.leastProgress || wasDownloading != (reading.output.chosen != nil)
                    || done < reading.lifeSign.done
                {
                    reading.lifeSign = (Clock.awakeSeconds, done)
                }
                // --max-filesize does not hold for recordings that come in fragments, nor where no size is known.
                reading.isTooBig = done > limit
                return (reading.output.progress, reading.isTooBig)
            }
            run.request.report(progress.stage)
            if isTooBig { brake.pull() }
        } onError: { line in
            reading.withLock { $0.output.takeError(line) }
        }
        let end = reading.withLock { $0 }
        if brake.isPulled {
            if end.isTooBig { throw tooBig(run, result) }
            throw run.failure(
                .stalled(after: noProgressLimit.seconds), "the download stood still for \(Int(noProgressLimit.seconds)) s",
                next: "it is tried again by itself", result: result, retryAfter: end.output.retryAfter)
        }
        guard result.ending == .exited(0) else { throw failed(run, result, end.output) }
        return try finish(run, result, end.output)
    }

    /// Exit 0 means nothing yet: a filter's *no* and a file that is too big also exit with 0.
    private func finish(_ run: EngineRun, _ result: ChildResult, _ output: YtDlpOutput) throws(StageError) -> StageOutcome {
        guard let path = output.file else {
            if output.chosen != nil { throw tooBig(run, result) }
            guard let found = output.found else {
                throw run.failure(.failed(.permanent), "there is no recording at this link", next: "check the link", result: result)
            }
            throw refused(run, result, found)
        }
        let prefix = run.request.output + "/"
        let name = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : ""
        guard name.hasPrefix("media."), !name.contains("/"),
            let status = try? Directory.open(run.request.output).status(of: FileName(name)), status.kind == .regular, status.size > 0
        else {
            throw run.failure(.badOutput, "yt-dlp said that it had fetched the recording, but left no file", result: result)
        }
        guard status.size <= Int64(run.request.plan.sizeMaxBytes) else { throw tooBig(run, result) }
        let info = output.chosen ?? output.found
        let media = FetchedMedia(
            file: name, title: info?.title, artist: info?.artist, album: info?.album, uploader: info?.uploader,
            duration: info?.duration, webpageURL: info?.webpageURL, extractor: info?.extractor)
        do { try StageFolder.write(media, as: StageFolder.fetch, in: run.request.output) } catch { throw run.failure(error) }
        var facts = ["media": name]
        facts["title"] = media.title
        facts["artist"] = media.artist
        facts["album"] = media.album
        facts["uploader"] = media.uploader
        facts["duration"] = media.duration.map { "\($0)" }
        facts["webpage"] = media.webpageURL
        facts["extractor"] = media.extractor
        return StageOutcome(exitStatus: 0, peakMemory: result.peakMemory, facts: facts)
    }

    // MARK: Errors

    private func refused(_ run: EngineRun, _ result: ChildResult, _ info: YtDlpOutput.Info) -> StageError {
        if info.isLive {
            return run.failure(
                .failed(.policy), "this is a live stream; only finished recordings are fetched",
                next: "drop the link again when it is over", result: result)
        }
        if info.isUpcoming {
            return run.failure(
                .failed(.policy), "the recording has not begun yet", next: "drop the link again when it is over", result: result)
        }
        let limit = run.request.plan.durationMaxSeconds
        let length = info.duration.map { "\(Int($0)) s long" } ?? "too long"
        return run.failure(
            .failed(.policy), "the recording is \(length); at most \(Int(limit)) s are accepted",
            next: "raise the longest duration that is accepted, or drop a shorter piece", result: result)
    }

    private func tooBig(_ run: EngineRun, _ result: ChildResult) -> StageError {
        run.failure(
            .failed(.policy), "the recording is larger than the \(run.request.plan.sizeMaxBytes >> 20) MiB that are accepted",
            next: "raise the largest size that is accepted, or fetch a smaller version and drop the file", result: result)
    }

    private func failed(_ run: EngineRun, _ result: ChildResult, _ output: YtDlpOutput) -> StageError {
        if result.ending == .exited(2) {
            return run.failure(
                .failed(.environment), "this yt-dlp does not know the options it was called with; it is probably too old",
                next: "install the tested version: \(paths.installCommand)", result: result)
        }
        guard let known = YtDlpError.classify(output.errors) else {
            let said = output.errors.last.map { String($0.dropFirst("ERROR: ".count).prefix(300)) } ?? "no reason given"
            return run.failure(
                .failed(.transient), "yt-dlp could not fetch the recording: \(said)", next: "it is tried again by itself",
                result: result, retryAfter: output.retryAfter)
        }
        return run.failure(.failed(known.failureClass), known.message, next: known.nextStep, result: result, retryAfter: output.retryAfter)
    }

    // MARK: The command

    /// The Python that yt-dlp belongs to: the one beside it.
    private static func interpreter(of program: String) -> String? {
        guard let slash = program.lastIndex(of: "/") else { return nil }
        for name in ["python", "python3"] {
            let folder = String(program[..<slash])
            if let status = try? Directory.open(folder).status(of: FileName(name)), status.kind == .regular || status.kind == .symbolicLink
            {
                return "\(folder)/\(name)"
            }
        }
        return "/usr/bin/python3"
    }

    private static func arguments(_ url: String, _ run: EngineRun) -> [String] {
        let plan = run.request.plan
        return [
            // Nobody's settings, plugins, cookies, passwords or programs.
            "--ignore-config", "--no-config-locations", "--no-plugin-dirs", "--no-remote-components", "--no-update", "--no-exec",
            "--no-cookies", "--no-cookies-from-browser", "--no-cache-dir", "--no-batch-file",
            // Nothing of the download is given to ffmpeg here: it would read a playlist that calls itself a recording.
            "--fixup", "never", "--downloader", "m3u8:native", "--downloader", "dash:native", "--ffmpeg-location", run.scratch + "/none",
            "--no-playlist", "--playlist-items", "1", "--format", "bestaudio/best",
            "--match-filters", "!is_live & !is_upcoming & duration<=?\(Int(plan.durationMaxSeconds))",
            "--max-filesize", "\(plan.sizeMaxBytes)",
            "--socket-timeout", "20", "--retries", "3", "--fragment-retries", "3", "--extractor-retries", "2",
            // Without it a missing piece is left out in silence.
            "--abort-on-unavailable-fragments",
            "--no-mtime", "--no-overwrites", "--restrict-filenames",
            "--quiet", "--no-warnings", "--no-simulate", "--progress", "--newline", "--progress-delta", "0.5",
            "--progress-template",
            #"download:@progress {"done":%(progress.downloaded_bytes|null)j,"total":%(progress.total_bytes|null)j,"estimate":%(progress.total_bytes_estimate|null)j}"#,
            "--print", "pre_process:@found %(.{title,duration,live_status})j",
            "--print",
            "before_dl:@info %(.{title,fulltitle,track,artist,artists,album,uploader,channel,duration,live_status,webpage_url,extractor_key})j",
            "--print", "after_move:@file %(filepath)j",
            "--paths", "home:\(run.request.output)", "--paths", "temp:.scratch", "--output", "media.%(ext)s",
            "--", url,
        ]
    }
}
