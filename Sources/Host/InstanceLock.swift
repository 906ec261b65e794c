import Glibc

/// Somebody else holds the lock, or it cannot be taken at all.
package enum InstanceLockError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `pid` as the holder wrote it; 0 where it has not got that far.
    case held(pid: Int32)
    case failed(SystemCallError)

    package var description: String {
        switch self {
        case .held(let pid): "another lyricd (process \(pid)) works in this state folder; stop it first"
        case .failed(let error): error.description
        }
    }
}

/// Keeps a second daemon out of a state folder. Held as long as the value lives; the kernel gives it back when the process dies.
///
/// flock(2) on a file of its own: closing any descriptor of the database would drop a POSIX lock on it.
/// Source: sqlite.org/howtocorrupt.html, section 2.2.
package struct InstanceLock: Sendable {
    private let descriptor: Descriptor

    /// - Parameter path: of the lock file, made if it is missing and never removed: a lock on a removed file locks nobody out.
    package static func acquire(_ path: String) throws(InstanceLockError) -> InstanceLock {
        do {
            let descriptor = Descriptor(try check("open", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640) })
            guard try lock(descriptor, path) else { throw InstanceLockError.held(pid: holder(descriptor)) }
            let text = Array("\(getpid())\n".utf8)
            _ = try check("ftruncate", path) { ftruncate(descriptor.number, 0) }
            _ = try check("pwrite", path) { pwrite(descriptor.number, text, text.count, 0) }
            return InstanceLock(descriptor: descriptor)
        } catch let error as SystemCallError {
            throw .failed(error)
        } catch let error as InstanceLockError {
            throw error
        } catch {
            // Both types that the block throws are caught above.
            fatalError("\(error)")
        }
    }

    private static func lock(_ descriptor: Descriptor, _ path: String) throws(SystemCallError) -> Bool {
        do {
            _ = try check("flock", path) { flock(descriptor.number, LOCK_EX | LOCK_NB) }
            return true
        } catch where error.errno == EWOULDBLOCK {
            return false
        }
    }

    private static func holder(_ descriptor: Descriptor) -> Int32 {
        // The holder locks first and writes its pid just after.
        for _ in 0..<20 {
            var buffer = [UInt8](repeating: 0, count: 32)
            let count = pread(descriptor.number, &buffer, buffer.count, 0)
            if count > 0, let pid = Int32(String(decoding: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self)) { return pid }
            usleep(5_000)
        }
        return 0
    }
}
