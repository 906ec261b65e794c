/// SubRip subtitles. No specification exists; this is what every player agrees on.
enum SubRip {
    static func text(_ lines: [SungLine], duration: Double) -> String {
        var result = ""
        for (index, (line, cue)) in zip(lines, Cue.cues(for: lines, duration: duration)).enumerated() {
            let start = Stamp.subtitle(milliseconds: cue.start, point: ",")
            let end = Stamp.subtitle(milliseconds: cue.end, point: ",")
            result += "\(index + 1)\n\(start) --> \(end)\n\(PlainText.string(Markup.srt(line.text)))\n\n"
        }
        return result
    }
}
