/// Reads LRC as it is found in the wild; a text without any stamp comes out line for line.
enum LRCReading {
    struct Line {
        var text: String
        var seconds: Double?
    }

    /// Id tags that are no lyrics. Other lines in brackets are headings.
    private static let idTags: Set = [
        "al", "ar", "au", "by", "encoding", "id", "la", "lang", "length", "lr", "offset", "re", "ti", "tool", "total", "ve", "#",
    ]

    static func lines(_ text: String) throws(KnownLyricsError) -> [Line] {
        var offset = 0.0
        // With the time by which each line is sorted: a line without a stamp stays behind the one before it.
        var found: [(line: Line, key: Double)] = []
        var isStamped = false
        var isRepeated = false
        var key = 0.0
        var size = 0
        let raws = split(text)
        // Without a single line that begins with one, what looks like a stamp is text.
        let isLRC = raws.contains { line in
            line.firstIndex { !PlainText.isSpace($0) }.map { stamp(line, at: $0) != nil } == true
        }
        for raw in raws {
            if let (name, value) = idTag(raw) {
                if name == "offset", let milliseconds = integer(value) { offset = Double(milliseconds) / 1000 }
                continue
            }
            let (stamps, rest, hadInner) = isLRC ? stripped(raw) : ([], raw, false)
            size += max(1, rest.count) * max(1, stamps.count)
            guard size <= 4 * KnownLyrics.sizeMax else { throw KnownLyricsError(reason: .tooManyLines) }
            let text = PlainText.string(rest)
            let shown = stamps.isEmpty && !hadInner ? text : hadInner ? PlainText.joined(PlainText.tokens(text)) : trimmed(rest)
            if stamps.isEmpty {
                found.append((Line(text: shown, seconds: nil), key))
            } else {
                isStamped = true
                isRepeated = isRepeated || stamps.count > 1
                for seconds in stamps { found.append((Line(text: shown, seconds: seconds), seconds)) }
                key = stamps[0]
            }
        }
        if isRepeated {
            // Swift's sort keeps the order of equals only by their position.
            let order = found.indices.sorted { (found[$0].key, $0) < (found[$1].key, $1) }
            found = order.map { found[$0] }
        }
        guard isStamped else { return found.map(\.line) }
        var result: [Line] = []
        for var (line, _) in found {
            // A positive offset shows the lyrics earlier.
            line.seconds = line.seconds.map { max(0, $0 - offset) }
            // Stamps without text clear the screen; one blank line is enough to show that.
            let isBlank = line.text.isEmpty
            if isBlank, result.last?.text.isEmpty == true { continue }
            result.append(line)
        }
        return result
    }

    private static func split(_ text: String) -> [[Unicode.Scalar]] {
        var lines: [[Unicode.Scalar]] = []
        var line: [Unicode.Scalar] = []
        var last: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            // A byte order mark in the middle comes from files that were put together.
            if scalar == "\u{FEFF}" { continue }
            if scalar == "\n", last == "\r" {
                last = scalar
                continue
            }
            last = scalar
            if scalar == "\n" || scalar == "\r" || scalar == "\u{85}" || scalar == "\u{2028}" || scalar == "\u{2029}" {
                lines.append(line)
                line.removeAll(keepingCapacity: true)
            } else {
                line.append(scalar)
            }
        }
        lines.append(line)
        return lines
    }

    /// `[name:value]` alone on its line, with a known name.
    private static func idTag(_ line: [Unicode.Scalar]) -> (name: String, value: String)? {
        let text = trimmed(line)
        guard text.hasPrefix("["), text.hasSuffix("]"), let colon = text.firstIndex(of: ":") else { return nil }
        let name = PlainText.cleaned(String(text[text.index(after: text.startIndex)..<colon])).lowercased()
        guard idTags.contains(name) else { return nil }
        return (name, PlainText.cleaned(String(text[text.index(after: colon)...].dropLast())))
    }

    /// The stamps in front, and the line without these and without stamps inside it (`<00:12.00>`, `[00:12.00]`).
    private static func stripped(_ line: [Unicode.Scalar]) -> (stamps: [Double], rest: [Unicode.Scalar], hadInner: Bool) {
        var stamps: [Double] = []
        var index = 0
        while true {
            var next = index
            while next < line.count, PlainText.isSpace(line[next]) { next += 1 }
            guard let (seconds, end) = stamp(line, at: next), line[next] == "[" else { break }
            stamps.append(seconds)
            index = end
        }
        var rest: [Unicode.Scalar] = []
        var hadInner = false
        while index < line.count {
            if let (_, end) = stamp(line, at: index) {
                hadInner = true
                index = end
            } else {
                rest.append(line[index])
                index += 1
            }
        }
        return (stamps, rest, hadInner)
    }

    /// `[mm:ss]`, `[mm:ss.f…]`, `[mm:ss:cc]`, `[hh:mm:ss.f…]`, the same in angle brackets.
    private static func stamp(_ line: [Unicode.Scalar], at start: Int) -> (seconds: Double, end: Int)? {
        guard start < line.count, line[start] == "[" || line[start] == "<" else { return nil }
        let close: Unicode.Scalar = line[start] == "[" ? "]" : ">"
        var numbers: [Double] = []
        var index = start + 1
        var fraction: Double?
        while true {
            var value = 0.0
            var digits = 0
            while index < line.count, let digit = digit(line[index]), digits < 4 {
                value = value * 10 + Double(digit)
                digits += 1
                index += 1
            }
            guard digits > 0, index < line.count else { return nil }
            if numbers.count >= 2, fraction == nil, line[index - digits - 1] == "." {
                var scale = 1.0
                for _ in 0..<digits { scale *= 10 }
                fraction = value / scale
            } else {
                numbers.append(value)
            }
            if line[index] == close { break }
            let separates = line[index] == ":" && fraction == nil && numbers.count < 3
            guard separates || line[index] == "." && fraction == nil && numbers.count >= 2 else { return nil }
            index += 1
        }
        switch (numbers.count, fraction) {
        case (2, let fraction): return (numbers[0] * 60 + numbers[1] + (fraction ?? 0), index + 1)
        case (3, nil): return (numbers[0] * 60 + numbers[1] + numbers[2] / 100, index + 1)
        case (3, let fraction?): return (numbers[0] * 3600 + numbers[1] * 60 + numbers[2] + fraction, index + 1)
        default: return nil
        }
    }

    private static func digit(_ scalar: Unicode.Scalar) -> Int? {
        ("0"..."9").contains(scalar) ? Int(scalar.value) - 48 : nil
    }

    private static func integer(_ text: String) -> Int? {
        let value = Int(text.hasPrefix("+") ? String(text.dropFirst()) : text)
        return value.flatMap { (-3_600_000...3_600_000).contains($0) ? $0 : nil }
    }

    private static func trimmed(_ scalars: [Unicode.Scalar]) -> String {
        let start = scalars.firstIndex { !PlainText.isSpace($0) } ?? scalars.count
        let end = (scalars.lastIndex { !PlainText.isSpace($0) } ?? start - 1) + 1
        return PlainText.string(scalars[start..<end])
    }
}
