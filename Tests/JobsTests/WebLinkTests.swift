import Jobs
import Testing

@Suite struct WebLinkTests {
    @Test(arguments: [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "http://youtube.com/watch?v=dQw4w9WgXcQ",
        "https://m.youtube.com/watch?v=dQw4w9WgXcQ&feature=share",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ&si=Abc_123",
        "HTTPS://WWW.YouTube.COM/watch?v=dQw4w9WgXcQ&t=43s",
        "https://www.youtube.com/watch?list=RDdQw4w9WgXcQ&v=dQw4w9WgXcQ&index=2&start_radio=1",
        "https://www.youtube.com:443/watch?v=dQw4w9WgXcQ&list=PL1#t=10",
        "https://youtu.be/dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ?si=xyz&t=10",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ?feature=share",
        "https://youtube.com/live/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1",
        "https://www.youtube.com/v/dQw4w9WgXcQ",
        "  https://youtu.be/dQw4w9WgXcQ \r\n",
    ])
    func everySpellingOfAVideoIsOneRecording(text: String) throws {
        let link = try WebLink(text)
        #expect(link.canonical == "https://www.youtube.com/watch?v=dQw4w9WgXcQ")
        #expect(link.display == link.canonical)
        #expect(try link == WebLink("https://youtu.be/dQw4w9WgXcQ"))
    }

    @Test(arguments: [
        // They have eleven letters too, and are no videos.
        ("https://www.youtube.com/embed/videoseries?list=PL123", "https://www.youtube.com/embed/videoseries?list=PL123"),
        ("https://m.youtube.com/embed/live_stream?channel=UC1", "https://www.youtube.com/embed/live_stream?channel=UC1"),
        ("https://youtube.com/playlist?list=PL123&si=x", "https://www.youtube.com/playlist?list=PL123"),
        ("https://m.youtube.com/@artist/videos", "https://www.youtube.com/@artist/videos"),
        ("https://www.youtube.com/watch?v=short", "https://www.youtube.com/watch?v=short"),
        ("https://youtube.com.example.org/watch?v=dQw4w9WgXcQ", "https://youtube.com.example.org/watch?v=dQw4w9WgXcQ"),
        ("https://youtube.com:8443/watch?v=dQw4w9WgXcQ", "https://youtube.com:8443/watch?v=dQw4w9WgXcQ"),
    ])
    func whatOnlyLooksLikeAVideoIsLeftAlone(text: String, canonical: String) throws {
        #expect(try WebLink(text).canonical == canonical)
    }

    @Test(arguments: [
        ("HTTP://Example.ORG", "http://example.org/"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org/A?b=C#part", "https://example.org/A?b=C"),
        ("https://example.org/a?utm_source=x&id=7&UTM_medium=y&fbclid=1&gclid=2", "https://example.org/a?id=7"),
        ("https://example.org/a?utm_source=x", "https://example.org/a"),
        // On other sites they may say which recording is meant.
        ("https://example.org/a?t=3&si=4&feature=5&list=6", "https://example.org/a?t=3&si=4&feature=5&list=6"),
        ("https://open.spotify.com/track/1?si=abc", "https://open.spotify.com/track/1"),
        ("https://example.org/app#!/song/7", "https://example.org/app#!/song/7"),
        ("http://[2001:DB8:0:0::1]:8080/x", "http://[2001:db8::1]:8080/x"),
    ])
    func theCanonicalFormDropsOnlyWhatSaysNothing(text: String, canonical: String) throws {
        #expect(try WebLink(text).canonical == canonical)
    }

    @Test(arguments: [
        ("https://example.org/my song.mp3", "https://example.org/my%20song.mp3"),
        ("https://example.org/ä?q=ö", "https://example.org/%C3%A4?q=%C3%B6"),
        ("https://example.org/a%20b%2Fc", "https://example.org/a%20b%2Fc"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/a%zz", "https://example.org/a%25zz"),
        ("https://example.org/\u{202E}gpm", "https://example.org/%E2%80%AEgpm"),
        ("https://example.org/a?b=<c>&d=\"e\"|f", "https://example.org/a?b=%3Cc%3E&d=%22e%22%7Cf"),
        ("https://example.org?q=1", "https://example.org/?q=1"),
        ("https://example.org/%s/$(id)/`x`", "https://example.org/%25s/$(id)/%60x%60"),
    ])
    func whatIsFetchedIsPlainASCII(text: String, url: String) throws {
        let link = try WebLink(text)
        #expect(link.url == url)
        #expect(link.url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }

    @Test(arguments: [
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://BÜCHER.example/", "xn--bcher-kva.example"),
        ("https://bu\u{308}cher.example/", "xn--bcher-kva.example"),
        ("https://straße.example/", "xn--strae-oqa.example"),
        ("https://ελλάδα.example/", "xn--hxakic4aa.example"),
        ("https://他们为什么不说中文.example/", "xn--ihqwcrb4cv8a8dqg056pqjye.example"),
        ("https://правда.рф/", "xn--80aafi6cg.xn--p1ai"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ])
    func namesBeyondASCIIBecomePunycode(text: String, host: String) throws {
        #expect(try WebLink(text).host == host)
    }

    @Test(
        arguments: [
            ("http://127.0.0.1:8080/song.mp3", "127.0.0.1", 8080),
            ("http://192.168.1.5/", "192.168.1.5", nil),
            ("http://[::1]:80/", "::1", nil),
            ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1", nil),
            ("http://[1:0:0:2:0:0:0:3]/", "1:0:0:2::3", nil),
        ] as [(String, String, Int?)])
    func addressesAreTakenAsTheyAre(text: String, host: String, port: Int?) throws {
        let link = try WebLink(text)
        #expect(link.isAddress)
        #expect(link.host == host)
        #expect(link.port == port)
    }

    @Test func nothingOfAQueryIsShown() throws {
        #expect(try WebLink("https://example.org/a?token=secret").display == "https://example.org/a?…")
        #expect(try WebLink("https://example.org/" + String(repeating: "x", count: 5000)).display.utf8.count <= 200)
        #expect(WebLink.shown("https://me:secret@example.org/a?key=secret") == "https://…@example.org/a?…")
        #expect(WebLink.shown("https://me:sec\u{1B}ret@example.org") == "https://…@example.org")
        #expect(WebLink.shown("https://www.youtube.com/@artist") == "https://www.youtube.com/@artist")
        #expect(WebLink.shown("a\u{1B}[31m\n\u{202E}b") == "a\u{FFFD}[31m\u{FFFD}\u{FFFD}b")
    }

    @Test func aFragmentGivesTheDownloaderNoOrders() throws {
        let link = try WebLink("https://example.org/a#!x#__youtubedl_smuggle=%7B%22to_generic%22%3A1%7D")
        #expect(link.url == "https://example.org/a")
        #expect(try WebLink("https://example.org/a#__youtubedl_smuggle=1").url == "https://example.org/a")
        #expect(try WebLink("https://example.org/a#!__YouTubeDL_smuggle=1").url == "https://example.org/a")
    }
}
