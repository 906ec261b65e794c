import ArgumentParser
import Glibc
import Host
import Jobs
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Watch the inbox and work until told to stop. This is what systemd starts.",
        discussion: "TERM stops taking drops and lets running stages finish for a while; a second TERM stops at once. HUP reads the configuration again.")

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        let configuration = try options.load()
        let level = configuration.service.logLevel.level
        LoggingSystem.bootstrap { _ in
            if ServiceManager.journalStreamIsStderr {
                var handler = JournalLogHandler()
                handler.logLevel = level
                return handler
            }
            var handler = StderrLogHandler()
            handler.logLevel = level
            return handler
        }
        let log = Logger(label: "lyricd")
        let option = options
        do {
            try await Daemon(configuration: configuration, load: { try option.load() }, log: log).run()
        } catch let error as InstanceLockError {
            Terminal.error("lyricd: \(error)")
            _exit(Daemon.Exit.unavailable)
        } catch let error as StoreError {
            log.critical("cannot go on", metadata: ["error": "\(error)"])
            Terminal.error("lyricd: \(error)")
            _exit(error.reason == .newerSchema ? Daemon.Exit.configuration : Daemon.Exit.input)
        } catch let error as SystemCallError {
            log.critical("cannot go on", metadata: ["error": "\(error)"])
            Terminal.error("lyricd: \(error)")
            _exit(Daemon.Exit.input)
        }
    }
}
