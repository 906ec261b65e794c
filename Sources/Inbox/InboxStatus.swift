/// What the inbox is doing, for `lyricd jobs`, the status line and the watchdog.
package struct InboxStatus: Sendable, Equatable, Codable {
    package struct Waiting: Sendable, Equatable, Codable {
        /// Printable path below the inbox.
        package var path: String
        package var reason: String
    }
    /// Why no drops are taken just now; `nil` while they are.
    package var paused: String?
    /// Whether the inbox folder is there, and why not.
    package var absent: String?
    /// `inotify` or `poll`, for the inbox itself.
    package var mode = "inotify"
    /// Why a folder is polled although inotify was wanted.
    package var modeReason: String?
    package var folders = 0
    /// Files that are not complete yet, the first hundred.
    package var waiting: [Waiting] = []
    package var waitingCount = 0
    /// Files that are none of our business.
    package var ignoredCount = 0
    /// Files with an ending that lyricd does not know.
    package var unsupportedCount = 0
    /// Seconds of the boot clock at the end of the last look.
    package var lastPass = 0.0

    package init() {}
}
