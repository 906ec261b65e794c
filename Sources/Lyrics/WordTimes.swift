/// Makes an engine's words fit to be rendered.
///
/// Engines return words without a time, times before zero, after the end, backwards, on top of each other, of no length, and
/// now and then no number at all. What comes out of here has a start and an end for every word, `0 ≤ start ≤ end ≤ duration`,
/// each word beginning when the one before it has ended or later. No word is lost, added, changed or moved: the order of the
/// words is more trustworthy than their times. A time that contradicts the order is replaced, and the word marked
/// `.interpolated`. Fitting a second time changes nothing.
package enum WordTimes {
    /// Seconds; a recording said to be longer, or to have no length, is taken to end with its last word.
    static let durationMax = 1e7

    /// - Parameter duration: seconds.
    package static func fit(_ words: [Word], duration: Double) -> [Word] {
        fit(TimedLyrics(lines: [Line(words: words, text: "")], duration: duration)).lines[0].words
    }

    /// The same over all lines: an unmeasured word stays with its own line rather than in the silence between two.
    package static func fit(_ lyrics: TimedLyrics) -> TimedLyrics {
        var result = lyrics
        var words: [Word] = []
        var lineOfWord: [Int] = []
        for (index, line) in lyrics.lines.enumerated() where !line.isSection {
            words.append(contentsOf: line.words)
            lineOfWord.append(contentsOf: repeatElement(index, count: line.words.count))
        }
        result.duration = usableDuration(lyrics.duration, words)
        guard !words.isEmpty else { return result }
        var fitting = Fitting(words: words, lineOfWord: lineOfWord, duration: result.duration)
        let fitted = fitting.run()
        var next = 0
        for index in result.lines.indices where !result.lines[index].isSection {
            let count = result.lines[index].words.count
            result.lines[index].words = Array(fitted[next..<(next + count)])
            next += count
        }
        return result
    }

    /// Seconds in which a word would be sung at an ordinary pace.
    static func naturalLength(_ letters: Int) -> Double { min(2, 0.1 + 0.07 * Double(letters)) }

    private static func usableDuration(_ duration: Double, _ words: [Word]) -> Double {
        if duration.isFinite, duration > 0, duration <= durationMax { return duration }
        let plausible = 0.0...durationMax
        let starts = words.compactMap(\.start).filter(plausible.contains).max().map { $0 + 1 } ?? 0
        let ends = words.compactMap(\.end).filter(plausible.contains).max() ?? 0
        let natural = words.reduce(0) { $0 + naturalLength($1.letters) }
        return max(starts, ends, words.isEmpty ? 0 : natural)
    }
}
