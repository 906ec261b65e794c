/// A line as the timed formats write it: one clean text, and which part of it is sung when.
struct SungLine {
    /// A word and what clings to it.
    struct Piece {
        /// In `text`, without the space before it.
        let range: Range<Int>
        /// White space before the word; false between words of a script without.
        let hasSpaceBefore: Bool
        /// Seconds.
        let start: Double
        /// Seconds.
        let end: Double
    }

    let text: [Unicode.Scalar]
    /// At least one.
    let pieces: [Piece]

    var start: Double { pieces[0].start }
    var end: Double { pieces[pieces.count - 1].end }

    /// The lines that are sung, in order, with times that are fit to be written. Headings and blank lines are left out.
    static func all(of lyrics: TimedLyrics) -> (lines: [SungLine], duration: Double) {
        let fitted = WordTimes.fit(lyrics)
        return (fitted.lines.compactMap { $0.isSection ? nil : SungLine($0) }, fitted.duration)
    }

    private init?(_ line: Line) {
        let given = PlainText.scalars(line.text)
        let words = line.words.map { PlainText.scalars($0.text) }
        let (text, ranges) = Self.located(words, in: given) ?? Self.joined(words)
        self.text = text
        pieces = zip(line.words, ranges).compactMap { word, range in
            guard let start = word.start, let end = word.end, !range.isEmpty else { return nil }
            return Piece(
                range: range, hasSpaceBefore: range.lowerBound > 0 && text[range.lowerBound - 1] == " ", start: start, end: end)
        }
        if pieces.isEmpty { return nil }
    }

    /// Where each word is in the text, if the text is made of these words and spaces only.
    private static func located(_ words: [[Unicode.Scalar]], in text: [Unicode.Scalar]) -> ([Unicode.Scalar], [Range<Int>])? {
        var ranges: [Range<Int>] = []
        var next = 0
        for word in words {
            if next < text.count, text[next] == " ", !word.isEmpty { next += 1 }
            guard text[next...].starts(with: word) else { return nil }
            ranges.append(next..<(next + word.count))
            next += word.count
        }
        return next == text.count ? (text, ranges) : nil
    }

    private static func joined(_ words: [[Unicode.Scalar]]) -> ([Unicode.Scalar], [Range<Int>]) {
        var text: [Unicode.Scalar] = []
        var ranges: [Range<Int>] = []
        for word in words {
            if let last = text.last, let first = word.first, !(PlainText.isUnspaced(last) && PlainText.isUnspaced(first)) {
                text.append(" ")
            }
            ranges.append(text.count..<(text.count + word.count))
            text.append(contentsOf: word)
        }
        return (text, ranges)
    }
}
