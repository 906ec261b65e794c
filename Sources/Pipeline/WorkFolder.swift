import Host
import Jobs

/// A job's folder: the recording as claimed, and one folder for each finished stage.
///
///     work/<key>/recording  lyrics.txt|lyrics.lrc  probe/  separate/  …  align.tmp-812/
///
/// A stage writes into a folder of the attempt's own; only a whole, fsynced folder gets the stage's name.
struct WorkFolder {
    let path: String
    let directory: Directory

    /// Opens the folder, and makes it where the job came without a file.
    init(work: String, key: String) throws {
        let root = try Directory.open(work)
        if try root.status(of: FileName(key)) == nil {
            try root.makeDirectory(FileName(key))
            try root.sync()
        }
        directory = try root.subdirectory(FileName(key))
        path = work + "/" + key
    }

    static func remove(work: String, key: String) throws {
        try Directory.open(work).removeTree(FileName(key))
    }

    var lyrics: String? {
        for name in ["lyrics.txt", "lyrics.lrc"] where (try? directory.status(of: FileName(name))) ?? nil != nil {
            return path + "/" + name
        }
        return nil
    }

    /// The claimed file, or what fetch left.
    func recording(facts: [String: String]) -> String? {
        if (try? directory.status(of: "recording")) ?? nil != nil { return path + "/recording" }
        guard let fetched = facts["media"], !fetched.contains("/") else { return nil }
        return path + "/fetch/" + fetched
    }

    func stagePath(_ stage: StageName) -> String { path + "/" + stage.rawValue }

    /// An empty folder for one attempt; what earlier attempts left half done goes.
    func begin(_ stage: StageName, attempt: Int64) throws -> String {
        let prefix = Array("\(stage.rawValue).tmp-".utf8)
        for name in try directory.list() where name.bytes.starts(with: prefix) { try directory.removeTree(name) }
        let name = FileName("\(stage.rawValue).tmp-\(attempt)")
        try directory.makeDirectory(name)
        return path + "/" + name.display
    }

    /// Makes the attempt's files durable and gives the folder the stage's name.
    ///
    /// - Returns: what is in it, for the commit.
    func commit(_ stage: StageName, attempt: Int64) throws -> [Artifact] {
        let name = FileName("\(stage.rawValue).tmp-\(attempt)")
        let folder = try directory.subdirectory(name)
        var artifacts: [Artifact] = []
        for file in try folder.list().sorted() {
            guard let status = try folder.status(of: file) else { continue }
            // A stage leaves plain files; whatever else an engine made (cache folders, links) is no result.
            guard status.kind == .regular else {
                try folder.removeTree(file)
                continue
            }
            let digest = try folder.openFile(file).syncedDigest()
            artifacts.append(Artifact(path: file.display, sha256: digest.sha256, bytes: digest.bytes))
        }
        try folder.sync()
        Fault.crash("stage.durable")
        try directory.removeTree(FileName(stage.rawValue))
        try directory.rename(name, to: directory, as: FileName(stage.rawValue), replacing: false)
        try directory.sync()
        Fault.crash("stage.renamed")
        return artifacts
    }

    func abandon(_ stage: StageName, attempt: Int64) {
        try? directory.removeTree(FileName("\(stage.rawValue).tmp-\(attempt)"))
    }

    /// The first stage whose files are not what was committed; `nil` where all are.
    func firstDamaged(_ artifacts: [StageName: [Artifact]]) -> StageName? {
        for (stage, files) in artifacts.sorted(by: { $0.key < $1.key }) {
            guard let folder = try? directory.subdirectory(FileName(stage.rawValue)) else { return stage }
            for file in files {
                guard let digest = try? folder.openFile(FileName(file.path)).digest(), digest.sha256 == file.sha256 else { return stage }
            }
        }
        return nil
    }
}
