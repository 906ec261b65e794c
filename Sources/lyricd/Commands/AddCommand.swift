import ArgumentParser
import FoundationEssentials
import Host
import Jobs

struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Put links and files into the inbox.",
        discussion: "The same as copying them there by hand, but in one step, so that nothing has to settle for long. Works while lyricd is down.")

    @OptionGroup var options: ConfigurationOption
    @Option(name: .long, help: "Profile: put it into the inbox's sub-folder of that name.") var profile: String?
    @Option(name: .long, help: "Known lyrics (.txt or .lrc) of the one recording that is added.") var lyrics: String?
    @Argument(help: "http and https links, and paths of files.") var items: [String]

    func validate() throws {
        if items.isEmpty { throw ValidationError("name at least one link or file") }
        if lyrics != nil, items.count != 1 { throw ValidationError("--lyrics goes with one recording") }
    }

    func run() throws {
        let configuration = try options.load()
        if let profile, configuration.profiles[profile] == nil {
            throw UserError("there is no profile named \(profile)", next: "known: \(configuration.profiles.keys.sorted().joined(separator: ", "))")
        }
        var inbox: Directory
        do {
            inbox = try Directory.open(configuration.folders.inbox)
            if let profile, profile != "default" {
                if try inbox.status(of: FileName(profile)) == nil { try inbox.makeDirectory(FileName(profile), mode: 0o775) }
                inbox = try inbox.subdirectory(FileName(profile))
            }
        } catch {
            throw UserError("the inbox cannot be written: \(error)", next: "start the service once, or see [folders] in the configuration")
        }
        for item in items {
            do {
                if item.contains("://") || item.hasPrefix("www.") { try addLink(item, to: inbox) } else { try addFile(item, to: inbox) }
            } catch {
                guard let refusal = error as? SystemCallError, refusal.isPermission else { throw error }
                throw UserError(
                    "you may not put anything into the inbox (\(refusal))",
                    next: "run it with sudo, or join the group: usermod -aG lyricd \(ProcessInfo.processInfo.userName)")
            }
        }
    }

    private func addLink(_ text: String, to inbox: Directory) throws {
        let link: WebLink
        do { link = try WebLink(text.hasPrefix("www.") ? "https://" + text : text) } catch {
            throw UserError("\(text): \(error)")
        }
        let base = OutboxName(link.display, fallback: "link").text
        let name = try freeName(base, ending: "url", in: inbox)
        try inbox.replace(name, with: Array("[InternetShortcut]\r\nURL=\(link.url)\r\n".utf8), mode: 0o664)
        Terminal.print("added \(link.display)")
    }

    private func addFile(_ path: String, to inbox: Directory) throws {
        let (folder, name) = try split(path)
        guard let source = try? folder.openFile(name) else { throw UserError("\(path) cannot be read") }
        let target = try freeName(name.stem.display, ending: name.pathExtension, in: inbox)
        // The words first: then they are there when the recording is looked at.
        if let lyrics {
            let (lyricsFolder, lyricsName) = try split(lyrics)
            guard let words = try? lyricsFolder.openFile(lyricsName) else { throw UserError("\(lyrics) cannot be read") }
            let ending = lyricsName.pathExtension == "lrc" ? "lrc" : "txt"
            try put(words, as: FileName(target.stem.bytes + Array(".\(ending)".utf8)), into: inbox)
        }
        try put(source, as: target, into: inbox)
        Terminal.print("added \(target.display)")
    }

    /// Copied under a hidden name, then renamed: the inbox never sees half of it.
    private func put(_ file: File, as name: FileName, into inbox: Directory) throws {
        let temporary = FileName(".lyricd-add-\(JobKey.make(unixSeconds: Daemon.unixSeconds())).tmp")
        _ = try inbox.copy(from: file, as: temporary, mode: 0o664)
        do { try inbox.rename(temporary, to: inbox, as: name, replacing: false) } catch {
            try? inbox.remove(temporary)
            throw error
        }
        try inbox.sync()
    }

    private func split(_ path: String) throws -> (Directory, FileName) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        do { return (try Directory.open(folder), FileName(name)) } catch { throw UserError("\(folder) cannot be opened: \(error)") }
    }

    private func freeName(_ stem: String, ending: String, in inbox: Directory) throws -> FileName {
        let ending = ending.isEmpty ? "" : "." + ending
        var name = FileName(stem + ending)
        var number = 2
        while try inbox.status(of: name) != nil {
            name = FileName("\(stem) (\(number))\(ending)")
            number += 1
        }
        return name
    }
}
