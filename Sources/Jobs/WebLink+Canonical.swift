extension WebLinkParts {
    /// The form that all links to one recording share, as far as that can be told without asking anybody.
    ///
    /// Dropping too little costs a second fetch; dropping too much answers with the wrong song. So `t`, `si` and `feature` go only
    /// where they are known to say nothing about the content.
    var canonical: WebLinkParts {
        var result = self
        if port == nil, let video = youTubeVideo {
            result.scheme = "https"
            result.host = .name("www.youtube.com")
            result.path = "/watch"
            // `list` beside `v` is the list the video was found in; mixes (`RD…`) never end.
            result.query = "v=" + video
            result.fragment = nil
            result.isVideo = true
            return result
        }
        if port == nil, isYouTube {
            result.scheme = "https"
            result.host = .name("www.youtube.com")
        }
        let site = Self.siteParameters.first { site in site.hosts.contains { host.isOrIsBelow($0) } }
        let kept = (query ?? "").split(separator: "&").filter { parameter in
            let name = parameter.prefix { $0 != "=" }.lowercased()
            return !name.hasPrefix("utm_") && !Self.tracking.contains(name) && !(site?.names.contains(name) ?? false)
        }
        result.query = kept.isEmpty ? nil : kept.joined(separator: "&")
        return result
    }

    /// What advertisers, mailers and share buttons add, on any site.
    private static let tracking: Set<String> = [
        "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid", "igsh", "igshid",
        "mc_cid", "mc_eid", "mkt_tok", "_ga", "_gl",
    ]

    /// What says nothing about the content on these sites, and something on others.
    private static let siteParameters: [(hosts: [String], names: Set<String>)] = [
        (
            ["youtube.com", "youtube-nocookie.com", "youtu.be"],
            [
                "si", "feature", "t", "start", "end", "time_continue", "pp", "ab_channel", "app", "index", "start_radio",
                "autoplay",
            ]
        ),
        (["spotify.com", "soundcloud.com", "deezer.com"], ["si", "in", "ref", "p", "c", "nd"]),
        (["twitter.com", "x.com"], ["s", "t", "ref_src"]),
    ]

    private var isYouTube: Bool {
        guard case .name(let name) = host else { return false }
        return ["youtube.com", "youtube-nocookie.com"].contains { domain in
            ["", "www.", "m.", "music."].contains { name == $0 + domain }
        }
    }

    /// The ID of the one video the link leads to.
    private var youTubeVideo: String? {
        let components = path.split(separator: "/").map(String.init)
        if host == .name("youtu.be") || host == .name("www.youtu.be") { return components.first.flatMap(Self.videoID) }
        guard isYouTube, let first = components.first else { return nil }
        if first == "watch", components.count == 1 {
            let parameter = (query ?? "").split(separator: "&").first { $0.hasPrefix("v=") }
            return parameter.flatMap { Self.videoID(String($0.dropFirst(2))) }
        }
        guard components.count >= 2, ["shorts", "live", "embed", "v", "e", "watch"].contains(first) else { return nil }
        return Self.videoID(components[1])
    }

    private static func videoID(_ text: String) -> String? {
        // `/embed/videoseries?list=…` and `/embed/live_stream?channel=…` only look like IDs.
        guard text.utf8.count == 11, text != "videoseries", text != "live_stream" else { return nil }
        return text.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") } ? text : nil
    }
}

extension UInt8 {
    var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isASCIIAlphanumeric: Bool { isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
}
