import FoundationEssentials
import Host
import Inbox
import Jobs
import Logging
import Pipeline
import Stages

/// What each part is told of the configuration.
extension Configuration {
    func inboxOptions(state: StateFolder) -> InboxOptions {
        var options = InboxOptions(
            inbox: folders.inbox, archive: folders.archive, failed: folders.failed, work: state.work, orders: state.orders)
        options.watch = inbox.watch == .poll ? .poll : .auto
        options.source = InboxOptions.SourceRule(rawValue: inbox.source.rawValue) ?? .archive
        options.settle = inbox.settle.seconds
        options.settleMoved = inbox.settleMoved.seconds
        options.settleLink = inbox.settleLink.seconds
        options.settleSuspect = inbox.settleSuspect.seconds
        options.settleNetwork = inbox.settleNetwork.seconds
        options.settleEmpty = inbox.settleEmpty.seconds
        options.settleMax = inbox.settleMax.seconds
        options.rescan = inbox.rescan.seconds
        options.poll = inbox.poll.seconds
        options.lyricsWait = inbox.lyricsWait.seconds
        options.lyricsGrace = inbox.lyricsGrace.seconds
        options.requireMount = inbox.requireMount
        options.maxDepth = inbox.maxDepth
        options.maxFolders = inbox.maxFolders
        options.queueMax = limits.queueMax
        options.freeSpace = limits.freeSpace
        options.plans = plans
        return options
    }

    func pipelineOptions(state: StateFolder) -> PipelineOptions {
        var options = PipelineOptions(work: state.work, outbox: folders.outbox)
        for lane in Lane.allCases { options.lanes[lane] = lanes[lane] }
        options.fetchTime = limits.fetchTime.seconds
        options.stageTimeBase = limits.stageTimeBase.seconds
        options.stageTimeFactor = limits.stageTimeFactor
        options.retry.attempts = retry.attempts
        options.retry.delay = retry.delay.seconds
        options.retry.delayMax = retry.delayMax.seconds
        options.retry.crashLimit = retry.crashLimit
        options.drain = service.drain.seconds
        options.freeSpace = limits.freeSpace
        return options
    }

    func enginePaths(state: StateFolder) -> EnginePaths {
        EnginePaths.find(engineFolder: folders.enginesPath, installer: Installation.engineInstaller)
    }
}

extension ServiceSettings.LogLevel {
    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

extension EngineSet {
    /// Set in tests and by the demonstration, which have no other web server than one on loopback. Not a setting: a link that
    /// a stranger drops must not reach the house's own devices.
    static let allowanceVariable = "LYRICD_ALLOW_PRIVATE_ADDRESSES"

    /// The engines that need nothing but Debian's packages and two small virtual environments.
    static func embedded(configuration: Configuration, state: StateFolder) throws -> EngineSet {
        let paths = configuration.enginePaths(state: state)
        let environment = EngineEnvironment(owner: state.path)
        let scripts = try EngineScripts.install(into: state.scripts)
        let isAllowed = ProcessInfo.processInfo.environment[allowanceVariable] == "1"
        return EngineSet(
            EmbeddedEngines.all(
                paths: paths, scripts: scripts, environment: environment, allowPrivateAddresses: isAllowed,
                noProgressLimit: configuration.limits.fetchStall) + [RenderStage(release: Version.current)])
    }
}

/// Where `make install` puts what is not the executable.
enum Installation {
    static let engineInstaller = "/usr/local/lib/lyricd/engines/install"
}
