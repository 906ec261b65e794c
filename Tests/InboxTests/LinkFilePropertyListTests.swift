import Foundation
import Inbox
import Jobs
import Testing

@Suite struct LinkFilePropertyListTests {
    static let link = "https://example.org/a?b=1&c=<2>"
    static let url = "https://example.org/a?b=1&c=%3C2%3E"

    @Test(arguments: [PropertyListSerialization.PropertyListFormat.xml, .binary])
    func whatFoundationWritesIsRead(format: PropertyListSerialization.PropertyListFormat) throws {
        let contents: [[String: Any]] = [
            ["URL": Self.link],
            [
                "URL": Self.link, "Other": ["URL": "https://inner.example/"], "List": ["URL", "https://list.example/"], "Zahl": 7,
                "ä": "ö",
            ],
            // Longer than fifteen characters, so the size is a number of its own; and more than fifteen keys.
            Dictionary(
                uniqueKeysWithValues: (0..<40).map { ("key number \($0)", "value \($0)" as Any) } + [("URL", Self.link as Any)]),
            ["URL": Self.link, "Long": String(repeating: "x", count: 20_000)],
        ]
        for content in contents {
            let data = try PropertyListSerialization.data(fromPropertyList: content, format: format, options: 0)
            #expect(try LinkFile.read(Array(data), kind: .webloc).link.url == Self.url)
        }
        let umlaut = try PropertyListSerialization.data(
            fromPropertyList: ["URL": "https://bücher.example/ä"], format: format, options: 0)
        #expect(try LinkFile.read(Array(umlaut), kind: .webloc).link.url == "https://xn--bcher-kva.example/%C3%A4")
    }

    @Test(arguments: [
        "<plist version=\"1.0\"><dict><key>URL</key><string>https://example.org/a?b=1&amp;c=&lt;2&gt;</string></dict></plist>",
        "<plist><dict><key>URL</key><string>https://example.org/a?b=1&#38;c=&#x3C;2&#x3e;</string></dict></plist>",
        "<plist><dict><key>URL</key><string><![CDATA[https://example.org/a?b=1&c=<2>]]></string></dict></plist>",
        "<plist><dict><!-- <key>URL</key><string>https://no.example/</string> --><key>URL</key>\n<string>\n https://example.org/a?b=1&c=%3C2%3E </string></dict></plist>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist><dict><key>A</key><dict><key>URL</key><string>https://no.example/</string></dict><key>Empty</key><string/><key>URL</key><string>https://example.org/a?b=1&amp;c=&lt;2&gt;</string></dict></plist>",
    ])
    func propertyListsWrittenByHandAreRead(text: String) throws {
        #expect(try LinkFile.read(Array(text.utf8), kind: .webloc).link.url == Self.url)
        let utf16: [UInt8] = [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try LinkFile.read(utf16, kind: .webloc).link.url == Self.url)
    }

    @Test(
        arguments: [
            ("", .empty), ("plain text", .unreadable), ("bplist00", .unreadable),
            ("<html><a href='https://example.org'></html>", .unreadable),
            ("<plist><dict></dict></plist>", .noLink), ("<plist/>", .noLink),
            ("<plist><array><string>https://example.org/</string></array></plist>", .noLink),
            ("<plist><array><dict><key>URL</key><string>https://example.org/</string></dict></array></plist>", .noLink),
            ("<plist><dict><key>URL</key><integer>7</integer></dict></plist>", .noLink),
            ("<plist><dict><key>url</key><string>https://example.org/</string></dict></plist>", .noLink),
            (
                "<plist><dict><key>URL</key><string>https://a.example/</string><key>URL</key><string>https://b.example/</string></dict></plist>",
                .severalLinks
            ),
            // Entities that the file declares itself are never looked up, whatever they name.
            (
                "<!DOCTYPE plist [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><plist><dict><key>URL</key><string>http://a.example/&x;</string></dict></plist>",
                .unreadable
            ),
            ("<plist><dict><key>URL</key><string>http://a.example/&x;</string></dict></plist>", .noLink),
            ("<plist><dict><key>URL</key><string>https://example.org/", .noLink),
            ("<plist><dict><key>URL</string></plist>", .unreadable), ("</dict><plist>", .unreadable),
        ] as [(String, LinkFileError.Cause)])
    func aPropertyListWithoutALinkSaysSo(text: String, cause: LinkFileError.Cause) {
        let error = #expect(throws: LinkFileError.self) { try LinkFile.read(Array(text.utf8), kind: .webloc) }
        #expect(error?.cause == cause)
    }

    @Test func nestingCostsNothing() {
        let began = ContinuousClock.now
        let deep = "<plist><dict>" + String(repeating: "<array>", count: 9000)
        #expect(throws: LinkFileError.self) { try LinkFile.read(Array(deep.utf8), kind: .webloc) }
        let brackets = "<plist>" + String(repeating: "<", count: 65_000)
        #expect(throws: LinkFileError.self) { try LinkFile.read(Array(brackets.utf8), kind: .webloc) }
        let comments = "<plist>" + String(repeating: "<!--", count: 16_000)
        #expect(throws: LinkFileError.self) { try LinkFile.read(Array(comments.utf8), kind: .webloc) }
        let data = "<plist><dict><key>URL</key><string>" + String(repeating: "<![CDATA[&]]>", count: 4900)
        #expect(throws: LinkFileError.self) { try LinkFile.read(Array(data.utf8), kind: .webloc) }
        // A dictionary of sixteen thousand keys, all of them the same object: the dictionary itself.
        var bytes = Array("bplist00".utf8) + [0xDF, 0x11, 0x3F, 0x00] + [UInt8](repeating: 0, count: 2 * 0x3F00)
        let table = bytes.count
        bytes += [8] + [0, 0, 0, 0, 0, 0, 1, 1]
        for value in [1, 0, table] { bytes += (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }
        #expect(throws: LinkFileError.self) { try LinkFile.read(bytes, kind: .webloc) }
        #expect(ContinuousClock.now - began < .seconds(20))
    }
}
