/// What a job's stages will run with. Stored with the job, so that a retry repeats it.
package struct Plan: Codable, Sendable, Equatable {
    /// The profile the plan was made from; `default` where none was chosen.
    package var profile: String
    /// Engine of the *separate* stage: `centre` or `none`.
    package var separate: String
    /// Engine of the *transcribe* stage.
    package var transcribe: String
    /// Engine of the *align* stage.
    package var align: String
    /// Language of the lyrics, ISO 639-1. The embedded engines know English only.
    package var language: String
    /// Language tag of the wanted audio stream in files that hold several, ISO 639-2 as in the file; empty takes the first.
    package var audioLanguage: String
    /// Outputs to render, as `OutputFormat` raw values, in the order of the configuration.
    package var formats: [String]
    /// Longest recording that is accepted, seconds.
    package var durationMaxSeconds: Double
    /// Largest file that is accepted or downloaded, bytes.
    package var sizeMaxBytes: Int

    package init(
        profile: String = "default", separate: String = "centre", transcribe: String = "pocketsphinx",
        align: String = "pocketsphinx", language: String = "en", audioLanguage: String = "",
        formats: [String] = ["lrc", "elrc", "srt", "vtt", "txt", "json"],
        durationMaxSeconds: Double = 4 * 3600, sizeMaxBytes: Int = 2 << 30
    ) {
        self.profile = profile
        self.separate = separate
        self.transcribe = transcribe
        self.align = align
        self.language = language
        self.audioLanguage = audioLanguage
        self.formats = formats
        self.durationMaxSeconds = durationMaxSeconds
        self.sizeMaxBytes = sizeMaxBytes
    }
}
