import Glibc

extension File {
    /// Makes what somebody else wrote into the file durable. Never called twice on the same data: after a failed fsync the
    /// kernel has forgotten which pages were lost.
    package func sync() throws(SystemCallError) {
        try Fault.point("fsync")
        _ = try check("fsync", path) { fsync(descriptor) }
    }

    /// Reads the whole file once and makes it durable.
    package func syncedDigest() throws(SystemCallError) -> FileDigest {
        let digest = try digest()
        try sync()
        return digest
    }
}
