import ArgumentParser
import FoundationEssentials
import Glibc
import Host
import Inbox
import Stages

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at everything lyricd needs and say what is missing and what to do about it.",
        discussion: "Exit status 1 if something that is needed is missing. Run it as the service's user: sudo -u lyricd lyricd doctor")

    @OptionGroup var options: ConfigurationOption

    func run() async throws {
        var isWell = true
        func line(_ isGood: Bool?, _ name: String, _ text: String, next: String = "") {
            let mark = isGood == true ? Terminal.styled("ok  ", .green) : isGood == nil ? Terminal.styled("note", .yellow) : Terminal.styled("BAD ", .red)
            Terminal.print("\(mark)  \(Terminal.padded(name, 14)) \(text)")
            if !next.isEmpty { Terminal.print("      \(Terminal.padded("", 14)) → \(next)") }
            if isGood == false { isWell = false }
        }
        let configuration: Configuration
        do {
            configuration = try options.load()
            line(true, "configuration", configuration.file ?? "no file; the defaults hold")
        } catch {
            line(false, "configuration", "\(error)", next: "see lyricd.toml(5), or: lyricd config check")
            throw ExitCode.failure
        }
        let state = StateFolder(path: configuration.folders.state)
        for (name, path, isOurs) in [
            ("inbox", configuration.folders.inbox, false), ("outbox", configuration.folders.outbox, true),
            ("archive", configuration.folders.archive, true), ("failed", configuration.folders.failed, true),
            ("state", configuration.folders.state, true),
        ] {
            let (isGood, text, next) = Self.folder(path, isOurs: isOurs)
            line(isGood, name, text, next: next)
        }
        let scratch = FileManager.default.temporaryDirectory.path + "/lyricd-doctor-\(getpid())"
        _ = try Directory.openOrCreate(scratch, mode: 0o700)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let scripts = try EngineScripts.install(into: scratch)
        for check in await EngineCheck.all(
            paths: configuration.enginePaths(state: state), scripts: scripts, environment: EngineEnvironment(owner: scratch))
        {
            if check.isWorking {
                line(true, check.name, "\(check.version ?? "") — \(check.purpose)")
            } else {
                let what = check.path.map { "\($0) does not run" } ?? "not installed"
                line(check.isNeeded ? false : nil, check.name, "\(what) — \(check.purpose)", next: check.install)
            }
        }
        let watches = Self.number("/proc/sys/fs/inotify/max_user_watches")
        line(
            watches.map { $0 >= 8192 } ?? false ? true : nil, "inotify", "\(watches.map(String.init) ?? "unknown") watches for each user",
            next: (watches ?? 0) >= 8192 ? "" : "sysctl fs.inotify.max_user_watches=65536 (without watches lyricd polls)")
        for key in ["protected_symlinks", "protected_hardlinks"] where Self.number("/proc/sys/fs/\(key)") == 0 {
            line(nil, key, "off: other users of a shared inbox can play tricks with links", next: "sysctl fs.\(key)=1")
        }
        if let status = StatusFile.read(from: configuration.folders.runtime) {
            line(true, "daemon", "running, process \(status.pid), version \(status.version), \(status.inbox.mode)\(status.inbox.modeReason.map { " (\($0))" } ?? "")")
        } else {
            line(nil, "daemon", "not running", next: "systemctl start lyricd")
        }
        if !isWell { throw ExitCode.failure }
    }

    private static func folder(_ path: String, isOurs: Bool) -> (Bool?, String, String) {
        do {
            let folder = try Directory.open(path)
            let probe = FileName(".lyricd-probe-doctor-\(getpid())")
            do {
                try folder.write(probe, [])
                try folder.remove(probe)
            } catch {
                return isOurs
                    ? (false, "\(path): \(error)", "give it to the service: chown lyricd: \(path)")
                    : (nil, "\(path) cannot be written: finished sources stay in it", "give the service's group write access")
            }
            let free = try folder.freeBytes()
            return (true, "\(path), \(try folder.fileSystem().name), \(free >> 30) GiB free", "")
        } catch {
            return (false, "\(error)", "mkdir -p \(path), and give it to the service's user")
        }
    }

    private static func number(_ path: String) -> Int? {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        guard let folder = try? Directory.open(String(path[..<slash])),
            let bytes = try? folder.openFile(FileName(String(path[path.index(after: slash)...]))).readAll(limit: 64)
        else { return nil }
        return Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
    }
}
