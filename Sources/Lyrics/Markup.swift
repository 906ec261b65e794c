/// Makes lyric text harmless in formats that have no way to escape anything.
///
/// A character that would be read as markup is replaced by one that looks like it (`‹b›`, `(00:12.00)`); text that no player
/// stumbles over stays as it is. Every scalar is replaced by exactly one, so positions in the text stay valid.
enum Markup {
    /// LRC and Enhanced LRC: time stamps, id tags, and HTML (Navidrome runs an HTML sanitiser over the whole file).
    static func lrc(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result = text
        replaceTags(in: &result)
        let colon = nextIndex(of: ":", in: text)
        let close = nextIndex(of: "]", in: text)
        for index in text.indices where text[index] == "[" {
            // `[word:…`, `[12…`, and any bracket that would directly follow the line's own stamp.
            let isStamp = colon[index] < close[index] || text.dropFirst(index + 1).first { $0 != " " }.map(isNumber) == true
            if index == 0 || isStamp {
                result[index] = "("
                if close[index] < text.count { result[close[index]] = ")" }
            }
        }
        return result
    }

    /// The value of an LRC id tag, which ends at the first `]`.
    static func idTag(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result = text
        replaceTags(in: &result)
        return result.map { $0 == "[" ? "(" : $0 == "]" ? ")" : $0 }
    }

    /// SubRip: HTML-like tags, braces with override codes, backslash codes, and the arrow of a time line.
    static func srt(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result = text
        replaceTags(in: &result)
        for index in text.indices {
            switch text[index] {
            case "{": result[index] = "("
            case "}": result[index] = ")"
            case ">" where index >= 2 && text[index - 1] == "-" && text[index - 2] == "-": result[index] = "›"
            case "\\" where index + 1 < text.count && ["N", "n", "h", "{"].contains(text[index + 1]): result[index] = "⧵"
            default: break
            }
        }
        return result
    }

    /// WebVTT can escape: nothing is changed for the reader.
    static func vtt(_ text: some Sequence<Unicode.Scalar>) -> String {
        var result = ""
        for scalar in text {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Tags, comments, word stamps and character references.
    private static func replaceTags(in result: inout [Unicode.Scalar]) {
        let text = result
        let colon = nextIndex(of: ":", in: text)
        let close = nextIndex(of: ">", in: text)
        for index in text.indices {
            let next: Unicode.Scalar = index + 1 < text.count ? text[index + 1] : " "
            if text[index] == "<" {
                let opensTag = next.properties.isAlphabetic || next == "/" || next == "!" || next == "?"
                if opensTag || colon[index] < close[index] {
                    result[index] = "‹"
                    if close[index] < text.count { result[close[index]] = "›" }
                }
            } else if text[index] == "&", isReference(text[(index + 1)...]) {
                result[index] = "＆"
            }
        }
    }

    /// What follows an ampersand makes it a character reference: `#…`, `name;`, or a bracket's name, which needs no semicolon.
    private static func isReference(_ text: ArraySlice<Unicode.Scalar>) -> Bool {
        if text.first == "#" { return true }
        let name = text.prefix(32).prefix { $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil) }
        if name.isEmpty { return false }
        if text.dropFirst(name.count).first == ";" { return true }
        let opening = PlainText.string(name.prefix(2)).lowercased()
        return opening == "lt" || opening == "gt"
    }

    private static func isNumber(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.numericType != nil }

    /// For each index, where the scalar is found next; `text.count` where it is not.
    private static func nextIndex(of scalar: Unicode.Scalar, in text: [Unicode.Scalar]) -> [Int] {
        var result = [Int](repeating: text.count, count: text.count)
        var next = text.count
        for index in text.indices.reversed() {
            if text[index] == scalar { next = index }
            result[index] = next
        }
        return result
    }
}
