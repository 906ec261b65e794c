import Foundation
import Testing

/// The files of this checkout, as a clean clone has them.
enum Checkout {
    /// Links resolved: a package put together from links is still the checkout its files lie in.
    static let root: URL = {
        var folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.appending(path: "Sources/lyricd").path) {
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.appending(path: path).path) }

    static func text(_ path: String) throws -> String { try String(contentsOf: root.appending(path: path), encoding: .utf8) }

    /// Paths below the root, sorted; nothing that is built, downloaded or made by the demonstration.
    static func files(below folder: String = "", ending: String = "") throws -> [String] {
        let base = folder.isEmpty ? root : root.appending(path: folder)
        let left: Set<String> = [".git", "demo", "__pycache__", "Package.resolved"]
        var result: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: base.path).sorted()
        where !left.contains(name) && !name.hasPrefix(".build") && !name.hasSuffix(".pyc") {
            let path = folder.isEmpty ? name : folder + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder) else { continue }
            if isFolder.boolValue { result += try files(below: path, ending: ending) } else if path.hasSuffix(ending) { result.append(path) }
        }
        return result
    }

    /// Every setting of the shipped configuration with its default as it is written there, by its full name: `inbox.settle`.
    static func settings() throws -> [String: String] {
        var section = ""
        var result: [String: String] = [:]
        for line in try text("etc/lyricd.toml").split(separator: "\n") {
            if let found = line.wholeMatch(of: /\[([a-z._]+)\]/) { section = String(found.1) }
            // What begins with #[ is an example of a further section.
            if line.hasPrefix("#[") { section = "" }
            if !section.isEmpty, let found = line.wholeMatch(of: /#?([a-z_]+) = (.*)/) {
                result[section + "." + found.1] = found.2.trimmingCharacters(in: ["\""])
            }
        }
        return result
    }

    /// `serve`, `config check` …
    static func commands() throws -> Set<String> {
        var result: Set<String> = []
        for file in try files(below: "Sources/lyricd/Commands", ending: ".swift") {
            let text = try text(file)
            for name in text.matches(of: /commandName: "([a-z]+)"/) { result.insert(String(name.1)) }
        }
        for name in try text("Sources/lyricd/Commands/ConfigCommand.swift").matches(of: /struct ([A-Z][a-z]+): ParsableCommand/) {
            result.insert("config \(name.1.lowercased())")
        }
        return result
    }
}
