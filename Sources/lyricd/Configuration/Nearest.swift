/// The known word that somebody who wrote another one most likely meant.
enum Nearest {
    static func to(_ word: String, among known: [String]) -> String? {
        // Nobody mistypes a key of two hundred letters, and the time grows with the product of the lengths.
        guard word.utf8.count <= 100 else { return nil }
        let name = lastPart(word)
        let ranked = known.sorted().map { candidate in
            // The right name in the wrong section is as near as a slip of one letter.
            (candidate, lastPart(candidate) == name ? 1 : distance(Array(word.utf8), Array(candidate.utf8)))
        }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(2, best.0.utf8.count / 4) else { return nil }
        return best.0
    }

    private static func lastPart(_ key: String) -> Substring { key.split(separator: ".").last ?? key[...] }

    /// Levenshtein: letters to insert, remove or replace.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[right.count]
    }
}
