import Glibc
import Host
import Synchronization
import Testing

/// A folder of its own for one test, removed on every path.
func withFolder<Result>(_ body: (Directory) async throws -> Result) async throws -> Result {
    let parent = try Directory.open("/tmp")
    let name = FileName("lyricd-host-\(String(UInt64.random(in: .min ... .max), radix: 36))")
    try parent.makeDirectory(name)
    defer { try? parent.removeTree(name) }
    return try await body(Directory.open("/tmp/\(name.display)"))
}

/// Waits until something is true; a test that waits in vain fails instead of hanging.
func eventually(
    within seconds: Double = 20, _ what: String = "condition", sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) async throws {
    let deadline = Clock.bootSeconds + seconds
    while try !condition() {
        if Clock.bootSeconds > deadline {
            Issue.record("waited \(seconds) s in vain for \(what)", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Collects lines from any thread.
final class Lines: Sendable {
    private let storage = Mutex<[[UInt8]]>([])
    func append(_ line: [UInt8]) { storage.withLock { $0.append(line) } }
    var bytes: [[UInt8]] { storage.withLock { $0 } }
    var text: [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }
    var count: Int { storage.withLock { $0.count } }
}

func isAlive(_ pid: Int32) -> Bool {
    // A zombie that init has not reaped yet is dead.
    guard let stat = try? text(of: "/proc/\(pid)/stat"), let bracket = stat.lastIndex(of: ")") else { return false }
    return !stat[bracket...].hasPrefix(") Z") && !stat[bracket...].hasPrefix(") X")
}

/// The contents of a file, one of /proc too, which `File` would not take for a regular file with a size.
func text(of path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemCallError(call: "open", errno: errno, subject: path) }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return String(decoding: contents, as: UTF8.self) }
        contents += buffer[..<count]
    }
}

func openDescriptors() throws -> Int { try Directory.open("/proc/self/fd").list().count }

/// A datagram or stream socket bound to a path, or to an abstract name that starts with `@`.
final class ListeningSocket: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        try #require(name.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard bound == 0 else { throw SystemCallError(call: "bind", errno: errno, subject: path) }
    }

    deinit { close(descriptor) }

    /// The next datagram, where there is one; does not wait.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count >= 0 ? Array(buffer[..<count]) : nil
    }
}
