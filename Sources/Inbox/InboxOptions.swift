import Jobs

/// How the inbox is read. Times are seconds.
package struct InboxOptions: Sendable {
    package enum Watch: String, Sendable { case auto, poll }
    /// What becomes of the source after a durable result.
    package enum SourceRule: String, Sendable { case archive, keep, delete }

    /// Absolute paths.
    package var inbox: String
    package var archive: String
    package var failed: String
    package var work: String
    package var orders: String
    /// `poll` never uses inotify; `auto` decides for each folder by its file system.
    package var watch: Watch = .auto
    package var source: SourceRule = .archive
    /// A file is complete when it has not changed for so long …
    package var settle = 5.0
    /// … after it appeared by a rename, which most tools do with finished files,
    package var settleMoved = 2.0
    /// … for link files, lists and lyrics: small, and written at once,
    package var settleLink = 1.0
    /// … where it has holes or further hard links: somebody may be filling it from elsewhere,
    package var settleSuspect = 15.0
    /// … on a network file system, where times arrive late.
    package var settleNetwork = 30.0
    /// After so long a file that still changes is reported as such; it is never taken.
    package var settleMax = 6 * 3600.0
    /// An empty file is a file whose writer has not begun; after so long it is refused.
    package var settleEmpty = 600.0
    /// All folders are listed again so often, whatever was or was not notified.
    package var rescan = 60.0
    /// The same for folders that cannot be watched.
    package var poll = 5.0
    /// Lyrics without a recording wait so long for one.
    package var lyricsWait = 24 * 3600.0
    /// Lyrics that come so long after their recording was finished bring it back.
    package var lyricsGrace = 3600.0
    /// Refuses to read an inbox that is not a mount point: an unmounted disk looks like an empty inbox.
    package var requireMount = false
    package var maxDepth = 16
    package var maxFolders = 5000
    /// Unfinished jobs above which no further drops are taken.
    package var queueMax = 200_000
    /// Bytes that must stay free on the file system of the work folder.
    package var freeSpace = 512 << 20
    /// Plans by the name of their profile; `default` is always there. A sub-folder of a profile's name selects it.
    package var plans: [String: Plan] = ["default": Plan()]

    package init(inbox: String, archive: String, failed: String, work: String, orders: String) {
        self.inbox = inbox
        self.archive = archive
        self.failed = failed
        self.work = work
        self.orders = orders
    }
}
