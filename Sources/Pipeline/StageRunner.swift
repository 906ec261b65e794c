import Dispatch
import Host
import Jobs
import Logging
import Lyrics
import Stages

/// Runs one stage of one job and writes down what came of it.
struct StageRunner: Sendable {
    let store: JobStore
    let engines: EngineSet
    let options: PipelineOptions
    let generator: String
    let board: StatusBoard
    let log: Logger
    let unixSeconds: @Sendable () -> Double
    /// Whether the whole daemon is stopping; otherwise a cancelled stage was cancelled for its own job's sake.
    let isStopping: @Sendable () -> Bool
    /// Jobs of an earlier life are compared with what is on the disk before they go on.
    let isVerified: @Sendable (Job.ID) -> Bool

    private static let queue = DispatchQueue(label: "lyricd.files", attributes: .concurrent)

    func run(_ started: StartedStage) async throws {
        let began = Clock.bootSeconds
        let job = started.job
        var log = log
        log[metadataKey: "job"] = "\(job.id)"
        log[metadataKey: "stage"] = "\(job.stage.rawValue)"
        log[metadataKey: "attempt"] = "\(job.attempts)"
        board.begin(started, engine: engines.name(for: job.stage, plan: job.plan))
        defer { board.end(job.id) }
        do {
            if job.stage == .publish {
                let path = try await publish(started, began: began)
                log.info("published", metadata: ["message.id": "\(MessageID.published)", "folder": "\(path)", "title": "\(job.title)"])
            } else {
                try await runEngine(started, began: began, log)
            }
        } catch let error as StageError {
            try await record(error, started, began: began, log)
        } catch let error as StoreError where error.reason == .conflict {
            // The job was cancelled, superseded or given lyrics meanwhile; the result belongs to nobody.
            try await close(started, began: began, why: error.message)
        } catch let error as StoreError where error.reason == .io || error.reason == .corrupt {
            throw error
        } catch {
            let isSpace = (error as? SystemCallError)?.isOutOfSpace ?? ((error as? StoreError)?.reason == .full)
            let failure = isSpace ? .environment : (error as? SystemCallError)?.failureClass ?? (job.stage == .publish ? .environment : .ours)
            try await record(
                StageError(
                    stage: job.stage, job: job.id, engine: "lyricd", reason: .failed(failure),
                    message: "\(error)",
                    nextStep: isSpace ? "make space; the job goes on by itself" : "see that lyricd may write there"),
                started, began: began, log)
        }
    }

    // MARK: - Engines

    private func runEngine(_ started: StartedStage, began: Double, _ log: Logger) async throws {
        let job = started.job
        if !isVerified(job.id), let damaged = try await onFiles({ try verify(job) }) {
            try await store.perform { try $0.sendBack(started, to: damaged, why: "what \(damaged.rawValue) had left is damaged or gone") }
            return
        }
        if job.facts.isEmpty, let earlier = try await store.perform({ try $0.earlierResult(of: job) }),
            try await answer(started, from: earlier, began: began, log)
        {
            return
        }
        let engine = try engines.engine(for: job.stage, plan: job.plan, job: job.id)
        let work = try await onFiles { try WorkFolder(work: options.work, key: job.key) }
        let output = try await onFiles { try work.begin(job.stage, attempt: started.attempt) }
        Fault.crash("stage.begun")
        var inputs: [StageName: String] = [:]
        for stage in StageName.allCases where stage < job.stage { inputs[stage] = work.stagePath(stage) }
        let duration = job.facts["duration"].flatMap(Double.init)
        let request = StageRequest(
            job: job.id, plan: job.plan, url: job.url, recording: work.recording(facts: job.facts),
            lyrics: job.lyricsDigest == nil ? nil : work.lyrics, facts: job.facts.merging(["title": job.title]) { found, _ in found }, inputs: inputs, output: output,
            timeLimit: options.timeLimit(job.stage, duration: duration), report: { [board] in board.report($0, for: job.id) })
        let outcome: StageOutcome
        do {
            outcome = try await engine.run(request)
        } catch {
            try? await onFiles { work.abandon(job.stage, attempt: started.attempt) }
            throw error
        }
        let artifacts = try await onFiles { try work.commit(job.stage, attempt: started.attempt) }
        let version = await engine.version()
        let seconds = Clock.bootSeconds - began
        var facts = outcome.facts
        if outcome.isInstrumental { facts["instrumental"] = "yes" }
        if job.lyricsDigest != nil, work.lyrics != nil { facts["lyrics"] = "given" }
        let settled = facts
        let isInstrumental = outcome.isInstrumental || job.facts["instrumental"] == "yes"
        let next = Self.next(after: job.stage, isInstrumental: isInstrumental, hasLyrics: settled["lyrics"] == "given")
        let title = Self.title(for: job, facts: settled)
        let (exitStatus, peakMemory) = (outcome.exitStatus, outcome.peakMemory)
        try await persist {
            try $0.finishStage(
                started, engineVersion: version, seconds: seconds, exitStatus: exitStatus, peakMemory: peakMemory,
                artifacts: artifacts, facts: settled, title: title, next: next)
        }
        log.info(
            "stage done",
            metadata: ["message.id": "\(MessageID.stageDone)", "engine": "\(engine.name)", "seconds": "\(rounded(seconds))"])
    }

