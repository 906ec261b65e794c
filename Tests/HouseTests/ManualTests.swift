import Foundation
import Testing

/// The man pages against the code and the shipped configuration.
@Suite struct ManualTests {
    /// The page as a reader sees it; roff's escapes undone as far as our pages use them.
    private static func page(_ name: String) throws -> String {
        try Checkout.text("man/\(name)").replacing("\\(dq", with: "\"").replacing("\\ ", with: " ").replacing("\\-", with: "-")
    }

    @Test func everySettingIsExplainedWithItsDefault() throws {
        let page = try Self.page("lyricd.toml.5")
        var section = ""
        var found: [String: String] = [:]
        for line in page.split(separator: "\n") {
            if let head = line.wholeMatch(of: /\.Ss \[([a-z._]+)\]/) { section = String(head.1) }
            if line.hasPrefix(".Sh ") { section = "" }
            if !section.isEmpty, let item = line.wholeMatch(of: /\.It Cm ([a-z_]+) Ns No  = (.*)/) {
                found[section + "." + item.1] = item.2.trimmingCharacters(in: ["\""])
            }
        }
        let settings = try Checkout.settings()
        #expect(settings.count > 30)
        #expect(found == settings)
    }

    @Test func everySettingIsExplainedInTheWordsOfTheShippedFile() throws {
        func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        let page = words(try Self.page("lyricd.toml.5"))
        var comment = ""
        for line in try Checkout.text("etc/lyricd.toml").split(separator: "\n") {
            if line.hasPrefix("# ") { comment = String(line.dropFirst(2)) }
            // An example of a further section.
            if line.hasPrefix("#[") { comment = "" }
            guard let key = line.wholeMatch(of: /#([a-z_]+) = .*/)?.1, !comment.isEmpty else { continue }
            let isSaid = page.contains(words(comment))
            #expect(isSaid, "lyricd.toml(5) says something else of \(key) than etc/lyricd.toml")
            comment = ""
        }
    }

    @Test func everyCommandIsInTheManual() throws {
        let page = try Self.page("lyricd.1")
        let commands = try Checkout.commands()
        #expect(commands.isSuperset(of: ["serve", "transcribe", "add", "jobs", "show", "cancel", "retry", "doctor", "config check", "config show"]))
        for command in commands where command != "config" {
            let isExplained = page.contains(".It Cm \(command)")
            #expect(isExplained, "lyricd.1 does not explain lyricd \(command)")
        }
        for item in page.matches(of: /\.It Cm ([a-z]+(?: check| show)?)/) where String(item.1) != "config" {
            #expect(commands.contains(String(item.1)), "lyricd.1 explains lyricd \(item.1), which there is not")
        }
    }

    @Test func everyOptionIsInTheManual() throws {
        let page = try Self.page("lyricd.1")
        var options: Set<String> = []
        for file in try Checkout.files(below: "Sources/lyricd/Commands", ending: ".swift") {
            for option in try Checkout.text(file).matches(of: /@(?:Option|Flag)\([^\n]*\)\s+var (\w+)/) { options.insert(String(option.1)) }
        }
        #expect(options.isSuperset(of: ["config", "follow", "outbox"]))
        let unexplained = options.filter { !page.contains(".It Fl -\($0)") && !page.contains(".It Fl f , -\($0)") }
        #expect(unexplained.isEmpty, "lyricd.1 does not explain \(unexplained.sorted())")
        for mentioned in page.matches(of: /\.It Fl (?:f , )?-([a-z]+)/) {
            #expect(options.contains(String(mentioned.1)), "lyricd.1 explains --\(mentioned.1), which there is not")
        }
    }

    @Test func everyExitStatusIsInTheManual() throws {
        let page = try Self.page("lyricd.1")
        let statuses = try Checkout.text("Sources/lyricd/Daemon.swift").matches(of: /static let \w+: Int32 = (\d+)/).map { String($0.1) }
        #expect(statuses.count >= 3)
        let unexplained = statuses.filter { !page.contains(".It \($0)\n") }
        #expect(unexplained.isEmpty, "lyricd.1 does not explain the exit statuses \(unexplained)")
    }
}
