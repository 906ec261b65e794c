import Foundation
import Testing
import lyricd

/// Code, shipped file, manual and environment are one list.
@Suite struct ConfigurationShippedFileTests {
    private static func contents(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func shipped() throws -> String { try contents("etc/lyricd.toml") }

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

    @Test func theManualSaysTheSame() throws {
        var section = ""
        var manual: [String] = []
        for line in try Self.contents("man/lyricd.toml.5").split(separator: "\n").map(String.init) {
            if let name = line.wholeMatch(of: /\.Ss \[(.+)\]/)?.1 {
                section = String(name)
            } else if let item = line.wholeMatch(of: /\.It Cm ([a-z_]+) Ns No \\ =\\ (.+)/), !section.isEmpty {
                manual.append("\(section).\(item.1) = \(item.2.replacing(#"\(dq"#, with: "\""))")
            } else if line.hasPrefix(".") {
                // Any other macro ends the text of an item.
                if line.hasPrefix(".Sh") { section = "" }
                if manual.last?.isEmpty == false { manual.append("") }
            } else if manual.last?.isEmpty == false {
                manual[manual.count - 1] += " " + line
            }
        }
        let expected = Setting.all.map {
            "\($0.key.replacing("NAME", with: "default")) = \($0.defaultValue.toml) \($0.doc) \($0.unit)."
        }
        #expect(manual.filter { !$0.isEmpty } == expected)
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
