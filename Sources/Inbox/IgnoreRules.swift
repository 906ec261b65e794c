import Host

/// Names that no person dropped: what systems, shares, browsers and copying programs leave, and files that are not complete yet.
///
/// ASCII capitals and small letters are one. Sources: the programs' own documentation and code, named at each group.
package enum IgnoreRules {
    package static let unfinished = "still being downloaded or copied"
    package static let hidden = "hidden file"
    package static let system = "belongs to a system or a file share"
    package static let editor = "temporary file of an editor"

    /// - Returns: why a file of that name is left alone; `nil` where it is not.
    package static func reason(forFile name: FileName) -> String? {
        let text = lowered(name)
        return common(text) ?? (isUnfinished(text) ? unfinished : nil) ?? (isEditors(text) ? editor : nil)
    }

    /// - Returns: why a folder of that name is not entered; `nil` where it is.
    package static func reason(forFolder name: FileName) -> String? {
        let text = lowered(name)
        // Safari's `song.mp3.download` is a folder; so is rsync's `.~tmp~`, which is hidden.
        return common(text) ?? (unfinishedEndings.contains { text.hasSuffix($0) } ? unfinished : nil)
    }

    private static func common(_ text: String) -> String? {
        // Also `._song.mp3` (a Mac's notes), `.song.mp3.Xy12Zw` (rsync), `.syncthing.…`, `.DS_Store`, `.~lock.…#`.
        if text.hasPrefix(".") { return hidden }
        if systemNames.contains(text) || text.hasSuffix(":zone.identifier") { return system }
        // Windows and office programs: `~$Song.docx`; Syncthing on Windows: `~syncthing~song.mp3.tmp`.
        if text.hasPrefix("~$") { return editor }
        if text.hasPrefix("~syncthing~") { return unfinished }
        return nil
    }

    /// Windows, macOS (the name ends in a carriage return), Synology, QNAP, ext4.
    private static let systemNames: Set<String> = [
        "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "$recycle.bin", "system volume information", "icon\r",
        "@eadir", "@tmp", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "lost+found",
    ]

    /// Firefox, yt-dlp, Nextcloud and KDE (`.part`), Chrome, Safari, Edge, Opera, aria2, WinSCP, qBittorrent, yt-dlp's resume file.
    private static let unfinishedEndings = [
        ".part", ".crdownload", ".download", ".partial", ".opdownload", ".aria2", ".filepart", ".!qb", ".ytdl", ".tmp",
    ]

    private static func isUnfinished(_ text: String) -> Bool {
        if unfinishedEndings.contains(where: text.hasSuffix) { return true }
        // yt-dlp: `song.mp4.part-Frag12`, and `song.temp.mp4` while it is converted.
        if text.contains(".part-frag") { return true }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count >= 3 && parts[parts.count - 2] == "temp"
    }

    /// Emacs and many others (`name~`), vim (`.swp`; `4913` is its probe).
    private static func isEditors(_ text: String) -> Bool { text.hasSuffix("~") || text.hasSuffix(".swp") || text == "4913" }

    /// Invalid UTF-8 becomes replacement characters: no pattern holds one.
    private static func lowered(_ name: FileName) -> String {
        String(decoding: name.bytes.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
    }
}
