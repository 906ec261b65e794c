import CLinux
import Glibc

extension Directory {
    /// Moves an entry, in one step, within one file system.
    ///
    /// - Parameter replacing: `false` never touches what already has the name.
    /// - Throws: `EEXIST` where the name is taken, `EXDEV` where the target is on another file system.
    package func rename(
        _ name: FileName, to target: Directory, as newName: FileName, replacing: Bool
    ) throws(SystemCallError) {
        try Fault.point("rename")
        // Here already: below, `EINVAL` means a file system without the flag.
        try name.validate(for: "rename", in: path)
        try newName.validate(for: "rename", in: target.path)
        if replacing { return try plainRename(name, target, newName) }
        do {
            try Fault.point("renameat2")
            try withCStrings(name, target, newName, call: "rename") { clinux_rename_noreplace($0, $1, $2, $3) }
        } catch where error.errno == EINVAL || error.errno == ENOSYS || error.errno == EOPNOTSUPP {
            // NFS and some FUSE file systems know no flags; an old kernel does not know the call.
            guard let source = try status(of: name) else {
                throw SystemCallError(call: "rename", errno: ENOENT, subject: subject(name))
            }
            if source.kind == .directory {
                try renameDirectoryByReservation(name, target, newName)
            } else {
                try renameFileByLink(name, target, newName, source)
            }
        }
    }

    /// mkdir(2) takes the name or fails with `EEXIST`; a directory may then replace the empty one, and only an empty one.
    private func renameDirectoryByReservation(
        _ name: FileName, _ target: Directory, _ newName: FileName
    ) throws(SystemCallError) {
        try target.makeDirectory(newName, mode: 0o700)
        do {
            try plainRename(name, target, newName)
        } catch {
            try? newName.withCString(for: "rmdir", in: target.path) { (c) throws(SystemCallError) in
                _ = try check("rmdir", target.subject(newName)) { unlinkat(target.descriptor, c, AT_REMOVEDIR) }
            }
            throw error
        }
    }

    /// link(2) never replaces a name, so maildir delivers by it.
    private func renameFileByLink(
        _ name: FileName, _ target: Directory, _ newName: FileName, _ source: FileStatus
    ) throws(SystemCallError) {
        do {
            try Fault.point("link")
            try withCStrings(name, target, newName, call: "link") { linkat($0, $1, $2, $3, 0) }
        } catch {
            switch error.errno {
            case EPERM, EOPNOTSUPP, ENOSYS, EMLINK:
                // No hard links here at all: an empty file reserves the name.
                return try renameFileByReservation(name, target, newName)
            default:
                // Over NFS a link that was made can be reported as failed, when the answer was lost and the request sent again.
                // Both names being one file is success. Source: Postfix, src/util/sane_link.c.
                guard let made = try target.status(of: newName), made.device == source.device, made.inode == source.inode else {
                    throw error
                }
            }
        }
        try remove(name)
    }

    private func renameFileByReservation(
        _ name: FileName, _ target: Directory, _ newName: FileName
    ) throws(SystemCallError) {
        let descriptor = try newName.withCString(for: "open", in: target.path) { (c) throws(SystemCallError) in
            try check("open", target.subject(newName)) {
                openat(target.descriptor, c, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            }
        }
        close(descriptor)
        do {
            try plainRename(name, target, newName)
        } catch {
            try? target.remove(newName)
            throw error
        }
    }

    private func plainRename(_ name: FileName, _ target: Directory, _ newName: FileName) throws(SystemCallError) {
        try withCStrings(name, target, newName, call: "rename") { renameat($0, $1, $2, $3) }
    }

    private func withCStrings(
        _ name: FileName, _ target: Directory, _ newName: FileName, call: String,
        _ body: (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>) -> Int32
    ) throws(SystemCallError) {
        try name.withCString(for: call, in: path) { (from) throws(SystemCallError) in
            try newName.withCString(for: call, in: target.path) { (to) throws(SystemCallError) in
                _ = try check(call, "\(subject(name)) to \(target.subject(newName))") {
                    body(descriptor, from, target.descriptor, to)
                }
            }
        }
    }
}
