/// One run of `WordTimes.fit`.
///
/// First the *anchors* are chosen: words whose start can be believed. Then everything between two anchors is placed.
struct Fitting {
    private let duration: Double
    private let lineOfWord: [Int]
    private var words: [Word]
    private let letters: [Int]
    /// Indices of the anchors, ascending; their starts ascend strictly.
    private var anchors: [Int] = []
    /// Anchors that share their start with a word that lost its own.
    private var crowded: Set<Int> = []

    init(words: [Word], lineOfWord: [Int], duration: Double) {
        self.words = words
        self.lineOfWord = lineOfWord
        self.duration = duration
        letters = words.map(\.letters)
    }

    mutating func run() -> [Word] {
        for index in words.indices { tidy(index) }
        chooseMeasured()
        chooseOthers()
        var isAnchor = [Bool](repeating: false, count: words.count)
        for index in anchors { isAnchor[index] = true }
        for index in words.indices where !isAnchor[index] {
            words[index].start = nil
            words[index].end = nil
            words[index].timing = .interpolated
        }
        placeBeforeFirst()
        for position in anchors.indices { placeAfter(position) }
        lengthen()
        return words
    }

    /// Leaves a start that lies inside the recording, or none.
    private mutating func tidy(_ index: Int) {
        let word = words[index]
        if let start = word.start, start.isFinite, start > -0.25, start < duration {
            words[index].start = max(0, start)
        } else {
            words[index].start = nil
        }
        if let end = word.end, let start = words[index].start, end.isFinite, end > start {
            words[index].end = min(end, duration)
        } else {
            words[index].end = nil
        }
        words[index].confidence = word.confidence.flatMap { $0.isFinite ? min(max($0, 0), 1) : nil }
    }

    /// The longest run of measured words whose starts do not go back: one wild time costs one word, not all after it.
    private mutating func chooseMeasured() {
        let timed = words.indices.filter { words[$0].timing == .measured && words[$0].start != nil }
        var tails: [Int] = []
        var previous: [Int: Int] = [:]
        for index in timed {
            guard let start = words[index].start else { continue }
            var low = 0
            var high = tails.count
            while low < high {
                let middle = (low + high) / 2
                if (words[tails[middle]].start ?? 0) <= start { low = middle + 1 } else { high = middle }
            }
            if low > 0 { previous[index] = tails[low - 1] }
            if low == tails.count { tails.append(index) } else { tails[low] = index }
        }
        var chosen: [Int] = []
        var next = tails.last
        while let index = next {
            chosen.append(index)
            next = previous[index]
        }
        for index in chosen.reversed() {
            // Words at one and the same time share what there is until the next one.
            if let last = anchors.last, (words[index].start ?? 0) - (words[last].start ?? 0) < 0.001 {
                crowded.insert(last)
            } else {
                anchors.append(index)
            }
        }
    }

    /// Times that were not measured count where they do not contradict one that was.
    private mutating func chooseOthers() {
        var all: [Int] = []
        var floor = -1.0
        var position = 0
        for index in words.indices {
            if position < anchors.count, anchors[position] == index {
                all.append(index)
                floor = max(words[index].start ?? 0, crowded.contains(index) ? 0 : words[index].end ?? 0)
                // A measured end reaches no further than the next measured start.
                if position + 1 < anchors.count { floor = min(floor, words[anchors[position + 1]].start ?? duration) }
                position += 1
            } else if words[index].timing == .interpolated, let start = words[index].start {
                let ceiling = position < anchors.count ? words[anchors[position]].start ?? duration : duration
                let isAfter = all.last.map { start > (words[$0].start ?? 0) } ?? true
                if isAfter, start >= floor, start < ceiling {
                    all.append(index)
                    floor = start
                }
            }
        }
        anchors = all
    }

