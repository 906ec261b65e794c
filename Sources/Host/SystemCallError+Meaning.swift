import Glibc

extension SystemCallError {
    /// The name, or a folder on the way to it, is not there.
    package var isMissing: Bool { errno == ENOENT || errno == ENOTDIR }
    /// The two names lie on different file systems.
    package var isCrossDevice: Bool { errno == EXDEV }
    package var isPermission: Bool { errno == EACCES || errno == EPERM }
    /// Somebody holds a lease on the file; see fcntl(2), "Leases".
    package var isBusy: Bool { errno == EWOULDBLOCK || errno == EBUSY || errno == ETXTBSY }
    package var isExisting: Bool { errno == EEXIST || errno == ENOTEMPTY }
    /// A symbolic link where none is followed.
    package var isLink: Bool { errno == ELOOP }
    /// No watches or descriptors left: the kernel's limits, not this folder's fault.
    package var isExhausted: Bool { errno == ENOSPC || errno == EMFILE || errno == ENFILE || errno == ENOMEM }
    /// A disk or the machine as it is just now; the same call may work in a while.
    package var isPassing: Bool {
        switch errno {
        case EIO, EMFILE, ENFILE, ENOMEM, EAGAIN, EBUSY, EINTR, ENOBUFS, ESTALE, ETIMEDOUT, EREMOTEIO: true
        default: false
        }
    }
    package var isReadOnly: Bool { errno == EROFS }
}
