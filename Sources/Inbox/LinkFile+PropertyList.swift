import Jobs

/// The string at `URL` in the dictionary that a property list consists of; all that a `.webloc` file says.
///
/// Not Foundation's reader: that one follows the file's nesting with its own stack, and 64 KiB of brackets are deep. This one
/// goes through the file once, in memory that does not grow with the nesting, and knows neither entities nor other files.
enum PropertyListURL {
    /// - Returns: `nil` for what is no property list.
    static func targets(_ bytes: [UInt8]) -> [String]? {
        if bytes.starts(with: Array("bplist00".utf8)) { return BinaryPropertyList(bytes)?.strings(at: "URL") }
        return XMLPropertyList.strings(at: "URL", in: TextDecoding.decode(bytes))
    }
}

/// Source: Apple, Core Foundation, CFBinaryPList.c.
private struct BinaryPropertyList {
    private let bytes: [UInt8]
    private let offsetSize: Int
    private let referenceSize: Int
    private let count: Int
    private let top: Int
    private let table: Int

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8 + 1 + 1 + 32 else { return nil }
        self.bytes = bytes
        let trailer = bytes.count - 32
        offsetSize = Int(bytes[trailer + 6])
        referenceSize = Int(bytes[trailer + 7])
        guard (1...8).contains(offsetSize), (1...8).contains(referenceSize),
            let count = Self.integer(bytes, at: trailer + 8, size: 8), let top = Self.integer(bytes, at: trailer + 16, size: 8),
            let table = Self.integer(bytes, at: trailer + 24, size: 8),
            // Each number is checked against the file's size before it is used in a sum.
            count <= bytes.count, top < count, table <= trailer, table + count * offsetSize <= trailer
        else { return nil }
        self.count = count
        self.top = top
        self.table = table
    }

    /// - Returns: `nil` where the list is no dictionary.
    func strings(at key: String) -> [String]? {
        guard let start = position(of: top), bytes[start] >> 4 == 0xD, let (size, keys) = sizeAndContent(at: start),
            size <= bytes.count, keys + 2 * size * referenceSize <= bytes.count
        else { return nil }
        var result: [String] = []
        for index in 0..<size {
            guard let name = Self.integer(bytes, at: keys + index * referenceSize, size: referenceSize), string(name) == key,
                let value = Self.integer(bytes, at: keys + (size + index) * referenceSize, size: referenceSize),
                let text = string(value)
            else { continue }
            result.append(text)
            // Two are too many already, and each may be as long as the file.
            if result.count > 2 { break }
        }
        return result
    }

    private func string(_ object: Int) -> String? {
        guard let start = position(of: object), let (size, content) = sizeAndContent(at: start), size <= bytes.count else {
            return nil
        }
        switch bytes[start] >> 4 {
        case 0x5 where content + size <= bytes.count: return String(decoding: bytes[content..<(content + size)], as: UTF8.self)
        case 0x6 where content + 2 * size <= bytes.count:
            let units = (0..<size).map { UInt16(bytes[content + 2 * $0]) << 8 | UInt16(bytes[content + 2 * $0 + 1]) }
            return String(decoding: units, as: UTF16.self)
        default: return nil
        }
    }

    private func position(of object: Int) -> Int? {
        guard object < count, let offset = Self.integer(bytes, at: table + object * offsetSize, size: offsetSize), offset < table
        else { return nil }
        return offset
    }

    /// The low half of the marker is the size; 15 means that an integer follows which is.
    private func sizeAndContent(at start: Int) -> (Int, Int)? {
        let size = Int(bytes[start] & 0xF)
        if size < 15 { return (size, start + 1) }
        guard start + 1 < bytes.count, bytes[start + 1] >> 4 == 1, bytes[start + 1] & 0xF <= 3 else { return nil }
        let width = 1 << Int(bytes[start + 1] & 0xF)
        guard let value = Self.integer(bytes, at: start + 2, size: width) else { return nil }
        return (value, start + 2 + width)
    }

    /// Big endian; `nil` beyond the end, and for what could not be an offset in any file.
    private static func integer(_ bytes: [UInt8], at start: Int, size: Int) -> Int? {
        guard start >= 0, start + size <= bytes.count else { return nil }
        let value = bytes[start..<(start + size)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return value <= UInt64(Int32.max) ? Int(value) : nil
    }
}

