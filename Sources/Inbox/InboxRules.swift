import Host
import Jobs

/// What a file in the inbox is, by its name alone.
package enum DropKind: Sendable, Equatable, Hashable {
    /// A recording, with sound alone or with a picture.
    case media
    case link(LinkFile.Kind)
    /// A list by its ending; `.txt` is one only by its content.
    case list(LinkList.Kind)
    /// A song's words, or a list of links: `LinkList.isList` tells.
    case text
    /// A song's words with times.
    case lyrics
    /// Left alone, and counted; the reason is for the debug log and `lyricd doctor`.
    case ignored(String)
    /// No ending that lyricd knows; left alone, and counted.
    case unsupported

    package init(_ name: FileName) {
        if let reason = IgnoreRules.reason(forFile: name) {
            self = .ignored(reason)
            return
        }
        let ending = name.pathExtension
        if MediaTypes.isMedia(ending) {
            self = .media
        } else if let kind = LinkFile.Kind(rawValue: ending) {
            self = .link(kind)
        } else if ending == "txt" {
            self = .text
        } else if let kind = LinkList.Kind(rawValue: ending) {
            self = .list(kind)
        } else if ending == "lrc" {
            self = .lyrics
        } else {
            self = .unsupported
        }
    }

    /// How to read it as a list of links; `nil` where it can be none.
    package var listKind: LinkList.Kind? {
        switch self {
        case .list(let kind): kind
        case .text: .txt
        case .media, .link, .lyrics, .ignored, .unsupported: nil
        }
    }

    /// What the database calls a drop of this kind.
    package var dropKind: Drop.Kind {
        switch self {
        case .media: .media
        case .link: .link
        case .list: .list
        case .text, .lyrics: .lyrics
        case .ignored, .unsupported: .other
        }
    }
}
