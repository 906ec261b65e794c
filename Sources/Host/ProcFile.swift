import Glibc

/// Files under /proc: they have no size, and may vanish between two reads.
enum ProcFile {
    /// `nil` where the file, or the process, is gone or closed to us.
    static func bytes(_ path: String) -> [UInt8]? {
        guard let descriptor = try? check("open", path, { open(path, O_RDONLY | O_CLOEXEC) }) else { return nil }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            guard let count = try? check("read", path, { read(descriptor, &buffer, buffer.count) }) else { return nil }
            if count == 0 { return contents }
            contents += buffer[..<count]
        }
    }

    static func lines(_ path: String) -> [Substring]? {
        bytes(path).map { String(decoding: $0, as: UTF8.self).split(separator: "\n") }
    }
}
