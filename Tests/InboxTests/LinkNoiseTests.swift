import Foundation
import Inbox
import Jobs
import Testing

/// Whatever the bytes are, there is an answer, and soon.
@Suite struct LinkNoiseTests {
    private static let files: [[UInt8]] = {
        let url =
            "[DEFAULT]\r\nBASEURL=http://a.example/\r\n[InternetShortcut.W]\r\nURL=http://+ZeVnLIqe-/\r\n[InternetShortcut]\r\nURL=\"https://example.org/?a=%20;b\"\r\n"
        let desktop = "[Desktop Entry]\nType=Link\nName[de]=\\s\\n\\\\x\nURL[$e]=https://example.org/\\t\n"
        let webloc =
            "<?xml version=\"1.0\"?><!DOCTYPE plist><plist><dict><!-- x --><key>URL</key><string>https://example.org/&amp;&#x41;<![CDATA[x&y]]></string><key>A</key><array><string/></array></dict></plist>"
        let list =
            "#EXTM3U\r\n#EXTINF:12 a=\"b,c\",Title\r\nhttps://example.org/1\r\n<http://b.example>\r\n'http://c.example'\r\n../x\r\n"
        var all = [url, desktop, webloc, list].map { Array($0.utf8) }
        all += all.map { bytes in [0xFF, 0xFE] + bytes.flatMap { [$0, 0] } }
        let content: [String: Any] = [
            "URL": "https://example.org/", "ä": ["日本", "x"], "Long": String(repeating: "y", count: 300),
        ]
        if let binary = try? PropertyListSerialization.data(fromPropertyList: content, format: .binary, options: 0) {
            all.append(Array(binary))
        }
        return all
    }()

    private func read(_ bytes: [UInt8]) {
        for kind in LinkFile.Kind.allCases {
            do throws(LinkFileError) {
                let file = try LinkFile.read(bytes, kind: kind)
                #expect(file.link.url.hasPrefix("http"))
            } catch {
                #expect(!error.reason.isEmpty && !error.nextStep.isEmpty && error.description.utf8.count < 600)
                #expect(error.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
            }
        }
        for kind in LinkList.Kind.allCases {
            do throws(LinkFileError) {
                let list = try LinkList.read(bytes, kind: kind)
                #expect(list.entries.count + list.refused.count <= LinkList.countMax)
                #expect(Set(list.entries.map(\.link)).count == list.entries.count)
                for line in list.refused {
                    #expect(line.text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
                }
            } catch {
                #expect(!error.reason.isEmpty && !error.nextStep.isEmpty)
            }
        }
        _ = LinkList.isList(bytes)
    }

    @Test func mutationsOfGoodFilesAreAnswered() {
        var random = LinkNoise(seed: 23)
        for _ in 0..<4000 { read(random.mutation(of: Self.files)) }
    }

    @Test func randomBytesAreAnswered() {
        var random = LinkNoise(seed: 29)
        for _ in 0..<1000 {
            let count = Int.random(in: 0..<600, using: &random)
            read(random.bytes(count: count))
            // A header that promises something.
            read(Array("bplist00".utf8) + random.bytes(count: count))
            read([0xFE, 0xFF] + random.bytes(count: count))
        }
    }

    @Test(arguments: [
        "<", "<![CDATA[", "<!--", "<key>", "[", "[InternetShortcut]\n", "URL=http://a.example/\n", "URL=x\n", "\"", "a", "\n",
        "\r", "#", "#EXTINF:,\n", "#EXTINF:\"", "http://",
        "https://a.example/?", "&#", "&amp;", "\\s", "+AAA", "e\u{301}\u{323}", "\u{301}", "👨\u{200D}", "http://ä", "\u{0}",
        "://@", "?",
    ])
    func theLargestFileOfOneThingIsAnsweredSoon(unit: String) {
        let bytes = Array(unit.utf8)
        let began = ContinuousClock.now
        for (start, size) in [
            ("", LinkFile.sizeMax), ("<plist><dict><key>URL</key><string>", LinkFile.sizeMax),
            ("[InternetShortcut]\nURL=http://a.example/", LinkFile.sizeMax), ("", LinkList.sizeMax),
        ] {
            let room = size - start.utf8.count
            read(Array(start.utf8) + (0..<(room / bytes.count)).flatMap { _ in bytes })
        }
        // A debug build needs about a second for the slowest; more than linear work would need hours.
        #expect(ContinuousClock.now - began < .seconds(60))
    }
}

/// Always the same noise for a seed. Source of the numbers: SplitMix64, Steele, Lea and Flood 2014.
struct LinkNoise: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func bytes(count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// One of the files with some bytes replaced, added, dropped or doubled.
    mutating func mutation(of files: [[UInt8]]) -> [UInt8] {
        var bytes = files.randomElement(using: &self) ?? []
        for _ in 0..<Int.random(in: 0...5, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            let byte =
                Bool.random(using: &self)
                ? UInt8(truncatingIfNeeded: next()) : Array("<>[]=&;\"'#\\/:@%\n\r\u{0}+-".utf8).randomElement(using: &self) ?? 0
            switch Int.random(in: 0..<6, using: &self) {
            case 0 where place < bytes.count: bytes[place] = byte
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes = Array(bytes[..<place])
            case 3: bytes += bytes[place...]
            case 4: bytes.replaceSubrange(place..<min(bytes.count, place + 8), with: [])
            default: bytes.insert(byte, at: place)
            }
        }
        return Array(bytes.prefix(4096))
    }
}
