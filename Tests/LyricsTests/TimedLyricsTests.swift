import FoundationEssentials
import Lyrics
import Testing

@Suite struct TimedLyricsTests {
    @Test func lyricsAreStoredAndReadBackExactly() throws {
        for seed in 0..<100 {
            let lyrics = WordTimes.fit(RandomLyrics(seed: seed).lyrics)
            #expect(try JSONDecoder().decode(TimedLyrics.self, from: JSONEncoder().encode(lyrics)) == lyrics, "seed \(seed)")
        }
    }

    @Test func theStoredFormIsStable() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let lyrics = TimedLyrics(lines: [Line(words: [Word(text: "la", start: 1, end: 2, timing: .interpolated)])], duration: 3, isGiven: true)
        #expect(
            String(decoding: try encoder.encode(lyrics), as: UTF8.self)
                == #"{"duration":3,"isGiven":true,"lines":[{"isSection":false,"text":"la","words":["#
                + #"{"end":2,"start":1,"text":"la","timing":"interpolated"}]}]}"#)
    }

    @Test func aLineBeginsAndEndsWithItsKnownTimes() {
        let line = Line(words: [Word(text: "a"), Word(text: "b", start: 1, end: 2), Word(text: "c", start: 3)])
        #expect(line.start == 1 && line.end == 2 && line.text == "a b c")
    }
}
