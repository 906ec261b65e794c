import Glibc

/// An open directory. Names are looked up in it and nowhere else: whoever moves or replaces the path it was opened by, or puts a
/// link in its place, changes nothing for the holder.
package final class Directory: Sendable {
    let descriptor: Int32
    /// For messages only.
    package let path: String

    private init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    // MARK: Opening

    /// Follows links: the path is the operator's.
    package static func open(_ path: String) throws(SystemCallError) -> Directory {
        let descriptor = try check("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        return Directory(adopting: descriptor, path: path)
    }

    /// Makes the directory and its parents where they are missing, durably: each parent of a new one is synced.
    package static func openOrCreate(_ path: String, mode: UInt32 = 0o750) throws(SystemCallError) -> Directory {
        do {
            return try open(path)
        } catch where error.errno == ENOENT {
            let trimmed = path.last == "/" ? String(path.reversed().drop { $0 == "/" }.reversed()) : path
            let slash = trimmed.lastIndex(of: "/")
            let parentPath = slash.map { $0 == trimmed.startIndex ? "/" : String(trimmed[..<$0]) } ?? "."
            let parent = try openOrCreate(parentPath, mode: mode)
            let name = FileName(String(slash.map { trimmed[trimmed.index(after: $0)...] } ?? trimmed[...]))
            do {
                try parent.makeDirectory(name, mode: mode)
            } catch where error.errno == EEXIST {
                // Somebody else was faster. A dangling link also ends here, and `open` below says so.
            }
            try parent.sync()
            return try open(path)
        }
    }

    /// - Throws: `ENOTDIR` for anything else, a link included.
    package func subdirectory(_ name: FileName) throws(SystemCallError) -> Directory {
        let descriptor = try name.withCString(for: "open", in: path) { (c) throws(SystemCallError) in
            try check("open", subject(name)) { openat(self.descriptor, c, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        }
        return Directory(adopting: descriptor, path: subject(name))
    }

    /// Opens for reading and never waits: not for the writer of a FIFO, not for the holder of a lease (`EWOULDBLOCK`).
    ///
    /// What was opened may still be no regular file; ask `status()`.
    /// - Throws: `ELOOP` for a symbolic link, `ENXIO` for a socket.
    package func openFile(_ name: FileName) throws(SystemCallError) -> File {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        let descriptor = try name.withCString(for: "open", in: path) { (c) throws(SystemCallError) in
            try check("open", subject(name)) { openat(self.descriptor, c, flags) }
        }
        return File(adopting: descriptor, path: subject(name))
    }

    // MARK: Looking

    /// Of the directory itself. `linkCount` is 0 once it has been removed.
    package func status() throws(SystemCallError) -> FileStatus {
        try .of(descriptor: descriptor, subject: path)
    }

    /// Of an entry, links not followed; `nil` where there is none.
    package func status(of name: FileName) throws(SystemCallError) -> FileStatus? {
        var status = stat()
        do {
            try name.withCString(for: "stat", in: path) { (c) throws(SystemCallError) in
                _ = try check("stat", subject(name)) { fstatat(descriptor, c, &status, AT_SYMLINK_NOFOLLOW) }
            }
            return FileStatus(status)
        } catch where error.errno == ENOENT {
            return nil
        }
    }

    /// Every name but `.` and `..`, in no order.
    package func list() throws(SystemCallError) -> [FileName] {
        // A descriptor of its own: readdir moves the position, which threads would share.
        let fresh = try check("open", path) { openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(fresh) else {
            let code = errno
            close(fresh)
            throw SystemCallError(call: "opendir", errno: code, subject: path)
        }
        defer { closedir(stream) }
        var names: [FileName] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                let code = errno
                if code == 0 { return names }
                throw SystemCallError(call: "readdir", errno: code, subject: path)
            }
            // Read through the pointer: the record may be longer than `struct dirent` says.
            let start = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
            let name = FileName(Array(UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self)))))
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Bytes that an ordinary user may still write.
    package func freeBytes() throws(SystemCallError) -> Int64 {
        var status = statvfs()
        _ = try check("statvfs", path) { fstatvfs(descriptor, &status) }
        return Int64(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    /// What kind of file system the directory is on; decides whether a watch can be trusted.
    package func fileSystem() throws(SystemCallError) -> FileSystemKind {
        try FileSystemKind.of(descriptor: descriptor, path: path)
    }

    // MARK: Changing

    /// The mode is cut by the umask.
    /// - Throws: `EEXIST` where the name is taken.
    package func makeDirectory(_ name: FileName, mode: UInt32 = 0o750) throws(SystemCallError) {
        try name.withCString(for: "mkdir", in: path) { (c) throws(SystemCallError) in
            _ = try check("mkdir", subject(name)) { mkdirat(descriptor, c, mode) }
        }
    }

    /// Sets the permissions of an entry, whatever the umask is. Links are not followed.
    package func setMode(of name: FileName, to mode: UInt32) throws(SystemCallError) {
        let file = try openFile(name)
        _ = try check("chmod", subject(name)) { fchmod(file.descriptor, mode) }
    }

    /// Makes what was created, renamed and removed in the directory durable. fsync of a file does not cover its name.
    /// Source: fsync(2).
    package func sync() throws(SystemCallError) {
        try Fault.point("fsync")
        _ = try check("fsync", path) { fsync(descriptor) }
    }

    func subject(_ name: FileName) -> String { (path == "/" ? "" : path) + "/" + name.display }
}
