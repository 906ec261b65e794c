import Lyrics
import Testing

@Suite struct KnownLyricsTests {
    private static func read(_ text: String) throws -> KnownLyrics { try KnownLyrics(bytes: Array(text.utf8)) }

    @Test func aTextIsTakenLineForLine() throws {
        let known = try Self.read("\n[Verse 1]\nHello,  darkness — my old friend\n\n  I've come (x2)\n***\nChorus:\nLa la\n\n\n")
        #expect(known.lines == ["[Verse 1]", "Hello,  darkness — my old friend", "", "  I've come (x2)", "***", "Chorus:", "La la"])
        #expect(known.words == ["Hello,", "darkness", "—", "my", "old", "friend", "I've", "come", "(x2)", "La", "la"])
        #expect(known.entries.map(\.isSection) == [true, false, false, false, false, true, false])
        #expect(!known.hasSeconds)
        #expect(known.words.filter { !Word.isSung($0) } == ["—", "(x2)"])
    }

    @Test(arguments: ["[Chorus]", "[Verse 2: Somebody]", "(Bridge)", "CHORUS", "Verse 1", "Pre-Chorus:", "{Outro}", "Chorus x2", "(Guitar Solo)", "*Hook*"])
    func headingsAreNotSung(heading: String) throws {
        let known = try Self.read("\(heading)\nla la\n")
        #expect(known.lines == [heading, "la la"])
        #expect(known.words == ["la", "la"])
    }

    @Test(arguments: ["(ooh)", "Break", "hook me up", "The bridge", "Solo", "[oh] my [oh]", "verse and chorus", "Verse by verse:"])
    func linesThatOnlyLookLikeHeadingsAreSung(line: String) throws {
        #expect(try Self.read(line).entries.map(\.isSection) == [false])
    }

    @Test func lrcStampsBecomeSeconds() throws {
        let known = try Self.read("""
            [ar:Nobody]
            [ti:Nothing: at all]
            [offset:+500]
            [la:en]
            [00:10.5]One
            [00:12]  Two
            [00:14.250]<00:14.25>Three <00:15.00>four
            [01:02:03.50]Five
            [00:16:50] Six
            [00:20.00]
            [00:30.00][Chorus]
            untimed
            """)
        #expect(known.lines == ["One", "Two", "Three four", "Five", "Six", "", "[Chorus]", "untimed"])
        #expect(known.entries.map(\.seconds) == [10, 11.5, 13.75, 3723, 16, nil, nil, nil])
        #expect(known.words == ["One", "Two", "Three", "four", "Five", "Six", "untimed"])
    }

    @Test func repeatedStampsBecomeLinesInOrder() throws {
        let known = try Self.read("[00:10.00][00:40.00]Chorus line\nstays behind\n[00:20.00]Verses\n[00:50.00] [00:05.00] Ends\n")
        #expect(known.lines == ["Ends", "Chorus line", "stays behind", "Verses", "Chorus line", "Ends"])
        #expect(known.entries.map(\.seconds) == [5, 10, nil, 20, 40, 50])
    }

    @Test(arguments: ["[offset:-9223372036854775808]", "[offset:x]", "[offset:99999999999]", "[offset:]"])
    func senselessOffsetsAreIgnored(tag: String) throws {
        #expect(try Self.read("\(tag)\n[00:01.00]a").entries.map(\.seconds) == [1])
    }

    @Test func anOffsetDoesNotReachBeforeTheBeginning() throws {
        #expect(try Self.read("[offset:5000]\n[00:01.00]a\n[00:09.00]b").entries.map(\.seconds) == [0, 4])
    }

    @Test(arguments: ["[1:2", "[00:12.3456789]x", "[:]x", "[00:]x", "[a:b]", "<00:1x>", "[00.12]", "[00:12.]x", "[", "<", "[00:12:13:14]z"])
    func whatIsNoStampIsText(line: String) throws {
        #expect(try Self.read("la\n\(line)\nla").lines == ["la", line, "la"])
    }

    @Test func aStampInsideAPlainTextIsText() throws {
        #expect(try Self.read("meet me at [12:30] or <12:30.00>\nla").lines == ["meet me at [12:30] or <12:30.00>", "la"])
        #expect(try Self.read("<00:01.00>la <00:02.00>la [00:03.00]la\nmore").lines == ["la la la", "more"])
    }

