import Jobs

/// A file with one link to a line, or a playlist. Each link becomes a job of its own.
package struct LinkList: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case txt, urls, list
        /// Old playlists in a Windows code page.
        case m3u
        /// The same in UTF-8.
        case m3u8
    }

    package struct Entry: Sendable, Equatable {
        package let link: WebLink
        /// What a playlist calls it: `Artist - Title`, as a rule.
        package let title: String?
        /// From 1.
        package let lineNumber: Int
    }

    /// A line that leads nowhere.
    package struct Refused: Sendable, Equatable {
        /// From 1.
        package let lineNumber: Int
        /// As far as it may be shown; see `WebLink.shown`.
        package let text: String
        /// One sentence without a full stop.
        package let reason: String
        /// One sentence without a full stop: what the person can do.
        package let nextStep: String
    }

    /// Bytes.
    package static let sizeMax = 1 << 20
    /// Links and refused lines together.
    package static let countMax = 1000

    /// In the order of the file; a link that comes again, in any spelling, is left out.
    package private(set) var entries: [Entry] = []
    /// In the order of the file. May be all there is.
    package private(set) var refused: [Refused] = []

    private var places: [WebLink: Int] = [:]

    /// - Parameter bytes: the whole file, or at least one byte more of it than `sizeMax`.
    /// - Throws: where the file as a whole is none; a line that is none is only `refused`.
    package static func read(_ bytes: [UInt8], kind: Kind) throws(LinkFileError) -> LinkList {
        guard bytes.count <= sizeMax else { throw LinkFileError(.tooLarge(sizeMax), kind.rawValue) }
        guard !bytes.isEmpty else { throw LinkFileError(.empty, kind.rawValue) }
        guard !bytes.starts(with: [0x00, 0x05, 0x16, 0x07]) else { throw LinkFileError(.appleDouble, kind.rawValue) }
        let lines = TextDecoding.lines(TextDecoding.decode(bytes))
        var list = LinkList()
        switch kind {
        case .txt, .urls, .list:
            for line in lines where !isComment(line.text) { try list.add(linkText(line.text), title: nil, line, kind) }
        case .m3u, .m3u8:
            try list.readPlaylist(lines, kind)
        }
        guard !list.entries.isEmpty || !list.refused.isEmpty else { throw LinkFileError(.noLink, kind.rawValue) }
        list.places = [:]
        return list
    }

    /// Whether a `.txt` is a list and not a song's words: each line that is no comment begins with a link, and there is one.
    package static func isList(_ bytes: [UInt8]) -> Bool {
        let lines = TextDecoding.lines(TextDecoding.decode(bytes.prefix(sizeMax))).map(\.text).filter { !isComment($0) }
        return !lines.isEmpty && lines.allSatisfy { linkText($0).hasHTTPScheme }
    }

    /// Source: yt-dlp, yt_dlp/utils/_utils.py, `read_batch_urls`.
    private static func isComment(_ line: String) -> Bool { line.hasPrefix("#") || line.hasPrefix(";") || line.hasPrefix("]") }

    /// The link at the beginning of a line, out of the brackets or quotes that mail programs and tables put around it.
    private static func linkText(_ line: String) -> String {
        let closing: [Character: Character] = ["<": ">", "\"": "\"", "'": "'"]
        if let first = line.first, let last = closing[first], let end = line.dropFirst().firstIndex(of: last) {
            return String(line[line.index(after: line.startIndex)..<end]).trimmingBlanks
        }
        return String(line.prefix { !$0.isWhitespace })
    }

    private mutating func readPlaylist(_ lines: [(number: Int, text: String)], _ kind: Kind) throws(LinkFileError) {
        var title: String?
        for line in lines {
            if line.text.hasPrefix("#") {
                let directive = line.text.prefix { $0 != ":" }.uppercased()
                // Segments of one stream; whoever takes them for recordings gets hundreds of jobs of six seconds.
                // Source: RFC 8216, 4.3.
                if directive.hasPrefix("#EXT-X-") { throw LinkFileError(.streamPlaylist, kind.rawValue) }
                if directive == "#EXTINF" { title = Self.playlistTitle(line.text.dropFirst(8)) }
                continue
            }
            if line.text.contains("://") {
                try add(line.text, title: title, line, kind)
            } else {
                try refuse(
                    line, "it names a file; playlists are read for their links only", "drop the recording itself into the inbox",
                    kind)
            }
            title = nil
        }
    }

    /// `#EXTINF:213 tvg-name="a, b",Artist - Title`: what follows the first comma outside of quotes.
    private static func playlistTitle(_ text: Substring) -> String? {
        var isQuoted = false
        for index in text.indices {
            if text[index] == "\"" { isQuoted.toggle() }
            if text[index] == ",", !isQuoted { return TextDecoding.title(String(text[text.index(after: index)...])) }
        }
        return nil
    }

    private mutating func add(
        _ text: String, title: String?, _ line: (number: Int, text: String), _ kind: Kind
    ) throws(LinkFileError) {
        let link: WebLink
        do { link = try WebLink(text) } catch { return try refuse(line, error.reason, error.nextStep, kind) }
        if let place = places[link] {
            let first = entries[place]
            if first.title == nil { entries[place] = Entry(link: first.link, title: title, lineNumber: first.lineNumber) }
            return
        }
        try checkCount(kind)
        places[link] = entries.count
        entries.append(Entry(link: link, title: title, lineNumber: line.number))
    }

    private mutating func refuse(
        _ line: (number: Int, text: String), _ reason: String, _ nextStep: String, _ kind: Kind
    ) throws(LinkFileError) {
        try checkCount(kind)
        refused.append(Refused(lineNumber: line.number, text: WebLink.shown(line.text), reason: reason, nextStep: nextStep))
    }

    private func checkCount(_ kind: Kind) throws(LinkFileError) {
        if entries.count + refused.count >= Self.countMax { throw LinkFileError(.tooMany(Self.countMax), kind.rawValue) }
    }
}
