// Calls that Swift's Glibc module does not show. Each line says which of the three reasons it is:
//   GNU       declared only under _GNU_SOURCE, which a module of its own cannot switch on for the libc module
//   macro     a constant or request number written as a macro Swift cannot import
//   variadic  syscall(2), fcntl(2) and ioctl(2) cannot be called from Swift with these arguments
//
// All return -1 and set errno, as the calls they wrap do. Numbers are kernel ABI and the same on every architecture.
// As few headers as possible: a type that this module is the first to include counts as this module's in Swift, and who
// uses it has to import it from here.
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/// renameat2(2) with RENAME_NOREPLACE. GNU.
static inline int clinux_rename_noreplace(int from_dir, const char *from, int to_dir, const char *to) {
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 1u);
}

/// ioctl_ficlonerange(2), FICLONE: the whole of `source` becomes the contents of `target`. Macro: _IOW(0x94, 9, int).
static inline int clinux_clone_file(int target, int source) {
    return ioctl(target, _IOW(0x94, 9, int), source);
}

/// fstatfs(2): the file system's magic number. GNU on the Swift side: sys/statfs.h is not in the Glibc module.
static inline int clinux_file_system_magic(int descriptor, int64_t *magic) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    *magic = (int64_t)status.f_type & 0xffffffffLL;
    return 0;
}

/// Asks for a read lease and gives it back at once: 0 nobody has the file open for writing, -1 with EAGAIN somebody has,
/// -1 with EACCES, EINVAL … nobody can tell. GNU: F_SETSIG (10), F_SETLEASE (1024).
static inline int clinux_probe_read_lease(int descriptor) {
    // A writer that opens the file between the two calls breaks the lease, and the default signal for that, SIGIO, ends
    // the process. SIGURG (23) is ignored by default.
    if (fcntl(descriptor, 10, 23) != 0) return -1;
    if (fcntl(descriptor, 1024, F_RDLCK) != 0) return -1;
    fcntl(descriptor, 1024, F_UNLCK);
    return 0;
}

/// lseek(2) with SEEK_HOLE (4): offset of the first hole; the size where there is none. GNU.
static inline int64_t clinux_first_hole(int descriptor) {
    return (int64_t)lseek(descriptor, 0, 4);
}

/// pidfd_open(2). Variadic: no wrapper in glibc before 2.36, and none visible to Swift.
static inline int clinux_pidfd_open(int pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0u);
}

/// pidfd_send_signal(2). Variadic, as above.
static inline int clinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0u);
}

/// What waitid(2) says of a child without reaping it.
struct clinux_child_state {
    /// 1 once the child has ended.
    int ended;
    /// Bytes; ru_maxrss of the child and of the children it waited for.
    int64_t peak_memory;
};

/// The raw system call: unlike glibc's waitid it also fills a struct rusage. WNOWAIT leaves the child for its owner to reap.
/// P_PID 1, WNOHANG 1, WEXITED 4, WNOWAIT 0x01000000.
static inline int clinux_peek_child(int pid, struct clinux_child_state *state) {
    // siginfo_t: 128 bytes, of which the first int is the signal's number, 0 while there is nothing to report.
    int info[32] = {0};
    struct rusage usage = {0};
    if (syscall(SYS_waitid, 1, pid, info, 1 | 4 | 0x01000000, &usage) != 0) return -1;
    state->ended = info[0] != 0;
    state->peak_memory = (int64_t)usage.ru_maxrss * 1024;
    return 0;
}
