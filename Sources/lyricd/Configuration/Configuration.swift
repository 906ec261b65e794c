import Jobs

/// Everything a person can set. `Setting.all` says what each field is called in the file and what it may be; the defaults are here.
///
/// Sizes are bytes, paths absolute and without a slash at the end.
package struct Configuration: Sendable, Equatable {
    package var folders = Folders()
    package var inbox = InboxSettings()
    /// By name; `default` is always there.
    package var profiles: [String: Profile] = ["default": Profile()]
    package var lanes = Lanes()
    package var limits = Limits()
    package var retry = RetrySettings()
    package var service = ServiceSettings()

    /// The file that was read; `nil` where there was none.
    package var file: String?
    /// Where each value is from that is not a default, by key: `inbox.settle`, `profile.live.formats`.
    package var origins: [String: Origin] = [:]

    /// Where a value comes from.
    package enum Origin: Sendable, Equatable {
        /// A line of `file`, from 1; 0 where it could not be found.
        case file(line: Int)
        /// The variable's name.
        case environment(String)
    }

    package init(
        folders: Folders = Folders(), inbox: InboxSettings = InboxSettings(), profiles: [String: Profile] = [:],
        lanes: Lanes = Lanes(), limits: Limits = Limits(), retry: RetrySettings = RetrySettings(),
        service: ServiceSettings = ServiceSettings()
    ) {
        self.folders = folders
        self.inbox = inbox
        self.profiles.merge(profiles) { _, given in given }
        self.lanes = lanes
        self.limits = limits
        self.retry = retry
        self.service = service
    }
}

package struct Folders: Sendable, Equatable {
    package var inbox = "/srv/lyricd/inbox"
    package var outbox = "/srv/lyricd/outbox"
    package var archive = "/srv/lyricd/archive"
    package var failed = "/srv/lyricd/failed"
    package var state = "/var/lib/lyricd"
    package var runtime = "/run/lyricd"
    /// As it was set; `enginesPath` is what holds.
    package var engines = ""

    package var enginesPath: String { engines.isEmpty ? state + "/engines" : engines }

    package init(
        inbox: String = "/srv/lyricd/inbox", outbox: String = "/srv/lyricd/outbox", archive: String = "/srv/lyricd/archive",
        failed: String = "/srv/lyricd/failed", state: String = "/var/lib/lyricd", runtime: String = "/run/lyricd",
        engines: String = ""
    ) {
        self.inbox = inbox
        self.outbox = outbox
        self.archive = archive
        self.failed = failed
        self.state = state
        self.runtime = runtime
        self.engines = engines
    }
}

/// The fields are explained at the options of the inbox, which are made from them.
package struct InboxSettings: Sendable, Equatable {
    package enum Watch: String, Sendable, CaseIterable { case auto, poll }
    package enum Source: String, Sendable, CaseIterable { case archive, keep, delete }

    package var watch = Watch.auto
    package var source = Source.archive
    package var settle = Duration.seconds(5)
    package var settleMoved = Duration.seconds(2)
    package var settleLink = Duration.seconds(1)
    package var settleSuspect = Duration.seconds(15)
    package var settleNetwork = Duration.seconds(30)
    package var settleEmpty = Duration.seconds(600)
    package var settleMax = Duration.seconds(6 * 3600)
    package var rescan = Duration.seconds(60)
    package var poll = Duration.seconds(5)
    package var lyricsWait = Duration.seconds(24 * 3600)
    package var lyricsGrace = Duration.seconds(3600)
    package var requireMount = false
    package var maxDepth = 16
    package var maxFolders = 5000

    package init() {}
}

package struct Lanes: Sendable, Equatable {
    package var network = 2
    package var light = 2
    package var heavy = 1

    package init(network: Int = 2, light: Int = 2, heavy: Int = 1) {
        self.network = network
        self.light = light
        self.heavy = heavy
    }

    package subscript(lane: Lane) -> Int {
        switch lane {
        case .network: network
        case .light: light
        case .heavy: heavy
        }
    }
}

package struct Limits: Sendable, Equatable {
    package var durationMax = Duration.seconds(4 * 3600)
    package var sizeMax = 2 << 30
    package var fetchTime = Duration.seconds(3600)
    package var fetchStall = Duration.seconds(120)
    package var stageTimeBase = Duration.seconds(120)
    /// Seconds for each second of the recording.
    package var stageTimeFactor = 3.0
    package var queueMax = 200_000
    package var freeSpace = 512 << 20

    package init() {}
}

package struct RetrySettings: Sendable, Equatable {
    package var attempts = 5
    package var delay = Duration.seconds(30)
    package var delayMax = Duration.seconds(6 * 3600)
    package var crashLimit = 2

    package init() {}
}

package struct ServiceSettings: Sendable, Equatable {
    package enum LogLevel: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }

    package var drain = Duration.seconds(20)
    package var logLevel = LogLevel.info
    package var backups = 7
    package var backupEvery = Duration.seconds(24 * 3600)

    package init() {}
}
