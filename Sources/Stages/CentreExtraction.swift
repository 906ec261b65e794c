import Jobs

/// The lightest separation: keeps what both channels of a stereo recording share, which is where voices are put. No model, some
/// tens of megabytes, a few hundred times as fast as the music.
///
/// Mono recordings and those with the same sound in both channels have no centre; they are mixed as ``MonoMix`` does.
/// Leaves `voice.wav`.
package struct CentreExtraction: StageEngine {
    package let stage = StageName.separate
    package let name = "centre"

    private let paths: EnginePaths
    private let environment: EngineEnvironment
    private let asked = EngineVersion()

    package init(paths: EnginePaths, environment: EngineEnvironment) {
        self.paths = paths
        self.environment = environment
    }

    package func version() async -> String? {
        await asked.ask(paths.ffmpeg, ["-version"], environment: environment, read: FFprobe.version).map { "ffmpeg " + $0 }
    }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        try await VoiceExtraction.with(request, engine: name, paths, environment) { (extraction) async throws(StageError) in
            guard extraction.media.channels > 1 else { return try await extraction.mono() }
            let centre = try await extraction.make(.centre)
            if centre.isOpposed || centre.isNearMono { return try await extraction.mono() }
            return extraction.outcome(centre, mix: .centre)
        }
    }
}

/// No separation: both channels together, voice and music.
///
/// Leaves `voice.wav`.
package struct MonoMix: StageEngine {
    package let stage = StageName.separate
    package let name = "none"

    private let paths: EnginePaths
    private let environment: EngineEnvironment
    private let asked = EngineVersion()

    package init(paths: EnginePaths, environment: EngineEnvironment) {
        self.paths = paths
        self.environment = environment
    }

    package func version() async -> String? {
        await asked.ask(paths.ffmpeg, ["-version"], environment: environment, read: FFprobe.version).map { "ffmpeg " + $0 }
    }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        try await VoiceExtraction.with(request, engine: name, paths, environment) { (extraction) async throws(StageError) in
            try await extraction.mono()
        }
    }
}

extension VoiceExtraction {
    /// Gathers what both engines need.
    static func with(
        _ request: StageRequest, engine: String, _ paths: EnginePaths, _ environment: EngineEnvironment,
        _ body: (VoiceExtraction) async throws(StageError) -> StageOutcome
    ) async throws(StageError) -> StageOutcome {
        try await EngineRun.with(request, stage: .separate, engine: engine, environment: environment) { (run) async throws(StageError) in
            guard let recording = request.recording, let folder = request.inputs[.probe] else {
                throw run.failure(.failed(.ours), "the separate stage needs a recording that was probed")
            }
            guard let ffmpeg = paths.ffmpeg else { throw run.engineMissing("ffmpeg", install: "apt-get install ffmpeg") }
            let media: ProbedMedia
            do { media = try StageFolder.read(ProbedMedia.self, from: StageFolder.probe, in: folder) } catch { throw run.failure(error) }
            return try await body(VoiceExtraction(run: run, ffmpeg: ffmpeg, recording: recording, media: media))
        }
    }

    /// The middle, or one channel where the two cancel each other out.
    func mono() async throws(StageError) -> StageOutcome {
        let middle = try await make(.middle)
        guard middle.isOpposed else { return outcome(middle, mix: .middle) }
        return outcome(try await make(.left), mix: .left)
    }
}
