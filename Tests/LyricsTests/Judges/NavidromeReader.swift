/// How Navidrome understands an LRC file: written from the behaviour of navidrome/navidrome, `model/lyrics_lrc.go` and
/// `utils/str/sanitize_strings.go`, as a judge of what we write. Enough of it for files without hours.
enum NavidromeReader {
    struct Cue: Equatable {
        let text: String
        /// Milliseconds.
        let start: Int
    }

    struct Line: Equatable {
        let text: String
        /// Milliseconds.
        let start: Int
        let cues: [Cue]
    }

    struct Lyrics: Equatable {
        var title = ""
        var artist = ""
        var lines: [Line] = []
    }

    static func lyrics(_ file: String) -> Lyrics {
        var lyrics = Lyrics()
        var starts: [Int] = []
        var prior: [UInt8] = []
        func finish() {
            let (text, cues) = cues(prior)
            for start in starts {
                let shift = start - starts[0]
                lyrics.lines.append(Line(text: text, start: start, cues: cues.map { Cue(text: $0.text, start: $0.start + shift) }))
            }
            starts = []
        }
        for raw in ByteText.lines(sanitized(file)) {
            let line = ByteText.trimmed(raw)
            if line.isEmpty {
                if !starts.isEmpty { prior.append(UInt8(ascii: "\n")) }
                continue
            }
            // An id tag is looked for anywhere in the line, and takes all of it.
            if let (name, value) = idTag(ByteText.string(line)) {
                if name == "ti" { lyrics.title = value }
                if name == "ar" { lyrics.artist = value }
                continue
            }
            guard var (time, end) = stamp(line, at: 0) else {
                if !starts.isEmpty { prior += [UInt8(ascii: "\n")] + line }
                continue
            }
            finish()
            starts = [time]
            while true {
                let rest = ByteText.trimmed(Array(line[end...]))
                guard let next = stamp(rest, at: 0) else { break }
                time = next.time
                end += line[end...].count - rest.count + next.end
                starts.append(time)
            }
            prior = ByteText.trimmed(Array(line[end...]))
        }
        finish()
        return lyrics
    }

    /// Text before the first marker is lost; a marker without text after it adds nothing.
    private static func cues(_ line: [UInt8]) -> (text: String, cues: [Cue]) {
        var markers: [(start: Int, end: Int, time: Int)] = []
        var index = 0
        while index < line.count {
            if let (time, end) = stamp(line, at: index, open: "<", close: ">") {
                markers.append((index, end, time))
                index = end
            } else {
                index += 1
            }
        }
        guard !markers.isEmpty else { return (ByteText.string(ByteText.trimmed(line)), []) }
        var text: [UInt8] = []
        var cues: [Cue] = []
        for (index, marker) in markers.enumerated() {
            let part = line[marker.end..<(index + 1 < markers.count ? markers[index + 1].start : line.count)]
            if part.isEmpty { continue }
            text += part
            // White space that is trimmed from the end of the line makes no cue.
            if index + 1 == markers.count, ByteText.isBlank(part) { continue }
            cues.append(Cue(text: ByteText.string(part), start: marker.time))
        }
        return (ByteText.string(ByteText.trimmed(text)), cues)
    }

    /// One or two digits for each number, so minutes end at 99; one to three after the point.
    private static func stamp(
        _ line: [UInt8], at index: Int, open: Unicode.Scalar = "[", close: Unicode.Scalar = "]"
    ) -> (time: Int, end: Int)? {
        guard let (numbers, digits, end) = ByteText.numbers(line, at: index, open: open, close: close, parts: 2),
            digits[0] <= 2, digits[1] <= 2, numbers.count == 2 || digits[2] <= 3
        else { return nil }
        let scale = [1: 100, 2: 10, 3: 1]
        let fraction = numbers.count == 3 ? numbers[2] * (scale[digits[2]] ?? 0) : 0
        return ((numbers[0] * 60 + numbers[1]) * 1000 + fraction, end)
    }

    private static func idTag(_ line: String) -> (name: String, value: String)? {
        for name in ["ar", "ti", "offset", "lang"] {
            let parts = line.split(separator: "[\(name):", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let close = parts[1].firstIndex(of: "]"), close != parts[1].startIndex else { continue }
            return (name, String(parts[1][..<close]))
        }
        return nil
    }

    /// An HTML policy removes what looks like a tag (up to the end of the file if it is never closed), then references are resolved.
    static func sanitized(_ file: String) -> String {
        var kept: [Unicode.Scalar] = []
        let text = Array(file.unicodeScalars)
        var index = 0
        while index < text.count {
            let next: Unicode.Scalar = index + 1 < text.count ? text[index + 1] : " "
            let isLetter = ("a"..."z").contains(next) || ("A"..."Z").contains(next)
            if text[index] == "<", isLetter || next == "/" || next == "!" || next == "?" {
                index = (text[index...].firstIndex(of: ">") ?? text.count - 1) + 1
            } else {
                kept.append(text[index])
                index += 1
            }
        }
        var result = kept.reduce(into: "") { $0.unicodeScalars.append($1) }
        for (reference, character) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&lt", "<"), ("&gt", ">"), ("&#10;", "\n"), ("&#91;", "["), ("&#93;", "]"), ("&NewLine;", "\n"),
            ("&lbrack;", "["), ("&rbrack;", "]"), ("&quot;", "\""), ("&amp;", "&"),
        ] where result.contains("&") {
            result = result.split(separator: reference, omittingEmptySubsequences: false).joined(separator: character)
        }
        return result
    }
}
