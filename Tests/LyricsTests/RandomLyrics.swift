import Lyrics

/// SplitMix64: the same seed makes the same case on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// For comparisons: not a number, and so equal to nothing, where there is no time.
extension Word {
    var from: Double { start ?? .nan }
    var to: Double { end ?? .nan }
}

/// Lyrics as a bad engine and a bad person would deliver them.
struct RandomLyrics {
    let lyrics: TimedLyrics
    /// The texts hold markup, so the formats may show look-alikes.
    let isHostile: Bool

    private static let plain = [
        "love", "I'm", "you", "oh,", "night.", "yeah!", "don't", "Straße", "été", "Привет", "שלום", "дождь", "—", "rock'n'roll", "24/7", "é",
        "naïve?", "😀", "👩‍👩‍👧", "a", "I", "R&B", "100%", "[yeah]", "<3", "(oh)", "x2", "wait…", "\"quoted\"", "it's",
    ]
    private static let hostile = [
        "[00:12.34]", "<00:12.34>", "[99:59.99]boo", "-->", "00:00:01,000 --> 00:00:02,000", "<b>", "</b>", "<b", "&", "&amp;", "&lt;00:01.00&gt;",
        "{\\an8}", "{\\k50}", "\\N", "[ar:x]", "[ti:", "]", "<!--", "<script>", "\u{202E}evil", "\u{2066}x", "nul\u{0}", "bell\u{7}", "new\nline",
        "cr\rlf\r\n", "\u{2028}sep", "\u{85}", "\u{FEFF}", "&#10;", "&NewLine;", "WEBVTT", "NOTE", "STYLE", "1", "[12", "34]", "<12:", "30.00>",
        "[length:1]", "[word:thing]", "@Ruby1=a,b", "\t", "", "</c>", "<c>", "[٠١:٢٣.٤٥]", "&lt00:01.00&gt", "---->", "{}", "\\", "\u{1B}[31m",
        "<1:2.3>",
    ]

    init(seed: Int) {
        var random = SeededGenerator(seed: seed)
        isHostile = Bool.random(using: &random)
        let duration: Double = [0.5, 30, 200, 3599.996, 7_000, 40_000].randomElement(using: &random) ?? 200
        let pool = isHostile ? Self.plain + Self.hostile + Self.hostile : Self.plain
        var clock = Double.random(in: -0.1...2, using: &random)
        var lines: [Line] = []
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            var words: [Word] = []
            for _ in 0..<Int.random(in: 0...9, using: &random) {
                let length = Double.random(in: 0...0.8, using: &random)
                var word = Word(text: pool.randomElement(using: &random) ?? "la", start: clock, end: clock + length)
                Self.spoil(&word, duration: duration, using: &random)
                words.append(word)
                clock += length + (Int.random(in: 0..<5, using: &random) == 0 ? Double.random(in: 0...12, using: &random) : 0)
            }
            let kind = Int.random(in: 0..<8, using: &random)
            if kind == 0 { lines.append(Line(words: [], text: "[Chorus]", isSection: true)) }
            if kind == 1 { lines.append(Line(words: [], text: "")) }
            lines.append(Line(words: words))
            clock += Double.random(in: 0...3, using: &random)
        }
        lyrics = TimedLyrics(
            lines: lines, language: Bool.random(using: &random) ? "en" : nil, duration: duration, isGiven: Bool.random(using: &random))
    }

    private static func spoil(_ word: inout Word, duration: Double, using random: inout SeededGenerator) {
        switch Int.random(in: 0..<24, using: &random) {
        case 0: word.start = .nan
        case 1: word.end = .infinity
        case 2: (word.start, word.end) = (word.end, word.start)
        case 3: word.end = word.start
        case 4: (word.start, word.end) = (nil, nil)
        case 5: word.start = Double.random(in: -100...duration * 2, using: &random)
        case 6: word.end = word.end.map { $0 + 30 }
        case 7: word.start = word.start?.rounded(.down)
        case 8: word.end = nil
        case 9: word.start = nil
        case 10: (word.start, word.end) = (59.996, 60)
        case 11: word.timing = .interpolated
        case 12: word.confidence = [.nan, -1, 0.5, 7].randomElement(using: &random)
        case 13: (word.start, word.end) = (-.infinity, 1e300)
        default: break
        }
    }
}
