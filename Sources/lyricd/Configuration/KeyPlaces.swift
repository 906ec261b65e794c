/// Where in a TOML text its keys stand. TOMLKit tells it for syntax errors only, and a wrong value needs its line as well.
///
/// Reads text that TOMLKit has accepted; of other text it makes something, in one pass and without failing.
/// Source: toml.io, 1.0.0.
struct KeyPlaces {
    /// Line from 1, by the parts of the key: `["inbox", "settle"]`. Of a key that comes several times, the first.
    private(set) var lines: [[String]: Int] = [:]

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
        readDocument()
    }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func advance() {
        if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        index += 1
    }

    private mutating func skip(until marks: String) {
        while let byte = current, !marks.utf8.contains(byte) { advance() }
    }

    private mutating func readDocument() {
        var section: [String] = []
        while true {
            skipBlanks(andLines: true)
            guard let byte = current else { return }
            if byte == UInt8(ascii: "[") {
                while current == UInt8(ascii: "[") { advance() }
                section = readKey()
                note(section)
                skip(until: "\n")
            } else {
                readAssignment(below: section)
                // What is left of the line is blank or a comment; in a text that is no TOML, anything.
                skip(until: "\n")
            }
        }
    }

    private mutating func note(_ key: [String]) {
        // No setting lies deeper, and a key of a thousand parts must not cost a million.
        for last in key.indices.prefix(4) {
            let part = Array(key[...last])
            if lines[part] == nil { lines[part] = line }
        }
    }

    private mutating func readAssignment(below section: [String]) {
        let key = section + readKey()
        note(key)
        guard current == UInt8(ascii: "=") else { return }
        advance()
        readValue(key)
    }

    /// Dotted and quoted keys; stops at what is none.
    private mutating func readKey() -> [String] {
        var parts: [String] = []
        while true {
            skipBlanks(andLines: false)
            guard let byte = current else { return parts }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                parts.append(readString())
            } else {
                let start = index
                skip(until: " \t\r\n.=]#,{}[")
                if index == start { return parts }
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
            }
            skipBlanks(andLines: false)
            guard current == UInt8(ascii: ".") else { return parts }
            advance()
        }
    }

    private mutating func readValue(_ key: [String]) {
        skipBlanks(andLines: true)
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = readString()
        case UInt8(ascii: "["): readArray(key)
        case UInt8(ascii: "{"): readInlineTable(key)
        default: skip(until: ",]}#\n")
        }
    }

    /// Brackets in brackets are counted, not followed: a text that is no TOML may have as many as it likes.
    private mutating func readArray(_ key: [String]) {
        var depth = 0
        while let byte = current {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                advance()
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                advance()
                if depth <= 0 { return }
            case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = readString()
            case UInt8(ascii: "#"): skipBlanks(andLines: true)
            default: advance()
            }
        }
    }

    private mutating func readInlineTable(_ key: [String]) {
        var open = [key]
        advance()
        while let section = open.last {
            skipBlanks(andLines: true)
            guard let byte = current else { return }
            switch byte {
            case UInt8(ascii: "}"):
                advance()
                open.removeLast()
            case UInt8(ascii: ","): advance()
            default:
                let start = index
                let inner = section + readKey()
                note(inner)
                if current == UInt8(ascii: "=") {
                    advance()
                    skipBlanks(andLines: true)
                    if current == UInt8(ascii: "{"), open.count < 32 {
                        advance()
                        open.append(inner)
                    } else if current == UInt8(ascii: "{") {
                        readArray(inner)
                    } else {
                        readValue(inner)
                    }
                }
                // Whatever this is, it is not read twice.
                if index == start { advance() }
            }
        }
    }

    /// Any of the four kinds of string; escapes are undone only as far as they decide where it ends.
    private mutating func readString() -> String {
        let quote = bytes[index]
        let isBasic = quote == UInt8(ascii: "\"")
        let isLong = bytes[index...].prefix(3).elementsEqual([quote, quote, quote])
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        var content: [UInt8] = []
        while let byte = current {
            if byte == quote {
                if !isLong {
                    advance()
                    break
                }
                if bytes[index...].prefix(3).elementsEqual([quote, quote, quote]) {
                    // Up to two quotes may stand before the three that end it.
                    while current == quote { advance() }
                    break
                }
            }
            if !isLong, byte == UInt8(ascii: "\n") { break }
            if isBasic, byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
                advance()
                guard let escaped = current else { break }
                content.append(escaped)
            } else {
                content.append(byte)
            }
            advance()
        }
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func skipBlanks(andLines: Bool) {
        while let byte = current {
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
                advance()
            } else if andLines, byte == UInt8(ascii: "\n") {
                advance()
            } else if andLines, byte == UInt8(ascii: "#") {
                skip(until: "\n")
            } else {
                return
            }
        }
    }
}