    static func next(after stage: StageName, isInstrumental: Bool, hasLyrics: Bool) -> StageName {
        switch stage {
        case .fetch: .probe
        case .probe: .separate
        // Known lyrics beat recognition; and where there is no voice there are no words to look for.
        case .separate: isInstrumental ? .render : hasLyrics ? .align : .transcribe
        case .transcribe: isInstrumental ? .render : .align
        case .align: .render
        case .render, .publish: .publish
        }
    }

    /// A link is named after what was found behind it; a file keeps the name its owner gave it.
    static func title(for job: Job, facts: [String: String]) -> String? {
        guard job.stage == .fetch, let title = facts["title"], !title.isEmpty else { return nil }
        return title
    }

    private func verify(_ job: Job) throws -> StageName? {
        let artifacts = try store.artifacts(of: job.id)
        guard !artifacts.isEmpty else { return nil }
        let work = try WorkFolder(work: options.work, key: job.key)
        return work.firstDamaged(artifacts)
    }

    /// The same recording with the same plan was done before: its files are this job's result.
    ///
    /// - Returns: false where the earlier result is no longer what it was.
    private func answer(_ started: StartedStage, from earlier: Job, began: Double, _ log: Logger) async throws -> Bool {
        guard let name = earlier.outboxName else { return false }
        let job = started.job
        // Whether the result stands where this job's would, or was copied into its work folder.
        let stands: Bool? = try await onFiles {
            guard let place = try? Directory.open(options.outbox).descend(earlier.outboxFolder),
                let manifest = Publisher.verifiedManifest(in: place, FileName(name))
            else { return nil }
            if earlier.outboxFolder == job.outboxFolder, OutboxName(job.title, fallback: "job \(job.id)").text == earlier.outboxName {
                return true
            }
            let folder = try place.subdirectory(FileName(name))
            let work = try WorkFolder(work: options.work, key: job.key)
            _ = try work.begin(.render, attempt: started.attempt)
            let target = try work.directory.subdirectory(FileName("render.tmp-\(started.attempt)"))
            for file in manifest.files {
                guard let suffix = OutputFormat.allCases.map(\.fileSuffix).first(where: { file.name.hasSuffix("." + $0) }) else { continue }
                _ = try target.copy(from: try folder.openFile(FileName(file.name)), as: FileName("lyrics.\(suffix)"))
            }
            _ = try work.commit(.render, attempt: started.attempt)
            return false
        }
        guard let stands else { return false }
        let seconds = Clock.bootSeconds - began
        if stands {
            try await persist { try $0.answerFromEarlier(started, earlier: earlier, seconds: seconds) }
            try await onFiles { try WorkFolder.remove(work: options.work, key: job.key) }
        } else {
            try await persist {
                try $0.finishStage(
                    started, engineVersion: nil, seconds: seconds, exitStatus: 0, peakMemory: 0, artifacts: [],
                    facts: earlier.facts, cachedFrom: earlier.id, next: .publish)
            }
        }
        log.info("answered from an earlier result", metadata: ["earlier": "\(earlier.id)"])
        return true
    }

    private func publish(_ started: StartedStage, began: Double) async throws -> String {
        let (path, isInstrumental) = try await onFiles {
            let work = try WorkFolder(work: options.work, key: started.job.key)
            if !isVerified(started.job.id), let damaged = work.firstDamaged(try store.artifacts(of: started.job.id)) {
                try store.sendBack(started, to: damaged, why: "what \(damaged.rawValue) had left is damaged or gone")
                throw StoreError(.conflict, "sent back to \(damaged.rawValue)")
            }
            return try publisher.publish(started, work: work)
        }
        try await persist {
            try $0.finishPublishing(
                job: started.job.id, attempt: started.attempt, seconds: Clock.bootSeconds - began, isInstrumental: isInstrumental)
        }
        Fault.crash("publish.committed")
        // What stays of it now, the next start removes.
        try? await onFiles { try WorkFolder.remove(work: options.work, key: started.job.key) }
        return path
    }

