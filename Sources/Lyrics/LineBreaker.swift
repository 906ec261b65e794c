/// Breaks recognised words into lines as lyrics are written: at breaths, else after punctuation, else so that lines balance.
package enum LineBreaker {
    /// Columns; a character of a wide script takes two. A single longer word gets a line of its own.
    ///
    /// The width at which lyrics-transcriber (karaokenerds/python-lyrics-transcriber) breaks lines.
    package static let widthMax = 36
    /// Seconds of silence between two words that always end a line.
    package static let breath = 0.5

    /// - Parameter words: with times as `WordTimes.fit` leaves them; a word without a time follows without a breath.
    package static func lines(from words: [Word]) -> [Line] {
        var lines: [Line] = []
        var phrase: [Word] = []
        for word in words {
            if let end = phrase.last?.end, let start = word.start, start - end >= breath {
                lines.append(contentsOf: broken(phrase))
                phrase.removeAll()
            }
            phrase.append(word)
        }
        return lines + broken(phrase)
    }

    /// One breath, in the cheapest arrangement of lines: dynamic programming over the places where a line can end.
    private static func broken(_ phrase: [Word]) -> [Line] {
        guard !phrase.isEmpty else { return [] }
        let widths = phrase.map { PlainText.width($0.text) }
        // Widths of what stands before each word; the space counts, whether or not the script has one.
        var before = [0]
        for width in widths { before.append(before[before.count - 1] + width + 1) }
        func width(_ first: Int, _ end: Int) -> Int { before[end] - before[first] - 1 }
        let total = width(0, phrase.count)
        guard total > widthMax else { return [Line(words: phrase)] }
        let target = Double(total) / (Double(total) / Double(widthMax)).rounded(.up)

        var cost = [0.0] + [Double](repeating: .infinity, count: phrase.count)
        var from = [Int](repeating: 0, count: phrase.count + 1)
        for end in 1...phrase.count {
            var first = end - 1
            while first >= 0, first == end - 1 || width(first, end) <= widthMax {
                let off = (Double(width(first, end)) - target) / Double(widthMax)
                let candidate = cost[first] + 1 + 4 * off * off + (end < phrase.count ? breakCost(phrase[end - 1], phrase[end]) : 0)
                if candidate < cost[end] {
                    cost[end] = candidate
                    from[end] = first
                }
                first -= 1
            }
        }
        var ends: [Int] = []
        var end = phrase.count
        while end > 0 {
            ends.append(end)
            end = from[end]
        }
        return ends.reversed().map { Line(words: Array(phrase[from[$0]..<$0])) }
    }

    /// Negative where a line likes to end.
    private static func breakCost(_ word: Word, _ next: Word) -> Double {
        var cost = 0.0
        switch word.text.unicodeScalars.last {
        case ".", "!", "?", "…", "。", "！", "？": cost -= 1
        case ",", ";", ":", "—", "–", "-", "，", "、", "；": cost -= 0.6
        default: break
        }
        if let end = word.end, let start = next.start { cost -= min(max(start - end, 0), breath) }
        if beginners.contains(next.text.lowercased()) { cost -= 0.3 }
        if leaders.contains(word.text.lowercased()) { cost += 0.5 }
        return cost
    }

    /// Words that begin a part of a sentence.
    private static let beginners: Set = ["and", "but", "or", "so", "because", "when", "where", "while", "if", "that", "till", "until"]
    /// Words that belong to the next one.
    private static let leaders: Set = [
        "a", "an", "the", "my", "your", "his", "her", "our", "their", "of", "in", "on", "at", "to", "for", "from", "with", "by", "and",
        "or", "but", "i", "i'm", "you", "we", "they", "is", "are", "was",
    ]
}
