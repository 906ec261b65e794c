import CLinux
import Glibc

/// A file open for reading. It has no position: any number of threads may read it.
package final class File: Sendable {
    let descriptor: Int32
    /// For messages only.
    package let path: String

    init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    package func status() throws(SystemCallError) -> FileStatus {
        try .of(descriptor: descriptor, subject: path)
    }

    /// The whole contents.
    ///
    /// - Parameter limit: bytes.
    /// - Throws: `EFBIG` where there are more than `limit`; `EINVAL` for what is no regular file.
    package func readAll(limit: Int) throws(SystemCallError) -> [UInt8] {
        let expected = try regularStatus().size
        var contents: [UInt8] = []
        contents.reserveCapacity(min(limit, Int(clamping: expected)))
        try readChunks(limit: Int64(limit)) { contents.append(contentsOf: $0) }
        return contents
    }

    /// Reads the whole file once.
    package func digest() throws(SystemCallError) -> FileDigest {
        _ = try regularStatus()
        var digest = RunningDigest()
        try readChunks(limit: nil) { digest.update($0) }
        return digest.finish()
    }

    /// Whether anybody has the file open for writing or mapped writable: `true` somebody, `false` nobody, `nil` cannot tell.
    ///
    /// A read lease is asked for and given back at once. Only the file's owner or `CAP_LEASE` may; network file systems
    /// mostly cannot. Source: fcntl(2), "Leases".
    package func isOpenForWriting() -> Bool? {
        if clinux_probe_read_lease(descriptor) == 0 { return false }
        return errno == EAGAIN ? true : nil
    }

    /// Whether part of the file was never written: preallocated downloads have their final size from the start.
    package func hasHoles() throws(SystemCallError) -> Bool {
        let status = try regularStatus()
        guard status.size > 0 else { return false }
        let hole = clinux_first_hole(descriptor)
        // A file system without SEEK_HOLE says EINVAL; the blocks in use are the next best answer.
        return hole >= 0 ? hole < status.size : status.blocks * 512 < status.size
    }

    func regularStatus() throws(SystemCallError) -> FileStatus {
        let status = try status()
        guard status.kind == .regular else { throw SystemCallError(call: "read", errno: EINVAL, subject: path) }
        return status
    }

    /// From the start to the end, at most 1 MiB at a time.
    func readChunks(
        limit: Int64?, _ body: (UnsafeRawBufferPointer) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        var offset: off_t = 0
        while true {
            let count = try check("read", path) { pread(descriptor, buffer.baseAddress, buffer.count, offset) }
            if count == 0 { return }
            offset += off_t(count)
            if let limit, offset > limit { throw SystemCallError(call: "read", errno: EFBIG, subject: path) }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
