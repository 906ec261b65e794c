import Glibc

extension Directory {
    /// Creates a file that is complete and durable, or none: on any error it is unlinked.
    ///
    /// The name itself becomes durable by `sync()`. The mode is cut by the umask.
    /// - Throws: `EEXIST` where the name is taken.
    package func write(
        _ name: FileName, _ bytes: some Collection<UInt8>, mode: UInt32 = 0o640
    ) throws(SystemCallError) {
        try create(name, mode: mode, durable: true) { (output) throws(SystemCallError) in try output.write(bytes) }
    }

    /// Gives the name new contents in one step: readers see the old ones or the new ones.
    ///
    /// - Parameter durable: `false` leaves it to the kernel when the change reaches the disk; after a power cut the file may then be
    ///   empty. For what is written again anyway.
    package func replace(
        _ name: FileName, with bytes: some Collection<UInt8>, mode: UInt32 = 0o640, durable: Bool = true
    ) throws(SystemCallError) {
        // Not made from the name: that may be 255 bytes long already.
        let temporary = FileName(".lyricd-\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp")
        try create(temporary, mode: mode, durable: durable) { (output) throws(SystemCallError) in try output.write(bytes) }
        do {
            try rename(temporary, to: self, as: name, replacing: true)
        } catch {
            try? remove(temporary)
            throw error
        }
        if durable { try sync() }
    }

    /// Runs `body` on a new file, then fsync and close; unlinks the file where any of them fails.
    ///
    /// A failed fsync is never repeated on the same file: the kernel has marked the lost pages as clean, and the second call says
    /// that all is well. Source: "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
    func create<Result>(
        _ name: FileName, mode: UInt32, durable: Bool, _ body: (OutputFile) throws(SystemCallError) -> Result
    ) throws(SystemCallError) -> Result {
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = try name.withCString(for: "create", in: path) { (c) throws(SystemCallError) in
            try check("create", subject(name)) { openat(self.descriptor, c, flags, mode) }
        }
        let output = OutputFile(descriptor: descriptor, path: subject(name))
        do {
            let result = try body(output)
            if durable { try output.sync() }
            try output.close()
            return result
        } catch {
            output.abandon()
            try? remove(name)
            throw error
        }
    }
}

/// A file being written; owned and closed by `Directory.create`, used by one thread.
final class OutputFile {
    let descriptor: Int32
    let path: String
    private var isOpen = true

    init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    func write(_ bytes: some Collection<UInt8>) throws(SystemCallError) {
        try Array(bytes).withUnsafeBufferPointer { (buffer) throws(SystemCallError) in try write(UnsafeRawBufferPointer(buffer)) }
    }

    func write(_ buffer: UnsafeRawBufferPointer) throws(SystemCallError) {
        var rest = buffer
        while !rest.isEmpty {
            try Fault.point("write")
            let count = try check("write", path) { Glibc.write(descriptor, rest.baseAddress, min(rest.count, 1 << 20)) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    func sync() throws(SystemCallError) {
        try Fault.point("fsync")
        _ = try check("fsync", path) { fsync(descriptor) }
    }

    /// A close may be the first to say that nothing was written: quotas, NFS. Source: close(2).
    func close() throws(SystemCallError) {
        try Fault.point("close")
        isOpen = false
        if Glibc.close(descriptor) != 0, errno != EINTR { throw SystemCallError(call: "close", errno: errno, subject: path) }
    }

    /// After an error: what the close says no longer matters.
    func abandon() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }
}
