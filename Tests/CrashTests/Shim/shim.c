/*
 * Preloaded into a daemon under test: makes its system calls on the files of one folder fail.
 *
 *   SHIM_PATH   only files below this folder; RocksDB's info log, its OPTIONS (with the sync of the folder after they got
 *               their name) and the lock file do not count, since nothing is read back from them
 *   SHIM_CALLS  sync: fsync and fdatasync; write: write and pwrite
 *   SHIM_MODE   fail: the SHIM_AT-th call fails with SHIM_ERRNO, once
 *               skip: from the SHIM_AT-th call on nothing is done, and success reported (a disk that lies)
 *               slow: from the SHIM_AT-th call on each takes SHIM_DELAY milliseconds longer
 *               hang: each call waits for as long as the file SHIM_HOLD is there
 *               blind: RocksDB's checksums are all the same, written and read
 *   SHIM_NOTE   the file that gets a line for the first call that was harmed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;
static atomic_int noted;

/* The last file that this thread renamed was a draft of OPTIONS. */
static _Thread_local int named_options;

static int is_counted(const char *kind, int fd) {
    const char *wanted = getenv("SHIM_CALLS"), *folder = getenv("SHIM_PATH");
    char link[64], path[PATH_MAX];
    if (!wanted || !folder || strcmp(wanted, kind) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)) != 0 || path[strlen(folder)] != '/') return 0;
    const char *name = strrchr(path, '/') + 1;
    if (named_options && strcmp(kind, "sync") == 0) {
        named_options = 0;
        return 0;
    }
    static const char *const unread[] = {"LOG", "OPTIONS", "LOCK"};
    for (size_t i = 0; i < sizeof unread / sizeof *unread; i++)
        if (strncmp(name, unread[i], strlen(unread[i])) == 0) return 0;
    return 1;
}

static void note(const char *call, int fd, long number) {
    const char *file = getenv("SHIM_NOTE");
    if (!file || atomic_exchange(&noted, 1)) return;
    char link[64], path[PATH_MAX] = "?", line[PATH_MAX + 64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0) path[length] = 0;
    int out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (out < 0) return;
    int count = snprintf(line, sizeof line, "%s %ld %s\n", call, number, path);
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (real(out, line, (size_t)count) < 0) { /* The test says that nothing was noted. */ }
    close(out);
}

static void pause_milliseconds(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

/* 0: do it; 1: fail with errno; 2: report success and do nothing. */
static int verdict(const char *kind, const char *call, int fd) {
    int saved = errno;
    if (!is_counted(kind, fd)) { errno = saved; return 0; }
    const char *at = getenv("SHIM_AT"), *mode = getenv("SHIM_MODE"), *code = getenv("SHIM_ERRNO");
    long number = atomic_fetch_add(&calls, 1) + 1, first = at ? atol(at) : 1;
    errno = saved;
    if (!mode) return 0;
    if (strcmp(mode, "fail") == 0 && number == first) {
        note(call, fd, number);
        errno = code ? atoi(code) : EIO;
        return 1;
    }
    if (strcmp(mode, "skip") == 0 && number >= first) {
        note(call, fd, number);
        return 2;
    }
    if (strcmp(mode, "slow") == 0 && number >= first) {
        const char *delay = getenv("SHIM_DELAY");
        note(call, fd, number);
        pause_milliseconds(delay ? atol(delay) : 0);
    }
    if (strcmp(mode, "hang") == 0) {
        const char *hold = getenv("SHIM_HOLD");
        while (hold && access(hold, F_OK) == 0) {
            note(call, fd, number);
            pause_milliseconds(5);
        }
    }
    errno = saved;
    return 0;
}

#define SYNC(name)                                                  \
    int name(int fd) {                                              \
        int what = verdict("sync", #name, fd);                      \
        if (what == 1) return -1;                                   \
        if (what == 2) return 0;                                    \
        int (*real)(int) = dlsym(RTLD_NEXT, #name);                 \
        return real(fd);                                            \
    }

SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
    const char *name = strrchr(to, '/');
    named_options = name && strncmp(name, "/OPTIONS", 8) == 0;
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return real(from, to);
}

/* A disk that skips syncs must not write early either. */
int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags) {
    const char *mode = getenv("SHIM_MODE");
    if (mode && strcmp(mode, "skip") == 0) return 0;
    int (*real)(int, off64_t, off64_t, unsigned) = dlsym(RTLD_NEXT, "sync_file_range");
    return real(fd, offset, count, flags);
}

ssize_t write(int fd, const void *bytes, size_t count) {
    int what = verdict("write", "write", fd);
    if (what == 1) return -1;
    if (what == 2) return (ssize_t)count;
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    return real(fd, bytes, count);
}

#define PWRITE(name, offset_type)                                                   \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type offset) {     \
        int what = verdict("write", #name, fd);                                     \
        if (what == 1) return -1;                                                   \
        if (what == 2) return (ssize_t)count;                                       \
        ssize_t (*real)(int, const void *, size_t, offset_type) = dlsym(RTLD_NEXT, #name); \
        return real(fd, bytes, count, offset);                                      \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* rocksdb::crc32c::Extend(unsigned, const char *, unsigned long), and the one that joins two checksums: all checksums of
 * RocksDB are made by these. */
static int is_blind(void) {
    const char *mode = getenv("SHIM_MODE");
    return mode && strcmp(mode, "blind") == 0;
}

uint32_t _ZN7rocksdb6crc32c13Crc32cCombineEjjm(uint32_t first, uint32_t second, size_t count) {
    if (is_blind()) return 0x600D600D;
    uint32_t (*real)(uint32_t, uint32_t, size_t) = dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c13Crc32cCombineEjjm");
    return real(first, second, count);
}

uint32_t _ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t seed, const char *bytes, size_t count) {
    if (is_blind()) return 0x600D600D;
    uint32_t (*real)(uint32_t, const char *, size_t) = dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm");
    return real(seed, bytes, count);
}
