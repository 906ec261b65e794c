import Lyrics
import Testing

@Suite struct WordTimesTests {
    private static func word(_ text: String, _ start: Double? = nil, _ end: Double? = nil) -> Word { Word(text: text, start: start, end: end) }

    @Test func goodTimesAreLeftAlone() {
        let words = [Self.word("a", 1, 1.5), Self.word("b", 1.5, 2), Self.word("c", 4, 4.2)]
        #expect(WordTimes.fit(words, duration: 5) == words)
    }

    @Test func wordsWithoutATimeShareTheStretchByTheirLetters() {
        let fitted = WordTimes.fit([Self.word("one", 0, 1), Self.word("abcde"), Self.word("ab"), Self.word("end", 1.9, 3)], duration: 3)
        #expect(fitted.map(\.start) == [0, 1, 1.6, 1.9])
        #expect(fitted.map(\.end) == [1, 1.6, 1.9, 3])
        #expect(fitted.map(\.timing) == [.measured, .interpolated, .interpolated, .measured])
    }

    @Test func aWildTimeCostsOneWord() {
        let words = [Self.word("a", 1, 2), Self.word("b", 90, 91), Self.word("c", 3, 4), Self.word("d", 4, 5), Self.word("e", 0.2, 0.3)]
        let fitted = WordTimes.fit(words, duration: 100)
        #expect(fitted.map(\.timing) == [.measured, .interpolated, .measured, .measured, .interpolated])
        #expect(fitted[1].start == 2 && fitted[2].start == 3 && fitted[4].start == 5)
    }

    @Test func overlapsEndWhereTheNextWordBegins() {
        let fitted = WordTimes.fit([Self.word("a", 1, 9), Self.word("b", 2, 3)], duration: 10)
        #expect(fitted.map(\.end) == [2, 3])
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, -5, 11, 1e300])
    func impossibleStartsAreReplaced(start: Double) {
        let fitted = WordTimes.fit([Self.word("a", 1, 2), Self.word("b", start, 3), Self.word("c", 4, 5)], duration: 10)
        #expect(fitted[1].timing == .interpolated)
        #expect(fitted[1].from >= 2 && fitted[1].to <= 4)
    }

    @Test(arguments: [Double.nan, 0.5, 1, -3])
    func impossibleEndsAreReplacedAndTheStartStays(end: Double) {
        let fitted = WordTimes.fit([Self.word("abc", 1, end), Self.word("d", 8, 9)], duration: 10)
        #expect(fitted[0].start == 1 && fitted[0].timing == .measured)
        #expect((1.1...2).contains(fitted[0].to))
    }

    @Test func aMoreThanFullStretchTakesTimeFromTheWordBefore() {
        let fitted = WordTimes.fit([Self.word("long", 1, 3), Self.word("lost"), Self.word("next", 3, 4)], duration: 5)
        #expect(fitted[0].start == 1 && fitted[0].end == 2 && fitted[1].start == 2 && fitted[2].start == 3)
        #expect(fitted[1].to > 2.3 && fitted[1].to <= 3)
    }

    @Test func wordsAtOneTimeShareIt() {
        let fitted = WordTimes.fit([Self.word("a", 7, 8), Self.word("b", 7, 8), Self.word("c", 9, 10)], duration: 10)
        #expect(fitted.map(\.timing) == [.measured, .interpolated, .measured])
        #expect(fitted[0].start == 7 && fitted[0].to < 7.5 && fitted[1].start == fitted[0].end && fitted[2].start == 9)
    }

    @Test func aWordOfNoLengthGetsTwentyMilliseconds() {
        let fitted = WordTimes.fit([Self.word("a", 1, 1.001), Self.word("b", 5, 6), Self.word("c", 6, 6.001), Self.word("d", 6.005, 7)], duration: 9)
        #expect(fitted[0].end == 1.02)
        // No more than there is until the next word.
        #expect(fitted[2].end == 6.005)
    }

    @Test func wordsBeforeAMeasuredStartAtZeroGetRoom() {
        let fitted = WordTimes.fit([Self.word("lost"), Self.word("first", 0, 2), Self.word("then", 3, 4)], duration: 5)
        #expect(fitted[0].to > 0.1 && fitted[1].timing == .interpolated && fitted[2].start == 3)
    }

    @Test func aLineDoesNotBeginInTheSilenceBeforeIt() {
        let lyrics = TimedLyrics(
            lines: [Line(words: [Self.word("end", 1, 2), Self.word("lost")]), Line(words: [Self.word("unheard"), Self.word("begin", 30, 31)])],
            duration: 40)
        let words = WordTimes.fit(lyrics).words
        #expect(words[1].start == 2 && words[1].to < 3)
        #expect(words[2].from > 29 && words[2].end == 30)
    }

    @Test func withoutAnyTimeWordsAreSpreadOverTheRecording() {
        let fitted = WordTimes.fit([Self.word("aaa"), Self.word("bbb"), Self.word("ccc"), Self.word("ddd")], duration: 8)
        #expect(fitted.map(\.start) == [0, 2, 4, 6])
        #expect(fitted.allSatisfy { $0.timing == .interpolated })
    }

    @Test(arguments: [0, -1, Double.nan, .infinity, 1e200])
    func withoutADurationTheLastWordEndsTheRecording(duration: Double) {
        let fitted = WordTimes.fit(TimedLyrics(lines: [Line(words: [Self.word("a", 1, 2), Self.word("b", 3, 4.5)])], duration: duration))
        #expect(fitted.duration == 4.5)
        #expect(fitted.words.map(\.end) == [2, 4.5])
        #expect(WordTimes.fit(TimedLyrics(lines: [], duration: duration)).duration == 0)
    }

    @Test func givenTimesThatWereNotMeasuredYieldToMeasuredOnes() {
        var seed = Self.word("seed", 50)
        seed.timing = .interpolated
        let fitted = WordTimes.fit([Self.word("a", 1, 2), seed, Self.word("b", 9, 10), Self.word("c", 11, 12)], duration: 60)
        #expect(fitted.map(\.timing) == [.measured, .interpolated, .measured, .measured])
        #expect(fitted[1].start == 2)
        seed.start = 5
        #expect(WordTimes.fit([Self.word("a", 1, 2), seed, Self.word("b", 9, 10)], duration: 60)[1].start == 5)
    }

    @Test func theMeasuredShareCountsSungWords() {
        let words = [Self.word("a", 1, 2), Self.word("—"), Self.word("(x2)"), Word(text: "b", start: 2, end: 3, timing: .interpolated)]
        #expect(TimedLyrics(lines: [Line(words: words)], duration: 5).measuredShare == 0.5)
        #expect(TimedLyrics(lines: [], duration: 5).measuredShare == 0)
    }

    @Test func manyWordsAreFittedInTime() {
        var random = SeededGenerator(seed: 1)
        let words = (0..<50_000).map { _ in Self.word("word", Double.random(in: 0...36_000, using: &random)) }
        #expect(WordTimes.fit(words, duration: 36_000).count == 50_000)
    }
}
