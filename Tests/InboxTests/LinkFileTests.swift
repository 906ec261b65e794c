import Foundation
import Inbox
import Jobs
import Testing

@Suite struct LinkFileTests {
    static let video = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"

    @Test(arguments: [
        "[InternetShortcut]\r\nURL=https://www.youtube.com/watch?v=dQw4w9WgXcQ\r\n",
        "[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,11\r\n[InternetShortcut]\r\nIDList=\r\nURL=https://www.youtube.com/watch?v=dQw4w9WgXcQ\r\nIconFile=C:\\x.ico\r\n",
        "[DEFAULT]\nBASEURL=https://example.org/frame\n[InternetShortcut]\nurl = https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "[internetshortcut]\rUrl=\"https://www.youtube.com/watch?v=dQw4w9WgXcQ\"\r",
        "; made by hand\n[ InternetShortcut ]\nURL='https://www.youtube.com/watch?v=dQw4w9WgXcQ'\n",
        // Windows reads the first section of the name and no other.
        "[InternetShortcut]\nURL=https://youtu.be/dQw4w9WgXcQ\n[InternetShortcut]\nURL=https://example.org/\n",
        "[InternetShortcut]\nURL=https://youtu.be/dQw4w9WgXcQ\n[InternetShortcut.W]\nURL=https://example.org/\n",
        // Twice the same, in two spellings.
        "[InternetShortcut]\nURL=https://youtu.be/dQw4w9WgXcQ\nURL=https://www.youtube.com/shorts/dQw4w9WgXcQ\n",
        "https://youtu.be/dQw4w9WgXcQ\n",
        "URL=https://youtu.be/dQw4w9WgXcQ",
    ])
    func aWindowsShortcutIsRead(text: String) throws {
        #expect(try LinkFile.read(Array(text.utf8), kind: .url).link.canonical == Self.video)
    }

    @Test func everyEncodingOfAShortcutIsRead() throws {
        let text = "[InternetShortcut]\r\nURL=https://example.org/caf\u{E9}?a=50%;b#c\r\n"
        let utf16 = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        let swapped = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        let forms: [[UInt8]] = [
            Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8), [0xFF, 0xFE] + utf16, [0xFE, 0xFF] + swapped, utf16, swapped,
            // The code page of western Windows.
            text.unicodeScalars.map { UInt8($0.value) },
        ]
        for bytes in forms {
            #expect(try LinkFile.read(bytes, kind: .url).link.url == "https://example.org/caf%C3%A9?a=50%25;b")
        }
        // The euro sign is where Latin-1 has a control character.
        #expect(
            try LinkFile.read(Array("[InternetShortcut]\nURL=http://a.example/".utf8) + [0x80], kind: .url).link.url
                == "http://a.example/%E2%82%AC")
    }

    @Test func theWideSectionIsTakenOnlyWhereTheMainOneSaysNothing() throws {
        let text =
            "[InternetShortcut]\r\n[InternetShortcut.A]\r\nURL=http://ascii.example/\r\n[InternetShortcut.W]\r\nURL=http://example.org/+ZeVnLIqe-/a+-b\r\n"
        #expect(try LinkFile.read(Array(text.utf8), kind: .url).link.url == "http://example.org/%E6%97%A5%E6%9C%AC%E8%AA%9E/a+b")
    }

    @Test(
        arguments: [
            ("", .empty),
            ("[InternetShortcut]\r\n", .noLink), ("[InternetShortcut]\nURL=\n", .noLink), ("nothing here", .noLink),
            ("[DEFAULT]\nBASEURL=https://example.org/\n", .noLink), ("[Other]\nURL=https://example.org/\n", .noLink),
            ("[InternetShortcut]\nWorkingDirectory=https://example.org/\n", .noLink),
            ("[InternetShortcut]\nURL=https://a.example/\nURL=https://b.example/\n", .severalLinks),
            ("[InternetShortcut]\nURL=https://a.example/\nURL=file:///etc/passwd\n", .severalLinks),
            ("https://a.example/\nhttps://b.example/\n", .severalLinks),
        ] as [(String, LinkFileError.Cause)])
    func aShortcutThatLeadsNowhereSaysSo(text: String, cause: LinkFileError.Cause) {
        let error = #expect(throws: LinkFileError.self) { try LinkFile.read(Array(text.utf8), kind: .url) }
        #expect(error?.cause == cause)
    }

    @Test(arguments: [
        ("file:///etc/passwd", "file: links are refused"), ("javascript:alert(document.cookie)", "javascript: links are refused"),
        ("--exec=touch /tmp/owned", "begins with a dash"), ("http://user:pass@example.org/", "user name or a password"),
        ("\\\\nas\\music\\song.mp3", "is no link"), ("smb://nas/music", "smb: links are refused"),
        ("data:text/html,x", "data: links are refused"),
    ])
    func aHostileLinkIsRefusedInPlainWords(target: String, words: String) throws {
        let files: [(LinkFile.Kind, String)] = [
            (.url, "[InternetShortcut]\r\nURL=\(target)\r\n"),
            (.webloc, "<?xml version=\"1.0\"?><plist><dict><key>URL</key><string>\(target)</string></dict></plist>"),
            (.desktop, "[Desktop Entry]\nType=Link\nURL=\(target.replacingOccurrences(of: "\\", with: "\\\\"))\n"),
        ]
        for (kind, text) in files {
            let error = #expect(throws: LinkFileError.self) { try LinkFile.read(Array(text.utf8), kind: kind) }
            #expect(error?.reason.contains(words) == true, "\(kind): \(String(describing: error))")
            #expect(error?.nextStep.isEmpty == false)
        }
    }

    @Test func noiseAndSizeAreRefused() {
        var random = LinkNoise(seed: 3)
        let noise = random.bytes(count: 70_000)
        for kind in LinkFile.Kind.allCases {
            #expect(throws: LinkFileError.self) { try LinkFile.read(noise, kind: kind) }
            #expect(throws: LinkFileError.self) { try LinkFile.read(Array(noise.prefix(60_000)), kind: kind) }
            let zeros = #expect(throws: LinkFileError.self) { try LinkFile.read([UInt8](repeating: 0, count: 4096), kind: kind) }
            #expect(zeros?.description.contains("; ") == true)
            let companion = #expect(throws: LinkFileError.self) { try LinkFile.read([0, 5, 0x16, 7, 0, 2, 0, 0], kind: kind) }
            #expect(companion?.cause == .appleDouble)
            let long = #expect(throws: LinkFileError.self) {
                try LinkFile.read(
                    Array("[InternetShortcut]\nURL=https://a.example/\n".utf8) + [UInt8](repeating: 10, count: LinkFile.sizeMax),
                    kind: kind)
            }
            #expect(long?.cause == .tooLarge(LinkFile.sizeMax))
        }
    }
}

