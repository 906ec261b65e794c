import Host
import Inbox
import Jobs
import TestSupport
import Testing

/// Folders that people use besides lyricd: the service's group works in them by hand.
@Suite(.timeLimit(.minutes(3))) struct SharedFolderTests {
    @Test func theGroupMayMoveAFailedSongBackAndReadWhyItFailed() async throws {
        try await withInbox(.auto) { inbox in
            try inbox.drop("song.mp3", "no song", in: "inbox/album/disc")
            let job = try await inbox.jobs(1)[0]
            try inbox.store.fail(job.id)
            try await inbox.disposed(job.drop, as: .failed)
            let kept = ~(try umask()) & 0o777
            for (folder, name, mode) in [("failed", "album", UInt32(0o775)), ("failed/album", "disc", 0o775), ("failed/album/disc", "song.mp3.txt", 0o664)] {
                let status = try #require(try Directory.open(inbox.root + "/" + folder).status(of: FileName(name)))
                #expect(status.mode & 0o777 == mode & kept, "\(folder)/\(name)")
            }
        }
    }

    /// umask(2) cannot be asked without being set, for all threads. Source: proc_pid_status(5).
    private func umask() throws -> UInt32 {
        let bytes = try Directory.open("/proc/self").openFile("status").readAll(limit: 64 << 10)
        let line = try #require(String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Umask:") })
        return try #require(UInt32(line.dropFirst("Umask:".count).filter(\.isNumber), radix: 8))
    }
}
