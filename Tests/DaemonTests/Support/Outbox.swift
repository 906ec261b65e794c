import Foundation
import Testing
import TestSupport

/// What a result is for whoever takes it: names, contents, and those parts of the manifest that do not depend on the day.
struct OutboxPicture: Equatable, CustomStringConvertible {
    /// By path below the outbox.
    let files: [String: String]

    init(_ outbox: String) throws {
        var files: [String: String] = [:]
        let paths = FileManager.default.enumerator(atPath: outbox)
        while let path = paths?.nextObject() as? String {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: outbox + "/" + path, isDirectory: &isFolder) else { continue }
            if isFolder.boolValue {
                files[path + "/"] = ""
                continue
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: outbox + "/" + path))
            files[path] = path.hasSuffix("/lyricd.json") ? try Self.lasting(data) : data.base64EncodedString()
        }
        self.files = files
    }

    private static func lasting(_ data: Data) throws -> String {
        var manifest = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        // Numbers given in order of arrival, times and measurements.
        for name in ["job", "key", "finished", "cachedFrom"] { manifest[name] = nil }
        manifest["stages"] = (manifest["stages"] as? [[String: Any]])?.map { stage in
            var stage = stage
            for name in ["seconds", "peakMemory"] { stage[name] = nil }
            return stage
        }
        return String(decoding: try JSONSerialization.data(withJSONObject: manifest, options: [.sortedKeys, .prettyPrinted]), as: UTF8.self)
    }

    var description: String { files.keys.sorted().joined(separator: ", ") }

    /// For a failing test: what is different.
    func difference(from other: OutboxPicture) -> String {
        Set(files.keys).union(other.files.keys).sorted().compactMap { path in
            files[path] == other.files[path] ? nil : "\(path): \(files[path]?.prefix(1500) ?? "missing") — \(other.files[path]?.prefix(1500) ?? "missing")"
        }.joined(separator: "\n")
    }
}
