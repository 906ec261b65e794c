import Host

/// The Python programs that lyricd carries within itself, laid out where an interpreter can read them.
package struct EngineScripts: Sendable, Equatable {
    package enum Name: String, CaseIterable, Sendable {
        case pocketSphinx = "pocketsphinx_engine.py"
        case ytDlp = "ytdlp_engine.py"

        var contents: [UInt8] {
            switch self {
            case .pocketSphinx: PackageResources.pocketsphinx_engine_py
            case .ytDlp: PackageResources.ytdlp_engine_py
            }
        }
    }

    /// Absolute.
    private let folder: String

    private init(folder: String) { self.folder = folder }

    /// Lays the programs out, or finds that they lie there already, byte for byte.
    ///
    /// - Parameter folder: absolute; in the state folder, written by nobody else. Made where it is missing.
    package static func install(into folder: String) throws(SystemCallError) -> EngineScripts {
        let scripts = EngineScripts(folder: folder)
        for name in Name.allCases { _ = try scripts.path(of: name) }
        return scripts
    }

    /// The program's path, after its contents were compared: an older release's, a half-written or a foreign one is replaced.
    func path(of name: Name) throws(SystemCallError) -> String {
        let directory = try Directory.openOrCreate(folder, mode: 0o700)
        let file = FileName(name.rawValue)
        if (try? directory.openFile(file).readAll(limit: name.contents.count)) != name.contents {
            try directory.replace(file, with: name.contents, mode: 0o600)
        }
        return folder + "/" + name.rawValue
    }
}
