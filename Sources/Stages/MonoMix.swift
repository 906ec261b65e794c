import Jobs

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