/// As much XML as a property list has: elements, text, five entities, character numbers.
private enum XMLPropertyList {
    /// - Returns: `nil` where the text is no property list, or one that declares something of its own.
    static func strings(at wanted: String, in text: String) -> [String]? {
        let all = Array(text.utf8)
        var rest = all[...]
        var depth = 0
        var isDictionary = false
        var element = ""
        var content: [UInt8] = []
        var key: String?
        var result: [String] = []
        var sawList = false
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            if element == "key" || element == "string" { content += rest[..<open] }
            rest = rest[open...]
            if rest.starts(with: "<!--".utf8) {
                guard skip(&rest, past: "-->") else { return nil }
            } else if rest.starts(with: "<![CDATA[".utf8) {
                let start = rest.startIndex + 9
                guard skip(&rest, past: "]]>") else { return nil }
                // Escaped, because the text is unescaped as a whole.
                for byte in all[start..<max(start, rest.startIndex - 3)] {
                    content += byte == UInt8(ascii: "&") ? Array("&amp;".utf8) : [byte]
                }
            } else if rest.starts(with: "<?".utf8) {
                guard skip(&rest, past: "?>") else { return nil }
            } else if rest.starts(with: "<!".utf8) {
                // A document type with brackets declares entities; no link needs them.
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")), !rest[..<end].contains(UInt8(ascii: "[")) else {
                    return nil
                }
                rest = rest[(end + 1)...]
            } else {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return nil }
                let tag = rest[(open + 1)..<end]
                rest = rest[(end + 1)...]
                let isEnd = tag.first == UInt8(ascii: "/")
                let isWhole = tag.last == UInt8(ascii: "/")
                let name = String(
                    decoding: tag.drop { $0 == UInt8(ascii: "/") }.prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") }, as: UTF8.self)
                switch (name, isEnd) {
                case ("plist", _): sawList = true
                case ("dict", false), ("array", false):
                    if isWhole { break }
                    depth += 1
                    if depth == 1 { isDictionary = name == "dict" }
                case ("dict", true), ("array", true):
                    depth -= 1
                    if depth < 0 { return nil }
                case ("key", false), ("string", false):
                    element = isWhole ? "" : name
                    content = []
                case ("key", true), ("string", true):
                    guard element == name else { return nil }
                    element = ""
                    guard depth == 1, isDictionary, let text = unescaping(content) else { continue }
                    if name == "key" { key = text } else if key == wanted { result.append(text) }
                    if name == "string" { key = nil }
                default: break
                }
                if result.count > 2 { break }
            }
        }
        return sawList ? result : nil
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>, past mark: String) -> Bool {
        let mark = Array(mark.utf8)
        var index = rest.startIndex
        while index + mark.count <= rest.endIndex {
            if rest[index] == mark[0], rest[index..<(index + mark.count)].elementsEqual(mark) {
                rest = rest[(index + mark.count)...]
                return true
            }
            index += 1
        }
        return false
    }

    /// - Returns: `nil` for an entity that XML does not know by itself. A lone `&` is a link that nobody escaped.
    private static func unescaping(_ bytes: [UInt8]) -> String? {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let first = rest.first {
            rest.removeFirst()
            guard first == UInt8(ascii: "&"), let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")) else {
                result.append(first)
                continue
            }
            let name = String(decoding: rest[..<end], as: UTF8.self)
            guard name.utf8.allSatisfy({ $0.isNameOfEntity }) else {
                result.append(first)
                continue
            }
            switch name {
            case "amp": result.append(UInt8(ascii: "&"))
            case "lt": result.append(UInt8(ascii: "<"))
            case "gt": result.append(UInt8(ascii: ">"))
            case "quot": result.append(UInt8(ascii: "\""))
            case "apos": result.append(UInt8(ascii: "'"))
            default:
                let isHexadecimal = name.hasPrefix("#x") || name.hasPrefix("#X")
                guard name.hasPrefix("#"),
                    let value = UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10),
                    let scalar = Unicode.Scalar(value)
                else { return nil }
                result += Array(String(Character(scalar)).utf8)
            }
            rest = rest[(end + 1)...]
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isNameOfEntity: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || self == UInt8(ascii: "#")
    }
}
