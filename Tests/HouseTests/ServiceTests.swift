import Foundation
import Testing

/// The unit and its companions against the code and the shipped configuration.
@Suite struct ServiceTests {
    /// Values of the unit by name; several lines of one name are joined by a blank.
    private static func unit() throws -> [String: String] {
        var result: [String: String] = [:]
        for line in try Checkout.text("systemd/lyricd.service").split(separator: "\n") where !line.hasPrefix("#") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = String(line[..<equals])
            let value = String(line[line.index(after: equals)...])
            result[name] = result[name].map { "\($0) \(value)" } ?? value
        }
        return result
    }

    /// Seconds of a duration as our unit and our configuration write it.
    private static func seconds(_ text: String) throws -> Int {
        let found = try #require(text.wholeMatch(of: /(\d+)(s|min)/), "\(text) is no duration this test knows")
        return try #require(Int(found.1)) * (found.2 == "min" ? 60 : 1)
    }

    @Test func theUnitMayWriteWhereTheDefaultsSay() throws {
        let unit = try Self.unit()
        let settings = try Checkout.settings()
        #expect(settings["folders.state"] == "/var/lib/\(unit["StateDirectory"] ?? "")")
        #expect(settings["folders.runtime"] == "/run/\(unit["RuntimeDirectory"] ?? "")")
        let writable = unit["ReadWritePaths"]?.split(separator: " ").map { $0.drop { $0 == "-" } } ?? []
        for folder in ["inbox", "outbox", "archive", "failed"] {
            let path = try #require(settings["folders.\(folder)"])
            #expect(writable.contains { path.hasPrefix($0 + "/") }, "the unit may not write into \(path)")
        }
        #expect(unit["WorkingDirectory"] == settings["folders.state"])
    }

    @Test func theFoldersOfTheDefaultsAreMadeAtTheInstallation() throws {
        let settings = try Checkout.settings()
        let made = try Checkout.text("systemd/lyricd.tmpfiles").split(separator: "\n").filter { $0.hasPrefix("d ") }
            .map { $0.split(separator: " ").map(String.init) }
        for folder in ["inbox", "outbox", "archive", "failed"] {
            let line = try #require(made.first { $0[1] == settings["folders.\(folder)"] }, "tmpfiles does not make the \(folder) folder")
            #expect(line[2...4] == ["2775", "lyricd", "lyricd"])
        }
    }

    @Test func theUnitStartsAndReloadsTheProgramThatIsInstalled() throws {
        let unit = try Self.unit()
        let words = try #require(unit["ExecStart"]).split(separator: " ").map(String.init)
        #expect(words[0] == "/usr/local/bin/lyricd")
        #expect(try Checkout.commands().contains(words[1]))
        #expect(Array(words[2...]) == ["--config", "/etc/lyricd/lyricd.toml"])
        let isDefault = try Checkout.text("Sources/lyricd/Commands/ConfigurationOption.swift").contains("\"/etc/lyricd/lyricd.toml\"")
        #expect(isDefault)
        #expect(unit["Type"] == "notify")
        #expect(unit["ExecReload"] == "/bin/kill -HUP $MAINPID")
        // Only where systemd waits for READY after a reload is the command of the base unit taken away.
        let newer = try Checkout.text("systemd/lyricd.service.d/10-v253.conf")
        #expect(newer.contains("Type=notify-reload") && newer.contains("ExecReload=\n"))
    }

    @Test func systemdWaitsLongerForAStopThanTheDrainTakes() throws {
        let drain = try Self.seconds(try #require(try Checkout.settings()["service.drain"]))
        #expect(try Self.seconds(try #require(try Self.unit()["TimeoutStopSec"])) >= drain + 10)
    }

    @Test func aMistakeInTheConfigurationIsNotRestartedInto() throws {
        let isStatus = try Checkout.text("Sources/lyricd/Daemon.swift").contains("static let configuration: Int32 = 78")
        #expect(isStatus)
        #expect(try Self.unit()["RestartPreventExitStatus"] == "78")
    }

    @Test func everyKindOfEventIsInTheCatalog() throws {
        let ids = try Checkout.text("Sources/Pipeline/MessageID.swift").matches(of: /static let \w+ = "([0-9a-f]{32})"/).map { String($0.1) }
        let entries = try Checkout.text("systemd/lyricd.catalog").matches(of: /\n-- ([0-9a-f]{32})\nSubject: .+\nDefined-By: lyricd\nDocumentation: .+\n\n\S/)
            .map { String($0.1) }
        #expect(ids.count >= 9)
        #expect(entries.sorted() == ids.sorted())
    }

    @Test func theCatalogNamesOnlyFieldsThatAreLogged() throws {
        // `"job": "\(…` in a message's metadata, and `metadataKey: "job"`. This one is much faster than Swift's own regex.
        let keys = try NSRegularExpression(pattern: #""([a-z]+)": "\\\(|metadataKey: "([a-z]+)""#)
        var logged: Set<String> = []
        for file in try Checkout.files(below: "Sources", ending: ".swift") {
            let text = try Checkout.text(file)
            for found in keys.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
                for group in 1...2 {
                    if let range = Range(found.range(at: group), in: text) { logged.insert(String(text[range])) }
                }
            }
        }
        for field in try Checkout.text("systemd/lyricd.catalog").matches(of: /@LYRICD_([A-Z]+)@/) {
            #expect(logged.contains(field.1.lowercased()), "no log message has a field \(field.1.lowercased())")
        }
    }
}
