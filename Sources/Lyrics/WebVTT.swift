/// WebVTT with a timestamp before each word. Source: https://www.w3.org/TR/webvtt1/
///
/// The words are wrapped in `<c>`, because the style `::cue(:past)` applies to elements only.
enum WebVTT {
    static func text(_ lines: [SungLine], duration: Double) -> String {
        var result = "WEBVTT\n"
        for (index, (line, cue)) in zip(lines, Cue.cues(for: lines, duration: duration)).enumerated() {
            let start = Stamp.subtitle(milliseconds: cue.start, point: ".")
            let end = Stamp.subtitle(milliseconds: cue.end, point: ".")
            result += "\n\(index + 1)\n\(start) --> \(end)\n"
            // §3.5: a timestamp is greater than the cue's start and any before it, and less than the cue's end.
            var last = cue.start
            for piece in line.pieces {
                if piece.hasSpaceBefore { result += " " }
                let time = Stamp.milliseconds(piece.start)
                if time > last, time < cue.end {
                    result += "<\(Stamp.subtitle(milliseconds: time, point: "."))>"
                    last = time
                }
                result += "<c>\(Markup.vtt(line.text[piece.range]))</c>"
            }
            result += "\n"
        }
        return result
    }
}
