/// Text that is safe to put into one line of a file that people and programs read.
enum PlainText {
    /// Without control and direction characters; each run of white space is one space, none at the ends.
    static func cleaned(_ text: String) -> String { string(scalars(text)) }

    /// `cleaned`, as scalars.
    static func scalars(_ text: String) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.utf8.count)
        var isSpaceOwed = false
        for scalar in text.unicodeScalars {
            if isSpace(scalar) {
                isSpaceOwed = !result.isEmpty
            } else if !isDropped(scalar) {
                if isSpaceOwed { result.append(" ") }
                isSpaceOwed = false
                result.append(scalar)
            }
        }
        return result
    }

    /// Without control and direction characters, spacing as it is, on one line.
    static func verbatim(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\t" {
                result.append(scalar)
            } else if isLineBreak(scalar) {
                result.append(" ")
            } else if !isDropped(scalar) {
                result.append(scalar)
            }
        }
        return String(result)
    }

    static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Words with spaces between them; none between two words in a script that is written without.
    static func joined(_ words: [String]) -> String {
        var result = String.UnicodeScalarView()
        for word in words where !word.isEmpty {
            if let last = result.last, let first = word.unicodeScalars.first, !(isUnspaced(last) && isUnspaced(first)) {
                result.append(" ")
            }
            result.append(contentsOf: word.unicodeScalars)
        }
        return String(result)
    }

    /// The parts between white space.
    static func tokens(_ text: String) -> [String] {
        var result: [String] = []
        var token = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isSpace(scalar) {
                if !token.isEmpty { result.append(String(token)) }
                token = String.UnicodeScalarView()
            } else {
                token.append(scalar)
            }
        }
        if !token.isEmpty { result.append(String(token)) }
        return result
    }

    /// Columns on a screen: two for each character of a wide script.
    static func width(_ text: String) -> Int {
        text.reduce(into: 0) { width, character in
            width += character.unicodeScalars.first.map { isUnspaced($0) || (0xAC00...0xD7A3).contains($0.value) } == true ? 2 : 1
        }
    }

    static func isSpace(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace || isLineBreak(scalar) }

    /// Everything that some program takes for the end of a line, Python's `splitlines` among them.
    static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Controls, direction overrides and isolates (they let a text pose as another), byte order marks, noncharacters.
    static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFF9...0xFFFB, 0xFDD0...0xFDEF: true
        case let value: value & 0xFFFE == 0xFFFE
        }
    }

    /// Han, Hiragana, Katakana and their punctuation.
    static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2E80...0x30FF, 0x31F0...0x31FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF01...0xFF9F, 0x20000...0x323AF: true
        default: false
        }
    }
}
