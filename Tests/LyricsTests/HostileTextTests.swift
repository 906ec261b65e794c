import Lyrics
import Testing

@Suite struct HostileTextTests {
    private static func lyrics(_ texts: String...) -> TimedLyrics {
        TimedLyrics(
            lines: texts.enumerated().map { index, text in
                Line(words: text.split(separator: " ").enumerated().map {
                    Word(text: String($1), start: Double(index * 4 + $0), end: Double(index * 4 + $0) + 0.9)
                })
            }, duration: 60)
    }

    /// What a music player shows of the first line.
    private static func shown(_ text: String, as format: OutputFormat = .lrc) -> String? {
        JellyfinReader.lines(render(lyrics(text), as: format)).first?.text
    }

    @Test(arguments: [
        ("look: [00:12.34] there", "look: (00:12.34) there"),
        ("at <00:12.34> sharp", "at ‹00:12.34› sharp"),
        ("[ar:nobody] sings", "(ar:nobody) sings"),
        ("oh [ti:x y] oh", "oh (ti:x y) oh"),
        ("[yeah] yeah", "(yeah) yeah"),
        ("yeah [yeah] yeah", "yeah [yeah] yeah"),
        ("<b>bold</b> words", "‹b›bold‹/b› words"),
        ("i <3 you </3", "i <3 you ‹/3"),
        ("rock & roll R&B", "rock & roll R&B"),
        ("&lt;00:01.00&gt; hm", "＆lt;00:01.00＆gt; hm"),
        ("&#10; hm", "＆#10; hm"),
        ("a --> b {c}", "a --> b {c}"),
        ("never <closed tag", "never ‹closed tag"),
    ])
    func lrcShowsWhatWasSung(text: String, shown: String) {
        #expect(Self.shown(text) == shown)
        #expect(Self.shown(text, as: .elrc) == shown)
        #expect(NavidromeReader.lyrics(render(Self.lyrics(text), as: .lrc)).lines.first?.text == shown)
        #expect(NavidromeReader.lyrics(render(Self.lyrics(text), as: .elrc)).lines.first?.text == shown)
    }

    @Test func aTagThatIsNeverClosedDoesNotSwallowTheSong() {
        let file = render(Self.lyrics("one <b", "two <!-- x", "three"), as: .lrc)
        #expect(NavidromeReader.lyrics(file).lines.map(\.text).filter { !$0.isEmpty } == ["one ‹b", "two ‹!-- x", "three"])
    }

    @Test func titlesCannotCloseTheirTagOrPoseAsLyrics() {
        let metadata = TrackMetadata(title: "x] [00:01.00]boo\n[00:02.00]", artist: "<script>", album: " \u{202E} ")
        let file = render(Self.lyrics("la"), as: .lrc, metadata: metadata)
        #expect(file.hasPrefix("[ti:x) (00:01.00)boo (00:02.00)]\n[ar:‹script›]\n[length:"))
        #expect(JellyfinReader.lines(file).map(\.text).filter { !$0.isEmpty } == ["la"])
    }

    @Test func subRipTextIsNeitherTagNorTime() {
        let file = render(Self.lyrics("<i>x</i> {\\an8}up 00:00:01,000 --> 00:00:02,000 a\\Nb i <3 u", "2"), as: .srt)
        #expect(SubtitleReader.srt(file)?.map(\.text) == ["‹i›x‹/i› (\\an8)up 00:00:01,000 --› 00:00:02,000 a⧵Nb i <3 u", "2"])
    }

    @Test func webVTTShowsEverythingExactly() throws {
        let text = "<b>x</b> --> &amp; <00:00:01.000> {a} NOTE"
        let cues = try #require(SubtitleReader.vtt(render(Self.lyrics(text), as: .vtt)))
        #expect(cues.map(\.text) == [text])
    }

    @Test func jsonKeepsEveryCharacter() throws {
        let texts = ["\"", "\\", "\u{0}", "\n\r\t", "\u{1B}[31m", "\u{202E}evil", "\u{2028}", "é😀", "</script>", "\u{10FFFF}"]
        let lyrics = TimedLyrics(lines: [Line(words: texts.map { Word(text: $0) })], duration: 9)
        let text = render(lyrics, as: .json)
        #expect(try JSONReader(text).word_segments.map(\.word) == texts)
        #expect(!text.contains("\u{202E}") && !text.contains("\u{1B}") && !text.contains("\u{2028}"))
    }

    @Test func controlAndDirectionCharactersAreNotShown() {
        let line = Line(words: [Word(text: "\u{1B}[31mred\u{7}", start: 0, end: 1), Word(text: "\u{202E}a\u{0}b\u{2066}", start: 1, end: 2)])
        let lyrics = TimedLyrics(lines: [line], duration: 2)
        #expect(render(lyrics, as: .txt) == "[31mred ab\n")
        #expect(JellyfinReader.lines(render(lyrics, as: .elrc))[0].text == "(31mred ab")
    }

    @Test func lineBreaksInsideAWordDoNotBreakTheFile() {
        let word = Word(text: "one\ntwo\r\nthree\u{2028}four\u{85}five\u{B}six", start: 1, end: 3)
        let lyrics = TimedLyrics(lines: [Line(words: [word])], duration: 4)
        for format in [OutputFormat.lrc, .elrc] { #expect(JellyfinReader.lines(render(lyrics, as: format)).map(\.text) == ["one two three four five six"]) }
        #expect(SubtitleReader.srt(render(lyrics, as: .srt))?.map(\.text) == ["one two three four five six"])
        #expect(SubtitleReader.vtt(render(lyrics, as: .vtt))?.map(\.text) == ["one two three four five six"])
        #expect(render(lyrics, as: .txt).split(separator: "\n").count == 1)
    }

    @Test func manyOpenBracketsAreReadInTime() {
        let text = String(repeating: "[<&", count: 20_000)
        #expect(Self.shown(text)?.utf8.isEmpty == false)
    }
}
