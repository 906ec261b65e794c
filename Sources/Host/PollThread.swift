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
        try Self.start {
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

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func start(_ run: @escaping @Sendable () -> Void) throws(SystemCallError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 512 << 10)
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
            // Always the body passed below.
            Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
            return nil
        }
        let code = pthread_create(&thread, &attributes, start, body.toOpaque())
        if code != 0 {
            body.release()
            throw SystemCallError(call: "pthread_create", errno: code, subject: "")
        }
    }
}
