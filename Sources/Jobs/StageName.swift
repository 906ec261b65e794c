/// The stages of a job, in the order in which a job passes through them.
///
/// The raw value is what the database, the work folder and the manifest say; it is never changed after a release.
package enum StageName: String, Codable, Sendable, CaseIterable, Comparable {
    /// A link becomes a media file. Jobs that start from a file skip it.
    case fetch
    /// What is in the file: container, audio streams, duration, tags.
    case probe
    /// The voice, as mono samples at 16 000 Hz; everything after reads only this.
    case separate
    /// Words from sound. Skipped where the lyrics are known.
    case transcribe
    /// A time for every word.
    case align
    /// Every output format, from the timed words.
    case render
    /// The finished folder enters the outbox.
    case publish

    package static func < (left: StageName, right: StageName) -> Bool { left.order < right.order }

    /// Which scarce thing the stage occupies.
    package var lane: Lane {
        switch self {
        case .fetch: .network
        case .probe, .separate, .render, .publish: .light
        case .transcribe, .align: .heavy
        }
    }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A scarce thing that stages queue for; each has its own concurrency, so that different jobs' stages overlap.
package enum Lane: String, Codable, Sendable, CaseIterable {
    /// Downloads.
    case network
    /// Short work of one core: ffmpeg, rendering, publishing.
    case light
    /// Recognisers and aligners: minutes of every core they are given.
    case heavy
}
