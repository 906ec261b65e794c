import Glibc

/// A system call that failed: which one, why, and on what.
package struct SystemCallError: Error, Sendable, Equatable, CustomStringConvertible {
    /// As in the manual: `open`, `fsync`, `renameat2`.
    package let call: String
    /// The number `errno` had; see errno(3).
    package let errno: Int32
    /// The path, printable, or whatever the call was about.
    package let subject: String

    package init(call: String, errno: Int32, subject: String) {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    /// Trying again helps as soon as somebody has made room.
    package var isOutOfSpace: Bool { errno == ENOSPC || errno == EDQUOT }

    /// `open /srv/x: No such file or directory`
    package var description: String {
        (subject.isEmpty ? call : "\(call) \(subject)") + ": " + String(cString: strerror(errno))
    }
}

/// The one place where `EINTR` is handled and where -1 becomes an error.
///
/// Never for `close`: Linux has freed the descriptor even when it reports `EINTR`. Source: close(2), "Dealing with error returns".
func check<Result: SignedInteger>(
    _ call: String, _ subject: @autoclosure () -> String, _ body: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = body()
        guard result == -1 else { return result }
        let code = Glibc.errno
        if code == EINTR { continue }
        throw SystemCallError(call: call, errno: code, subject: subject())
    }
}
