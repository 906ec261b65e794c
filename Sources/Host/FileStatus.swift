import Glibc

/// What the kernel says of a file; from fstat(2) or fstatat(2) without following a link.
package struct FileStatus: Sendable, Equatable, Hashable {
    package enum Kind: Sendable, Equatable, Hashable { case regular, directory, symbolicLink, other }

    /// What must stay unchanged while a file settles.
    package struct Signature: Hashable, Codable, Sendable {
        package let device: UInt64
        package let inode: UInt64
        /// Bytes.
        package let size: Int64
        /// Since 1970.
        package let modifiedNanoseconds: Int64
        /// Since 1970; the change of the inode, which a program cannot set back.
        package let changedNanoseconds: Int64

        package init(device: UInt64, inode: UInt64, size: Int64, modifiedNanoseconds: Int64, changedNanoseconds: Int64) {
            self.device = device
            self.inode = inode
            self.size = size
            self.modifiedNanoseconds = modifiedNanoseconds
            self.changedNanoseconds = changedNanoseconds
        }
    }

    package let device: UInt64
    package let inode: UInt64
    /// Bytes.
    package let size: Int64
    /// Since 1970.
    package let modifiedNanoseconds: Int64
    /// Since 1970.
    package let changedNanoseconds: Int64
    /// In use, of 512 bytes each.
    package let blocks: Int64
    package let linkCount: UInt64
    /// Kind and permissions, as in inode(7).
    package let mode: UInt32

    package var kind: Kind {
        switch mode & S_IFMT {
        case S_IFREG: .regular
        case S_IFDIR: .directory
        case S_IFLNK: .symbolicLink
        default: .other
        }
    }

    package var signature: Signature {
        Signature(
            device: device, inode: inode, size: size,
            modifiedNanoseconds: modifiedNanoseconds, changedNanoseconds: changedNanoseconds)
    }

    init(_ status: stat) {
        // Wrapping: a stamp outside 1677…2262 (a broken clock) has to stay a stamp, not end the process.
        func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modifiedNanoseconds = nanoseconds(status.st_mtim)
        changedNanoseconds = nanoseconds(status.st_ctim)
        blocks = Int64(status.st_blocks)
        linkCount = UInt64(status.st_nlink)
        mode = UInt32(status.st_mode)
    }

    static func of(descriptor: Int32, subject: @autoclosure () -> String) throws(SystemCallError) -> FileStatus {
        var status = stat()
        _ = try check("fstat", subject()) { fstat(descriptor, &status) }
        return FileStatus(status)
    }
}
