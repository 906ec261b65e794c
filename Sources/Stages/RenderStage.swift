import Host
import Jobs
import Lyrics

/// The *render* stage: every output of the plan, from the timed words. Work of this process; no program is started.
package struct RenderStage: StageEngine {
    package let stage = StageName.render
    package let name = "lyricd"
    private let release: String

    /// - Parameter release: version of lyricd, for the attempt's record.
    package init(release: String) { self.release = release }

    package func version() async -> String? { release }

    /// Files in the stage's folder are named `lyrics.<suffix>`; the outbox gives them the song's name.
    package static func suffix(of file: String) -> String? {
        guard file.hasPrefix("lyrics.") else { return nil }
        let suffix = String(file.dropFirst("lyrics.".count))
        return OutputFormat.allCases.contains { $0.fileSuffix == suffix } ? suffix : nil
    }

    package func run(_ request: StageRequest) async throws(StageError) -> StageOutcome {
        func failure(_ reason: StageError.Reason, _ error: any Error) -> StageError {
            StageError(stage: .render, job: request.job, engine: name, reason: reason, message: "\(error)")
        }
        // Without a voice there is nothing to render: an empty .lrc would be worse than none.
        guard let align = request.inputs[.align], let timed = try timedLyrics(in: align, failure) else { return StageOutcome() }
        let metadata = TrackMetadata(
            title: request.facts["title"] ?? "", artist: request.facts["artist"] ?? "", album: request.facts["album"] ?? "")
        do {
            let folder = try Directory.open(request.output)
            for format in request.plan.formats.compactMap(OutputFormat.init) {
                let text = render(timed, as: format, metadata: metadata)
                try folder.write(FileName("lyrics.\(format.fileSuffix)"), Array(text.utf8))
            }
        } catch {
            throw failure(.failed(error.failureClass), error)
        }
        return StageOutcome(facts: [
            "words": "\(timed.words.count)", "measured_share": "\((timed.measuredShare * 10_000).rounded() / 10_000)",
        ])
    }

    private func timedLyrics(
        in folder: String, _ failure: (StageError.Reason, any Error) -> StageError
    ) throws(StageError) -> TimedLyrics? {
        do {
            guard (try? Directory.open(folder).status(of: StageFolder.timed)) ?? nil != nil else { return nil }
            return try StageFolder.read(TimedLyrics.self, from: StageFolder.timed, in: folder)
        } catch {
            throw failure(.badOutput, error)
        }
    }
}
