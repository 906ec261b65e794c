import ArgumentParser
import FoundationEssentials

/// `--config FILE`, the same for every command.
struct ConfigurationOption: ParsableArguments {
    static let defaultPath = "/etc/lyricd/lyricd.toml"

    @Option(name: .long, help: "Configuration file. Default: \(defaultPath), if it is there.")
    var config: String?

    /// The file that is read; `nil` where there is none and none was asked for.
    var path: String? {
        let environment = ProcessInfo.processInfo.environment
        return config ?? environment["LYRICD_CONFIG"] ?? (FileManager.default.fileExists(atPath: Self.defaultPath) ? Self.defaultPath : nil)
    }

    func load() throws -> Configuration {
        try Configuration.load(file: path, environment: ProcessInfo.processInfo.environment)
    }
}
