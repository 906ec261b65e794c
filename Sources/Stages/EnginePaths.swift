import Host

/// Where the programs of the embedded engines are. `nil` is one that was not found: its stage says so, with the next step.
package struct EnginePaths: Sendable, Equatable {
    package var ffmpeg: String?
    package var ffprobe: String?
    package var ytDlp: String?
    /// The interpreter of the virtual environment that holds PocketSphinx.
    package var pocketSphinxPython: String?
    /// Pronounces words the recogniser's dictionary lacks. The aligner works without, with rougher guesses.
    package var espeak: String?
    /// The command that installs the Python engines, as it is shown to a person.
    package var installCommand: String

    package init(
        ffmpeg: String? = nil, ffprobe: String? = nil, ytDlp: String? = nil, pocketSphinxPython: String? = nil,
        espeak: String? = nil, installCommand: String
    ) {
        self.ffmpeg = ffmpeg
        self.ffprobe = ffprobe
        self.ytDlp = ytDlp
        self.pocketSphinxPython = pocketSphinxPython
        self.espeak = espeak
        self.installCommand = installCommand
    }

    /// Looks where `engines/install` puts things, then in the search path.
    ///
    /// - Parameters:
    ///   - engineFolder: absolute; what was given to `engines/install`.
    ///   - searchPath: folders separated by colons, as in `PATH`.
    ///   - installer: the install script as the operator reaches it.
    package static func find(
        engineFolder: String, searchPath: String = EngineEnvironment.systemPath, installer: String = "engines/install"
    ) -> EnginePaths {
        func inPath(_ name: String) -> String? {
            searchPath.split(separator: ":").lazy.map { "\($0)/\(name)" }.first(where: isProgram)
        }
        func installed(_ path: String) -> String? {
            let path = engineFolder + "/" + path
            return isProgram(path) ? path : nil
        }
        return EnginePaths(
            ffmpeg: inPath("ffmpeg"), ffprobe: inPath("ffprobe"),
            ytDlp: installed("yt-dlp/bin/yt-dlp") ?? inPath("yt-dlp"),
            // Never a python of the search path: it has no PocketSphinx, and the message would blame the wrong thing.
            pocketSphinxPython: installed("pocketsphinx/bin/python"),
            espeak: inPath("espeak-ng"), installCommand: "\(installer) \(engineFolder)")
    }

    private static func isProgram(_ path: String) -> Bool {
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return false }
        let name = FileName(String(path[path.index(after: slash)...]))
        guard let status = try? Directory.open(slash == path.startIndex ? "/" : String(path[..<slash])).status(of: name) else {
            return false
        }
        // The interpreter of a virtual environment is a link; whether it can be started is seen when it is started.
        return status.kind == .symbolicLink || (status.kind == .regular && status.mode & 0o111 != 0)
    }
}
