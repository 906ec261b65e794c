import Glibc

/// A thread for what blocks. Swift's own are as many as the machine has cores, and everything else waits for them.
enum BackgroundThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// - Throws: `EAGAIN` where the machine or the service has no thread left.
    static func start(_ run: @escaping @Sendable () -> Void) throws(SystemCallError) {
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
