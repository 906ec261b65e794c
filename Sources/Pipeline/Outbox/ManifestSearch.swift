import FoundationEssentials
import Host
import Jobs

/// Rebuilds what the job store lost from the manifests in the outbox.
package struct ManifestSearch {
    /// Folders within folders; the mirrored part of the inbox is not deeper.
    private static let depthMax = 32

    let store: JobStore
    let outbox: String

    package init(store: JobStore, outbox: String) {
        self.store = store
        self.outbox = outbox
    }

    /// - Returns: how many finished jobs the store did not know of.
    package func adoptAll() throws -> Int {
        guard let root = try? Directory.open(outbox) else { return 0 }
        return try search(root, path: [], depth: 0)
    }

    private func search(_ folder: Directory, path: [String], depth: Int) throws -> Int {
        var count = 0
        for name in try folder.list().sorted() where name.bytes.first != UInt8(ascii: ".") {
            guard try folder.status(of: name)?.kind == .directory, let child = try? folder.subdirectory(name) else { continue }
            if let manifest = Publisher.verifiedManifest(in: folder, name) {
                if try adopt(manifest, name: name.display, folder: path.joined(separator: "/")) { count += 1 }
            } else if depth < Self.depthMax {
                count += try search(child, path: path + [name.display], depth: depth + 1)
            }
        }
        return count
    }

    private func adopt(_ manifest: Manifest, name: String, folder: String) throws -> Bool {
        guard JobKey.isKey(manifest.key.utf8) else { return false }
        var facts: [String: String] = [:]
        facts["duration"] = manifest.duration.map { "\($0)" }
        facts["artist"] = manifest.artist
        facts["album"] = manifest.album
        facts["language"] = manifest.language
        facts["words"] = "\(manifest.quality.words)"
        facts["measured_share"] = "\(manifest.quality.measuredShare)"
        if manifest.quality.lyrics == "given" { facts["lyrics"] = "given" }
        if manifest.instrumental { facts["instrumental"] = "yes" }
        return try store.adopt(
            key: manifest.key, id: manifest.job, title: manifest.title, url: manifest.source.url, contentKey: manifest.source.content,
            lyricsDigest: manifest.source.lyricsSha256, plan: manifest.settings, outboxFolder: folder, outboxName: name, facts: facts,
            isInstrumental: manifest.instrumental,
            finishedAt: (try? Date(manifest.finished, strategy: .iso8601))?.timeIntervalSince1970 ?? 0)
    }
}
