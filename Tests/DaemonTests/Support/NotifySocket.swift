import Foundation
import Glibc
import Synchronization
import TestSupport

/// What systemd would be told: a datagram socket that keeps every message. Source: sd_notify(3).
///
/// Read all the time, on a thread of its own: a few unread datagrams fill the socket (net.unix.max_dgram_qlen), and then the daemon
/// stands in `sendmsg`.
final class NotifySocket: Sendable {
    let path: String
    private let descriptor: Int32
    private let messages = Messages()

    private final class Messages: Sendable {
        let all = Mutex<[String]>([])
        let isClosed = Mutex(false)
    }

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            for (index, byte) in path.utf8.enumerated() where index < target.count - 1 { target[index] = byte }
        }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        var patience = timeval(tv_sec: 0, tv_usec: 100_000)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        guard descriptor >= 0, result == 0 else { throw Late("the socket \(path) could not be made: \(String(cString: strerror(errno)))") }
        Thread.detachNewThread { @Sendable [descriptor, messages] in
            var buffer = [UInt8](repeating: 0, count: 8192)
            while !messages.isClosed.withLock({ $0 }) {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count >= 0 { messages.all.withLock { $0.append(String(decoding: buffer[..<count], as: UTF8.self)) } }
            }
            close(descriptor)
        }
    }

    deinit { messages.isClosed.withLock { $0 = true } }

    /// Everything so far, each message as it was sent; one may hold several lines.
    var all: [String] { messages.all.withLock { $0 } }

    func count(_ line: String) -> Int { all.count { $0.split(separator: "\n").contains { $0 == line } } }

    /// Waits for a message one of whose lines begins like this.
    @discardableResult
    func wait(for prefix: String, after index: Int = 0, seconds: Double = 30) async throws -> String {
        try await waitUntil("\(prefix) on the notify socket; there was \(all)", seconds: seconds) {
            all.dropFirst(index).first { $0.split(separator: "\n").contains { $0.hasPrefix(prefix) } }
        }
    }
}
