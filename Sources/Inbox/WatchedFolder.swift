import Host
import Jobs

/// One folder of the inbox: what was seen in it and what is known of that.
///
/// Confined to the scanner; nothing here is shared between threads.
final class WatchedFolder {
    enum Mode: Equatable {
        /// Event-driven; listed again every `rescan` seconds all the same.
        case notify
        case poll(reason: String)
    }

    let id: Int
    /// Names from the inbox to here; empty for the inbox itself.
    let components: [FileName]
    let device: UInt64
    let isNetwork: Bool
    var mode: Mode
    var lastScan = -Double.infinity
    /// How long the last listing took; a folder is not listed more than half of the time.
    var scanSeconds = 0.0
    /// When to try again to set a watch that the kernel refused for want of resources.
    var retryWatchAt: Double?
    /// A probe file was made at this moment, and its event has not come yet.
    var probedAt: Double?
    var entries: [FileName: Entry] = [:]
    var ignoredCount = 0
    var unsupportedCount = 0
    var generation: UInt32 = 0

    init(id: Int, components: [FileName], device: UInt64, isNetwork: Bool, mode: Mode) {
        self.id = id
        self.components = components
        self.device = device
        self.isNetwork = isNetwork
        self.mode = mode
    }

    var pollReason: String? {
        if case .poll(let reason) = mode { reason } else { nil }
    }

    /// The path below the inbox, as bytes.
    var path: [UInt8] { Array(components.map(\.bytes).joined(separator: [UInt8(ascii: "/")])) }

    /// One name in the folder.
    struct Entry {
        var kind: DropKind
        var generation: UInt32
        var phase: Phase
    }

    enum Phase {
        case settling(Settling)
        /// A claim is copying it on another thread.
        case claiming(FileStatus.Signature)
        /// Has its rows. `drop` is nil for lyrics that wait for their recording.
        case known(drop: Drop.ID?, FileStatus.Signature?)
    }
}

/// One file on its way to being complete: unchanged for long enough, by our own clock.
struct Settling {
    var signature: FileStatus.Signature
    /// Boot clock. The file's own times are compared only with each other, never with now: clocks of servers differ.
    var quietSince: Double
    var firstSeen: Double
    var wasMoved: Bool
    var isSuspect: Bool
    /// A pipe or a device has no size and no writer to wait for; its verdict is plain at once.
    var isRegular: Bool
    /// Why it is not taken although it is quiet: busy, no permission, empty …
    var obstacle: String?
    /// Not looked at before; boot clock.
    var notBefore = 0.0

    init(_ status: FileStatus, wasMoved: Bool, now: Double) {
        signature = status.signature
        quietSince = now
        firstSeen = now
        self.wasMoved = wasMoved
        isSuspect = Self.isSuspect(status)
        isRegular = status.kind == .regular
    }

    /// For a file that a claim had found regular.
    init(again signature: FileStatus.Signature, now: Double) {
        self.signature = signature
        quietSince = now
        firstSeen = now
        wasMoved = false
        isSuspect = false
        isRegular = true
    }

    /// - Returns: whether anything changed.
    mutating func observe(_ status: FileStatus, now: Double) -> Bool {
        guard status.signature != signature else { return false }
        signature = status.signature
        quietSince = now
        obstacle = nil
        notBefore = 0
        isSuspect = Self.isSuspect(status)
        isRegular = status.kind == .regular
        return true
    }

    /// More links than one, or fewer blocks than bytes: somebody may be filling it from elsewhere.
    ///
    /// A compressing file system has fewer blocks too; it only waits a little longer.
    static func isSuspect(_ status: FileStatus) -> Bool {
        status.linkCount > 1 || status.blocks * 512 < status.size
    }

    func isOverdue(now: Double, options: InboxOptions) -> Bool { now - firstSeen > options.settleMax }

    /// Boot clock at which it is complete if nothing changes until then.
    func due(kind: DropKind, isNetwork: Bool, options: InboxOptions) -> Double {
        max(quietSince + need(kind: kind, isNetwork: isNetwork, options: options), notBefore)
    }

    private func need(kind: DropKind, isNetwork: Bool, options: InboxOptions) -> Double {
        guard isRegular else { return options.settleLink }
        if signature.size == 0 { return options.settleEmpty }
        switch kind {
        case .media:
            if isNetwork { return max(options.settleNetwork, options.settle) }
            if isSuspect { return max(options.settleSuspect, options.settle) }
            return wasMoved ? options.settleMoved : options.settle
        default:
            return options.settleLink
        }
    }
}

extension WatchedFolder.Entry {
    var signature: FileStatus.Signature? {
        switch phase {
        case .settling(let settling): settling.signature
        case .claiming(let signature): signature
        case .known(_, let signature): signature
        }
    }
}
