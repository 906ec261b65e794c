import ArgumentParser
import Glibc

/// The one executable: the daemon, and the command that talks to it.
@main
struct Lyricd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lyricd",
        abstract: "Drop a link or a recording into a folder; take lyrics, timed to the word, out of another.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, TranscribeCommand.self, AddCommand.self, JobsCommand.self, ShowCommand.self, CancelCommand.self,
            RetryCommand.self, DoctorCommand.self, ConfigCommand.self,
        ])

    static func main() async {
        // Readers of our output may go away; that is an error of one write, not the end of the daemon.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
        } catch let error as UserError {
            Terminal.error("lyricd: \(error)")
            _exit(1)
        } catch let error as ConfigurationError {
            Terminal.error("\(error)")
            _exit(Daemon.Exit.configuration)
        } catch {
            exit(withError: error)
        }
    }
}
