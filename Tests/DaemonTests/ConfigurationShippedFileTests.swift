import Foundation
import Testing
import lyricd

/// Code, shipped file and environment are one list.
@Suite struct ConfigurationShippedFileTests {
    private static func shipped() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "etc/lyricd.toml"), encoding: .utf8)
    }

    @Test func theShippedFileIsWhatTheTableSays() throws {
        #expect(try Self.shipped() == Configuration.shippedText, "write Configuration.shippedText to etc/lyricd.toml")
    }

    @Test func theShippedFileChangesNothing() throws {
        let configuration = try Configuration.parse(("etc/lyricd.toml", Array(Self.shipped().utf8)))
        #expect(configuration.origins.isEmpty)
        #expect(configuration.changes(from: Configuration()).isEmpty)
    }

    @Test func everyLineOfTheShippedFileIsTheDefault() throws {
        var keys: [String] = []
        var section = ""
        var lines: [String] = []
        for line in try Self.shipped().split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            // The example of another profile is not a default.
            if line.hasPrefix("#[") { section = "" }
            if line.hasPrefix("[") { section = String(line.dropFirst().dropLast()) }
            guard let key = line.wholeMatch(of: /#([a-z_]+) = .+/)?.1, !section.isEmpty else {
                lines.append(line)
                continue
            }
            keys.append("\(section).\(key)")
            lines.append(String(line.dropFirst()))
        }
        #expect(keys == Setting.all.map { $0.key.replacing("NAME", with: "default") })
        let configuration = try Configuration.parse(("etc/lyricd.toml", Array(lines.joined(separator: "\n").utf8)))
        #expect(configuration.origins.keys.sorted() == keys.sorted())
        #expect(configuration.changes(from: Configuration()).isEmpty)
    }

    @Test func everySettingIsComplete() throws {
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
        #expect(Set(Setting.all.map(\.section)) == Set(Setting.sections.map(\.name)))
        for setting in Setting.all {
            #expect(setting.doc.hasSuffix(".") && setting.doc.count > 5, "\(setting.key)")
            #expect(setting.name.wholeMatch(of: /[a-z_]+/) != nil, "\(setting.key)")
            #expect(!setting.unit.isEmpty && !setting.kind.expectation.isEmpty, "\(setting.key)")
        }
    }

    /// A value other than the default for each setting arrives where it belongs, and nowhere else.
    @Test(arguments: Setting.all.map(\.key))
    func aSettingIsReadFromFileAndEnvironment(key: String) throws {
        let setting = try #require(Setting.all.first { $0.key == key })
        let (toml, text, value) = try #require(Self.other(setting))
        let section = setting.section.replacing("NAME", with: "default")
        let written = section + "." + setting.name
        let fromFile = try Configuration.parse(("f", Array("[\(section)]\n\(setting.name) = \(toml)\n".utf8)))
        let fromEnvironment = try Configuration.parse(nil, environment: [setting.environmentName: text])
        for configuration in [fromFile, fromEnvironment] {
            #expect(setting.value(in: configuration) == value)
            #expect(configuration.changes(from: Configuration()) == [written] || value == setting.defaultValue)
        }
        #expect(fromFile.origins == [written: .file(line: 2)])
        #expect(fromEnvironment.origins == [written: .environment(setting.environmentName)])
        #expect(fromFile.text.contains(toml))
    }

    private static func other(_ setting: Setting) -> (toml: String, environment: String, value: SettingValue)? {
        switch setting.kind {
        case .duration: ("\"71s\"", "71s", .duration(.seconds(71)))
        case .size: ("\"3M\"", "3M", .size(3 << 20))
        case .flag: ("true", "true", .flag(true))
        case .integer: ("3", "3", .integer(3))
        case .number: ("2.5", "2.5", .number(2.5))
        case .path: ("\"/some/where\"", "/some/where", .text("/some/where"))
        // An only choice is the default too.
        case .choice(let known): known.last.map { ("\"\($0)\"", $0, .text($0)) }
        case .choices(let known): known.last.map { ("[\"\($0)\"]", $0, .list([$0])) }
        case .language: ("\"sv\"", "sv", .text("sv"))
        case .audioLanguage: ("\"swe\"", "swe", .text("swe"))
        }
    }
}
