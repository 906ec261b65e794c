import Inbox
import Jobs
import Testing

@Suite struct LinkListTests {
    private func urls(_ text: String, _ kind: LinkList.Kind = .txt) throws -> [String] {
        try LinkList.read(Array(text.utf8), kind: kind).entries.map(\.link.url)
    }

    @Test func oneLinkToALineWithAllThatPeopleWriteAroundIt() throws {
        let text = """
            \u{FEFF}# my songs
            https://example.org/1
              https://example.org/2   the second one
            ; a comment
            ] another
            <https://example.org/3>
            "https://example.org/4" 'x'
            'https://example.org/5'

            HTTP://example.org/6 # and why
            """
        for lines in [text, text.replacing("\n", with: "\r\n"), text.replacing("\n", with: "\r")] {
            let list = try LinkList.read(Array(lines.utf8), kind: .urls)
            #expect(
                list.entries.map(\.link.url) == [
                    "https://example.org/1", "https://example.org/2", "https://example.org/3", "https://example.org/4",
                    "https://example.org/5", "http://example.org/6",
                ])
            #expect(list.entries.map(\.lineNumber) == [2, 3, 6, 7, 8, 10])
            #expect(list.refused.isEmpty)
            #expect(LinkList.isList(Array(lines.utf8)))
        }
        let utf16: [UInt8] = [0xFF, 0xFE] + text.dropFirst().utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try LinkList.read(utf16, kind: .txt).entries.count == 6)
    }

    @Test func aBadLineIsRefusedAndTheOthersGoOn() throws {
        let list = try LinkList.read(
            Array(
                "https://example.org/1\nfile:///etc/passwd\nhttps://me:hunter2@example.org/?k=hunter2\n--exec=id\nsome words\nhttps://example.org/2\n"
                    .utf8), kind: .list)
        #expect(list.entries.map(\.lineNumber) == [1, 6])
        #expect(list.refused.map(\.lineNumber) == [2, 3, 4, 5])
        #expect(list.refused[0].reason.contains("file: links are refused"))
        #expect(list.refused[0].nextStep.contains("drop the recording itself"))
        #expect(list.refused.allSatisfy { !$0.reason.isEmpty && !$0.nextStep.isEmpty && !"\($0)".contains("hunter2") })
    }

    @Test func theSameRecordingTwiceIsOneJob() throws {
        #expect(
            try urls("https://youtu.be/dQw4w9WgXcQ\nhttps://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3\nhttps://example.org/\n")
                .count == 2)
        let list = try LinkList.read(
            Array("https://youtu.be/dQw4w9WgXcQ\n#EXTINF:1,A - B\nhttps://youtu.be/dQw4w9WgXcQ?si=1\n".utf8), kind: .m3u8)
        #expect(list.entries.map(\.title) == ["A - B"])
    }

    @Test func aPlaylistGivesTitles() throws {
        let text = """
            #EXTM3U
            #PLAYLIST:Mine
            #EXTINF:213,Artist - Title
            https://example.org/1
            #EXTINF:-1 tvg-name="a, b" group="x",Other, with a comma
            #EXTVLCOPT:network-caching=1000
            https://example.org/a b.mp3
            https://example.org/3
            Music/song.mp3
            ..\\..\\secret.mp3
            C:\\Music\\song.mp3
            \\\\nas\\music\\song.mp3
            file:///srv/song.mp3
            """
        let list = try LinkList.read(Array(text.utf8), kind: .m3u8)
        #expect(list.entries.map(\.title) == ["Artist - Title", "Other, with a comma", nil])
        #expect(
            list.entries.map(\.link.url) == ["https://example.org/1", "https://example.org/a%20b.mp3", "https://example.org/3"])
        #expect(list.refused.map(\.lineNumber) == [9, 10, 11, 12, 13])
        #expect(list.refused.allSatisfy { $0.nextStep == "drop the recording itself into the inbox" })
        // Latin-1, as old players wrote it.
        let old = Array("#EXTINF:1,Bj".utf8) + [0xF6] + Array("rk\nhttp://example.org/1\n".utf8)
        #expect(try LinkList.read(old, kind: .m3u).entries[0].title == "Björk")
    }

    @Test(
        arguments: [
            ("", .m3u8, .empty), ("\n\n# nothing\n", .urls, .noLink), ("#EXTM3U\n", .m3u, .noLink),
            ("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttps://example.org/1.ts\n", .m3u8, .streamPlaylist),
            ("https://example.org/1\n#ext-x-stream-inf:BANDWIDTH=1\nhttps://example.org/2\n", .m3u, .streamPlaylist),
        ] as [(String, LinkList.Kind, LinkFileError.Cause)])
    func aFileThatIsNoListSaysSo(text: String, kind: LinkList.Kind, cause: LinkFileError.Cause) {
        let error = #expect(throws: LinkFileError.self) { try LinkList.read(Array(text.utf8), kind: kind) }
        #expect(error?.cause == cause)
        #expect(error.map { !$0.reason.isEmpty && !$0.nextStep.isEmpty } == true)
    }

    // Not as arguments: a test's arguments are printed whole.
    @Test func aListThatIsTooLongSaysSo() {
        for (text, kind, cause) in [
            (String(repeating: "\n", count: LinkList.sizeMax + 1), .txt, .tooLarge(LinkList.sizeMax)),
            ((0...1000).map { "https://example.org/\($0)\n" }.joined(), .txt, .tooMany(1000)),
            ((0...1000).map { "word\($0)\n" }.joined(), .urls, .tooMany(1000)),
        ] as [(String, LinkList.Kind, LinkFileError.Cause)] {
            let error = #expect(throws: LinkFileError.self) { try LinkList.read(Array(text.utf8), kind: kind) }
            #expect(error?.cause == cause)
            #expect(error.map { !$0.reason.isEmpty && !$0.nextStep.isEmpty } == true)
        }
    }

    @Test func aThousandLinksAreTaken() throws {
        let text = (1...1000).map { "https://example.org/\($0)\n" }.joined()
        #expect(try urls(text).count == 1000)
        // The same thousand again are none more.
        #expect(try urls(text + text).count == 1000)
    }

    @Test(arguments: [
        ("https://example.org/1", true), ("# x\nhttps://example.org/1\n\nHTTP://example.org/2", true),
        ("<https://example.org/1>", true),
        // Hostile ones as well: they are refused as links, not sung.
        ("http://user:secret@example.org/", true),
        ("", false), ("# only a comment", false), ("Never gonna give you up\nNever gonna let you down", false),
        ("Listen to it at https://example.org/1", false), ("https://example.org/1\nand some words", false),
        ("file:///etc/passwd", false),
        ("[00:12.00]https://example.org", false), ("www.example.org", false), ("https:/example.org", false),
    ])
    func aTextIsAListOnlyIfEachLineIsALink(text: String, isList: Bool) {
        #expect(LinkList.isList(Array(text.utf8)) == isList)
    }
}
