/* Preloaded into a server: the disk as a test wants it. Counts syncs where the test can read them while the server
 * runs, makes each one take its time, and lets writes or syncs fail for as long as the test says so.
 *
 *     LD_PRELOAD=disk_preload.so DISK_FILE=f DISK_SYNC_US=2000 pilcrowd ...
 *
 * The file holds five numbers of 64 bits, in the machine's order; the server counts in the first three, the test writes
 * the others:
 *
 *     fdatasync | fsync | msync with MS_SYNC | errno of every write to a file | errno of every sync       0: it works
 *
 * Writes through a descriptor opened with O_DSYNC sync, too, and are not counted: the figures are a lower bound. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDATASYNC, FSYNC, MSYNC, WRITES_FAIL, SYNCS_FAIL, N_NUMBERS };

static uint64_t *numbers;
static useconds_t sync_us;

__attribute__((constructor)) static void disk_start(void)
{
    const char *path = getenv("DISK_FILE"), *time = getenv("DISK_SYNC_US");
    size_t n_bytes = N_NUMBERS * sizeof(*numbers);
    void *map;
    int fd;

    if (!path)
        return;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)n_bytes))
        abort();
    map = mmap(NULL, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        abort();
    close(fd);
    numbers = map;
    sync_us = time ? (useconds_t)strtoul(time, NULL, 10) : 0;
}

static uint64_t number(int which)
{
    return numbers ? __atomic_load_n(&numbers[which], __ATOMIC_SEQ_CST) : 0;
}

/* Counted when it is through: what a client was told before that was not synced. */
static int sync_done(int which, int r)
{
    int error = (int)number(SYNCS_FAIL);

    if (sync_us)
        usleep(sync_us);
    if (error) {
        errno = error;
        return -1;
    }
    if (numbers && r == 0)
        __atomic_add_fetch(&numbers[which], 1, __ATOMIC_SEQ_CST);
    return r;
}

/* Sockets and pipes go on working when the disk does not. */
static int write_fails(int fd)
{
    int error = (int)number(WRITES_FAIL);
    struct stat status;

    if (!error || fstat(fd, &status) || !S_ISREG(status.st_mode))
        return 0;
    errno = error;
    return 1;
}

#define REAL(name)                                                                                                     \
    static __typeof__(name) *real;                                                                                     \
    if (!real)                                                                                                         \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

int fdatasync(int fd)
{
    REAL(fdatasync);
    return sync_done(FDATASYNC, real(fd));
}

int fsync(int fd)
{
    REAL(fsync);
    return sync_done(FSYNC, real(fd));
}

int msync(void *at, size_t n_bytes, int flags)
{
    REAL(msync);
    int r = real(at, n_bytes, flags);

    return flags & MS_SYNC ? sync_done(MSYNC, r) : r;
}

ssize_t write(int fd, const void *at, size_t n_bytes)
{
    REAL(write);
    return write_fails(fd) ? -1 : real(fd, at, n_bytes);
}

ssize_t pwrite(int fd, const void *at, size_t n_bytes, off_t offset)
{
    REAL(pwrite);
    return write_fails(fd) ? -1 : real(fd, at, n_bytes, offset);
}

ssize_t pwrite64(int fd, const void *at, size_t n_bytes, off64_t offset)
{
    REAL(pwrite64);
    return write_fails(fd) ? -1 : real(fd, at, n_bytes, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    REAL(writev);
    return write_fails(fd) ? -1 : real(fd, parts, n);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    REAL(pwritev);
    return write_fails(fd) ? -1 : real(fd, parts, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset)
{
    REAL(pwritev64);
    return write_fails(fd) ? -1 : real(fd, parts, n, offset);
}