@Suite struct LinkFileDesktopTests {
    @Test(
        arguments: [
            ("[Desktop Entry]\nEncoding=UTF-8\nName=A song\nType=Link\nURL=https://example.org/a\nIcon=text-html\n", "A song"),
            (
                "#!/usr/bin/env xdg-open\n[Desktop Entry]\nType = Link\nName[de]=Ein Lied\nURL[$e] = https://example.org/a\n",
                "Ein Lied"
            ),
            (
                "[Desktop Entry]\nType=Link\nName[de]=Ein Lied\nName=A\\tsong\nURL=https://example.org/a\n[Desktop Action x]\nURL=https://b.example/\n",
                "A song"
            ),
            ("\u{FEFF}[Desktop Entry]\r\nType=Link\r\nURL=https://example.org/a\r\nName=\r\n", nil),
        ] as [(String, String?)])
    func aLinkEntryIsReadWithItsName(text: String, title: String?) throws {
        let file = try LinkFile.read(Array(text.utf8), kind: .desktop)
        #expect(file.link.url == "https://example.org/a")
        #expect(file.title == title)
    }

    @Test(
        arguments: [
            ("[Desktop Entry]\nType=Application\nExec=sh -c id\nURL=https://example.org/a\n", .notALink(type: "Application")),
            ("[Desktop Entry]\nType=link\nURL=https://example.org/a\n", .notALink(type: "link")),
            ("[Desktop Entry]\nURL=https://example.org/a\n", .notALink(type: "")),
            ("Type=Link\nURL=https://example.org/a\n", .notALink(type: "")),
            ("[Other]\nType=Link\nURL=https://example.org/a\n", .notALink(type: "")),
            ("[Desktop Entry]\nType=Link\nExec=https://example.org/a\n", .noLink),
            ("[Desktop Entry]\nType=Link\nURL=https://a.example/\nURL[$e]=https://b.example/\n", .severalLinks),
            ("[Desktop Entry]\nType=Link\nURL=http://a.example/\\nx\n", .link("http://a.example/\nx")),
        ] as [(String, LinkFileError.Cause)])
    func anythingElseIsNoLink(text: String, cause: LinkFileError.Cause) {
        let error = #expect(throws: LinkFileError.self) { try LinkFile.read(Array(text.utf8), kind: .desktop) }
        #expect(error?.cause == cause)
    }

    @Test func nothingIsExpanded() throws {
        let text = "[Desktop Entry]\nType=Link\nURL[$e]=https://example.org/$HOME/$(id)\n"
        #expect(try LinkFile.read(Array(text.utf8), kind: .desktop).link.url == "https://example.org/$HOME/$(id)")
    }
}

extension LinkFileError.Cause {
    /// The cause that this text has as a link.
    fileprivate static func link(_ text: String) -> Self {
        do throws(WebLinkError) {
            _ = try WebLink(text)
            return .noLink
        } catch {
            return .link(error)
        }
    }
}
