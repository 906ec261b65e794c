/// Strict readers of SubRip and WebVTT: `nil` for anything that is not exactly in form.
enum SubtitleReader {
    struct Cue: Equatable {
        /// Milliseconds.
        let start: Int
        /// Milliseconds.
        let end: Int
        let text: String
        /// WebVTT: the words, with the time of each that has one.
        var words: [Word] = []
    }

    struct Word: Equatable {
        let text: String
        /// Milliseconds.
        let start: Int?
    }

    static func srt(_ file: String) -> [Cue]? {
        var cues: [Cue] = []
        guard file.isEmpty || file.hasSuffix("\n\n") else { return nil }
        for block in file.split(separator: "\n\n", omittingEmptySubsequences: true) {
            let lines = block.split(separator: "\n", omittingEmptySubsequences: false)
            guard lines.count == 3, lines[0] == "\(cues.count + 1)", let (start, end) = times(lines[1], point: ","), !lines[2].isEmpty,
                !lines[2].contains("-->")
            else { return nil }
            cues.append(Cue(start: start, end: end, text: String(lines[2])))
        }
        return isOrdered(cues) ? cues : nil
    }

    static func vtt(_ file: String) -> [Cue]? {
        var cues: [Cue] = []
        let blocks = file.split(separator: "\n\n", omittingEmptySubsequences: false)
        guard blocks[0] == "WEBVTT" || file == "WEBVTT\n" else { return nil }
        for block in blocks.dropFirst() {
            var lines = block.split(separator: "\n", omittingEmptySubsequences: false)
            if lines.last == "" { lines.removeLast() }
            guard lines.count == 3, lines[0] == "\(cues.count + 1)", let (start, end) = times(lines[1], point: "."),
                let words = words(lines[2], from: start, to: end)
            else { return nil }
            cues.append(Cue(start: start, end: end, text: words.text, words: words.words))
        }
        return isOrdered(cues) ? cues : nil
    }

    /// `<c>word</c>` with spaces and timestamps between; every `<`, `>` and `&` of the text escaped.
    private static func words(_ line: Substring, from start: Int, to end: Int) -> (text: String, words: [Word])? {
        var text = ""
        var words: [Word] = []
        var last = start
        var time: Int?
        var rest = line
        while !rest.isEmpty {
            if rest.hasPrefix("<c>") {
                guard let close = rest.firstRange(of: "</c>") else { return nil }
                let inner = rest[rest.index(rest.startIndex, offsetBy: 3)..<close.lowerBound]
                guard !inner.contains("<"), !inner.contains(">"), !inner.contains("-->"), let word = unescaped(inner), !word.isEmpty else {
                    return nil
                }
                text += word
                words.append(Word(text: word, start: time))
                time = nil
                rest = rest[close.upperBound...]
            } else if rest.hasPrefix("<") {
                guard let close = rest.firstIndex(of: ">"), let stamp = milliseconds(rest[rest.index(after: rest.startIndex)..<close], point: "."),
                    stamp > last, stamp < end
                else { return nil }
                last = stamp
                time = stamp
                rest = rest[rest.index(after: close)...]
            } else if rest.hasPrefix(" ") {
                text += " "
                rest = rest.dropFirst()
            } else {
                return nil
            }
        }
        return (text, words)
    }

    private static func unescaped(_ text: Substring) -> String? {
        var result = ""
        var rest = text
        while let index = rest.firstIndex(of: "&") {
            result += rest[..<index]
            rest = rest[index...]
            guard let (name, character) = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")].first(where: { rest.hasPrefix($0.0) }) else { return nil }
            result += character
            rest = rest.dropFirst(name.count)
        }
        return result + rest
    }

    private static func times(_ line: Substring, point: Character) -> (start: Int, end: Int)? {
        let parts = line.split(separator: " --> ", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = milliseconds(parts[0], point: point), let end = milliseconds(parts[1], point: point) else {
            return nil
        }
        return (start, end)
    }

    /// `hh:mm:ss` and three digits; minutes and seconds below 60.
    private static func milliseconds(_ text: Substring, point: Character) -> Int? {
        let parts = text.split(separator: point, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 3, let fraction = Int(parts[1]) else { return nil }
        let clock = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, clock.allSatisfy({ $0.count >= 2 && Int($0) != nil }), let hours = Int(clock[0]), let minutes = Int(clock[1]),
            let seconds = Int(clock[2]), minutes < 60, seconds < 60, clock[1].count == 2, clock[2].count == 2
        else { return nil }
        return ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction
    }

    /// Every cue ends after it starts, and none starts before the one before it has ended.
    private static func isOrdered(_ cues: [Cue]) -> Bool {
        cues.allSatisfy { $0.start < $0.end } && zip(cues, cues.dropFirst()).allSatisfy { $0.end <= $1.start }
    }
}
