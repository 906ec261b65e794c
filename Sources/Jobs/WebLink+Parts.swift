/// The parts of a checked link, and what becomes of them in the canonical form.
struct WebLinkParts: Equatable {
    var scheme: String
    var host: WebHost
    var port: Int?
    /// Begins with `/`.
    var path: String
    var query: String?
    /// Only the kind that tells a page's own script what to show (`#!/video/7`); one that marks a place in the page is dropped.
    var fragment: String?
    /// Set for the one spelling of a YouTube video.
    var isVideo = false

    init(_ text: String) throws(WebLinkError) {
        let scalars = Array(text.unicodeScalars)
        guard let colon = scalars.firstIndex(of: ":"), Self.isScheme(scalars[..<colon]) else {
            throw WebLinkError(.noScheme, text)
        }
        let name = Self.string(scalars[..<colon]).lowercased()
        var rest = scalars[(colon + 1)...]
        guard name == "http" || name == "https" else {
            // `nas:8080/x`, `C:\Music` and `www.example.org:443` have no scheme at all.
            let isNone = name.count == 1 || name.contains(".") || (rest.first.map { ("0"..."9").contains($0) } ?? false)
            throw WebLinkError(isNone ? .noScheme : .scheme(name), text)
        }
        guard rest.starts(with: "//".unicodeScalars) else { throw WebLinkError(.noHost, text) }
        rest = rest.dropFirst(2)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        scheme = name
        (host, port) = try Self.authority(rest[..<end], text)
        if port == (name == "http" ? 80 : 443) { port = nil }
        rest = rest[end...]
        if let hash = rest.firstIndex(of: "#") {
            fragment = Self.fragment(rest[(hash + 1)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = Self.escaping(rest[(mark + 1)...])
            rest = rest[..<mark]
        }
        path = rest.isEmpty ? "/" : Self.escaping(rest)
    }

    var text: String { textBeforeQuery + (query.map { "?" + $0 } ?? "") + (fragment.map { "#" + $0 } ?? "") }

    var textWithoutQuery: String { textBeforeQuery + (query == nil ? "" : "?…") }

    private var textBeforeQuery: String { scheme + "://" + host.urlText + (port.map { ":\($0)" } ?? "") + path }

    private static func isScheme(_ name: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = name.first, name.count <= 32, first.isASCII, first.properties.isAlphabetic else { return false }
        return name.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "+" || $0 == "-" || $0 == ".")
        }
    }

    private static func authority(_ text: ArraySlice<Unicode.Scalar>, _ whole: String) throws(WebLinkError) -> (WebHost, Int?) {
        guard !text.contains("@") else { throw WebLinkError(.userInfo, whole) }
        var name = text
        var port: Int?
        let bracket = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[bracket...].lastIndex(of: ":") {
            name = text[..<colon]
            let digits = text[(colon + 1)...]
            if !digits.isEmpty {
                guard digits.count <= 5, digits.allSatisfy({ ("0"..."9").contains($0) }), let number = Int(string(digits)),
                    (1...65535).contains(number)
                else { throw WebLinkError(.badPort(WebLink.shown(string(digits))), whole) }
                port = number
            }
        }
        guard !name.isEmpty else { throw WebLinkError(.noHost, whole) }
        do { return (try WebHost(string(name)), port) } catch { throw WebLinkError(.badHost(error.why), whole) }
    }

    /// yt-dlp takes orders from a fragment that begins with `__youtubedl_smuggle`; a stranger must not give them.
    /// Source: yt-dlp, yt_dlp/utils/_utils.py, `unsmuggle_url`.
    private static func fragment(_ text: ArraySlice<Unicode.Scalar>) -> String? {
        guard let first = text.first, first == "!" || first == "/" else { return nil }
        let escaped = escaping(text)
        return escaped.lowercased().contains("youtubedl") ? nil : escaped
    }

    /// Everything that may not stand in a URL as `%XX` of its UTF-8; what is escaped already stays as it is. Source: RFC 3986, 2.
    private static func escaping(_ text: ArraySlice<Unicode.Scalar>) -> String {
        var result = ""
        for (index, scalar) in zip(text.indices, text) {
            let isWritten = scalar.value > 0x20 && scalar.value < 0x7F && !"\"<>\\^`{|}#".unicodeScalars.contains(scalar)
            let following = text[(index + 1)...].prefix(2)
            let isLoosePercent = scalar == "%" && !(following.count == 2 && following.allSatisfy(\.properties.isASCIIHexDigit))
            if isWritten && !isLoosePercent {
                result.unicodeScalars.append(scalar)
            } else {
                for byte in String(scalar).utf8 { result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true) }
            }
        }
        return result
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var result = ""
        result.unicodeScalars.append(contentsOf: scalars)
        return result
    }
}
