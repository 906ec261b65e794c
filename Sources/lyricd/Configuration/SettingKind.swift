/// What a setting may be.
package enum SettingKind: Sendable, Equatable {
    case duration(ClosedRange<Duration>)
    /// Bytes.
    case size(ClosedRange<Int>)
    case flag
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    /// Absolute; empty where that means something.
    case path(mayBeEmpty: Bool)
    case choice([String])
    /// Some of these, each once, at least one, in an order that counts.
    case choices([String])
    /// ISO 639-1.
    case language
    /// ISO 639-1 or 639-2 as files carry it; empty for none.
    case audioLanguage

    /// A value as it was written, before it is known to be right.
    package enum Written: Sendable, Equatable {
        case text(String)
        case integer(Int)
        case number(Double)
        case flag(Bool)
        case list([Written])
        /// A table, a date: never right. What it is.
        case other(String)

        /// As an error shows it: at most 60 characters, in one line.
        package var shown: String {
            let text: String =
                switch self {
                case .text(let value): SettingValue.quoted(value)
                case .integer(let value): String(value)
                case .number(let value): String(value)
                case .flag(let value): String(value)
                case .list(let values): "[" + values.prefix(20).map(\.shown).joined(separator: ", ") + "]"
                case .other(let what): what
                }
            return text.unicodeScalars.count <= 60 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(59))) + "…"
        }
    }

    /// What was expected instead, as the end of a sentence.
    package struct Mismatch: Error, Equatable {
        package let expected: String
    }

    package func value(of written: Written) throws(Mismatch) -> SettingValue {
        switch (self, written) {
        case (.duration(let range), .text), (.duration(let range), .integer):
            guard let value = Self.duration(written) else { break }
            guard range.contains(value) else { throw Mismatch(expected: "a duration from " + rangeText) }
            return .duration(value)
        case (.size(let range), .text), (.size(let range), .integer):
            guard let value = Self.size(written) else { break }
            guard range.contains(value) else { throw Mismatch(expected: "a size from " + rangeText) }
            return .size(value)
        case (.flag, .flag(let value)): return .flag(value)
        case (.integer(let range), .integer(let value)) where range.contains(value): return .integer(value)
        case (.number(let range), .integer(let value)) where range.contains(Double(value)): return .number(Double(value))
        case (.number(let range), .number(let value)) where range.contains(value): return .number(value)
        case (.path(let mayBeEmpty), .text(let text)):
            if text.isEmpty, mayBeEmpty { return .text("") }
            if let path = Self.path(text) { return .text(path) }
        case (.choice(let known), .text(let text)) where known.contains(text): return .text(text)
        case (.choices(let known), .list(let items)):
            let texts = items.compactMap { item in if case .text(let text) = item { text } else { nil } }
            if !items.isEmpty, texts.count == items.count, texts.allSatisfy(known.contains), Set(texts).count == texts.count {
                return .list(texts)
            }
        case (.language, .text(let text)) where LanguageCodes.all.contains(text): return .text(text)
        case (.audioLanguage, .text(let text))
        where text.isEmpty || ((2...3).contains(text.utf8.count) && text.utf8.allSatisfy { (97...122).contains($0) }):
            return .text(text)
        default: break
        }
        throw Mismatch(expected: expectation)
    }

    /// From a variable of the environment, where everything is text.
    package func written(_ text: String) -> Written {
        switch self {
        case .flag: ["true": .flag(true), "false": .flag(false)][text] ?? .text(text)
        case .integer, .number: Int(text).map(Written.integer) ?? Double(text).map(Written.number) ?? .text(text)
        case .choices:
            .list(text.split(separator: ",").map { .text(String($0).trimmingSpaces) })
        case .duration, .size, .path, .choice, .language, .audioLanguage: .text(text)
        }
    }

    package var expectation: String {
        switch self {
        case .duration: #"a duration such as "5s", "2min", "1h""#
        case .size: #"a size such as "500M", "2G""#
        case .flag: "true or false"
        case .integer: "a whole number from " + rangeText
        case .number: "a number from " + rangeText
        case .path(let mayBeEmpty): "an absolute path without \"..\"" + (mayBeEmpty ? ", or \"\"" : "")
        case .choice(let known): "one of " + known.map { "\"\($0)\"" }.joined(separator: ", ")
        case .choices(let known): "a list of some of " + known.map { "\"\($0)\"" }.joined(separator: ", ") + ", each once"
        case .language: #"a language as two small letters (ISO 639-1) such as "en", "de""#
        case .audioLanguage: #"a language as two or three small letters such as "eng", or """#
        }
    }

    /// The limits of the kind for the file's comments; empty where it has none.
    package var rangeText: String {
        switch self {
        case .duration(let range): SettingValue.text(of: range.lowerBound) + " to " + SettingValue.text(of: range.upperBound)
        case .size(let range): SettingValue.text(ofSize: range.lowerBound) + " to " + SettingValue.text(ofSize: range.upperBound)
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .number(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .flag, .path, .choice, .choices, .language, .audioLanguage: ""
        }
    }

    private static func duration(_ written: Written) -> Duration? {
        switch written {
        case .text(let text): SettingValue.duration(text)
        // A century; what is more could not be counted in milliseconds.
        case .integer(let seconds) where (0...3_155_760_000).contains(seconds): .seconds(seconds)
        default: nil
        }
    }

    private static func size(_ written: Written) -> Int? {
        switch written {
        case .text(let text): SettingValue.size(text)
        case .integer(let bytes) where bytes >= 0: bytes
        default: nil
        }
    }

    /// One spelling for a path: no empty parts, no `.`; `..` is refused, because what it means depends on links.
    private static func path(_ text: String) -> String? {
        guard text.hasPrefix("/"), text.utf8.count < 4096,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        let parts = text.split(separator: "/").filter { $0 != "." }
        guard !parts.isEmpty, !parts.contains("..") else { return nil }
        return "/" + parts.joined(separator: "/")
    }
}

extension String {
    var trimmingSpaces: String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}

/// The two-letter codes of languages. Source: ISO 639-1, Library of Congress, "Codes for the Representation of Names of Languages".
enum LanguageCodes {
    static let all = Set(
        """
        aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu \
        fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn \
        ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os \
        pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw \
        ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
        """.split(separator: " ").map(String.init))
}
