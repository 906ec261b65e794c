import Foundation
import Jobs
import Testing
import lyricd

@Suite struct ConfigurationTests {
    private func parse(_ text: String, _ environment: [String: String] = [:]) throws -> Configuration {
        try Configuration.parse(("lyricd.toml", Array(text.utf8)), environment: environment)
    }

    @Test func nothingSetMeansTheDefaults() throws {
        #expect(try Configuration.parse(nil) == Configuration())
        var empty = try parse("")
        empty.file = nil
        #expect(empty == Configuration())
    }

    @Test func everyKindOfValueIsRead() throws {
        let configuration = try parse(
            """
            folders.state = "/data//lyricd/./state/"
            [inbox]
            watch = "poll"
            source = "keep"
            settle = 7
            settle_link = "250ms"
            settle_max = "1d 2h30min"
            require_mount = true
            [limits]
            size_max = "500MiB"
            free_space = 0
            stage_time_factor = 2
            duration_max = "90min"
            [lanes]
            heavy = 4
            [profile.default]
            language = "de"
            formats = ["srt", "lrc"]
            """)
        #expect(configuration.folders.state == "/data/lyricd/state")
        #expect(configuration.folders.enginesPath == "/data/lyricd/state/engines")
        #expect(configuration.inbox.watch == .poll && configuration.inbox.source == .keep)
        #expect(configuration.inbox.settle == .seconds(7) && configuration.inbox.settleLink == .milliseconds(250))
        #expect(configuration.inbox.settleMax == .seconds(26 * 3600 + 1800))
        #expect(configuration.inbox.requireMount)
        #expect(configuration.limits.sizeMax == 500 << 20 && configuration.limits.freeSpace == 0)
        #expect(configuration.limits.stageTimeFactor == 2 && configuration.limits.durationMax == .seconds(5400))
        #expect(configuration.lanes[.heavy] == 4 && configuration.lanes[.light] == 2)
        #expect(configuration.profiles["default"]?.language == "de")
        #expect(configuration.profiles["default"]?.formats == ["srt", "lrc"])
    }

