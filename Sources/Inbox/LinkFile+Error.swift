import Jobs

/// A link file or a list of links that leads nowhere, and why.
package struct LinkFileError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Cause: Equatable, Sendable {
        /// More bytes than this.
        case tooLarge(Int)
        /// More links than this.
        case tooMany(Int)
        case empty
        /// The companion file of a Mac, not the file itself.
        case appleDouble
        /// No property list.
        case unreadable
        case noLink
        case severalLinks
        /// A `.desktop` file that starts a program, opens a folder or says nothing.
        case notALink(type: String)
        /// A playlist of the pieces of one stream, not of recordings.
        case streamPlaylist
        case link(WebLinkError)
    }

    package let cause: Cause
    /// The ending of the file's kind, without the dot.
    package let kind: String

    init(_ cause: Cause, _ kind: String) {
        self.cause = cause
        self.kind = kind
    }

    /// One sentence without a full stop: what is wrong.
    package var reason: String {
        switch cause {
        case .tooLarge(let limit):
            "the .\(kind) file is larger than \(limit >> 10) KiB; that is no \(isList ? "list of links" : "link")"
        case .tooMany(let limit): "the list holds more than \(limit) links"
        case .empty: "the .\(kind) file is empty"
        case .appleDouble: "the file holds a Mac's notes about another file, not a link"
        case .unreadable: "the file is no property list, as a .webloc file has to be"
        case .noLink: "the .\(kind) file holds no link"
        case .severalLinks: "the .\(kind) file holds different links, and it is not clear which is meant"
        case .notALink(let type):
            type.isEmpty ? "the .desktop file does not say Type=Link" : "the .desktop file is of Type=\(type), not Type=Link"
        case .streamPlaylist: "the file lists the pieces of one stream (HLS), not recordings"
        case .link(let error): error.reason
        }
    }

    /// One sentence without a full stop: what the person can do.
    package var nextStep: String {
        switch cause {
        case .tooLarge where isList, .tooMany: "split the list into several files"
        case .noLink where isList: "put one http or https link on each line"
        case .severalLinks: "drop one file for each link, or write them into a .txt file, one to a line"
        case .notALink: "drag the address from the browser into the inbox, or write it into a .txt file"
        case .streamPlaylist: "drop a link to the page that plays the stream"
        case .link(let error): error.nextStep
        case .tooLarge, .empty, .appleDouble, .unreadable, .noLink:
            "drag the address from the browser into the inbox again, or write it into a .txt file"
        }
    }

    package var description: String { "\(reason); \(nextStep)" }

    private var isList: Bool { LinkList.Kind(rawValue: kind) != nil }
}
