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
