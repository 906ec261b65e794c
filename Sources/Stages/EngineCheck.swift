import Host

/// What `lyricd doctor` says of one program.
package struct EngineCheck: Sendable, Equatable {
    /// `yt-dlp`, `ffmpeg` …
    package let name: String
    /// What it is for, a few words.
    package let purpose: String
    /// `nil` where it was not found.
    package let path: String?
    /// `nil` where it was not found or does not run.
    package let version: String?
    /// The command that installs it.
    package let install: String
    /// Without it some drops fail; else only the result is worse.
    package let isNeeded: Bool

    /// Found, and it runs.
    package var isWorking: Bool { version != nil }

    /// Asks every program for its version.
    package static func all(paths: EnginePaths, scripts: EngineScripts, environment: EngineEnvironment) async -> [EngineCheck] {
        let media = FFprobe(paths: paths, environment: environment)
        let voice = MonoMix(paths: paths, environment: environment)
        let fetch = YtDlp(paths: paths, scripts: scripts, environment: environment)
        let words = PocketSphinxAligner(paths: paths, scripts: scripts, environment: environment)
        let espeak = await EngineVersion().ask(paths.espeak, ["--version"], environment: environment) { line in
            // `eSpeak NG text-to-speech: 1.51  Data at: …`
            line.split(separator: " ").first { $0.first?.isNumber == true }.map(String.init)
        }
        return [
            EngineCheck(
                name: "ffmpeg", purpose: "the voice out of every recording", path: paths.ffmpeg, version: await voice.version(),
                install: "apt-get install ffmpeg", isNeeded: true),
            EngineCheck(
                name: "ffprobe", purpose: "what is in a recording", path: paths.ffprobe, version: await media.version(),
                install: "apt-get install ffmpeg", isNeeded: true),
            EngineCheck(
                name: "yt-dlp", purpose: "recordings behind links", path: paths.ytDlp, version: await fetch.version(),
                install: paths.installCommand, isNeeded: true),
            EngineCheck(
                name: "PocketSphinx", purpose: "words and their times", path: paths.pocketSphinxPython, version: await words.version(),
                install: paths.installCommand, isNeeded: true),
            EngineCheck(
                name: "espeak-ng", purpose: "how unusual words sound", path: paths.espeak, version: espeak,
                install: "apt-get install espeak-ng", isNeeded: false),
        ]
    }
}
