import Jobs

/// What a shortcut file leads to. Three systems write three kinds; each says one link.
package struct LinkFile: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Windows, and every browser on it.
        case url
        /// macOS: a property list, as XML or binary.
        case webloc
        /// Linux desktops, of `Type=Link`.
        case desktop
    }

    /// Bytes. Real ones have some hundred; icons and IDs can make it a few thousand.
    package static let sizeMax = 64 << 10

    package let link: WebLink
    /// What the file calls the link; only `.desktop` files do.
    package let title: String?

    /// - Parameter bytes: the whole file, or at least one byte more of it than `sizeMax`.
    package static func read(_ bytes: [UInt8], kind: Kind) throws(LinkFileError) -> LinkFile {
        guard bytes.count <= sizeMax else { throw LinkFileError(.tooLarge(sizeMax), kind.rawValue) }
        guard !bytes.isEmpty else { throw LinkFileError(.empty, kind.rawValue) }
        // What macOS leaves beside a file on a share that knows no resource forks. Source: RFC 1740, appendix B.
        guard !bytes.starts(with: [0x00, 0x05, 0x16, 0x07]) else { throw LinkFileError(.appleDouble, kind.rawValue) }
        switch kind {
        case .url: return LinkFile(link: try only(InternetShortcut.targets(TextDecoding.decode(bytes)), kind), title: nil)
        case .webloc:
            guard let targets = PropertyListURL.targets(bytes) else { throw LinkFileError(.unreadable, kind.rawValue) }
            return LinkFile(link: try only(targets, kind), title: nil)
        case .desktop:
            let entry = DesktopEntry(TextDecoding.decode(bytes))
            guard entry.type == "Link" else {
                throw LinkFileError(.notALink(type: WebLink.shown(entry.type ?? "")), kind.rawValue)
            }
            return LinkFile(link: try only(entry.targets, kind), title: entry.name.flatMap(TextDecoding.title))
        }
    }

    /// The link that all targets mean.
    private static func only(_ targets: [String], _ kind: Kind) throws(LinkFileError) -> WebLink {
        var distinct: [String] = []
        for target in targets.map(\.trimmingBlanks) where !target.isEmpty && !distinct.contains(target) {
            distinct.append(target)
            // Two are refused below whatever they are, and noise must not make this loop long.
            if distinct.count > 8 { break }
        }
        guard let first = distinct.first else { throw LinkFileError(.noLink, kind.rawValue) }
        let link: WebLink
        do { link = try WebLink(first) } catch {
            throw LinkFileError(distinct.count > 1 ? .severalLinks : .link(error), kind.rawValue)
        }
        for other in distinct.dropFirst() where (try? WebLink(other)) != link {
            throw LinkFileError(.severalLinks, kind.rawValue)
        }
        return link
    }
}