    private var publisher: Publisher { Publisher(store: store, options: options, generator: generator, unixSeconds: unixSeconds) }

    /// Writes down what came of a stage. A full disk is waited for: the work was done, and may not be done again for want of a row.
    private func persist(_ body: @escaping @Sendable (JobStore) throws -> Void) async throws {
        while true {
            do { return try await store.perform(body) } catch {
                guard (error as? StoreError)?.reason == .full, !isStopping(), !Task.isCancelled else { throw error }
                log.warning("the result of a stage waits for space in the job store", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: Self.fullDelay)
            }
        }
    }

    private static let fullDelay = Duration.seconds(2)

    // MARK: - Failures

    private func record(_ error: StageError, _ started: StartedStage, began: Double, _ log: Logger) async throws {
        let seconds = Clock.bootSeconds - began
        guard var failure = error.failureClass else {
            let why = isStopping() ? "lyricd is stopping" : "stopped"
            do {
                try await store.perform { try $0.giveBack(started, seconds: seconds, why: why) }
            } catch let conflict as StoreError where conflict.reason == .conflict {
                try await close(started, began: began, why: "stopped")
            }
            log.info("stage stopped", metadata: ["message.id": "\(MessageID.stageStopped)", "why": "\(why)"])
            return
        }
        var (reason, nextStep) = (error.message, error.nextStep)
        let now = unixSeconds()
        var verdict = options.retry.verdict(
            for: error, failure: failure, attempts: started.job.attempts, now: now, jitter: .random(in: 0...1))
        if await isOutOfSpace(error) {
            failure = .environment
            reason = "no space is left: \(error.message)"
            nextStep = "make space; the job goes on by itself"
            verdict = .retry(notBefore: now + options.retry.spaceDelay, isCounted: false)
        }
        let (settledFailure, settledReason, settledStep, settledVerdict) = (failure, reason, nextStep, verdict)
        let spaceDelay = options.retry.spaceDelay
        do {
            try await persist { [publisher] store in
                let job = try store.job(started.job.id)
                if job.state == .publishing {
                    // It could not be taken back: whether it is published, the next start finds out. Building it again would publish it twice.
                    guard publisher.standing(job) == nil else { throw StoreError(.io, "a publication was cut off: \(settledReason)") }
                    try store.republish(job: job.id, failing: started, reason: settledReason, notBefore: now + spaceDelay)
                } else {
                    try store.failStage(
                        started, failure: settledFailure, reason: settledReason, nextStep: settledStep, verdict: settledVerdict,
                        seconds: seconds, exitStatus: error.exitStatus, peakMemory: error.peakMemory, stderrTail: error.stderrTail)
                }
            }
        } catch let conflict as StoreError where conflict.reason == .conflict {
            return try await close(started, began: began, why: "stopped")
        }
        if verdict == .fail { try? await onFiles { try WorkFolder.remove(work: options.work, key: started.job.key) } }
        log.warning(
            "stage failed",
            metadata: [
                "message.id": "\(MessageID.stageFailed)", "engine": "\(error.engine)", "class": "\(failure.rawValue)",
                "reason": "\(reason)", "next": "\(nextStep)", "verdict": "\(verdict.label)", "seconds": "\(rounded(seconds))",
            ])
    }

    /// The stage ended for a job that had meanwhile left it: the attempt is closed, and what is of no use any more goes.
    private func close(_ started: StartedStage, began: Double, why: String) async throws {
        let key = started.job.key
        let isNeeded = try await store.perform {
            try $0.closeAttempt(started, seconds: Clock.bootSeconds - began, why: why)
            return try $0.needsWorkFolder(key: key)
        }
        if !isNeeded { try? await onFiles { try WorkFolder.remove(work: options.work, key: key) } }
    }

    /// A child's "no space" is only text, in any language: the file systems are asked as well.
    private func isOutOfSpace(_ error: StageError) async -> Bool {
        if error.reason == .failed(.environment), error.nextStep.hasPrefix("make space") { return true }
        guard error.failureClass != .policy, error.failureClass != .badMedia else { return false }
        if error.stderrTail.contains("No space left on device") || error.message.contains("No space left on device") { return true }
        let options = options
        return (try? await onFiles {
            let free = try Directory.open(options.work).freeBytes()
            return free < 1 << 20
        }) ?? false
    }

    private func onFiles<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Self.queue.async { @Sendable in continuation.resume(with: Result { try body() }) }
        }
    }

    private func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}

extension JobStore.FailureVerdict {
    var label: String {
        switch self {
        case .retry: "retry"
        case .hold: "held"
        case .fail: "failed"
        }
    }
}
