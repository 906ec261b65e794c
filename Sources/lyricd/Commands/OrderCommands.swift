import ArgumentParser
import FoundationEssentials
import Host
import Inbox
import Jobs

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop a job; its source moves to the failed folder, nothing is lost.")

    @OptionGroup var options: ConfigurationOption
    @Argument(help: "Numbers of the jobs.") var jobs: [Int64]

    func run() async throws { try await OrderClerk(configuration: try options.load()).give(.cancel, jobs: jobs) }
}

struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Run failed, held or cancelled jobs again; held ones go on where they stopped.")

    @OptionGroup var options: ConfigurationOption
    @Argument(help: "Numbers of the jobs.") var jobs: [Int64]

    func run() async throws { try await OrderClerk(configuration: try options.load()).give(.retry, jobs: jobs) }
}

/// Gives an order and waits until it is done.
struct OrderClerk {
    let configuration: Configuration

    /// Looks, a tenth of a second apart, before we say that it will be done later.
    private static let looks = 100

    func give(_ verb: Order.Verb, jobs: [Int64]) async throws {
        let reader = try StoreReader(configuration: configuration)
        let folder = reader.state.orders
        var refusals: [String] = []
        for job in jobs {
            let name = JobKey.make(unixSeconds: Daemon.unixSeconds())
            do { try Order(verb, job: job).give(in: folder, name: name) } catch let error as SystemCallError where error.isPermission {
                throw UserError("you may not give lyricd orders (\(error))", next: "run it with sudo, or join the group: usermod -aG lyricd \(ProcessInfo.processInfo.userName)")
            }
            guard reader.status != nil else {
                Terminal.print("lyricd is not running; job \(job) is \(verb == .cancel ? "cancelled" : "retried") when it starts")
                continue
            }
            var looks = 0
            while Order.isWaiting(in: folder, name: name), looks < Self.looks {
                try await Task.sleep(for: .milliseconds(100))
                looks += 1
            }
            if let refusal = Order.takeRefusal(in: folder, name: name) {
                refusals.append(refusal)
            } else if looks == Self.looks {
                Terminal.print("job \(job): lyricd is busy; the order is kept and done as soon as it can be")
            } else {
                Terminal.print("job \(job): \(verb == .cancel ? "cancelled" : "queued again")")
            }
        }
        if !refusals.isEmpty { throw UserError(refusals.joined(separator: "\n")) }
    }
}
