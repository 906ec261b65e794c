import Testing

/// The judges see what the real readers see: the differences that decide how the formats have to be written.
@Suite struct JudgeTests {
    @Test(arguments: [
        ("[00:12.34]a", 12_340, 12_340), ("[00:12.345]a", 15_450, 12_345), ("[00:12.5]a", 12_050, 12_500), ("[00:12]a", nil, 12_000),
        ("[100:00.00]a", 6_000_000, nil), ("[01:40:00.00]a", nil, nil),
    ] as [(String, Int?, Int?)])
    func theServersDisagreeOnStamps(line: String, jellyfin: Int?, navidrome: Int?) {
        #expect(JellyfinReader.lines(line).first?.start == jellyfin)
        #expect(NavidromeReader.lyrics(line).lines.first?.start == navidrome)
    }

    @Test func textBeforeTheFirstMarkerIsLost() {
        let file = "[00:12.00]Hello <00:12.50>world"
        #expect(NavidromeReader.lyrics(file).lines.map(\.text) == ["world"])
        #expect(JellyfinReader.lines(file)[0].cues.map(\.text) == ["world"])
    }

    @Test func bothReadOurArrangement() {
        let file = "[00:12.00]<00:12.00>Hello<00:12.30> <00:12.70>world<00:13.10>\n"
        #expect(JellyfinReader.lines(file)[0].cues == [
            JellyfinReader.Cue(text: "Hello", start: 12_000, end: 12_300), JellyfinReader.Cue(text: "world", start: 12_700, end: 13_100),
        ])
        #expect(NavidromeReader.lyrics(file).lines[0].cues.map(\.start) == [12_000, 12_300, 12_700])
    }

    @Test func theSanitiserEatsTags() {
        #expect(NavidromeReader.sanitized("a <b>c</b> <3 &lt;d&gt; <e") == "a c <3 <d> ")
    }

    @Test(arguments: [
        "1\n00:00:02,000 --> 00:00:01,000\na\n\n", "2\n00:00:01,000 --> 00:00:02,000\na\n\n", "1\n00:00:01.000 --> 00:00:02.000\na\n\n",
        "1\n00:00:01,000 --> 00:00:03,000\na\n\n2\n00:00:02,000 --> 00:00:04,000\nb\n\n", "1\n00:00:60,000 --> 00:01:02,000\na\n\n",
        "1\n00:00:01,000 --> 00:00:02,000\na\nb\n\n",
    ])
    func subRipOutOfFormIsRefused(file: String) { #expect(SubtitleReader.srt(file) == nil) }

    @Test(arguments: [
        "<c>a</c> <00:00:01.000><c>b</c>", "<c>a</c> <00:00:03.000><c>b</c>", "<c>a</c> b", "<c>a & b</c>", "<c>a <b</c>",
        "<c>a</c> <00:00:01.900><c>b</c> <00:00:01.800><c>c</c>",
    ])
    func webVTTOutOfFormIsRefused(text: String) {
        #expect(SubtitleReader.vtt("WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n\(text)\n") == nil)
    }
}
