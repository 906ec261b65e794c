import FoundationEssentials
import Host
import Inbox
import Jobs
import Pipeline

/// What the daemon is doing at this moment, for the command line: progress is not worth a commit.
///
/// Replaced by a rename, so a reader sees one whole state; not durable, because after a crash nothing of it is true.
struct StatusFile: Codable, Sendable, Equatable {
    static let name = "status.json"

    var pid: Int32
    var run: String
    var version: String
    /// Boot clock, seconds.
    var writtenAt: Double
    var isStopping: Bool
    /// Why no stage is started; `nil` while stages are.
    var paused: String?
    /// What an operator should know besides: a reload that failed.
    var note: String?
    var running: [StatusBoard.Running]
    var inbox: InboxStatus

    func stamped(_ seconds: Double) -> StatusFile {
        var copy = self
        copy.writtenAt = seconds
        return copy
    }

    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try Directory.open(folder).replace(
            FileName(Self.name), with: Array(try encoder.encode(self)), mode: 0o644, durable: false)
    }

    /// `nil` where no daemon writes it: none is running.
    static func read(from folder: String) -> StatusFile? {
        guard let bytes = try? Directory.open(folder).openFile(FileName(name)).readAll(limit: 4 << 20),
            let status = try? JSONDecoder().decode(StatusFile.self, from: Data(bytes)),
            (try? Directory.open("/proc/\(status.pid)")) != nil
        else { return nil }
        return status
    }

    static func remove(from folder: String) { try? Directory.open(folder).remove(FileName(name)) }
}
