import Foundation
import Testing

/// What must not be anywhere in the project, whoever wrote it.
@Suite struct CleanTreeTests {
    private static func texts() throws -> [(path: String, text: String)] {
        try Checkout.files().compactMap { path in
            // Pictures and recordings are no text.
            guard let data = try? Data(contentsOf: Checkout.root.appending(path: path)), let text = String(data: data, encoding: .utf8) else { return nil }
            return (path, text)
        }
    }

    /// Put together here, so that this file is not the first to be found.
    private static let foreign = [
        // Folders of the machines it was written on.
        "/wo" + "rk/ma" + "in", "../sh" + "ared", "/tmp/" + "dev-", "/ho" + "me/runner",
        // Nothing is fetched but by the packagers' own clients with their own settings.
        "pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".", "crates" + ".io", "huggingface" + ".co",
        // Notes to self.
        "TO" + "DO", "FIX" + "ME", "X" + "XX:",
    ]

    @Test func nothingNamesAPlaceOutsideTheProject() throws {
        let texts = try Self.texts()
        #expect(texts.count > 100)
        for (path, text) in texts {
            let found = Self.foreign.filter { text.range(of: $0, options: .literal) != nil }
            #expect(found.isEmpty, "\(path) contains \(found)")
        }
    }

    @Test func noFileHasBlanksAtTheEndOfALineOrALastLineWithoutEnd() throws {
        for (path, text) in try Self.texts() where !path.hasSuffix(".svg") && !path.contains("Fixtures/") {
            let (hasBlanks, isWhole) = (text.range(of: " \n", options: .literal) != nil, text.isEmpty || text.hasSuffix("\n"))
            #expect(!hasBlanks, "\(path) has blanks at the end of a line")
            #expect(isWhole, "the last line of \(path) has no end")
        }
    }

    @Test func whatIsRunCanBeRun() throws {
        for (path, text) in try Self.texts() where text.hasPrefix("#!") && !path.contains("Fixtures/") && !path.contains("Resources/") {
            #expect(FileManager.default.isExecutableFile(atPath: Checkout.root.appending(path: path).path), "\(path) is not executable")
        }
    }
}
