import Lyrics
import Testing

@Suite struct LineBreakerTests {
    /// Words one after another without a breath; `|` is a silence of half a second, each letter lasts 50 ms.
    private static func lines(_ text: String) -> [String] {
        var clock = 0.0
        var words: [Word] = []
        for token in text.split(separator: " ") {
            if token == "|" {
                clock += 0.5
                continue
            }
            let end = clock + 0.05 * Double(token.count)
            words.append(Word(text: String(token), start: clock, end: end))
            clock = end
        }
        return LineBreaker.lines(from: words).map(\.text)
    }

    @Test func aBreathEndsALine() {
        #expect(Self.lines("hello there | my old friend") == ["hello there", "my old friend"])
    }

    @Test func whatFitsStaysTogether() {
        #expect(Self.lines("one two three. four five six seven") == ["one two three. four five six seven"])
    }

    @Test func longPhrasesBreakAfterPunctuation() {
        #expect(Self.lines("I could not find the way back home, so I went on until the sun was gone")
            == ["I could not find the way back home,", "so I went on until the sun was gone"])
    }

    @Test func withoutPunctuationLinesBalance() {
        let lines = Self.lines("la la la la la la la la la la la la la la la la")
        #expect(lines == ["la la la la la la la la", "la la la la la la la la"])
    }

    @Test func anArticleStaysWithItsNoun() {
        #expect(Self.lines("nobody ever walked into the beautiful hotel on monday") == ["nobody ever walked into", "the beautiful hotel on monday"])
    }

    @Test func noLineIsWiderThanAllowedUnlessAWordIs() {
        for seed in 0..<300 {
            var random = SeededGenerator(seed: seed)
            var clock = 0.0
            let words = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                let start = clock + ([0, 0, 0.1, 0.3, 0.5, 2].randomElement(using: &random) ?? 0)
                clock = start + Double.random(in: 0.05...0.6, using: &random)
                let text = String(repeating: ["w", "é", "好"].randomElement(using: &random) ?? "w", count: Int.random(in: 1...14, using: &random))
                return Word(text: text + (["", "", ",", "."].randomElement(using: &random) ?? ""), start: start, end: clock)
            }
            let lines = LineBreaker.lines(from: words)
            #expect(lines.flatMap(\.words) == words, "seed \(seed)")
            for line in lines {
                let width = line.text.unicodeScalars.reduce(0) { $0 + ($1 == "好" ? 2 : 1) }
                #expect(width <= LineBreaker.widthMax || line.words.count == 1, "seed \(seed): \(line.text)")
                for (word, next) in zip(line.words, line.words.dropFirst()) {
                    #expect(next.from - word.to < LineBreaker.breath, "seed \(seed)")
                }
            }
        }
    }

    @Test func recognisedWordsAreFittedAndBroken() {
        let lyrics = TimedLyrics(
            recognised: [Word(text: " Hello", start: 1, end: 1.4), Word(text: " "), Word(text: "you"), Word(text: "there", start: 9, end: 9.5)],
            language: "en", duration: 10)
        #expect(lyrics.lines.map(\.text) == ["Hello you", "there"])
        #expect(!lyrics.isGiven && lyrics.language == "en")
        #expect(TimedLyrics(recognised: [], duration: 10).lines.isEmpty)
    }
}
