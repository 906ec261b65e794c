import Jobs

/// What a text of yt-dlp means. yt-dlp's exit status says nothing (1 for everything), so its `ERROR:` lines are read.
///
/// Sources: yt-dlp, `yt_dlp/utils/_utils.py`, `yt_dlp/extractor/common.py`, `yt_dlp/extractor/youtube/`, and the answers of the
/// sites themselves. A text that no row knows is *transient*.
package struct YtDlpError: Sendable {
    /// Regular expression, found anywhere in an `ERROR:` line, capitals or not.
    package let pattern: String
    package let failureClass: FailureClass
    package let message: String
    package let nextStep: String

    private init(_ pattern: String, _ failureClass: FailureClass, _ message: String, _ nextStep: String = "") {
        self.pattern = pattern
        self.failureClass = failureClass
        self.message = message
        self.nextStep = nextStep
    }

    /// The row for a failed run, or `nil` for texts nobody has seen yet.
    ///
    /// - Parameter lines: the `ERROR:` lines in the order they were written. The last one that is known decides: those before
    ///   it led there.
    package static func classify(_ lines: [String]) -> YtDlpError? {
        for line in lines.reversed() {
            for row in table where row.matches(line) { return row }
        }
        return nil
    }

    package func matches(_ line: String) -> Bool {
        // The table's patterns are compiled by a test; one that cannot be compiled matches nothing.
        guard let regex = try? Regex(pattern).ignoresCase() else { return false }
        return line.firstMatch(of: regex) != nil
    }

    private static let update = "bring yt-dlp up to date: run engines/install again, or a newer release of lyricd"
    private static let cookies = "the site wants a login: recordings like this one have to be fetched by hand and dropped as a file"
    private static let byItself = "it is tried again by itself"

    /// In order: the first row that matches a line is its meaning.
    package static let table: [YtDlpError] = [
        // This installation
        .init(
            "refused by lyricd: points at a private address", .policy, "the link leads to a private address",
            "drop the file itself instead of a link into the local network"),
        .init("file:// URLs are disabled", .policy, "links to files of this machine are not followed", "drop the file itself"),
        .init("is not a valid URL|Unsupported url scheme", .policy, "this is not a link to the web", "check the link"),
        .init(
            "No space left on device|Errno 28|Disk quota exceeded|Errno 122", .environment, "no space left for the download",
            "make space; the job goes on by itself"),
        .init(
            "Permission denied: '|Unable to create directory|Read-only file system", .environment, "the download cannot be written",
            "look at the state folder's permissions"),
        .init(
            "ModuleNotFoundError|ImportError|No module named", .environment, "yt-dlp's installation is broken", "run engines/install again"),
        .init(
            "No supported JavaScript runtime|n challenge solving failed", .environment,
            "yt-dlp lacks the JavaScript runtime this site needs", update),
        .init(
            "Requested format is not available|No video formats found", .environment,
            "yt-dlp found the recording but no sound it can fetch", update),
        .init(
            "ffmpeg could not be found|ffmpeg not found|ffmpeg is not installed", .permanent,
            "the site sends this recording in a form that is not fetched here", "fetch it by other means and drop the file"),
        // Who may hear it
        .init(
            "private video|This (track|playlist|video|post) is private", .permanent, "the recording is private",
            "ask its owner to share it, or drop the file"),
        .init(
            "members-only|join this channel|available to (this channel's )?members", .needsAuth,
            "only members of the channel may hear this", cookies),
        .init(
            "confirm your age|inappropriate for some users|age.restricted", .needsAuth, "the site wants to know the listener's age", cookies
        ),
        .init(
            "confirm you.re not a bot|captcha", .needsAuth, "the site takes this machine for a robot",
            "wait some hours, or fetch the recording by hand and drop the file"),
        .init(
            "only available for registered users|Use --cookies|Login details are needed|This video requires (login|authentication)|HTTP Error 401|HTTP Error 407",
            .needsAuth, "the site wants a login", cookies),
        .init(
            "has been rate-limited|HTTP Error 429|Too Many Requests|try again later", .rateLimited, "the site asks us to slow down",
            byItself + ", later"),
        .init(
            "not made this video available in your country|not available from your location|geo.?restrict|might want to use a VPN|blocked it in your country",
            .permanent, "the recording is not available in this country", "drop the file if you have it"),
        .init("DRM protected|DRM protection", .permanent, "the recording is protected against copying"),
        // Whether it is there
        .init(
            "live event will begin|premieres in|Premiere will begin", .permanent, "the recording has not begun yet",
            "drop the link again when it is over"),
        .init(
            "channel is not currently live|is not currently live|live stream recording is not available", .permanent,
            "there is no recording of this live stream"),
        .init(
            "Video unavailable|removed by the uploader|account.*terminated|account.*closed|no longer available|does not exist|HTTP Error 404|HTTP Error 410",
            .permanent, "the recording is not there, or no longer", "check the link"),
        .init("HTTP Error 451", .permanent, "the recording was taken down for legal reasons"),
        .init(
            "Unsupported URL", .permanent, "there is no recording on this page, or yt-dlp cannot find it",
            "look for the link of the recording itself"),
        .init(
            "No suitable extractor|There.s no video in this|No media found", .permanent, "there is no recording at this link",
            "check the link"),
        // The way there
        .init("HTTP Error 403", .transient, "the site refuses to hand the recording over (403)", update),
        .init("HTTP Error (5..|408|425)", .transient, "the site has trouble of its own", byItself),
        .init("HTTP Error 3..|exceeded \\d+ redirects|too many redirects", .permanent, "the link leads in a circle", "check the link"),
        .init("HTTP Error 4..", .permanent, "the site does not answer to this link", "check the link"),
        .init(
            "CERTIFICATE_VERIFY_FAILED|certificate verify failed|certificate has expired", .permanent,
            "the site's certificate cannot be trusted",
            "check the link, and this machine's clock and certificates (package ca-certificates)"),
        .init(
            "Failed to resolve|Name or service not known|Temporary failure in name resolution|getaddrinfo failed|Errno -[235]\\b",
            .transient, "the site's name has no address", byItself + "; check the link and this machine's network"),
        .init(
            "Connection refused|Errno 111|Network is unreachable|No route to host|Errno 101|Errno 113", .transient,
            "the site cannot be reached", byItself),
        .init("timed out|read timeout|Errno 110", .transient, "the site does not answer in time", byItself),
        .init(
            "more expected|IncompleteRead|Connection reset|Connection aborted|Remote end closed|Broken pipe|Errno 104|EOF occurred|SSL:|content too short|downloaded 0 bytes|downloaded file is empty",
            .transient, "the connection broke off", byItself),
        .init("fragment \\d+ not found|unable to continue", .transient, "a part of the recording is missing at the site", byItself),
        .init(
            "Unable to extract|please report this issue|Failed to parse JSON|Unable to parse", .environment,
            "the site has changed and this yt-dlp does not understand it", update),
    ]
}
