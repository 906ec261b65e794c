import Glibc

/// A thread that waits for one descriptor and does nothing else; it sleeps in the kernel until there is something.
///
/// Ends with its owner, after a call that is just being made.
final class PollThread: Sendable {
    /// The writing end of a pipe. When it closes, the thread wakes up and ends.
    private let lifeline: Descriptor

    /// - Parameters:
    ///   - watched: kept open by the thread.
    ///   - events: as in poll(2).
    init(_ watched: Descriptor, events: Int32, onReady: @escaping @Sendable () -> Void) throws(SystemCallError) {
        var ends: [Int32] = [-1, -1]
        _ = try check("pipe", "") { pipe(&ends) }
        let end = Descriptor(ends[0])
        lifeline = Descriptor(ends[1])
        for number in ends { _ = try check("fcntl", "") { fcntl(number, F_SETFD, FD_CLOEXEC) } }
        try BackgroundThread.start {
            while true {
                var polled = [
                    pollfd(fd: watched.number, events: Int16(events), revents: 0),
                    pollfd(fd: end.number, events: Int16(POLLIN), revents: 0),
                ]
                let count = poll(&polled, 2, -1)
                if count < 0, errno == EINTR { continue }
                if count < 0 || polled[1].revents != 0 { return }
                if polled[0].revents != 0 { onReady() }
            }
        }
    }
}
