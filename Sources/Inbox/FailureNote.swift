import Host
import Jobs

/// The text that lies in the failed folder beside what could not be done: why, in plain words, and what to do.
package enum FailureNote {
    private static let mark = "lyricd could not finish this."
    private static let heldMark = "lyricd needs your help with this."

    /// Bytes; file systems allow 255 for a name, and the note's own ending has to fit.
    private static let nameMax = 255

    package static func name(for name: FileName) -> FileName {
        let suffix = Array(".txt".utf8)
        var bytes = name.bytes
        if bytes.count + suffix.count > nameMax { bytes = Array(bytes.prefix(nameMax - suffix.count - 9)) + Array("-\(checksum(name))".utf8) }
        return FileName(bytes + suffix)
    }

    /// Eight hexadecimal digits that tell two long names with the same beginning apart. FNV-1a, 32 bits.
    private static func checksum(_ name: FileName) -> String {
        let hash = name.bytes.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    static func text(for name: FileName, jobs: [Job]) -> String {
        let isHeld = jobs.contains { $0.state == .held }
        var lines = [isHeld ? heldMark : mark, "", "File: \(name.display)"]
        let done = jobs.count { $0.state.isPublished }
        if jobs.count > 1 { lines.append("\(done) of \(jobs.count) are done; the others are listed here.") }
        for job in jobs where !job.state.isPublished && job.state != .superseded {
            lines.append("")
            lines.append("Job \(job.id)\(job.url.map { " — \($0)" } ?? "") \(job.state.rawValue)\(job.failure.map { " (\($0.rawValue))" } ?? "")")
            lines.append("Why:        \(job.reason.isEmpty ? "no reason was recorded" : job.reason)")
            if !job.nextStep.isEmpty { lines.append("What to do: \(job.nextStep)") }
        }
        lines.append("")
        lines.append(
            isHeld
                ? "The file stays in the inbox. When the cause is mended: lyricd retry \(jobs.first { $0.state == .held }?.id ?? 0)"
                : "To try again, move the file back into the inbox, or run: lyricd retry \(jobs.first { !$0.state.isPublished }?.id ?? 0)")
        return lines.joined(separator: "\n") + "\n"
    }

    static func write(for name: FileName, jobs: [Job], in folder: Directory) throws(SystemCallError) {
        try folder.replace(self.name(for: name), with: Array(text(for: name, jobs: jobs).utf8), mode: 0o664)
    }

    /// Removes a note of ours; a file of that name that somebody else wrote is left alone, and so is the note of an earlier file
    /// of the same name that still lies there.
    static func remove(for name: FileName, components: [FileName], failedFolder: String) {
        guard let folder = try? Directory.open(failedFolder).descend(components), (try? folder.status(of: name)) == nil
        else { return }
        let note = self.name(for: name)
        guard let bytes = try? folder.openFile(note).readAll(limit: 1 << 20) else { return }
        if isOurs(bytes) { try? folder.remove(note) }
    }

    static func isOurs(_ bytes: [UInt8]) -> Bool { [mark, heldMark].contains { bytes.starts(with: $0.utf8) } }
}
