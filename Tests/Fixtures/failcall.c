/* Makes chosen calls of the C library fail, for code that has no fault points of its own: SQLite.
 *
 *   cc -shared -fPIC -O1 -o failcall.so failcall.c -ldl
 *   LD_PRELOAD=failcall.so FAILCALL=fsync:3:5:jobs.db program      the third fsync of a file whose path holds "jobs.db" fails with EIO
 *
 * FAILCALL is call:nth:errno[:part-of-the-path]; nth+ means the nth and every later one. Calls: fsync (and fdatasync), pwrite (and
 * pwrite64, write), ftruncate. FAILCALL_MARK names a file that is made when the fault has struck, so that a test knows.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;

static int fails(const char *call, int descriptor) {
    const char *rule = getenv("FAILCALL");
    size_t length = strlen(call);
    if (!rule || strncmp(rule, call, length) || rule[length] != ':') return 0;
    char *end;
    long nth = strtol(rule + length + 1, &end, 10);
    int sticky = *end == '+';
    if (sticky) end++;
    if (*end != ':') return 0;
    int code = (int)strtol(end + 1, &end, 10);
    if (*end == ':') {
        char link[64], path[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t count = readlink(link, path, sizeof path - 1);
        if (count < 0) return 0;
        path[count] = 0;
        if (!strstr(path, end + 1)) return 0;
    }
    int turn = atomic_fetch_add(&calls, 1) + 1;
    if (turn != nth && !(sticky && turn > nth)) return 0;
    const char *mark = getenv("FAILCALL_MARK");
    if (mark) {
        int file = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) close(file);
    }
    errno = code;
    return 1;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fsync(int descriptor) {
    NEXT(fsync);
    return fails("fsync", descriptor) ? -1 : next(descriptor);
}

int fdatasync(int descriptor) {
    NEXT(fdatasync);
    return fails("fsync", descriptor) ? -1 : next(descriptor);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    NEXT(pwrite);
    return fails("pwrite", descriptor) ? -1 : next(descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    NEXT(pwrite64);
    return fails("pwrite", descriptor) ? -1 : next(descriptor, bytes, count, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    NEXT(write);
    return fails("pwrite", descriptor) ? -1 : next(descriptor, bytes, count);
}

int ftruncate(int descriptor, off_t length) {
    NEXT(ftruncate);
    return fails("ftruncate", descriptor) ? -1 : next(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) {
    NEXT(ftruncate64);
    return fails("ftruncate", descriptor) ? -1 : next(descriptor, length);
}
