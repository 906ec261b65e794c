/// LRC and Enhanced LRC. No standard exists: the conventions are those which Jellyfin's and Navidrome's readers both take as meant.
///
/// Sources: karaoke-dev/LrcParser, `LrcTimedTextUtils`; navidrome/navidrome, `model/lyrics_lrc.go`.
enum LRC {
    /// Centiseconds; after a longer silence the screen is cleared by a stamp without text.
    static let blankAfter = 500
    /// Centiseconds; before a longer silence a word gets an end of its own.
    static let gapAfter = 30

    static func text(_ lines: [SungLine], duration: Double, hasWordTimes: Bool, metadata: TrackMetadata) -> String {
        guard !lines.isEmpty else { return "" }
        var result = header(duration: duration, metadata: metadata)
        for (index, line) in lines.enumerated() {
            result += "[\(Stamp.lrc(centiseconds: Stamp.centiseconds(line.start)))]"
            let text = Markup.lrc(line.text)
            result += hasWordTimes ? words(of: line, text: text) : PlainText.string(text)
            result += "\n"
            let end = Stamp.centiseconds(line.end)
            let next = Stamp.centiseconds(index + 1 < lines.count ? lines[index + 1].start : duration)
            if next - end >= blankAfter { result += "[\(Stamp.lrc(centiseconds: end))]\n" }
        }
        return result
    }

    /// `<00:12.00>Hello <00:12.50>world<00:13.10>`: each marker glued to its word, the space before it, the last word's end
    /// at the end. Any other arrangement makes one of the readers lose words or show double spaces.
    private static func words(of line: SungLine, text: [Unicode.Scalar]) -> String {
        var result = ""
        for (index, piece) in line.pieces.enumerated() {
            let start = Stamp.centiseconds(piece.start)
            if piece.hasSpaceBefore, index > 0 {
                // Between two words without a space the second marker would be taken for the first one's.
                let end = Stamp.centiseconds(line.pieces[index - 1].end)
                if start - end > gapAfter { result += "<\(Stamp.lrc(centiseconds: end))>" }
                result += " "
            }
            result += "<\(Stamp.lrc(centiseconds: start))>\(PlainText.string(text[piece.range]))"
        }
        return result + "<\(Stamp.lrc(centiseconds: Stamp.centiseconds(line.end)))>"
    }

    private static func header(duration: Double, metadata: TrackMetadata) -> String {
        var result = ""
        for (name, value) in [("ti", metadata.title), ("ar", metadata.artist), ("al", metadata.album)] {
            let text = PlainText.string(Markup.idTag(PlainText.scalars(value)))
            if !text.isEmpty { result += "[\(name):\(text)]\n" }
        }
        return result + "[length:\(Stamp.length(seconds: Int(duration.rounded())))]\n[re:lyricd]\n"
    }
}
