import CLinux
import Glibc

extension Directory {
    /// Copies a file's contents into a new, durable file, or leaves none: on any error it is unlinked.
    ///
    /// Shares the blocks where the file system can (btrfs, XFS, NFS 4.2). The digest is of what the copy holds. The name itself becomes
    /// durable by `sync()`.
    /// - Parameter limit: bytes; more is `EFBIG`.
    /// - Throws: `EEXIST` where the name is taken.
    package func copy(
        from source: File, as name: FileName, mode: UInt32 = 0o640, limit: Int64? = nil
    ) throws(SystemCallError) -> FileDigest {
        let size = try source.regularStatus().size
        if let limit, size > limit { throw SystemCallError(call: "copy", errno: EFBIG, subject: source.path) }
        return try create(name, mode: mode, durable: true) { (output) throws(SystemCallError) in
            var digest = RunningDigest()
            try Fault.point("write")
            if clinux_clone_file(output.descriptor, source.descriptor) == 0 {
                // The source may have grown since; what counts is what the clone holds.
                let clone = File(adopting: try check("dup", output.path) { fcntl(output.descriptor, F_DUPFD_CLOEXEC, 0) }, path: output.path)
                try clone.readChunks(limit: limit) { digest.update($0) }
                return digest.finish()
            }
            posix_fadvise(source.descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
            try source.readChunks(limit: limit) { (chunk) throws(SystemCallError) in
                try output.write(chunk)
                digest.update(chunk)
            }
            return digest.finish()
        }
    }
}
