import Jobs
import Testing

@Suite struct OutboxNameTests {
    @Test(arguments: [
        ("Song", "Song"), ("  Song  title ", "Song title"), ("AC/DC", "AC-DC"), ("a\\b|c:d", "a-b-c-d"), ("What?*<>", "What____"),
        ("\"Heroes\"", "'Heroes'"), ("...Baby One More Time", "Baby One More Time"), ("-rf", "rf"), ("~root", "root"),
        (".-~ .x", "x"),
        ("Etc...", "Etc"), ("Wait . . .", "Wait"), ("a\tb\nc\u{2028}d\u{A0}e", "a b c d e"), ("a\u{0}b\u{1B}[31m", "ab[31m"),
        ("\u{202E}gpm.\u{2066}x\u{200B}\u{FEFF}\u{AD}y", "gpm.xy"), ("u\u{308}", "\u{FC}"), ("a\u{200D}\u{308}", "\u{E4}"),
        ("CON", "_CON"), ("con.txt", "_con.txt"), ("Lpt1", "_Lpt1"), ("COM¹", "_COM¹"), ("COM10", "COM10"),
        ("Console", "Console"), ("nul .x", "_nul .x"),
        ("日本語 🎵", "日本語 🎵"), ("❤\u{FE0F}", "❤\u{FE0F}"), ("Song #1 (live) [x] & 100%", "Song #1 (live) [x] & 100%"),
    ])
    func aTitleBecomesANameForEverySystem(title: String, name: String) {
        #expect(Array(OutboxName(title).text.unicodeScalars) == Array(name.unicodeScalars))
    }

    @Test(arguments: [
        "", " ", ".", "..", "...", "/.", "\u{0}\u{1}", "\u{200B}\u{202E}", "\u{3164}", "\u{301}\u{302}", "-~.", "\u{FE0F}",
        "\u{E0041}",
    ])
    func aTitleOfNothingTakesTheFallback(title: String) {
        let name = OutboxName(title, fallback: "job 7").text
        // A slash leaves a dash, and a dash does not stay in front.
        #expect(name == "job 7")
        #expect(OutboxName(title, fallback: "..").text == "untitled")
    }

    @Test func longNamesEndWithAWholeCharacter() {
        #expect(OutboxName(String(repeating: "a", count: 181)).text.utf8.count == 180)
        // 25 bytes each: 7 fit.
        let family = "👨\u{FE0F}👩🏽👧🏽"
        let cut = OutboxName(String(repeating: family, count: 50)).text
        #expect(cut.utf8.count <= 180 && !cut.isEmpty)
        #expect(OutboxName(String(repeating: "é", count: 200)).text == String(repeating: "é", count: 90))
        #expect(OutboxName(String(repeating: "a", count: 179) + "é").text == String(repeating: "a", count: 179))
        // Cut where a blank or a dot would be last.
        #expect(OutboxName(String(repeating: "a", count: 178) + ". b").text == String(repeating: "a", count: 178))
        // One character of thousands of bytes.
        let tower = "a" + String(repeating: "\u{323}\u{301}", count: 50_000)
        let name = OutboxName(tower).text
        #expect((1...180).contains(name.utf8.count))
        #expect(OutboxName(String(repeating: "\u{200B}", count: 1_000_000) + "x").text.utf8.count <= 180)
    }

    @Test func numbersStayInTheLimit() {
        #expect(OutboxName("Name").numbered(1).text == "Name")
        #expect(OutboxName("Name").numbered(2).text == "Name (2)")
        for number in [2, 10, 9999] {
            let name = OutboxName(String(repeating: "é", count: 90)).numbered(number).text
            #expect(name.utf8.count <= 180 && name.hasSuffix("é (\(number))"))
        }
        #expect(
            OutboxName(String(repeating: "a", count: 175) + " bcd").numbered(2).text == String(repeating: "a", count: 175)
                + " (2)")
    }

    @Test(arguments: [
        ("Song", "SONG", true), ("\u{FC}ber", "U\u{308}BER", true), ("straße", "STRASSE", true), ("ΣΊΣΥΦΟΣ", "σίσυφος", true),
        ("Song", "Song (2)", false),
        ("ﬁsh", "FISH", true), ("a", "ä", false),
    ])
    func namesThatSomeSystemTakesForOneHaveOneKey(left: String, right: String, areOne: Bool) {
        #expect((OutboxName(left).comparisonKey == OutboxName(right).comparisonKey) == areOne)
    }

    @Test func noTitleEscapes() {
        var random = WebLinkNoise(seed: 11)
        let titles = [
            "../../etc/passwd", "CON.", "a\u{308}\u{202E}b/c", "👩🏽\u{200D}🚀 . ", "~$-x", String(repeating: "é\u{301} ", count: 60),
        ]
        for _ in 0..<20_000 {
            let title = random.mutation(of: titles)
            let name = OutboxName(title)
            #expect((1...180).contains(name.text.utf8.count), "\(title.debugDescription)")
            #expect(
                name.text.unicodeScalars.allSatisfy {
                    $0 != "/" && $0 != "\\" && $0.properties.generalCategory != .control
                        && $0.properties.generalCategory != .format
                }, "\(title.debugDescription)")
            #expect(
                name.text.unicodeScalars.first.map { !".-~ ".unicodeScalars.contains($0) } == true, "\(title.debugDescription)")
            #expect(name.text.unicodeScalars.last.map { !". ".unicodeScalars.contains($0) } == true, "\(title.debugDescription)")
            #expect(OutboxName(name.text) == name, "\(title.debugDescription)")
            #expect(OutboxName(name.text.uppercased()).comparisonKey == name.comparisonKey, "\(title.debugDescription)")
            #expect(name.numbered(12).text.utf8.count <= 180)
        }
    }
}
