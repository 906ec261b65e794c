import Glibc

extension Directory {
    /// Removes one entry that is no directory. One that is not there is as good as removed.
    package func remove(_ name: FileName) throws(SystemCallError) {
        do {
            try name.withCString(for: "unlink", in: path) { (c) throws(SystemCallError) in
                _ = try check("unlink", subject(name)) { unlinkat(descriptor, c, 0) }
            }
        } catch where error.errno == ENOENT {}
    }

    /// Removes an entry with everything below it. Links are removed, never followed; a directory that somebody puts a link in
    /// place of meanwhile is left alone. One that is not there is as good as removed.
    package func removeTree(_ name: FileName) throws(SystemCallError) {
        guard let status = try status(of: name) else { return }
        guard status.kind == .directory else { return try remove(name) }
        let tree: Directory
        do {
            tree = try openForRemoval(name)
        } catch where error.errno == ENOTDIR || error.errno == ELOOP {
            return try remove(name)
        } catch where error.errno == ENOENT {
            return
        }
        // Some engines leave folders without write permission; only the owner's own bits stand in the way.
        if status.mode & 0o700 != 0o700 { _ = fchmod(tree.descriptor, 0o700) }
        for entry in try tree.list() { try tree.removeTree(entry) }
        do {
            try name.withCString(for: "rmdir", in: path) { (c) throws(SystemCallError) in
                _ = try check("rmdir", subject(name)) { unlinkat(descriptor, c, AT_REMOVEDIR) }
            }
        } catch where error.errno == ENOENT {}
    }

    private func openForRemoval(_ name: FileName) throws(SystemCallError) -> Directory {
        do {
            return try subdirectory(name)
        } catch where error.errno == EACCES {
            // Without read permission it cannot even be opened. fchmodat follows links, and there is no call that does not in
            // kernels before 6.6; a link put here meanwhile would have its target opened up to its owner, to nobody else.
            try name.withCString(for: "chmod", in: path) { (c) throws(SystemCallError) in
                _ = try check("chmod", subject(name)) { fchmodat(descriptor, c, 0o700, 0) }
            }
            return try subdirectory(name)
        }
    }
}
