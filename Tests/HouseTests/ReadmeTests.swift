import Foundation
import Testing

/// README, CONTRIBUTING and CHANGELOG name only what there is.
@Suite struct ReadmeTests {
    private static let pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]

    /// What stands in back-ticks, and the lines of code blocks without their comments.
    private static func code(_ page: String) throws -> [String] {
        let text = try Checkout.text(page)
        var blocks: [String] = []
        var isBlock = false
        var prose = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { isBlock.toggle() } else if isBlock {
                blocks.append((line.components(separatedBy: " # ").first ?? "").trimmingCharacters(in: .whitespaces))
            } else {
                prose += line + "\n"
            }
        }
        return blocks + prose.matches(of: /`([^`\n]+)`/).map { String($0.1) }
    }

    @Test(arguments: pages) func commandsExist(page: String) throws {
        let commands = try Checkout.commands()
        for code in try Self.code(page) {
            for found in code.matches(of: /(?:^|&& |sudo |then )lyricd ([a-z]+)/) {
                #expect(commands.contains(String(found.1)), "\(page): there is no lyricd \(found.1)")
            }
        }
    }

    @Test(arguments: pages) func targetsOfMakeExist(page: String) throws {
        let targets = Set(try Checkout.text("Makefile").matches(of: /\n([a-z]+):[^=]/).map { String($0.1) })
        for code in try Self.code(page) {
            for found in code.matches(of: /(?:^|&& |sudo )make ([a-z]+)/) {
                #expect(targets.contains(String(found.1)), "\(page): there is no make \(found.1)")
            }
        }
    }

    @Test(arguments: pages) func filesOfTheCheckoutExist(page: String) throws {
        let folders = Set(try Checkout.files().filter { $0.contains("/") }.map { String($0.split(separator: "/")[0]) })
        for code in try Self.code(page) {
            for found in code.matches(of: /(?:^|\s)((\.ci|[A-Za-z]+)\/[A-Za-z0-9_.\/-]*)/) where folders.contains(String(found.2)) {
                #expect(Checkout.exists(String(found.1)), "\(page): there is no \(found.1)")
            }
        }
        for link in try Checkout.text(page).matches(of: /\]\(([^)#:]+)\)/) { #expect(Checkout.exists(String(link.1)), "\(page): there is no \(link.1)") }
    }

    @Test(arguments: pages) func settingsExist(page: String) throws {
        let settings = try Checkout.settings()
        let sections = Set(settings.keys.map { String($0.split(separator: ".")[0]) })
        for code in try Self.code(page) {
            guard let found = code.wholeMatch(of: /(([a-z]+)\.[a-z_.]+)(?: = .*)?/), sections.contains(String(found.2)) else { continue }
            #expect(settings[String(found.1)] != nil, "\(page): there is no setting \(found.1)")
        }
    }

    @Test func everyOutputIsExplained() throws {
        let readme = try Checkout.text("README.md")
        let formats = try #require(try Checkout.settings()["profile.default.formats"]).matches(of: /"(\w+)"/).map { String($0.1) }
        #expect(formats.count >= 6)
        let unexplained = formats.filter { !readme.contains("`.\($0 == "json" ? "words.json" : $0)`") }
        #expect(unexplained.isEmpty, "README.md does not explain \(unexplained)")
    }
}
