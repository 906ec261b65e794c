import Jobs
import Stages
import Testing

@Suite struct YtDlpErrorTests {
    /// Texts as yt-dlp 2026.10.26 printed them, and as its source and the sites word them.
    static let recorded: [(String, FailureClass)] = [
        (
            "ERROR: [generic] song: Unable to download webpage: HTTPConnection(host='127.0.0.1', port=41611): Failed to establish a new connection: refused by lyricd: points at a private address (127.0.0.1) (caused by TransportError(\"…\"))",
            .policy
        ),
        (
            "ERROR: file:// URLs are disabled by default in yt-dlp for security reasons. Use --enable-file-urls to enable at your own risk.",
            .policy
        ),
        ("ERROR: [generic] 'hello world' is not a valid URL", .policy),
        ("ERROR: unable to write data: [Errno 28] No space left on device", .environment),
        ("ERROR: Unable to create directory: [Errno 2] No such file or directory: '/proc/nope'", .environment),
        ("ERROR: unable to open for writing: [Errno 13] Permission denied: '/srv/x/media.mp3.part'", .environment),
        ("ModuleNotFoundError: No module named 'yt_dlp'", .environment),
        ("ERROR: [youtube] jNQXAC9IVRw: No supported JavaScript runtime could be found", .environment),
        (
            "ERROR: [youtube] jNQXAC9IVRw: Requested format is not available. Use --list-formats for a list of available formats",
            .environment
        ),
        (
            "ERROR: [youtube] jNQXAC9IVRw: No video formats found!; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue template.",
            .environment
        ),
        (
            "ERROR: m3u8 download detected but ffmpeg could not be found. Please install or provide the path using --ffmpeg-location",
            .permanent
        ),
        ("ERROR: [youtube] jNQXAC9IVRw: Private video. Sign in if you've been granted access to this video", .permanent),
        (
            "ERROR: [youtube] jNQXAC9IVRw: Join this channel to get access to members-only content like this video, and other exclusive perks.",
            .needsAuth
        ),
        ("ERROR: [youtube] jNQXAC9IVRw: Sign in to confirm your age. This video may be inappropriate for some users.", .needsAuth),
        (
            "ERROR: [youtube] jNQXAC9IVRw: Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication.",
            .needsAuth
        ),
        (
            "ERROR: [vimeo] 1: This video is only available for registered users. Use --cookies, --cookies-from-browser, --username and --password",
            .needsAuth
        ),
        (
            "ERROR: [generic] 401: Unable to download webpage: HTTP Error 401: Unauthorized (caused by <HTTPError 401: Unauthorized>)",
            .needsAuth
        ),
        (
            "ERROR: [generic] 429: Unable to download webpage: HTTP Error 429: Too Many Requests (caused by <HTTPError 429: Too Many Requests>)",
            .rateLimited
        ),
        (
            "ERROR: [youtube] jNQXAC9IVRw: Video unavailable. This content isn't available, try again later. The current session has been rate-limited by YouTube for up to an hour.",
            .rateLimited
        ),
        ("ERROR: [youtube] jNQXAC9IVRw: The uploader has not made this video available in your country", .permanent),
        (
            "ERROR: [bbc] x: This video is not available from your location due to geo restriction. You might want to use a VPN or a proxy server (with --proxy) to workaround.",
            .permanent
        ),
        ("ERROR: [spotify] The requested site is known to use DRM protection. It will NOT be supported.", .permanent),
        ("ERROR: [youtube] jNQXAC9IVRw: This live event will begin in 3 hours.", .permanent),
        ("ERROR: [youtube] jNQXAC9IVRw: Premieres in 2 days", .permanent),
        ("ERROR: [youtube] @x/live: The channel is not currently live", .permanent),
        ("ERROR: [youtube] jNQXAC9IVRw: Video unavailable. This video has been removed by the uploader", .permanent),
        (
            "ERROR: [youtube] jNQXAC9IVRw: Video unavailable. This video is no longer available because the YouTube account associated with this video has been terminated.",
            .permanent
        ),
        ("ERROR: [generic] 404: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)", .permanent),
        (
            "ERROR: [generic] 451: Unable to download webpage: HTTP Error 451: Unavailable For Legal Reasons (caused by <HTTPError 451: Unavailable For Legal Reasons>)",
            .permanent
        ),
        ("ERROR: Unsupported URL: http://127.0.0.1:18777/plain.html", .permanent),
        ("ERROR: No suitable extractor found for URL http://127.0.0.1/x", .permanent),
        ("ERROR: unable to download video data: HTTP Error 403: Forbidden", .transient),
        (
            "ERROR: [generic] 500: Unable to download webpage: HTTP Error 500: Internal Server Error (caused by <HTTPError 500: Internal Server Error>)",
            .transient
        ),
        (
            "ERROR: [generic] x: Unable to download webpage: HTTP Error 302: The HTTP server returned a redirect error that would lead to an infinite loop. (caused by <HTTPError 302: Found>)",
            .permanent
        ),
        (
            "ERROR: [generic] 418: Unable to download webpage: HTTP Error 418: I'm a Teapot (caused by <HTTPError 418: I'm a Teapot>)",
            .permanent
        ),
        (
            "ERROR: [generic] x: Unable to download webpage: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:992) (caused by CertificateVerifyError(…))",
            .permanent
        ),
        (
            "ERROR: [generic] x: Unable to download webpage: HTTPConnection(host='nosuchhost.invalid', port=80): Failed to resolve 'nosuchhost.invalid' ([Errno -2] Name or service not known) (caused by TransportError(…))",
            .transient
        ),
        (
            "ERROR: [generic] x: Unable to download webpage: HTTPConnection(host='127.0.0.1', port=1): Failed to establish a new connection: [Errno 111] Connection refused (caused by TransportError(…))",
            .transient
        ),
        (
            "ERROR: [generic] hang: Unable to download webpage: HTTPConnectionPool(host='127.0.0.1', port=18777): Read timed out. (read timeout=3.0) (caused by TransportError(…))",
            .transient
        ),
        ("ERROR: [download] Got error: 1015808 bytes read, 2780854 more expected. Giving up after 2 retries", .transient),
        ("ERROR: fragment 3 not found, unable to continue", .transient),
        (
            "ERROR: [soundcloud] x: Unable to extract client id; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q=",
            .environment
        ),
    ]

    @Test(arguments: recorded)
    func aRecordedTextHasItsClass(text: String, expected: FailureClass) throws {
        let row = try #require(YtDlpError.classify([text]))
        #expect(row.failureClass == expected)
        #expect(!row.message.isEmpty && !row.message.hasSuffix("."))
    }

    @Test func everyRowIsTheMeaningOfARecordedText() {
        let met = Set(Self.recorded.compactMap { YtDlpError.classify([$0.0])?.pattern })
        for row in YtDlpError.table {
            #expect(met.contains(row.pattern), "no text for \(row.pattern)")
        }
    }

    @Test func aTextNobodyHasSeenHasNoRow() {
        #expect(YtDlpError.classify(["ERROR: the moon is in the seventh house"]) == nil)
        #expect(YtDlpError.classify([]) == nil)
    }

    @Test func theLastKnownLineDecides() {
        let row = YtDlpError.classify([
            "ERROR: [download] Got error: HTTP Error 404: Not Found. Giving up after 1 retries",
            "ERROR: fragment 3 not found, unable to continue",
        ])
        #expect(row?.failureClass == .transient)
        let first = YtDlpError.classify(["ERROR: Unsupported URL: http://x", "ERROR: words nobody knows"])
        #expect(first?.failureClass == .permanent)
    }
}
