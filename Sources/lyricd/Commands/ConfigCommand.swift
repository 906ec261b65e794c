import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check or show the configuration.", subcommands: [Check.self, Show.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read the configuration and report everything that is wrong with it.")
        @OptionGroup var options: ConfigurationOption

        func run() throws {
            let configuration = try options.load()
            Terminal.print("\(configuration.file ?? "no configuration file; the defaults hold"): ok")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print every setting with its value and where that comes from.")
        @OptionGroup var options: ConfigurationOption

        func run() throws { Terminal.print(try options.load().text, terminator: "") }
    }
}
