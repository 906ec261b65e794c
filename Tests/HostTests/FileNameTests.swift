import Host
import Testing

@Suite struct FileNameTests {
    @Test(arguments: [
        ("song.mp3", "song", "mp3"), ("SONG.MP3", "SONG", "mp3"), ("a.tar.gz", "a.tar", "gz"), (".hidden", ".hidden", ""),
        (".hidden.txt", ".hidden", "txt"), ("name.", "name.", ""), ("Nr. 5", "Nr. 5", ""), ("plain", "plain", ""), ("ü.мп3", "ü.мп3", ""), ("", "", ""),
    ])
    func stemAndExtensionAreToldApart(name: String, stem: String, ext: String) {
        #expect(FileName(name).stem == FileName(stem))
        #expect(FileName(name).pathExtension == ext)
    }

    @Test func namesThatAreNotTextStayWhatTheyAre() {
        let name = FileName([0xFF, 0x61, 0x0A, 0xC3, 0xA4, 0xC3])
        #expect(name.display == "\\xFFa\\u{A}ä\\xC3")
        #expect(name.bytes == [0xFF, 0x61, 0x0A, 0xC3, 0xA4, 0xC3])
    }

    @Test(arguments: [
        ("a\u{202E}3pm.exe", "a\\u{202E}3pm.exe"), ("\u{1B}[31m", "\\u{1B}[31m"), ("zero\u{200B}width", "zero\\u{200B}width"),
        ("line\u{2028}", "line\\u{2028}"), ("日本語 ♪", "日本語 ♪"), ("del\u{7F}", "del\\u{7F}"), ("c1\u{85}", "c1\\u{85}"),
    ])
    func whatAReaderCannotSeeIsShown(name: String, display: String) { #expect(FileName(name).display == display) }

    @Test func namesSortByTheirBytes() {
        #expect([FileName("b"), FileName("B"), FileName([0xFF]), FileName("a")].sorted() == [FileName("B"), FileName("a"), FileName("b"), FileName([0xFF])])
    }

    @Test(arguments: ["", ".", "..", "a/b", "/etc", "a\0b"]) func aNameNeverLeadsOutOfItsDirectory(name: String) async throws {
        try await withFolder { folder in
            for use in [
                { _ = try folder.openFile(FileName(name)) }, { _ = try folder.status(of: FileName(name)) }, { try folder.remove(FileName(name)) },
                { try folder.removeTree(FileName(name)) }, { try folder.write(FileName(name), []) }, { _ = try folder.subdirectory(FileName(name)) },
                { try folder.makeDirectory(FileName(name)) }, { try folder.rename(FileName(name), to: folder, as: "x", replacing: true) },
                { try folder.rename("x", to: folder, as: FileName(name), replacing: false) },
            ] as [() throws -> Void] {
                let error = #expect(throws: SystemCallError.self) { try use() }
                #expect(error?.errno == 22)
            }
        }
    }
}
