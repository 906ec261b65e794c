/// The lyrics of one recording: what every output is rendered from.
package struct TimedLyrics: Codable, Sendable, Equatable {
    package var lines: [Line]
    /// BCP 47 or ISO 639-1; `nil` where nobody knows.
    package var language: String?
    /// Seconds; the length of the recording.
    package var duration: Double
    /// Known lyrics: lines and words are exactly those of the given text.
    package var isGiven: Bool

    package init(lines: [Line], language: String? = nil, duration: Double, isGiven: Bool = false) {
        self.lines = lines
        self.language = language
        self.duration = duration
        self.isGiven = isGiven
    }

    /// Lyrics from an engine's words: times made fit, then broken into lines.
    package init(recognised words: [Word], language: String? = nil, duration: Double) {
        let heard = words.compactMap { word -> Word? in
            var word = word
            word.text = PlainText.cleaned(word.text)
            return word.text.isEmpty ? nil : word
        }
        let fitted = WordTimes.fit(TimedLyrics(lines: [Line(words: heard)], language: language, duration: duration))
        self.init(
            lines: LineBreaker.lines(from: fitted.lines[0].words), language: language, duration: fitted.duration, isGiven: false)
    }

    /// Every word in order. Headings have none.
    package var words: [Word] { lines.filter { !$0.isSection }.flatMap(\.words) }

    /// 0…1: the share of the sung words whose time was measured. 0 where there are no words.
    ///
    /// The most honest single number about an alignment. An engine's own confidence is low on correctly aligned sung words.
    package var measuredShare: Double {
        let sung = words.filter(\.isSung)
        guard !sung.isEmpty else { return 0 }
        return Double(sung.count { $0.timing == .measured && $0.start != nil }) / Double(sung.count)
    }
}