    @Test(arguments: [
        ("5s", 5000), ("250ms", 250), ("2min", 120_000), ("1h", 3_600_000), ("1d", 86_400_000), ("0", 0), ("12", 12_000),
        (" 1h 30min ", 5_400_000), ("1 h", 3_600_000),
    ])
    func durationsAreRead(text: String, milliseconds: Int) {
        #expect(SettingValue.duration(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", " ", "s", "5 parsecs", "5m", "-5s", "1.5h", "5s 3", "3 5s", "5S", "1e3", "99999999999999999999s",
        "9223372036854775807d", "٣s", "5s,",
    ])
    func whatIsNoDurationIsNone(text: String) {
        #expect(SettingValue.duration(text) == nil)
    }

    @Test(arguments: [("6G", 6 << 30), ("512M", 512 << 20), ("1024", 1024), ("3K", 3072), ("2T", 2 << 40), ("2 GiB", 2 << 30)])
    func sizesAreRead(text: String, bytes: Int) {
        #expect(SettingValue.size(text) == bytes)
    }

    @Test(arguments: ["", "G", "2GB", "2g", "1.5G", "-1", "99999999999T", "9999999999999999999999"])
    func whatIsNoSizeIsNone(text: String) {
        #expect(SettingValue.size(text) == nil)
    }

    @Test(arguments: [0, 1, 999, 1000, 5000, 90_000, 3_600_000, 5_400_000, 86_400_000, 86_400_001])
    func durationsComeBackAsTheyWere(milliseconds: Int) {
        #expect(SettingValue.duration(SettingValue.text(of: .milliseconds(milliseconds))) == .milliseconds(milliseconds))
        #expect(SettingValue.size(SettingValue.text(ofSize: milliseconds)) == milliseconds)
    }

    @Test func aProfileBeginsAsTheDefault() throws {
        let text =
            "[profile.live]\nseparate = \"none\"\nformats = [\"srt\"]\n[profile.default]\nlanguage = \"de\"\nformats = [\"json\"]\n[profile.Empty-1_a]\n"
        let configuration = try parse(
            text,
            [
                "LYRICD_PROFILE_DEFAULT_LANGUAGE": "fr", "LYRICD_PROFILE_DEFAULT_SEPARATE": "centre",
                "LYRICD_PROFILE_DEFAULT_FORMATS": "lrc, txt",
            ])
        let live = try #require(configuration.profiles["live"])
        #expect(live.separate == "none" && live.language == "fr" && live.formats == ["srt"])
        let empty = try #require(configuration.profiles["Empty-1_a"])
        #expect(empty == configuration.profiles["default"] && empty.formats == ["lrc", "txt"])

        var limits = configuration.limits
        limits.durationMax = .milliseconds(1500)
        limits.sizeMax = 7
        let plan = live.plan("live", limits)
        #expect(plan.profile == "live" && plan.separate == "none" && plan.formats == ["srt"] && plan.language == "fr")
        #expect(plan.durationMaxSeconds == 1.5 && plan.sizeMaxBytes == 7)
        #expect(Profile().plan("default", Limits()) == Plan())
        #expect(configuration.plans.keys.sorted() == ["Empty-1_a", "default", "live"])
    }

    @Test func theEnvironmentWinsOverTheFile() throws {
        let environment = [
            "LYRICD_INBOX_SETTLE": "3s", "LYRICD_LANES_HEAVY": "5", "LYRICD_INBOX_REQUIRE_MOUNT": "true",
            "LYRICD_LIMITS_STAGE_TIME_FACTOR": "1.5",
            "LYRICD_FOLDERS_ENGINES": "", "PATH": "/bin", "LYRICD_OWNER": "x", "LYRICD_FAULT": "fsync", "LYRICD_INBOX": "x",
        ]
        let configuration = try parse("[inbox]\nsettle = \"9s\"\npoll = \"4s\"\n", environment)
        #expect(configuration.inbox.settle == .seconds(3) && configuration.inbox.poll == .seconds(4))
        #expect(configuration.lanes.heavy == 5 && configuration.inbox.requireMount && configuration.limits.stageTimeFactor == 1.5)
        #expect(configuration.origins["inbox.settle"] == .environment("LYRICD_INBOX_SETTLE"))
        #expect(configuration.origins["inbox.poll"] == .file(line: 3))
        #expect(configuration.origins["inbox.rescan"] == nil)
    }

    @Test func whatIsShownCanBeReadAgain() throws {
        let text = "[inbox]\nsettle = 9\n[profile.live]\nseparate = \"none\"\n[folders]\ninbox = \"/srv/a \\\"b\\\" \\\\ ü\"\n"
        let configuration = try parse(text, ["LYRICD_LANES_HEAVY": "5"])
        let shown = configuration.text
        #expect(shown.contains("settle = \"9s\"") && shown.contains("# lyricd.toml:2\n"))
        #expect(
            shown.contains("# LYRICD_LANES_HEAVY\n") && shown.contains("# default\n") && shown.contains("# profile.default\n"))
        var again = try parse(shown)
        again.origins = configuration.origins
        #expect(again == configuration)
    }

    @Test func aReloadKnowsWhatChanged() throws {
        let old = try parse("[inbox]\nsettle = 9\n[profile.live]\n[profile.gone]\n")
        let new = try parse("[inbox]\nsettle = 8\npoll = \"5s\"\n[profile.live]\nlanguage = \"de\"\n[profile.new]\n")
        #expect(new.changes(from: old) == ["inbox.settle", "profile.gone", "profile.live.language", "profile.new"])
        #expect(new.changes(from: new).isEmpty)
    }

    @Test func filesAreReadFromTheDisk() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "lyricd-configuration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "lyricd.toml")
        try Data("[lanes]\nheavy = 3\n".utf8).write(to: file)
        let link = folder.appending(path: "link.toml")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
        for path in [file.path, link.path] {
            let configuration = try Configuration.load(file: path, environment: [:])
            #expect(configuration.lanes.heavy == 3 && configuration.file == path)
        }
        #expect(try Configuration.load(file: nil, environment: [:], defaultFile: file.path).lanes.heavy == 3)

        let missing = folder.appending(path: "none.toml").path
        #expect(try Configuration.load(file: nil, environment: [:], defaultFile: missing) == Configuration())
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(file: missing, environment: [:]) }
        #expect(error?.description.hasPrefix(missing + ": no such file; ") == true)
        #expect(throws: ConfigurationError.self) { try Configuration.load(file: folder.path, environment: [:]) }
        try Data(count: 2 << 20).write(to: file)
        let large = #expect(throws: ConfigurationError.self) { try Configuration.load(file: file.path, environment: [:]) }
        #expect(large?.description.contains("larger than 1 MiB") == true)
    }
}
