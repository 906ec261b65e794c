import Lyrics
import Testing

/// Several hundred random songs, each rendered as everything and read back by judges that know nothing of the writers.
@Suite struct RenderPropertyTests {
    /// Words that are shown in a timed format, by line.
    private struct Shown {
        let words: [Word]
        let start: Double
        let end: Double
        var folded: String { Folding.folded(words.map(\.text).joined()) }
        var joined: String { words.map(\.text).joined(separator: " ") }
    }

    private static func shown(_ lyrics: TimedLyrics) -> [Shown] {
        lyrics.lines.compactMap { line in
            let words = line.isSection ? [] : line.words.filter { !Folding.folded($0.text).isEmpty }
            guard let first = words.first, let last = words.last else { return nil }
            return Shown(words: words, start: first.from, end: last.to)
        }
    }

    private static let seeds = 0..<600

    @Test func fittedWordsKeepTheirTextAndGetOrderedTimes() throws {
        for seed in Self.seeds {
            let given = RandomLyrics(seed: seed).lyrics
            let fitted = WordTimes.fit(given)
            #expect(fitted.words.map(\.text) == given.words.map(\.text), "seed \(seed)")
            #expect(fitted.lines.map(\.text) == given.lines.map(\.text), "seed \(seed)")
            var last = 0.0
            for (word, before) in zip(fitted.words, given.words) {
                let start = word.from, end = word.to
                #expect(start >= last && end >= start && end <= fitted.duration, "seed \(seed): \(word) after \(last)")
                if word.timing == .measured {
                    #expect(before.timing == .measured && max(0, before.start ?? .nan) == start, "seed \(seed): \(before) → \(word)")
                }
                if let confidence = word.confidence { #expect((0...1).contains(confidence)) }
                last = end
            }
            #expect(WordTimes.fit(fitted) == fitted, "seed \(seed): fitting twice changes something")
        }
    }

    @Test func bothMusicServersReadTheLinesThatWereWritten() throws {
        for seed in Self.seeds {
            let (song, lyrics) = Self.song(seed)
            let file = render(lyrics, as: .lrc, metadata: song.metadata)
            let expected = Self.shown(lyrics)
            let jellyfin = JellyfinReader.lines(file)
            #expect(Self.areAscending(file), "seed \(seed)")
            Self.judge(jellyfin.filter { !$0.text.isEmpty }.map { ($0.text, $0.start) }, expected, song, seed)
            for blank in jellyfin where blank.text.isEmpty {
                #expect(!expected.contains { $0.start * 1000 + 6 < Double(blank.start) && Double(blank.start) < $0.end * 1000 - 6 })
            }
            guard lyrics.duration < 5990 else { continue }
            let navidrome = NavidromeReader.lyrics(file)
            Self.judge(navidrome.lines.filter { !$0.text.isEmpty }.map { ($0.text, $0.start) }, expected, song, seed)
            if !expected.isEmpty { #expect(Folding.folded(navidrome.title) == Folding.folded(song.metadata.title), "seed \(seed)") }
        }
    }

    @Test func bothMusicServersReadTheWordsThatWereWritten() throws {
        for seed in Self.seeds {
            let (song, lyrics) = Self.song(seed)
            let file = render(lyrics, as: .elrc, metadata: song.metadata)
            let expected = Self.shown(lyrics)
            #expect(Self.areAscending(file), "seed \(seed)")
            let lines = JellyfinReader.lines(file).filter { !$0.text.isEmpty }
            Self.judge(lines.map { ($0.text, $0.start) }, expected, song, seed)
            for (line, shown) in zip(lines, expected) {
                #expect(line.cues.count == shown.words.count, "seed \(seed): \(line)")
                for (index, (cue, word)) in zip(line.cues, shown.words).enumerated() {
                    #expect(Folding.folded(cue.text) == Folding.folded(word.text), "seed \(seed)")
                    let start = word.from, end = word.to
                    #expect(abs(Double(cue.start) - start * 1000) < 5.001, "seed \(seed)")
                    // A word lasts until the next one, unless there is a silence between.
                    let next = index + 1 < shown.words.count ? shown.words[index + 1].from : end
                    let last = next - end > 0.31 ? end : next - end < 0.29 ? next : nil
                    if let last { #expect(abs((cue.end.map(Double.init) ?? .nan) - last * 1000) < 5.001, "seed \(seed): \(cue) \(word)") }
                }
            }
            guard lyrics.duration < 5990 else { continue }
            let navidrome = NavidromeReader.lyrics(file).lines.filter { !$0.text.isEmpty }
            Self.judge(navidrome.map { ($0.text, $0.start) }, expected, song, seed)
            for (line, shown) in zip(navidrome, expected) {
                let cues = line.cues.filter { !Folding.folded($0.text).isEmpty }
                #expect(cues.map { Folding.folded($0.text) } == shown.words.map { Folding.folded($0.text) }, "seed \(seed)")
                for (cue, word) in zip(cues, shown.words) {
                    #expect(abs(Double(cue.start) - word.from * 1000) < 5.001, "seed \(seed)")
                }
            }
        }
    }

    @Test func subRipHasACueForEachLine() throws {
        for seed in Self.seeds {
            let (song, lyrics) = Self.song(seed)
            let expected = Self.shown(lyrics)
            let cues = try #require(SubtitleReader.srt(render(lyrics, as: .srt)), "seed \(seed)")
            #expect(cues.map { Folding.folded($0.text) } == expected.map(\.folded), "seed \(seed)")
            if !song.isHostile { #expect(cues.map(\.text) == expected.map(\.joined), "seed \(seed)") }
            Self.judge(cues, expected, lyrics.duration, seed)
        }
    }

    @Test func webVTTHasTheSameCuesAndEveryWordExactly() throws {
        for seed in Self.seeds {
            let lyrics = Self.song(seed).lyrics
            let expected = Self.shown(lyrics)
            let cues = try #require(SubtitleReader.vtt(render(lyrics, as: .vtt)), "seed \(seed)")
            #expect(cues.map { Folding.folded($0.text) } == expected.map(\.folded), "seed \(seed)")
            Self.judge(cues, expected, lyrics.duration, seed)
            for (cue, shown) in zip(cues, expected) {
                #expect(cue.words.map { Folding.folded($0.text) } == shown.words.map { Folding.folded($0.text) }, "seed \(seed)")
                #expect(cue.words.first?.start == nil, "seed \(seed)")
                for (word, from) in zip(cue.words, shown.words) {
                    if let start = word.start { #expect(abs(Double(start) - from.from * 1000) < 0.501, "seed \(seed)") }
                }
            }
        }
    }

    @Test func theWordJSONIsReadByAnotherProgram() throws {
        for seed in Self.seeds {
            let lyrics = Self.song(seed).lyrics
            let text = render(lyrics, as: .json)
            let json = try JSONReader(text)
            let expected = lyrics.lines.filter { !$0.isSection && !$0.words.isEmpty }
            #expect(json.segments.map(\.text) == expected.map(\.text), "seed \(seed)")
            #expect(json.word_segments == json.segments.flatMap(\.words), "seed \(seed)")
            #expect(json.word_segments.map(\.word) == expected.flatMap(\.words).map(\.text), "seed \(seed)")
            #expect(json.language == lyrics.language && abs(json.measured_share - lyrics.measuredShare) < 0.001, "seed \(seed)")
            #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }, "seed \(seed)")
            var last = 0.0
            for (word, from) in zip(json.word_segments, expected.flatMap(\.words)) {
                #expect(abs(word.start - from.from) < 0.000_501 && abs(word.end - from.to) < 0.000_501)
                #expect(word.start >= last && word.end >= word.start && word.end <= json.duration, "seed \(seed)")
                #expect(word.source == from.timing.rawValue, "seed \(seed)")
                last = word.end
            }
        }
    }

    @Test func theTextHasEveryLineAndNoControlCharacter() {
        for seed in Self.seeds {
            let lyrics = RandomLyrics(seed: seed).lyrics
            let text = render(lyrics, as: .txt)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            #expect(lines.map { Folding.folded(String($0)) } == lyrics.lines.map { Folding.folded($0.text) }, "seed \(seed)")
            #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control }, "seed \(seed)")
        }
    }

    @Test func renderingIsRepeatable() {
        for seed in 0..<40 {
            for format in OutputFormat.allCases {
                #expect(render(RandomLyrics(seed: seed).lyrics, as: format) == render(RandomLyrics(seed: seed).lyrics, as: format))
            }
        }
    }

    // MARK: The common part of the judgements

    private struct Song {
        let isHostile: Bool
        let metadata: TrackMetadata
    }

    private static func song(_ seed: Int) -> (song: Song, lyrics: TimedLyrics) {
        let random = RandomLyrics(seed: seed)
        let metadata = random.isHostile
            ? TrackMetadata(title: "a] [00:01.00]<b>b\nc", artist: "[ti:x]", album: "\u{202E}&lt;") : TrackMetadata(title: "Song")
        return (Song(isHostile: random.isHostile, metadata: metadata), WordTimes.fit(random.lyrics))
    }

    private static func judge(_ lines: [(text: String, start: Int)], _ expected: [Shown], _ song: Song, _ seed: Int) {
        #expect(lines.map { Folding.folded($0.text) } == expected.map(\.folded), "seed \(seed)")
        for (line, shown) in zip(lines, expected) {
            #expect(abs(Double(line.start) - shown.start * 1000) < 5.001, "seed \(seed): \(line) \(shown.start)")
            if !song.isHostile, !shown.joined.hasPrefix("[") { #expect(line.text == shown.joined, "seed \(seed)") }
        }
    }

    private static func judge(_ cues: [SubtitleReader.Cue], _ expected: [Shown], _ duration: Double, _ seed: Int) {
        // Lines that share a millisecond push each other on, by one each.
        let isCrowded = zip(expected, expected.dropFirst()).contains { $1.start - $0.start < 0.002 } || expected.contains { $0.end - $0.start < 0.002 }
        let slack = isCrowded ? 0.501 + Double(expected.count) : 0.501
        for (index, (cue, shown)) in zip(cues, expected).enumerated() {
            #expect(abs(Double(cue.start) - shown.start * 1000) <= slack, "seed \(seed): \(cue)")
            let free = index + 1 < cues.count ? cues[index + 1].start : max(Int((duration * 1000).rounded()), cues.count)
            #expect(cue.end <= free, "seed \(seed)")
            #expect(Double(cue.end) >= shown.end * 1000 - slack - 1 || cue.end == free, "seed \(seed)")
            // Short lines are held where the screen is free, no longer than needed.
            #expect(cue.end - cue.start >= min(833, free - cue.start), "seed \(seed): \(cue)")
            #expect(Double(cue.end) <= max(shown.end * 1000, Double(cue.start) + 833) + slack + 1, "seed \(seed)")
        }
    }

    /// Every stamp of the file in the order in which they stand there, all with two digits after the point.
    private static func areAscending(_ file: String) -> Bool {
        var last = 0
        for line in ByteText.lines(file) {
            let (rest, lineStamps) = ByteText.without(line, open: "[", close: "]")
            let (_, wordStamps) = ByteText.without(rest, open: "<", close: ">")
            for stamp in lineStamps + wordStamps {
                if stamp.time < last || stamp.time % 10 != 0 { return false }
                last = stamp.time
            }
        }
        return true
    }
}

/// Look-alikes count as what they stand for; white space and invisible characters do not count.
enum Folding {
    private static let sameAs: [Unicode.Scalar: Unicode.Scalar] = [
        "‹": "<", "›": ">", "[": "(", "{": "(", "]": ")", "}": ")", "＆": "&", "⧵": "\\",
    ]

    static func folded(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isInvisible = [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
            if isInvisible && scalar.value != 0x200D || scalar.properties.isWhitespace { continue }
            result.append(sameAs[scalar] ?? scalar)
        }
        return String(result)
    }
}
