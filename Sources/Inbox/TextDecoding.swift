import Jobs

/// Bytes of unknown origin as text: what Notepad, browsers, a Mac and an old playlist program write.
package enum TextDecoding {
    /// Never fails: what is no Unicode is read as Windows 1252, in which every byte means something.
    ///
    /// In this order: byte order mark, UTF-16 without one (every other byte is zero), UTF-8 if all of it is valid, Windows 1252.
    package static func decode(_ bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return utf8OrWindows(bytes.dropFirst(3)) }
        if bytes.starts(with: [0xFF, 0xFE]) { return utf16(bytes.dropFirst(2), isBigEndian: false) }
        if bytes.starts(with: [0xFE, 0xFF]) { return utf16(bytes.dropFirst(2), isBigEndian: true) }
        if let isBigEndian = looksLikeUTF16(bytes) { return utf16(bytes[...], isBigEndian: isBigEndian) }
        return utf8OrWindows(bytes[...])
    }

    /// The lines with their numbers, from 1; `\n`, `\r\n` and `\r` end one. Blanks at both ends are gone, as are empty lines.
    static func lines(_ text: String) -> [(number: Int, text: String)] {
        var result: [(Int, String)] = []
        var number = 1
        let bytes = Array(text.utf8)
        var start = 0
        func close(_ end: Int) {
            let line = String(decoding: bytes[start..<end], as: UTF8.self).trimmingBlanks
            if !line.isEmpty { result.append((number, line)) }
        }
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x0A || bytes[index] == 0x0D {
                close(index)
                number += 1
                if bytes[index] == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A { index += 1 }
                start = index + 1
            }
            index += 1
        }
        close(bytes.count)
        return result
    }

    /// A title as it may be shown and stored: one line without invisible characters; `nil` where nothing is left.
    static func title(_ text: String) -> String? {
        var result = ""
        for scalar in text.unicodeScalars.prefix(1000) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: result += " "
            case .format, .privateUse: break
            default: result.unicodeScalars.append(scalar)
            }
        }
        let title = String(result.prefix(200)).trimmingBlanks
        return title.isEmpty ? nil : title
    }

    private static func utf8OrWindows(_ bytes: ArraySlice<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = ""
        for byte in bytes {
            if (0x80...0x9F).contains(byte) {
                text.unicodeScalars.append(windows1252[Int(byte) - 0x80])
            } else {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        return text
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var index = bytes.startIndex
        // A byte that is left over belongs to no character.
        while index + 1 < bytes.endIndex {
            let first = UInt16(bytes[index])
            let second = UInt16(bytes[index + 1])
            units.append(isBigEndian ? first << 8 | second : second << 8 | first)
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// `true` for big endian, `false` for little endian, `nil` for anything else.
    private static func looksLikeUTF16(_ bytes: [UInt8]) -> Bool? {
        guard bytes.count >= 4, bytes.count.isMultiple(of: 2) else { return nil }
        let sample = bytes.prefix(1024)
        let pairs = sample.count / 2
        var zeros = (even: 0, odd: 0)
        for (index, byte) in sample.enumerated() where byte == 0 {
            if index.isMultiple(of: 2) { zeros.even += 1 } else { zeros.odd += 1 }
        }
        // Links are ASCII, so that nearly every pair has a zero, and always on the same side.
        if zeros.odd * 10 >= pairs * 7, zeros.even * 10 <= pairs { return false }
        if zeros.even * 10 >= pairs * 7, zeros.odd * 10 <= pairs { return true }
        return nil
    }

    /// 0x80…0x9F; the five that mean nothing stay control characters. Source: WHATWG Encoding Standard, index windows-1252.
    private static let windows1252 = Array(
        "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ".unicodeScalars)
}

extension TextDecoding {
    /// UTF-7, in which Windows wrote what its code page could not say. What is no UTF-7 stays as it is. Source: RFC 2152.
    static func utf7(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "+") else {
                result.append(bytes[index])
                index += 1
                continue
            }
            var end = index + 1
            var units: [UInt16] = []
            var bits: UInt32 = 0
            var count = 0
            while end < bytes.count, let value = base64Value(bytes[end]) {
                bits = (bits << 6 | UInt32(value)) & 0x3F_FFFF
                count += 6
                end += 1
                if count >= 16 {
                    count -= 16
                    units.append(UInt16(truncatingIfNeeded: bits >> UInt32(count)))
                }
            }
            let isClosed = end < bytes.count && bytes[end] == UInt8(ascii: "-")
            if units.isEmpty {
                // `+-` is a plus; a plus before anything else is one too, in what was never UTF-7.
                result.append(UInt8(ascii: "+"))
                result += end == index + 1 ? [] : bytes[(index + 1)..<end]
            } else {
                result += Array(String(decoding: units, as: UTF16.self).utf8)
            }
            index = isClosed && (end == index + 1 || !units.isEmpty) ? end + 1 : end
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func base64Value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
