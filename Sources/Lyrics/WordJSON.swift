/// Words with their times, for other programs: a superset of what whisperX writes.
///
/// `segments[].words[{word,start,end,score}]`, `word_segments` and `language` are whisperX's; `source` tells how a time was found
/// (`measured`, `interpolated`). Seconds, rounded to milliseconds. Texts are exact, nothing is replaced.
enum WordJSON {
    /// Raised when a field changes its meaning or goes.
    static let version = 1

    static func text(_ lyrics: TimedLyrics) -> String {
        let lines = lyrics.lines.filter { !$0.isSection && !$0.words.isEmpty }
        let segments = lines.map { line in
            let start = time(line.start), end = time(line.end)
            let words = line.words.map { "\n    " + object($0) }.joined(separator: ",")
            return "\n  {\"start\":\(start),\"end\":\(end),\"text\":\(quoted(line.text)),\"words\":[\(words)]}"
        }
        let words = lines.flatMap(\.words).map { "\n  " + object($0) }
        let fields = [
            "\"version\":\(version)",
            "\"language\":\(lyrics.language.map(quoted) ?? "null")",
            "\"duration\":\(time(lyrics.duration))",
            "\"measured_share\":\(Stamp.decimal(milliseconds: Stamp.milliseconds(lyrics.measuredShare)))",
            "\"segments\":[\(segments.joined(separator: ","))]",
            "\"word_segments\":[\(words.joined(separator: ","))]",
        ]
        return "{\n" + fields.joined(separator: ",\n") + "\n}\n"
    }

    private static func object(_ word: Word) -> String {
        let score = word.confidence.map { ",\"score\":" + Stamp.decimal(milliseconds: Stamp.milliseconds($0)) } ?? ""
        return "{\"word\":\(quoted(word.text)),\"start\":\(time(word.start)),\"end\":\(time(word.end))\(score)"
            + ",\"source\":\"\(word.timing.rawValue)\"}"
    }

    private static func time(_ seconds: Double?) -> String {
        seconds.map { Stamp.decimal(milliseconds: Stamp.milliseconds($0)) } ?? "null"
    }

    /// RFC 8259 §7; also everything that a terminal or an editor would not show as it is.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where PlainText.isDropped(scalar) || PlainText.isLineBreak(scalar):
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
