import Foundation

/// The name of a finished folder: any title made into a name that Linux, macOS, Windows and a network share between them accept.
package struct OutboxName: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of UTF-8. File systems allow 255; what is left over is for ` (2)`, temporary names and the files' endings.
    package static let lengthMax = 180

    package let text: String
    package var description: String { text }

    /// - Parameter fallback: taken where nothing of `title` is left; `untitled` where nothing of that is left either.
    package init(_ title: String, fallback: String = "untitled") {
        for candidate in [title, fallback] {
            let name = Self.sanitized(candidate, lengthMax: Self.lengthMax)
            if !name.isEmpty {
                text = name
                return
            }
        }
        text = "untitled"
    }

    private init(sanitized text: String) { self.text = text }

    /// `Name (2)` for the second of that name; the name itself for 1. Long names are cut further, so that the number fits.
    package func numbered(_ number: Int) -> OutboxName {
        guard number > 1 else { return self }
        let suffix = " (\(number))"
        return OutboxName(sanitized: Self.cut(text, lengthMax: Self.lengthMax - suffix.utf8.count) + suffix)
    }

    /// Equal for names that some file system takes for the same one: composed, and without the difference of capital and small.
    package var comparisonKey: String {
        var folded = ""
        // Up and down again: `ß`, `SS` and `ss` become one, as do the Greek sigmas.
        for scalar in text.unicodeScalars {
            for upper in scalar.properties.uppercaseMapping.unicodeScalars { folded += upper.properties.lowercaseMapping }
        }
        return folded.canonicallyComposed
    }

    private static func sanitized(_ title: String, lengthMax: Int) -> String {
        var name = ""
        // Far more than fits, should most of it be dropped; sorting the accents of a very long text would take long.
        for scalar in String(title.unicodeScalars.prefix(4096)).canonicallyComposed.unicodeScalars {
            guard let kept = Self.replacement(scalar) else { continue }
            // One blank where there were several.
            if kept == " ", name.unicodeScalars.last == " " { continue }
            name.unicodeScalars.append(kept)
        }
        // Again: a letter and its accent may have become neighbours.
        name = cut(name.canonicallyComposed.droppingLeading, lengthMax: lengthMax)
        guard name.unicodeScalars.contains(where: Self.isVisible) else { return "" }
        // The underscore is one byte more, and a reserved name is short.
        return isReserved(name) ? "_" + name : name
    }

    /// `nil` drops the character.
    private static func replacement(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar {
        // No name of a file on Linux, Windows or a share.
        case "/", "\\", "|", ":": return "-"
        case "<", ">", "*", "?": return "_"
        case "\"": return "'"
        case "\t", "\n", "\r": return " "
        // They choose between text and picture for the character before them.
        case "\u{FE0E}", "\u{FE0F}": return scalar
        default: break
        }
        // Zero-width, direction of writing, fillers: two names that look the same would be two folders.
        if scalar.properties.isDefaultIgnorableCodePoint { return nil }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse: return nil
        case .spaceSeparator, .lineSeparator, .paragraphSeparator: return " "
        default: return scalar
        }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .nonspacingMark, .enclosingMark, .spacingMark: false
        default: true
        }
    }

    /// The longest beginning that fits and ends with a whole character, as people count them; no blank and no dot at its end.
    private static func cut(_ text: String, lengthMax: Int) -> String {
        var result = ""
        var length = 0
        for character in text {
            length += character.utf8.count
            if length > lengthMax { break }
            result.append(character)
        }
        // A letter under two hundred accents is one character.
        if result.isEmpty, !text.isEmpty {
            length = 0
            for scalar in text.unicodeScalars {
                length += UTF8.width(scalar)
                if length > lengthMax { break }
                result.unicodeScalars.append(scalar)
            }
        }
        // Windows drops them silently, and then the folder cannot be opened.
        while let last = result.unicodeScalars.last, last == " " || last == "." { result.unicodeScalars.removeLast() }
        return result
    }

    /// Device names of Windows, with any ending. Source: Microsoft, "Naming Files, Paths, and Namespaces".
    private static func isReserved(_ name: String) -> Bool {
        let stem = name.prefix { $0 != "." }.lowercased().trimmingBlanks
        if ["con", "prn", "aux", "nul", "conin$", "conout$"].contains(stem) { return true }
        guard stem.count == 4, stem.hasPrefix("com") || stem.hasPrefix("lpt"), let last = stem.last else { return false }
        return "0123456789¹²³".contains(last)
    }
}

extension String {
    /// Unicode normal form C: one spelling for a letter with its accents.
    var canonicallyComposed: String {
        utf8.allSatisfy { $0 < 0x80 } ? self : precomposedStringWithCanonicalMapping
    }

    /// Without what hides a file, looks like an option or stands for a home folder.
    fileprivate var droppingLeading: String {
        String(String.UnicodeScalarView(unicodeScalars.drop { ".-~ ".unicodeScalars.contains($0) }))
    }
}
