/// A word as it is displayed, with the time at which it is sung.
package struct Word: Codable, Sendable, Equatable {
    /// How the time of a word was found.
    package enum Timing: String, Codable, Sendable, CaseIterable {
        /// An engine found the word in the sound.
        case measured
        /// Placed between its neighbours by the number of its letters, or by a given line's time stamp.
        case interpolated
    }

    /// With its punctuation, exactly as given or recognised.
    package var text: String
    /// Seconds from the beginning of the recording; `nil` where no time is known.
    package var start: Double?
    /// Seconds from the beginning of the recording; `nil` where no time is known.
    package var end: Double?
    package var timing: Timing
    /// 0…1, as the engine reports it; engines do not agree on what it means.
    package var confidence: Double?

    package init(
        text: String, start: Double? = nil, end: Double? = nil, timing: Timing = .measured, confidence: Double? = nil
    ) {
        self.text = text
        self.start = start
        self.end = end
        self.timing = timing
        self.confidence = confidence
    }

    /// False for what is written and not sung: a dash, a note sign, `(x2)`.
    package var isSung: Bool { Self.isSung(text) }

    package static func isSung(_ text: String) -> Bool {
        var heard = 0
        var digits = 0
        var isOnlyTimes = true
        for scalar in text.unicodeScalars where scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "×" {
            heard += 1
            if scalar.properties.numericType != nil {
                digits += 1
            } else if scalar != "x" && scalar != "X" && scalar != "×" {
                isOnlyTimes = false
            }
        }
        // `x2`, `2x`, `×3`: one sign and at least one digit.
        return heard > 0 && !(isOnlyTimes && digits > 0 && digits == heard - 1)
    }

    /// Letters and digits; what a word's share of an unmeasured stretch is taken from.
    var letters: Int {
        text.unicodeScalars.count { $0.properties.isAlphabetic || $0.properties.numericType != nil }
    }
}

/// A line as it is displayed.
package struct Line: Codable, Sendable, Equatable {
    /// In the order in which they are sung; empty for a blank line and for a heading.
    package var words: [Word]
    /// Shown verbatim. Its words are `words`, with or without white space between them.
    package var text: String
    /// A heading such as `[Chorus]`: part of the text, never sung, so it has no time.
    package var isSection: Bool

    /// - Parameter text: the words with spaces between them if left out (none between Chinese and Japanese ones).
    package init(words: [Word], text: String? = nil, isSection: Bool = false) {
        self.words = words
        self.text = text ?? PlainText.joined(words.map(\.text))
        self.isSection = isSection
    }

    /// Seconds; the first time known in the line.
    package var start: Double? { words.lazy.compactMap(\.start).first }
    /// Seconds; the last time known in the line.
    package var end: Double? { words.last { $0.end != nil }?.end }
}