    @Test func everyEncodingOfATextGivesTheSameLyrics() throws {
        let text = "Été – “naïve”\r\nsœur €\r\n"
        let expected = ["Été – “naïve”", "sœur €"]
        let utf16 = Array(text.utf16)
        let little = utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let big = utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        let western: [UInt8] = [0xC9, 0x74, 0xE9, 0x20, 0x96, 0x20, 0x93, 0x6E, 0x61, 0xEF, 0x76, 0x65, 0x94, 0x0D, 0x73, 0x9C, 0x75, 0x72, 0x20, 0x80]
        for bytes in [Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8), [0xFF, 0xFE] + little, [0xFE, 0xFF] + big, western] {
            #expect(try KnownLyrics(bytes: bytes).lines == expected)
        }
        let plain = Array("plain\nwords".utf8)
        #expect(try KnownLyrics(bytes: plain.flatMap { [$0, 0] }).lines == ["plain", "words"])
        #expect(try KnownLyrics(bytes: plain.flatMap { [0, $0] }).lines == ["plain", "words"])
    }

    @Test(arguments: [
        ([], .empty), (Array(" \r\n\t\n".utf8), .empty), ([0xEF, 0xBB, 0xBF], .empty), (Array("[ar:x]\n".utf8), .empty),
        ([0xFF, 0xD8, 0xFF, 0xE0, 0, 0x10, 0x4A, 0x46], .binary), (Array("ID3\u{4}\u{0}\u{0}".utf8), .binary), ([1, 2, 3, 4], .binary),
        ([0xFF, 0xFE, 0, 0, 0x41, 0, 0, 0], .binary), (Array("[Chorus]\n***\n".utf8), .noWords),
        (Array(repeating: UInt8(ascii: "a"), count: (1 << 20) + 1), .tooLarge(bytes: (1 << 20) + 1)),
        (Array((String(repeating: "[00:01.00]", count: 50_000) + String(repeating: "la ", count: 100_000)).utf8), .tooManyLines),
    ] as [([UInt8], KnownLyricsError.Reason)])
    func unusableFilesSayWhy(bytes: [UInt8], reason: KnownLyricsError.Reason) {
        #expect(throws: KnownLyricsError(reason: reason)) { try KnownLyrics(bytes: bytes) }
        #expect(KnownLyricsError(reason: reason).description.hasPrefix("the lyrics file "))
    }

    @Test func aligningKeepsTheGivenLinesExactly() throws {
        let text = "[Intro]\nOne,  two\n\nthree — four\n"
        let known = try Self.read(text)
        let times = [Word(text: "ONE", start: 1, end: 1.5), Word(text: "two"), Word(text: "three", start: 4, end: 4.5), Word(text: ""), Word(text: "x", start: 5, end: 6)]
        let lyrics = known.timed(by: times, language: "en", duration: 10)
        #expect(lyrics.isGiven && lyrics.lines.map(\.text) == known.lines && lyrics.words.map(\.text) == known.words)
        #expect(lyrics.measuredShare == 0.75)
        #expect(render(lyrics, as: .txt) == text)
        #expect(JellyfinReader.lines(render(lyrics, as: .lrc)).map(\.text) == ["One, two", "three — four"])
        // Too few times, or too many: the text is still the given one.
        #expect(known.timed(by: [], duration: 10).words.map(\.text) == known.words)
        #expect(known.timed(by: times + times, duration: 10).words.map(\.text) == known.words)
    }

    @Test func aLineOfWhichNothingWasHeardStartsAtItsStamp() throws {
        let known = try Self.read("[00:02.00]heard words\n[00:07.00]lost words\n")
        let times = [Word(text: "", start: 2.1, end: 2.5), Word(text: "", start: 2.5, end: 3), Word(text: ""), Word(text: "")]
        #expect(known.timed(by: times, duration: 10).lines[1].start == 7)
        #expect(known.timed(by: times, duration: 10).lines[1].words.allSatisfy { $0.timing == .interpolated })
        // The stamps of a recording of another length are not believed.
        #expect(known.timed(by: times, duration: 100).lines[1].start == 3)
    }

    @Test func randomBytesAreReadOrRefused() {
        var refused = 0
        for seed in 0..<2000 {
            var random = SeededGenerator(seed: seed)
            let alphabet = Array("[]<>:.0123456789 \n\r\toffset:-+arti,la—é(x2)Chorus".utf8)
            let isText = seed % 2 == 0
            let bytes = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                isText ? alphabet[Int.random(in: alphabet.indices, using: &random)] : UInt8.random(in: 0...255, using: &random)
            }
            do {
                let known = try KnownLyrics(bytes: bytes)
                #expect(!known.words.isEmpty && known.entries.allSatisfy { ($0.seconds ?? 0).isFinite && ($0.seconds ?? 0) >= 0 })
                let lyrics = known.timed(by: [], duration: 60)
                #expect(lyrics.lines.map(\.text) == known.lines)
                for format in OutputFormat.allCases { _ = render(lyrics, as: format) }
                #expect(SubtitleReader.srt(render(lyrics, as: .srt)) != nil, "seed \(seed)")
                #expect(SubtitleReader.vtt(render(lyrics, as: .vtt)) != nil, "seed \(seed)")
            } catch {
                refused += 1
            }
        }
        #expect((700...1500).contains(refused))
    }

    @Test func whatWeWriteIsReadAgain() throws {
        for seed in 0..<200 {
            let lyrics = WordTimes.fit(RandomLyrics(seed: seed).lyrics)
            let expected = lyrics.lines.filter { line in !line.isSection && line.words.contains { !Folding.folded($0.text).isEmpty } }
            for format in [OutputFormat.lrc, .elrc] {
                // Lines that only have a dash or `x2` are no lyrics any more.
                guard expected.contains(where: { $0.words.contains(where: \.isSung) }) else { continue }
                let known = try KnownLyrics(bytes: Array(render(lyrics, as: format).utf8))
                let lines = known.lines.filter { !$0.isEmpty }
                #expect(lines.map(Folding.folded) == expected.map { Folding.folded($0.words.map(\.text).joined()) }, "seed \(seed) \(format)")
            }
        }
    }
}
