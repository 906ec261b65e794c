/// Bytes of a text file of unknown origin.
enum TextDecoding {
    /// Byte order mark, else UTF-16 by its zero bytes, else UTF-8 if valid, else Windows-1252; `nil` for what is not text.
    static func text(_ bytes: [UInt8]) -> String? {
        let text = decoded(bytes)
        var count = 0
        var odd = 0
        for scalar in text.unicodeScalars {
            if scalar == "\0" { return nil }
            count += 1
            let isControl = scalar.properties.generalCategory == .control && !PlainText.isSpace(scalar)
            if isControl || scalar == "\u{FFFD}" || PlainText.isDropped(scalar) && scalar.value >= 0xFDD0 { odd += 1 }
        }
        // A stray control character occurs in real texts; one in a hundred does not.
        return odd * 100 > count ? nil : text
    }

    private static func decoded(_ bytes: [UInt8]) -> String {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return eightBit(bytes.dropFirst(3)) }
        if bytes.starts(with: [0xFF, 0xFE]) { return utf16(bytes.dropFirst(2), isBigEndian: false) }
        if bytes.starts(with: [0xFE, 0xFF]) { return utf16(bytes.dropFirst(2), isBigEndian: true) }
        // Without a mark: Western text in UTF-16 has a zero in every other place and nowhere else.
        var zeros = [0, 0]
        for (index, byte) in bytes.enumerated() where byte == 0 { zeros[index % 2] += 1 }
        if bytes.count % 2 == 0, zeros[0] == 0, zeros[1] * 4 >= bytes.count, !bytes.isEmpty {
            return utf16(bytes[...], isBigEndian: false)
        }
        if bytes.count % 2 == 0, zeros[1] == 0, zeros[0] * 4 >= bytes.count, !bytes.isEmpty {
            return utf16(bytes[...], isBigEndian: true)
        }
        return eightBit(bytes[...])
    }

    private static func eightBit(_ bytes: ArraySlice<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return PlainText.string(bytes.lazy.map(windows1252))
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String {
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            let first = UInt16(bytes[index]), second = UInt16(bytes[index + 1])
            units.append(isBigEndian ? first << 8 | second : second << 8 | first)
            index += 2
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// 0 stands for the five bytes without a character.
    private static let windows1252High: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
    ]

    private static func windows1252(_ byte: UInt8) -> Unicode.Scalar {
        guard (0x80...0x9F).contains(byte) else { return Unicode.Scalar(byte) }
        let value = windows1252High[Int(byte) - 0x80]
        return value == 0 ? "\u{FFFD}" : Unicode.Scalar(value) ?? "\u{FFFD}"
    }
}
