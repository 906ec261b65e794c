import Jobs

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
