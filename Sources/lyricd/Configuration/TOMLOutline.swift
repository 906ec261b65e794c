/// The outline of a TOML text: where its keys stand, and whether it is built of sections, keys and values at all.
///
/// TOMLKit needs both from somebody else. It tells the place of syntax errors only, and a wrong value needs its line as well. And
/// the parser below it (toml++ 3.4) takes for granted, where it should complain, that a name follows `[` and that a value follows
/// `[` or `,` in a list: on `[=]` and on `x = [}` it ends the process. So it sees only what has an outline.
///
/// Source: toml.io, 1.0.0. What a number or date looks like is left to TOMLKit.
struct TOMLOutline {
    struct Problem: Error, Equatable {
        /// From 1.
        let line: Int
        /// From 1, in characters.
        let column: Int
        /// The end of a sentence that begins with *expected*.
        let expected: String
    }

    /// Line from 1, by the parts of the key: `["inbox", "settle"]`. Of a key that comes several times, the first.
    private(set) var lines: [[String]: Int] = [:]

    /// No setting lies deeper, and the parser follows depth with its stack.
    private static let depthMax = 16

    private let bytes: [UInt8]
    private var index = 0
    /// The line that `lineIndex` is in.
    private var line = 1
    private var lineIndex = 0

    /// An outline of nothing.
    init() { bytes = [] }

    init(_ text: String) throws(Problem) {
        bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        var section: [String] = []
        while true {
            skipBlanksAndLines()
            guard let byte = current else { return }
            if byte == UInt8(ascii: "[") {
                section = try readHeader()
            } else {
                try readAssignment(below: section, depth: 0)
            }
            skipBlanks()
            skipComment()
            guard current == nil || isAtLineEnd else { throw problem("the end of the line") }
        }
    }

    // MARK: Parts

    private mutating func readHeader() throws(Problem) -> [String] {
        index += 1
        let isList = current == UInt8(ascii: "[")
        if isList { index += 1 }
        let start = index
        let section = try readKey(what: "the name of a section")
        note(section, at: start)
        for _ in 0..<(isList ? 2 : 1) {
            guard current == UInt8(ascii: "]") else { throw problem("]") }
            index += 1
        }
        return section
    }

    private mutating func readAssignment(below section: [String], depth: Int) throws(Problem) {
        let start = index
        let key = section + (try readKey(what: "a key or a [section]"))
        note(key, at: start)
        guard current == UInt8(ascii: "=") else { throw problem("= after the key") }
        index += 1
        skipBlanks()
        try readValue(key, depth: depth)
    }

    /// Dotted and quoted keys, with the blanks around them.
    private mutating func readKey(what: String) throws(Problem) -> [String] {
        var parts: [String] = []
        repeat {
            if !parts.isEmpty { index += 1 }
            skipBlanks()
            guard let byte = current, parts.count < Self.depthMax else { throw problem(what) }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                guard !isLongQuote(byte) else { throw problem(what) }
                parts.append(try readString())
            } else {
                let start = index
                while let byte = current, byte.isBareKey { index += 1 }
                guard index > start else { throw problem(what) }
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
            }
            skipBlanks()
        } while current == UInt8(ascii: ".")
        return parts
    }

    private mutating func readValue(_ key: [String], depth: Int) throws(Problem) {
        guard depth < Self.depthMax else { throw problem("fewer brackets in each other") }
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = try readString()
        case UInt8(ascii: "["): try readList(key, depth: depth)
        case UInt8(ascii: "{"): try readInlineTable(key, depth: depth)
        default:
            let start = index
            while let byte = current, byte.isBareKey || "+.:".utf8.contains(byte) { index += 1 }
            guard index > start else { throw problem("a value") }
            // One blank between a date and its time.
            let hasDate = index - start == 10 && bytes[start + 4] == UInt8(ascii: "-")
            if hasDate, current == UInt8(ascii: " "), index + 1 < bytes.count,
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index + 1])
            {
                index += 1
                while let byte = current, byte.isBareKey || "+.:".utf8.contains(byte) { index += 1 }
            }
        }
    }

    private mutating func readList(_ key: [String], depth: Int) throws(Problem) {
        index += 1
        while true {
            skipBlanksAndLines()
            if current == UInt8(ascii: "]") { break }
            try readValue(key, depth: depth + 1)
            skipBlanksAndLines()
            if current == UInt8(ascii: "]") { break }
            guard current == UInt8(ascii: ",") else { throw problem(", or ]") }
            index += 1
        }
        index += 1
    }

    private mutating func readInlineTable(_ key: [String], depth: Int) throws(Problem) {
        index += 1
        skipBlanks()
        if current == UInt8(ascii: "}") {
            index += 1
            return
        }
        while true {
            skipBlanks()
            try readAssignment(below: key, depth: depth + 1)
            skipBlanks()
            if current == UInt8(ascii: "}") { break }
            guard current == UInt8(ascii: ",") else { throw problem(", or }") }
            index += 1
        }
        index += 1
    }

    /// Any of the four kinds of string; escapes are undone only as far as they decide where it ends.
    private mutating func readString() throws(Problem) -> String {
        let start = index
        let quote = bytes[index]
        let isLong = isLongQuote(quote)
        index += isLong ? 3 : 1
        var content: [UInt8] = []
        while let byte = current {
            if byte == quote, !isLong || isLongQuote(quote) {
                index += isLong ? 3 : 1
                // Up to two quotes may stand before the three that end it.
                for _ in 0..<2 where isLong && current == quote { index += 1 }
                return String(decoding: content, as: UTF8.self)
            }
            if !isLong, isAtLineEnd { break }
            if quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\") { index += 1 }
            guard let byte = current else { break }
            content.append(byte)
            index += 1
        }
        index = start
        throw problem("the end of the string that begins here")
    }

    // MARK: Bytes

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private var isAtLineEnd: Bool {
        current == UInt8(ascii: "\n")
            || (current == UInt8(ascii: "\r") && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\n"))
    }

    private func isLongQuote(_ quote: UInt8) -> Bool { bytes[index...].prefix(3).elementsEqual([quote, quote, quote]) }

    private mutating func skipBlanks() {
        while let byte = current, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { index += 1 }
    }

    private mutating func skipComment() {
        guard current == UInt8(ascii: "#") else { return }
        while current != nil, !isAtLineEnd { index += 1 }
    }

    private mutating func skipBlanksAndLines() {
        while true {
            skipBlanks()
            skipComment()
            guard isAtLineEnd else { return }
            index += current == UInt8(ascii: "\r") ? 2 : 1
        }
    }

    /// The key and what it lies in: a section may be named by its keys alone.
    private mutating func note(_ key: [String], at start: Int) {
        // On from the last key: counted from the start each time, many keys would take long.
        line += bytes[lineIndex..<start].count { $0 == UInt8(ascii: "\n") }
        lineIndex = start
        for last in key.indices.prefix(4) {
            let part = Array(key[...last])
            if lines[part] == nil { lines[part] = line }
        }
    }

    private func problem(_ expected: String) -> Problem {
        let (line, column) = Self.position(of: index, in: bytes)
        return Problem(line: line, column: column, expected: expected)
    }

    /// Both from 1; the column counts characters, not bytes.
    static func position(of index: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes[..<min(index, bytes.count)]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return (1 + before.count { $0 == UInt8(ascii: "\n") }, 1 + before[lineStart...].count { $0 & 0xC0 != 0x80 })
    }
}

extension UInt8 {
    fileprivate var isBareKey: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
