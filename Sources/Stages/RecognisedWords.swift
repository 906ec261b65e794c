/// What a recogniser heard; left by *transcribe* as `words.json`.
package struct RecognisedWords: Codable, Sendable, Equatable {
    package struct Word: Codable, Sendable, Equatable {
        package var text: String
        /// Seconds from the beginning of the recording.
        package var start: Double
        /// Seconds from the beginning of the recording.
        package var end: Double
        /// 0…1, as the engine reports it.
        package var confidence: Double?

        package init(text: String, start: Double, end: Double, confidence: Double? = nil) {
            self.text = text
            self.start = start
            self.end = end
            self.confidence = confidence
        }
    }

    /// As the engine is called in the plan.
    package var engine: String
    /// ISO 639-1.
    package var language: String
    /// Seconds; the length of the recording.
    package var duration: Double
    /// What lies between two pauses, in order. Empty where nothing was recognised.
    package var pieces: [[Word]]

    package init(engine: String, language: String, duration: Double, pieces: [[Word]]) {
        self.engine = engine
        self.language = language
        self.duration = duration
        self.pieces = pieces
    }

    package var words: [Word] { pieces.flatMap(\.self) }
}
