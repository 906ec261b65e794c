/// How Jellyfin understands an LRC file: written from the behaviour of karaoke-dev/LrcParser (2025.623) and of Jellyfin's
/// `LrcLyricParser.cs`, as a judge of what we write.
enum JellyfinReader {
    struct Cue: Equatable {
        let text: String
        /// Milliseconds.
        let start: Int
        /// Milliseconds; `nil` where the reader knows none.
        let end: Int?
    }

    struct Line: Equatable {
        let text: String
        /// Milliseconds.
        let start: Int
        let cues: [Cue]
    }

    static func lines(_ file: String) -> [Line] {
        var found: [(start: Int, text: [UInt8], tags: [(position: Int, time: Int)])] = []
        for line in ByteText.lines(file) where !ByteText.isBlank(line) {
            // Every `[digits:digits.digits]` is a line stamp, wherever it stands; the third number counts hundredths.
            let (rest, stamps) = ByteText.without(line, open: "[", close: "]")
            let text = ByteText.trimmed(rest)
            for stamp in stamps {
                if stamps.count > 1 {
                    found.append((stamp.time, text, []))
                } else {
                    let (words, tags) = wordTags(text)
                    found.append((stamp.time, words, tags))
                }
            }
        }
        let order = found.indices.sorted { (found[$0].start, $0) < (found[$1].start, $1) }
        let sorted = order.map { found[$0] }
        return sorted.enumerated().map { index, line in
            let nextStart = index + 1 < sorted.count ? sorted[index + 1].start : nil
            var cues: [Cue] = []
            for (tag, position) in line.tags.enumerated() {
                let next = tag + 1 < line.tags.count ? line.tags[tag + 1] : nil
                let slice = Array(line.text[position.position..<(next?.position ?? line.text.count)])
                if ByteText.isBlank(slice) { continue }
                cues.append(Cue(text: ByteText.string(slice), start: position.time, end: next?.time ?? nextStart))
            }
            return Line(text: ByteText.string(line.text), start: line.start, cues: cues)
        }
    }

    /// A marker before a space or at the end belongs to the end of the word before it, else to the word after it;
    /// of two markers at the same place the first one counts.
    private static func wordTags(_ line: [UInt8]) -> (text: [UInt8], tags: [(position: Int, time: Int)]) {
        let (text, markers) = ByteText.without(line, open: "<", close: ">")
        var tags: [(position: Int, isEnd: Bool, time: Int)] = []
        for marker in markers {
            let isEnd = marker.end == line.count || line[marker.end] == UInt8(ascii: " ")
            if tags.contains(where: { $0.position == marker.position && $0.isEnd == isEnd }) { continue }
            tags.append((marker.position, isEnd, marker.time))
        }
        // An end is sorted by the character it closes, a start by the one it opens.
        tags.sort { ($0.isEnd ? $0.position * 2 - 1 : $0.position * 2) < ($1.isEnd ? $1.position * 2 - 1 : $1.position * 2) }
        return (text, tags.map { ($0.position, $0.time) })
    }
}

/// Lines and stamps of a file as bytes.
enum ByteText {
    struct Stamp {
        /// In the text without stamps.
        let position: Int
        /// One past the stamp in the line it was found in.
        let end: Int
        /// Milliseconds.
        let time: Int
    }

    static func lines(_ file: String) -> [[UInt8]] {
        let unified = Array(file.utf8).filter { $0 != UInt8(ascii: "\r") }
        return unified.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
    }

    static func string(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
    static func isBlank(_ bytes: some Sequence<UInt8>) -> Bool { bytes.allSatisfy(isSpace) }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.count
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return Array(bytes[start..<end])
    }

    static func without(_ line: [UInt8], open: Unicode.Scalar, close: Unicode.Scalar) -> (text: [UInt8], stamps: [Stamp]) {
        var text: [UInt8] = []
        var stamps: [Stamp] = []
        var index = 0
        while index < line.count {
            if let (numbers, _, end) = numbers(line, at: index, open: open, close: close, parts: 2), numbers.count == 3 {
                stamps.append(Stamp(position: text.count, end: end, time: (numbers[0] * 60 + numbers[1]) * 1000 + numbers[2] * 10))
                index = end
            } else {
                text.append(line[index])
                index += 1
            }
        }
        return (text, stamps)
    }

    /// `open number:number(:number)?(.number)? close`: the numbers, how many digits each has, and where the stamp ends.
    ///
    /// - Parameter parts: how many numbers with colons between them there may be.
    static func numbers(
        _ line: [UInt8], at start: Int, open: Unicode.Scalar, close: Unicode.Scalar, parts: Int
    ) -> (numbers: [Int], digits: [Int], end: Int)? {
        guard start < line.count, line[start] == UInt8(ascii: open) else { return nil }
        var numbers: [Int] = []
        var digits: [Int] = []
        var index = start + 1
        var hasPoint = false
        while true {
            let first = index
            var value = 0
            while index < line.count, (0x30...0x39).contains(line[index]), index - first < 9 {
                value = value * 10 + Int(line[index]) - 0x30
                index += 1
            }
            guard index > first, index < line.count else { return nil }
            numbers.append(value)
            digits.append(index - first)
            if line[index] == UInt8(ascii: close) { return numbers.count >= 2 ? (numbers, digits, index + 1) : nil }
            if line[index] == UInt8(ascii: "."), !hasPoint, numbers.count >= 2 {
                hasPoint = true
            } else if line[index] != UInt8(ascii: ":") || hasPoint || numbers.count >= parts {
                return nil
            }
            index += 1
        }
    }
}
