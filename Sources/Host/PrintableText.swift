/// Text made safe for a terminal, a log line and a status page.
enum PrintableText {
    /// Invalid UTF-8 becomes `\xNN`; control characters, line separators and the invisible characters that turn the direction
    /// of writing become `\u{...}`. Everything else stays as it is.
    static func escaping(_ bytes: some Sequence<UInt8>) -> String {
        var rest = Array(bytes)[...]
        var text = ""
        text.reserveCapacity(rest.count)
        while let first = rest.first {
            if first >= 0x20, first < 0x7F {
                text.unicodeScalars.append(Unicode.Scalar(first))
                rest.removeFirst()
                continue
            }
            var decoder = UTF8()
            var iterator = rest.prefix(4).makeIterator()
            if case .scalarValue(let scalar) = decoder.decode(&iterator) {
                append(scalar, to: &text)
                rest.removeFirst(UTF8.width(scalar))
            } else {
                // One byte at a time: what follows a bad byte may be valid.
                text += "\\x" + hexadecimal(UInt32(first), digits: 2)
                rest.removeFirst()
            }
        }
        return text
    }

    static func escaping(_ text: String) -> String {
        // Nearly every text is clean, and a String that is returned as it came costs nothing.
        if text.unicodeScalars.allSatisfy({ !isUnsafe($0) }) { return text }
        var result = ""
        for scalar in text.unicodeScalars { append(scalar, to: &result) }
        return result
    }

    private static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        if isUnsafe(scalar) {
            text += "\\u{" + hexadecimal(scalar.value, digits: 1) + "}"
        } else {
            text.unicodeScalars.append(scalar)
        }
    }

    /// Control, format (bidirectional overrides, zero-width characters, tags), line and paragraph separators.
    /// Source: Unicode Technical Report 36, "Bidirectional Text Spoofing".
    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value >= 0x20, scalar.value < 0x7F { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
