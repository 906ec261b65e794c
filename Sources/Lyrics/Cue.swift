/// A line on the screen, for the subtitle formats. Milliseconds.
struct Cue {
    var start: Int
    var end: Int

    /// A cue shorter than this is held longer where the screen is free. Netflix Timed Text Style Guide: five sixths of a second.
    static let shortest = 833

    /// A cue for each line: as sung, held for `shortest` where the next cue leaves room.
    ///
    /// Always `start < end`, and no cue begins before the one before it has ended, also where many lines share a millisecond.
    static func cues(for lines: [SungLine], duration: Double) -> [Cue] {
        var cues: [Cue] = []
        cues.reserveCapacity(lines.count)
        for line in lines {
            let start = max(Stamp.milliseconds(line.start), cues.last?.end ?? 0)
            cues.append(Cue(start: start, end: max(Stamp.milliseconds(line.end), start + 1)))
        }
        var limit = max(Stamp.milliseconds(duration), cues.count)
        for index in cues.indices.reversed() {
            cues[index].end = min(max(cues[index].end, cues[index].start + shortest), limit)
            // Only where there are more lines than milliseconds: earlier ones move forward to make room.
            cues[index].start = min(cues[index].start, cues[index].end - 1)
            limit = cues[index].start
        }
        return cues
    }
}
