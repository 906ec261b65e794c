/// What a person put into the inbox, and where the thing itself is now.
package struct Drop: Sendable, Equatable, Identifiable {
    package typealias ID = Int64

    package enum Kind: String, Sendable, Codable {
        case media, link, list
        /// Known lyrics for which no recording came.
        case lyrics
        /// Something with a song's name that is none: a symbolic link, a pipe, a device.
        case other
    }

    /// Where the source is. Only `present` and `disposing` sources are still in the inbox.
    package enum Disposal: String, Sendable, Codable {
        case present
        /// `disposedTo` is decided; the move may or may not have happened.
        case disposing
        case archived, deleted
        /// Left in the inbox on purpose, for good.
        case kept
        /// Moved beside a text that says why.
        case failed
        /// Somebody took it away.
        case gone
    }

    package let id: ID
    package let kind: Kind
    /// Path of the folder below the inbox, as bytes; empty for the inbox itself.
    package let folder: [UInt8]
    /// Names are bytes: a name need not be UTF-8.
    package let name: [UInt8]
    package let profile: String
    package let identity: SourceIdentity
    /// SHA-256 of the file as claimed; empty for what was never read.
    package let digest: String
    /// Name of the known lyrics' file, in the same folder.
    package let lyricsName: [UInt8]?
    package let disposal: Disposal
    /// Where it went, relative to the archive or the failed folder.
    package let disposedTo: [UInt8]?
    /// Unix seconds.
    package let receivedAt: Double
}

/// By what a file in the inbox is recognised without being read again.
package struct SourceIdentity: Sendable, Hashable, Codable {
    package var device: Int64
    package var inode: Int64
    /// Bytes.
    package var size: Int64
    /// Nanoseconds of the Unix time.
    package var modified: Int64
    package var changed: Int64

    package init(device: Int64, inode: Int64, size: Int64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }
}

/// A drop that is about to be recorded, with its jobs.
package struct NewDrop: Sendable {
    package var kind: Drop.Kind
    package var folder: [UInt8]
    package var name: [UInt8]
    package var profile: String
    package var identity: SourceIdentity
    package var digest: String
    package var lyricsName: [UInt8]?
    package var jobs: [NewJob]

    package init(
        kind: Drop.Kind, folder: [UInt8], name: [UInt8], profile: String, identity: SourceIdentity, digest: String,
        lyricsName: [UInt8]? = nil, jobs: [NewJob]
    ) {
        self.kind = kind
        self.folder = folder
        self.name = name
        self.profile = profile
        self.identity = identity
        self.digest = digest
        self.lyricsName = lyricsName
        self.jobs = jobs
    }
}

/// A job that is about to be recorded.
package struct NewJob: Sendable {
    package var key: String
    package var title: String
    package var url: String?
    package var contentKey: String
    package var lyricsDigest: String?
    package var plan: Plan
    package var outboxFolder: String
    /// Set for what is refused on arrival: the job begins and ends as failed.
    package var refusal: Refusal?

    package struct Refusal: Sendable {
        package var failure: FailureClass
        package var reason: String
        package var nextStep: String

        package init(failure: FailureClass, reason: String, nextStep: String) {
            self.failure = failure
            self.reason = reason
            self.nextStep = nextStep
        }
    }

    package init(
        key: String, title: String, url: String? = nil, contentKey: String, lyricsDigest: String? = nil, plan: Plan,
        outboxFolder: String = "", refusal: Refusal? = nil
    ) {
        self.key = key
        self.title = title
        self.url = url
        self.contentKey = contentKey
        self.lyricsDigest = lyricsDigest
        self.plan = plan
        self.outboxFolder = outboxFolder
        self.refusal = refusal
    }
}