    private mutating func placeBeforeFirst() {
        // Words before the first anchor need some room; an anchor that leaves none is not believed.
        while let first = anchors.first, (words[first].start ?? 0) < 0.001 * Double(first) {
            words[first].start = nil
            words[first].end = nil
            words[first].timing = .interpolated
            crowded.remove(first)
            anchors.removeFirst()
        }
        guard let first = anchors.first else {
            spread(words.indices, from: 0, to: duration)
            return
        }
        let end = words[first].start ?? 0
        place(0..<first, from: 0, to: end, lineBefore: nil, lineAfter: lineOfWord[first])
    }

    /// Ends the anchor and places the words between it and the next.
    private mutating func placeAfter(_ position: Int) {
        let index = anchors[position]
        let next = position + 1 < anchors.count ? anchors[position + 1] : words.count
        let start = words[index].start ?? 0
        let limit = next < words.count ? words[next].start ?? duration : duration
        let run = (index + 1)..<next
        let natural = min(limit, start + WordTimes.naturalLength(letters[index]))
        guard !run.isEmpty else {
            // Without an end of its own a word lasts until the next one, if that is near.
            let open = next < words.count && limit - start <= 1 ? limit : natural
            words[index].end = min(words[index].end ?? open, limit)
            return
        }
        var end = min(words[index].end ?? natural, limit)
        let share = start + (limit - start) * weight(index) / (weight(index) + run.reduce(0) { $0 + weight($1) })
        if crowded.contains(index) { end = min(natural, share) }
        // No room for the others: the word gives some of its time away.
        if limit - end < 0.06 * Double(run.count) { end = min(end, share) }
        words[index].end = end
        place(run, from: end, to: limit, lineBefore: lineOfWord[index], lineAfter: next < words.count ? lineOfWord[next] : nil)
    }

    private mutating func place(_ run: Range<Int>, from low: Double, to high: Double, lineBefore: Int?, lineAfter: Int?) {
        let free = high - low - natural(run)
        guard free > 0, lineBefore != lineAfter else {
            spread(run, from: low, to: high)
            return
        }
        guard let lineBefore else {
            spread(run, from: high - natural(run), to: high)
            return
        }
        guard let lineAfter else {
            spread(run, from: low, to: low + natural(run))
            return
        }
        // Words stay with their line: no line begins in the silence before it because its first word was not heard.
        let headEnd = run.first { lineOfWord[$0] != lineBefore } ?? run.upperBound
        let tailStart = max(headEnd, (run.last { lineOfWord[$0] != lineAfter }).map { $0 + 1 } ?? run.lowerBound)
        let middleLow = low + natural(run.lowerBound..<headEnd)
        let middleHigh = high - natural(tailStart..<run.upperBound)
        spread(run.lowerBound..<headEnd, from: low, to: middleLow)
        spread(headEnd..<tailStart, from: middleLow, to: middleHigh)
        spread(tailStart..<run.upperBound, from: middleHigh, to: high)
    }

    /// Starts by weight; no word is longer than twice its natural length.
    private mutating func spread(_ run: Range<Int>, from low: Double, to high: Double) {
        let total = run.reduce(0) { $0 + weight($1) }
        var passed = 0.0
        var last = low
        for index in run {
            passed += weight(index)
            // Of the whole each time, so that rounding errors do not add up; never past the end.
            let end = index + 1 == run.upperBound ? high : min(high, max(last, low + (high - low) * passed / total))
            words[index].start = last
            words[index].end = min(end, last + 2 * WordTimes.naturalLength(letters[index]))
            last = end
        }
    }

    /// No word shorter than 20 ms where there is room.
    private mutating func lengthen() {
        for index in words.indices {
            guard let start = words[index].start, let end = words[index].end, end - start < 0.02 else { continue }
            let limit = index + 1 < words.count ? words[index + 1].start ?? duration : duration
            words[index].end = max(end, min(limit, start + 0.02))
        }
    }

    private func weight(_ index: Int) -> Double { letters[index] == 0 ? 0.5 : Double(letters[index]) + 1 }

    private func natural(_ run: Range<Int>) -> Double { run.reduce(0) { $0 + WordTimes.naturalLength(letters[$1]) } }
}
