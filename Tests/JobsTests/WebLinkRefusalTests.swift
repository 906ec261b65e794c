import Jobs
import Testing

@Suite struct WebLinkRefusalTests {
    private func cause(_ text: String) -> WebLinkError.Cause? {
        do throws(WebLinkError) {
            _ = try WebLink(text)
            return nil
        } catch {
            return error.cause
        }
    }

    @Test(
        arguments: [
            ("", .empty), (" \t\n", .empty), ("\u{FEFF}", .empty),
            ("--exec=touch /tmp/x", .leadingDash), ("-https://example.org", .leadingDash),
            ("file:///etc/passwd", .scheme("file")), ("javascript:alert(1)", .scheme("javascript")),
            ("data:text/html,x", .scheme("data")),
            ("smb://nas/music", .scheme("smb")), ("ftp://example.org/a", .scheme("ftp")),
            ("view-source:https://example.org", .scheme("view-source")),
            ("ytsearch5:never gonna", .scheme("ytsearch5")), ("mailto:a@example.org", .scheme("mailto")),
            ("www.example.org/a", .noScheme), ("example.org:443/a", .noScheme), ("C:\\Music\\a.mp3", .noScheme),
            ("\\\\nas\\music", .noScheme),
            ("nas:8080/a", .noScheme), ("never gonna give you up", .noScheme), ("://example.org", .noScheme),
            ("1http://a", .noScheme),
            ("http:example.org", .noHost), ("http:/example.org", .noHost), ("http://", .noHost), ("http:///a", .noHost),
            ("https://?q", .noHost),
            ("http://:80/", .noHost), ("http:\\\\example.org", .noHost),
            ("http://user@example.org/", .userInfo), ("https://user:secret@example.org/", .userInfo),
            ("http://@example.org/", .userInfo),
            ("http://example.org@127.0.0.1/", .userInfo),
            ("http://example.org:0/", .badPort("0")), ("http://example.org:65536/", .badPort("65536")),
            ("http://example.org:8a/", .badPort("8a")),
            ("http://example.org:99999999999999999999/", .badPort("99999999999999999999")),
            ("http://a\u{0}b.org", .controlCharacter(0)), ("http://example.org/a\r\nHost: b", .controlCharacter(13)),
            ("http://example.org/\u{1B}[2J", .controlCharacter(27)), ("http://example.org/\u{9B}", .controlCharacter(0x9B)),
        ] as [(String, WebLinkError.Cause)])
    func whatIsNoLinkIsRefusedForItsReason(text: String, expected: WebLinkError.Cause) {
        #expect(cause(text) == expected)
    }

    @Test(arguments: [
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://0x7f.1/", "http://1.2.3.04/", "http://①②⑦.⓪.⓪.①/", "http://ｅxample.org/", "http://example。org/",
        "http://exam\u{200B}ple.org/",
        "http://[::1/", "http://[::1%25eth0]/", "http://[1:2:3]/", "http://[::1]x/", "http://[1::2::3]/",
        "http://[::ffff:1.2.3]/",
        "http://exa mple.org/", "http://a..b/", "http://.org/", "http://-a.org/", "http://a-.org/", "http://exam%70le.org/",
        "http://exa\\mple.org/", "http://a,b/", "http://" + String(repeating: "a", count: 64) + ".org/",
        "http://" + String(repeating: "a.", count: 130) + "org/", "http://☎.example/",
    ])
    func aHostThatPretendsIsRefused(text: String) throws {
        guard case .badHost(let why)? = cause(text) else {
            Issue.record("\(text) was not refused for its host: \(String(describing: cause(text)))")
            return
        }
        #expect(!why.isEmpty)
    }

    @Test func longLinksAreRefusedBeforeAndAfterEscaping() {
        let short = "https://example.org/"
        #expect(cause(short + String(repeating: "a", count: WebLink.lengthMax - short.utf8.count)) == nil)
        #expect(
            cause(short + String(repeating: "a", count: WebLink.lengthMax))
                == .tooLong(bytes: WebLink.lengthMax + short.utf8.count))
        // Three bytes for each of these.
        #expect(cause(short + String(repeating: "<", count: 4000)) == .tooLong(bytes: 12020))
    }

    @Test func everyRefusalSaysWhatIsWrongAndWhatToDo() throws {
        let texts = [
            "", "-x", "file:///x", "x", "http://", "http://a@b", "http://a:0", "http://a\u{1}", "http://①",
            String(repeating: "x", count: 9000),
        ]
        for text in texts {
            let error = #expect(throws: WebLinkError.self) { try WebLink(text) }
            let shown = try #require(error?.description)
            #expect(shown.contains("; ") && shown.utf8.count < 300)
            #expect(shown.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
        }
        #expect(throws: WebLinkError.self) { try WebLink("https://user:hunter2@example.org/") }
        let error = #expect(throws: WebLinkError.self) { try WebLink("https://user:hunter2@example.org:0/?k=hunter2") }
        #expect(error?.description.contains("hunter2") == false && error?.shown.contains("hunter2") == false)
    }

    @Test func noTextMakesItCrashOrHang() {
        var random = WebLinkNoise(seed: 7)
        let good = [
            "https://user@www.youtube.com:443/watch?v=dQw4w9WgXcQ&list=PL#t", "http://[2001:db8::1.2.3.4]:80/a%20b?c=d#!e",
            "https://bücher.правда.example./ä?ö=ü", "HtTp://127.0.0.1/",
        ]
        let began = ContinuousClock.now
        for _ in 0..<20_000 {
            let text = random.mutation(of: good)
            if let link = try? WebLink(text) {
                #expect(link.url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(text.debugDescription)")
                #expect(link.url.hasPrefix("http://") || link.url.hasPrefix("https://"), "\(text.debugDescription)")
                // Reading what was written changes nothing more.
                let again = try? WebLink(link.url)
                #expect(
                    again?.url == link.url && again?.canonical == link.canonical && again?.host == link.host,
                    "\(text.debugDescription)")
                #expect((try? WebLink(link.canonical))?.canonical == link.canonical, "\(text.debugDescription)")
            }
        }
        #expect(ContinuousClock.now - began < .seconds(120))
    }
}

/// Always the same noise for a seed. Source of the numbers: SplitMix64, Steele, Lea and Flood 2014.
struct WebLinkNoise: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// One of the texts with some characters replaced, added or dropped.
    mutating func mutation(of texts: [String]) -> String {
        var scalars = Array(texts.randomElement(using: &self)?.unicodeScalars ?? "".unicodeScalars)
        for _ in 0..<Int.random(in: 0...6, using: &self) {
            let place = Int.random(in: 0...scalars.count, using: &self)
            let scalar = scalar()
            switch Int.random(in: 0..<4, using: &self) {
            case 0 where place < scalars.count: scalars[place] = scalar
            case 1 where place < scalars.count: scalars.remove(at: place)
            case 2: scalars += scalars[..<place]
            default: scalars.insert(scalar, at: place)
            }
        }
        return String(String.UnicodeScalarView(scalars.prefix(10_000)))
    }

    private mutating func scalar() -> Unicode.Scalar {
        let plain = Array(":/?#[]@!$&'()*+,;=%.-_~0aZ \\\"<>\u{0}\n\u{7F}".unicodeScalars)
        if Bool.random(using: &self), let scalar = plain.randomElement(using: &self) { return scalar }
        return Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &self)) ?? "\u{FFFD}"
    }
}
