import Lyrics
import Testing

@Suite struct RenderTests {
    private static let hello = TimedLyrics(
        lines: [
            Line(words: [], text: "[Verse 1]", isSection: true),
            Line(words: [
                Word(text: "Hello,", start: 12, end: 12.3, confidence: 0.91), Word(text: "world", start: 12.7, end: 13.1),
            ]),
            Line(words: [], text: ""),
            Line(words: [
                Word(text: "It’s", start: 59.996, end: 60.4), Word(text: "me", start: 60.4, end: 60.9, timing: .interpolated),
            ]),
        ], language: "en", duration: 75, isGiven: true)

    @Test func lrcHasTwoDigitsCarriesTheMinuteAndClearsTheScreen() {
        let text = render(Self.hello, as: .lrc, metadata: TrackMetadata(title: "Greeting", artist: "Nobody", album: "None"))
        #expect(
            text == """
                [ti:Greeting]
                [ar:Nobody]
                [al:None]
                [length:01:15]
                [re:lyricd]
                [00:12.00]Hello, world
                [00:13.10]
                [01:00.00]It’s me
                [01:00.90]

                """)
    }

    @Test func enhancedLRCGluesMarkersToWordsAndWritesSilencesAsGaps() {
        #expect(
            render(Self.hello, as: .elrc) == """
                [length:01:15]
                [re:lyricd]
                [00:12.00]<00:12.00>Hello,<00:12.30> <00:12.70>world<00:13.10>
                [00:13.10]
                [01:00.00]<01:00.00>It’s <01:00.40>me<01:00.90>
                [01:00.90]

                """)
    }

    @Test func subRipHoldsShortLinesAndLeavesHeadingsOut() {
        #expect(
            render(Self.hello, as: .srt) == """
                1
                00:00:12,000 --> 00:00:13,100
                Hello, world

                2
                00:00:59,996 --> 00:01:00,900
                It’s me


                """)
    }

    @Test func webVTTHasWordTimestampsInsideTheCue() {
        #expect(
            render(Self.hello, as: .vtt) == """
                WEBVTT

                1
                00:00:12.000 --> 00:00:13.100
                <c>Hello,</c> <00:00:12.700><c>world</c>

                2
                00:00:59.996 --> 00:01:00.900
                <c>It’s</c> <00:01:00.400><c>me</c>

                """)
    }

    @Test func textKeepsHeadingsAndBlankLines() {
        #expect(render(Self.hello, as: .txt) == "[Verse 1]\nHello, world\n\nIt’s me\n")
    }

    @Test func wordJSONSaysHowEachTimeWasFound() {
        #expect(
            render(Self.hello, as: .json) == """
                {
                "version":1,
                "language":"en",
                "duration":75,
                "measured_share":0.75,
                "segments":[
                  {"start":12,"end":13.1,"text":"Hello, world","words":[
                    {"word":"Hello,","start":12,"end":12.3,"score":0.91,"source":"measured"},
                    {"word":"world","start":12.7,"end":13.1,"source":"measured"}]},
                  {"start":59.996,"end":60.9,"text":"It’s me","words":[
                    {"word":"It’s","start":59.996,"end":60.4,"source":"measured"},
                    {"word":"me","start":60.4,"end":60.9,"source":"interpolated"}]}],
                "word_segments":[
                  {"word":"Hello,","start":12,"end":12.3,"score":0.91,"source":"measured"},
                  {"word":"world","start":12.7,"end":13.1,"source":"measured"},
                  {"word":"It’s","start":59.996,"end":60.4,"source":"measured"},
                  {"word":"me","start":60.4,"end":60.9,"source":"interpolated"}]
                }

                """)
    }

    @Test func songsOverAHundredMinutesHaveThreeDigitsOfMinutes() throws {
        let lyrics = TimedLyrics(
            lines: [Line(words: [Word(text: "late", start: 5999.996, end: 6001), Word(text: "night", start: 6001, end: 6002)])], duration: 6004)
        let file = render(lyrics, as: .elrc)
        #expect(file == "[length:01:40:04]\n[re:lyricd]\n[100:00.00]<100:00.00>late <100:01.00>night<100:02.00>\n")
        #expect(JellyfinReader.lines(file).map(\.start) == [6_000_000])
        #expect(render(lyrics, as: .srt).contains("01:39:59,996 --> 01:40:02,000"))
        let day = TimedLyrics(lines: [Line(words: [Word(text: "long", start: 360_000, end: 360_001)])], duration: 400_000)
        #expect(SubtitleReader.vtt(render(day, as: .vtt))?.first?.start == 360_000_000)
    }

    @Test func withoutAWordThereIsNothingToShow() throws {
        for lyrics in [
            TimedLyrics(lines: [], duration: 100), TimedLyrics(lines: [Line(words: [], text: "[Solo]", isSection: true)], duration: 0),
            TimedLyrics(lines: [Line(words: [Word(text: "\u{0}", start: 1, end: 2)])], duration: 5),
        ] {
            #expect(render(lyrics, as: .lrc, metadata: TrackMetadata(title: "T")) == "")
            #expect(render(lyrics, as: .elrc) == "")
            #expect(render(lyrics, as: .srt) == "")
            #expect(render(lyrics, as: .vtt) == "WEBVTT\n")
            #expect(try JSONReader(render(lyrics, as: .json)).segments.count <= 1)
        }
        #expect(render(TimedLyrics(lines: [], duration: 100), as: .txt) == "")
    }

    @Test func oneWordIsEnough() throws {
        let lyrics = TimedLyrics(recognised: [Word(text: " la ")], duration: 3)
        #expect(lyrics.lines.map(\.text) == ["la"])
        #expect(render(lyrics, as: .lrc).hasSuffix("[00:00.00]la\n"))
        #expect(SubtitleReader.srt(render(lyrics, as: .srt))?.count == 1)
    }

    @Test func aHundredWordsAtOneTimeStayInOrder() throws {
        let words = (0..<100).map { Word(text: "w\($0)", start: 7, end: 7) }
        for lyrics in [
            TimedLyrics(lines: words.map { Line(words: [$0]) }, duration: 7.05), TimedLyrics(lines: [Line(words: words)], duration: 1000),
        ] {
            let lines = JellyfinReader.lines(render(lyrics, as: .elrc)).filter { !$0.text.isEmpty }
            #expect(lines.flatMap(\.cues).map { Folding.folded($0.text) } == words.map(\.text))
            let cues = try #require(SubtitleReader.srt(render(lyrics, as: .srt)))
            #expect(cues.count == lyrics.lines.count)
            #expect(try #require(cues.last).end <= Int(lyrics.duration * 1000))
        }
    }

    @Test func moreLinesThanMillisecondsStillMakeCues() throws {
        let lyrics = TimedLyrics(lines: (0..<50).map { Line(words: [Word(text: "w\($0)")]) }, duration: 0.01)
        let cues = try #require(SubtitleReader.srt(render(lyrics, as: .srt)))
        #expect(cues.map(\.text) == (0..<50).map { "w\($0)" })
        #expect(cues.last?.end == 50)
    }

    @Test func aLineOfTenThousandLettersStaysOneLine() throws {
        let word = String(repeating: "a", count: 10_000)
        let lyrics = TimedLyrics(recognised: [Word(text: word, start: 1, end: 2), Word(text: "b", start: 2, end: 3)], duration: 4)
        #expect(lyrics.lines.map(\.text) == [word, "b"])
        for format in OutputFormat.allCases { #expect(render(lyrics, as: format).contains(word)) }
        let many = TimedLyrics(lines: [Line(words: (0..<5000).map { _ in Word(text: "oh") })], duration: 300, isGiven: true)
        #expect(JellyfinReader.lines(render(many, as: .elrc))[0].cues.count == 5000)
    }

    @Test func wordsOfAScriptWithoutSpacesAreNotTornApart() {
        let words = ["你", "好", "，", "世界", "hello"].enumerated().map { Word(text: $1, start: Double($0), end: Double($0) + 0.4) }
        let lyrics = TimedLyrics(lines: [Line(words: words)], duration: 5)
        #expect(lyrics.lines[0].text == "你好，世界 hello")
        // Between words without a space there is no place for a gap marker.
        #expect(render(lyrics, as: .elrc).contains("<00:00.00>你<00:01.00>好<00:02.00>，<00:03.00>世界<00:03.40> <00:04.00>hello<00:04.40>"))
        #expect(JellyfinReader.lines(render(lyrics, as: .elrc))[0].cues.map(\.text) == ["你", "好", "，", "世界", "hello"])
    }

    @Test func aLineWhoseTextIsNotItsWordsIsShownByItsWords() {
        let line = Line(words: [Word(text: "a", start: 0, end: 1), Word(text: "b", start: 1, end: 2)], text: "something else")
        #expect(render(TimedLyrics(lines: [line], duration: 2), as: .lrc).hasSuffix("]a b\n"))
    }

    @Test(arguments: [(59.994, "00:59.99"), (59.995001, "01:00.00"), (0.004, "00:00.00"), (3599.999, "60:00.00"), (61.005001, "01:01.01")])
    func centisecondsAreRoundedWithCarry(seconds: Double, stamp: String) {
        let lyrics = TimedLyrics(lines: [Line(words: [Word(text: "x", start: seconds, end: seconds + 1)])], duration: 4000)
        #expect(render(lyrics, as: .lrc).contains("[\(stamp)]x\n"))
    }

    @Test func formatsHaveTheirSuffixes() {
        #expect(OutputFormat.allCases.map(\.fileSuffix) == ["txt", "srt", "vtt", "lrc", "elrc", "words.json"])
    }
}
