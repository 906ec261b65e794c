/// A link that a person dropped: `http` or `https`, a host, and nothing that could be taken for an option or a log line.
///
/// What a link leads to is not judged here: addresses inside the house are refused when the host is resolved, before the fetch.
/// Two links are equal where they lead to the same recording, that is, where `canonical` is the same.
package struct WebLink: Hashable, Sendable, CustomStringConvertible {
    /// Bytes. Longer ones are nobody's link; browsers and servers stop at about the same size.
    package static let lengthMax = 8 << 10

    /// What is fetched: ASCII only, the host in lower case and as punycode, everything else as it was written.
    package let url: String
    /// The key under which an earlier result is found: without tracking parameters, one spelling per YouTube video.
    package let canonical: String
    /// For people and logs: nothing of a query but a video's ID, because a query may hold a token; at most 200 bytes.
    package let display: String
    /// As a resolver takes it: lower case, punycode, an IPv6 address without brackets.
    package let host: String
    /// `nil` where the link names none: then 80 for `http`, 443 for `https`.
    package let port: Int?
    /// Whether the host is an address, not a name.
    package let isAddress: Bool

    package var description: String { display }

    /// Takes a link as people write it: blanks around it are dropped, characters outside ASCII become what the network wants.
    package init(_ text: String) throws(WebLinkError) {
        // Before anything walks over it: a megabyte of noise must not cost a megabyte of work, several times.
        guard text.utf8.count <= Self.lengthMax else { throw WebLinkError(.tooLong(bytes: text.utf8.count), text) }
        let text = text.trimmingBlanks
        guard !text.isEmpty else { throw WebLinkError(.empty, text) }
        if let control = text.unicodeScalars.first(where: { $0.properties.generalCategory == .control }) {
            throw WebLinkError(.controlCharacter(control.value), text)
        }
        // Downloaders read a leading dash as an option, `--exec=…` among them.
        guard text.utf8.first != UInt8(ascii: "-") else { throw WebLinkError(.leadingDash, text) }
        let parts = try WebLinkParts(text)
        let canonicalParts = parts.canonical
        url = parts.text
        // Escapes are three times as long as what they stand for.
        guard url.utf8.count <= Self.lengthMax else { throw WebLinkError(.tooLong(bytes: url.utf8.count), text) }
        canonical = canonicalParts.text
        host = parts.host.resolverName
        port = parts.port
        isAddress = parts.host.isAddress
        let shown = canonicalParts.isVideo ? canonical : parts.textWithoutQuery
        display = shown.utf8.count <= 200 ? shown : String(decoding: shown.utf8.prefix(197), as: UTF8.self) + "…"
    }

    package static func == (left: WebLink, right: WebLink) -> Bool { left.canonical == right.canonical }
    package func hash(into hasher: inout Hasher) { hasher.combine(canonical) }

    /// Any text made fit for a message about a link: no control characters, no password, no query, at most 80 characters.
    package static func shown(_ text: String) -> String {
        let limit = 80
        // What is cut off cannot be shown, but a password before an `@` that is cut off could.
        var scalars = Array(text.unicodeScalars.prefix(lengthMax))
        if let colon = scalars.indices.first(where: { scalars[$0...].starts(with: "://".unicodeScalars) }) {
            let start = colon + 3
            let end = scalars[start...].firstIndex { "/?#\\".unicodeScalars.contains($0) } ?? scalars.endIndex
            if let at = scalars[start..<end].lastIndex(of: "@") { scalars.replaceSubrange(start..<at, with: ["…"]) }
            if let query = scalars.firstIndex(of: "?"), query + 1 < scalars.endIndex {
                scalars.replaceSubrange((query + 1)..., with: ["…"])
            }
        }
        var result = ""
        for scalar in scalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: result.unicodeScalars.append("\u{FFFD}")
            default: result.unicodeScalars.append(scalar)
            }
        }
        return scalars.count <= limit ? result : result + "…"
    }
}

extension String {
    /// Without what is blank at either end, a stray byte order mark included.
    package var trimmingBlanks: String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isWhitespace || scalar == "\u{FEFF}" }
        guard let first = unicodeScalars.firstIndex(where: { !isBlank($0) }),
            let last = unicodeScalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(unicodeScalars[first...last])
    }
}
