/// What lyrics can be rendered as. The raw value is the name in the configuration.
package enum OutputFormat: String, Codable, Sendable, CaseIterable {
    /// The plain text, line for line.
    case txt
    /// SubRip subtitles, a cue per line.
    case srt
    /// WebVTT with word timestamps.
    case vtt
    /// LRC with a stamp per line: what every music player reads.
    case lrc
    /// Enhanced LRC with a stamp per word.
    case elrc
    /// Words with their times, for other programs.
    case json

    /// What follows the song's name and a dot: `words.json` for JSON, else the raw value.
    package var fileSuffix: String { self == .json ? "words.json" : rawValue }
}

/// What the outputs say about the recording. Empty texts are left out.
package struct TrackMetadata: Codable, Sendable, Equatable {
    package var title: String
    package var artist: String
    package var album: String

    package init(title: String = "", artist: String = "", album: String = "") {
        self.title = title
        self.artist = artist
        self.album = album
    }
}
