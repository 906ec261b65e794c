/// Headings inside lyrics: what is written above a part of a song and not sung.
enum Heading {
    private static let names: Set = [
        "chorus", "pre-chorus", "prechorus", "post-chorus", "postchorus", "verse", "bridge", "refrain", "intro", "outro", "interlude",
    ]
    /// Words that are headings only with brackets around or a colon behind: alone on a line they may be sung.
    private static let otherNames: Set = [
        "hook", "break", "breakdown", "solo", "guitar solo", "instrumental", "instrumental break", "coda", "drop", "tag", "vamp",
        "repeat chorus", "chorus repeat", "spoken", "rap",
    ]

    /// Any line in square brackets is one (the way of most lyrics sites); in others the name of a part of a song is needed.
    static func isHeading(_ line: String) -> Bool {
        let text = PlainText.cleaned(line)
        // Longer lines are not compared with names; a hostile one need not be.
        guard let first = text.first, let last = text.last, text.utf8.count <= 200 else { return false }
        let inner = String(text.dropFirst().dropLast())
        switch (first, last) {
        case ("[", "]"): return !inner.contains("]") && !inner.contains("[")
        case ("(", ")"), ("{", "}"), ("*", "*"): return isName(inner, isMarked: true)
        default:
            if last == ":" { return isName(String(text.dropLast()), isMarked: true) }
            return isName(text, isMarked: false)
        }
    }

    /// `Verse 2`, `Chorus x2`, `CHORUS (x2)`.
    private static func isName(_ text: String, isMarked: Bool) -> Bool {
        var parts = PlainText.tokens(text.lowercased()).map { String($0.drop { $0 == "*" || $0 == "(" }) }
        while parts.count > 1, let last = parts.last, isCount(last) { parts.removeLast() }
        let name = parts.joined(separator: " ")
        return names.contains(name) || isMarked && otherNames.contains(name)
    }

    private static func isCount(_ text: String) -> Bool {
        let bare = text.filter { $0 != ")" && $0 != "(" && $0 != ":" && $0 != "*" }
        return !bare.isEmpty && (bare.allSatisfy(\.isNumber) || !Word.isSung(bare) || ["i", "ii", "iii", "iv"].contains(bare))
    }
}
