/* The recorder: a library to preload (LD_PRELOAD), which writes down what happens to the store's files: writes, syncs,
 * renaming, and marks that the program makes. What LMDB maps it does not write through. */
#undef _FILE_OFFSET_BITS /* which would make one symbol of pwrite and pwrite64: both are wrapped here */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/powercut_log.h"

static struct {
    pthread_mutex_t mutex;
    int fd;
    const char *directory;
    enum powercut_sabotage sabotage;
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*ftruncate)(int, off_t);
    int (*rename)(const char *, const char *);
    int (*unlink)(const char *);
} recorder = { .mutex = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

static void *next_of(const char *name)
{
    void *next = dlsym(RTLD_NEXT, name);

    if (!next)
        abort();
    return next;
}

/* ISO C has no conversion of an object pointer into a function's; POSIX asks for this one. */
#define RESOLVE(name) (*(void **)&recorder.name = next_of(#name))

__attribute__((constructor)) static void recorder_open(void)
{
    const char *path = getenv(POWERCUT_LOG), *sabotage = getenv(POWERCUT_SABOTAGE);

    RESOLVE(write);
    RESOLVE(writev);
    RESOLVE(pwrite);
    RESOLVE(pwritev);
    RESOLVE(fsync);
    RESOLVE(fdatasync);
    RESOLVE(ftruncate);
    RESOLVE(rename);
    RESOLVE(unlink);
    recorder.directory = getenv(POWERCUT_DIRECTORY);
    recorder.sabotage = sabotage ? (enum powercut_sabotage)atoi(sabotage) : SABOTAGE_NOTHING;
    if (path && recorder.directory)
        recorder.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Behind the directory's name; NULL: it is nothing in there. The directory itself: "". */
static const char *name_in_directory(const char *path)
{
    size_t n = strlen(recorder.directory);

    if (strncmp(path, recorder.directory, n) != 0 || (path[n] && path[n] != '/'))
        return NULL;
    return path[n] ? path + n + 1 : "";
}

/* Within the directory, "" for itself; false: it is elsewhere. */
static bool name_of(int fd, char out[PATH_MAX])
{
    char link[64], path[PATH_MAX];
    const char *name;
    ssize_t n;

    if (recorder.fd < 0)
        return false;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return false;
    path[n] = 0;
    name = name_in_directory(path);
    if (name)
        memcpy(out, name, strlen(name) + 1);
    return name != NULL;
}

#define NO_FILE POWERCUT_N_FILES

static enum powercut_file file_named(const char *name)
{
    size_t file = 0;

    while (file < NO_FILE && strcmp(name, powercut_names[file]) != 0)
        file++;
    return (enum powercut_file)file;
}

static enum powercut_file file_of(int fd)
{
    char name[PATH_MAX];

    return name_of(fd, name) ? file_named(name) : NO_FILE;
}

static bool is_recorded(int fd)
{
    return file_of(fd) != NO_FILE;
}

static void put(const void *at, size_t n_bytes)
{
    if (recorder.write(recorder.fd, at, n_bytes) != (ssize_t)n_bytes)
        abort();
}

static void record(enum powercut_kind kind, enum powercut_file file, uint64_t offset, const struct iovec *parts,
                   int n_parts, size_t n_bytes)
{
    struct powercut_event event = { .kind = kind, .file = file, .offset = offset, .n_bytes = n_bytes };

    put(&event, sizeof(event));
    for (int i = 0; i < n_parts && n_bytes > 0; i++) {
        size_t n = parts[i].iov_len < n_bytes ? parts[i].iov_len : n_bytes;

        put(parts[i].iov_base, n);
        n_bytes -= n;
    }
}

static enum powercut_kind kind_of(int fd)
{
    bool synced = (fcntl(fd, F_GETFL) & O_DSYNC) != 0;

    return synced && recorder.sabotage != SABOTAGE_EVERY_SYNC && recorder.sabotage != SABOTAGE_META_SYNC
               ? POWERCUT_WRITE_SYNCED
               : POWERCUT_WRITE;
}

void powercut_mark(const void *at, size_t n_bytes)
{
    union {
        const void *borrowed;
        void *at;
    } base = { .borrowed = at };
    struct iovec part = { base.at, n_bytes };

    pthread_mutex_lock(&recorder.mutex);
    record(POWERCUT_MARK, NO_FILE, 0, &part, 1, n_bytes);
    pthread_mutex_unlock(&recorder.mutex);
}

/* ---- writes ------------------------------------------------------------------------------------------------------ */

static ssize_t record_written(int fd, off_t offset, const struct iovec *parts, int n_parts, ssize_t n)
{
    if (n > 0)
        record(kind_of(fd), file_of(fd), (uint64_t)offset, parts, n_parts, (size_t)n);
    return n;
}

ssize_t pwritev(int fd, const struct iovec *parts, int n_parts, off_t offset)
{
    ssize_t n;

    if (!is_recorded(fd))
        return recorder.pwritev(fd, parts, n_parts, offset);
    pthread_mutex_lock(&recorder.mutex);
    n = record_written(fd, offset, parts, n_parts, recorder.pwritev(fd, parts, n_parts, offset));
    pthread_mutex_unlock(&recorder.mutex);
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    off_t offset;
    ssize_t n;

    if (!is_recorded(fd))
        return recorder.writev(fd, parts, n_parts);
    pthread_mutex_lock(&recorder.mutex);
    offset = lseek(fd, 0, SEEK_CUR);
    n = record_written(fd, offset, parts, n_parts, recorder.writev(fd, parts, n_parts));
    pthread_mutex_unlock(&recorder.mutex);
    return n;
}

static struct iovec part_of(const void *at, size_t n_bytes)
{
    union {
        const void *borrowed;
        void *at;
    } base = { .borrowed = at };

    return (struct iovec){ base.at, n_bytes };
}

ssize_t pwrite(int fd, const void *at, size_t n_bytes, off_t offset)
{
    struct iovec part = part_of(at, n_bytes);

    if (!is_recorded(fd))
        return recorder.pwrite(fd, at, n_bytes, offset);
    return pwritev(fd, &part, 1, offset);
}

ssize_t write(int fd, const void *at, size_t n_bytes)
{
    struct iovec part = part_of(at, n_bytes);

    if (!recorder.write)
        recorder_open();
    if (!is_recorded(fd))
        return recorder.write(fd, at, n_bytes);
    return writev(fd, &part, 1);
}

/* The same under the names that programs with large files on other machines use. */
ssize_t pwrite64(int fd, const void *at, size_t n_bytes, off64_t offset)
{
    return pwrite(fd, at, n_bytes, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n_parts, off64_t offset)
{
    return pwritev(fd, parts, n_parts, offset);
}

int ftruncate(int fd, off_t n_bytes)
{
    int r = recorder.ftruncate(fd, n_bytes);

    if (!r && is_recorded(fd)) {
        pthread_mutex_lock(&recorder.mutex);
        record(POWERCUT_TRUNCATE, file_of(fd), (uint64_t)n_bytes, NULL, 0, 0);
        pthread_mutex_unlock(&recorder.mutex);
    }
    return r;
}

int ftruncate64(int fd, off64_t n_bytes)
{
    return ftruncate(fd, n_bytes);
}

/* ---- syncs ------------------------------------------------------------------------------------------------------- */

static void record_alone(enum powercut_kind kind, enum powercut_file file)
{
    pthread_mutex_lock(&recorder.mutex);
    record(kind, file, 0, NULL, 0, 0);
    pthread_mutex_unlock(&recorder.mutex);
}

static bool is_left_out(enum powercut_file file)
{
    return recorder.sabotage == SABOTAGE_DATA_SYNC ||
           (recorder.sabotage == SABOTAGE_COPY_SYNC && file == POWERCUT_COMPACT);
}

static int record_synced(int fd, int r)
{
    enum powercut_file file = file_of(fd);
    char name[PATH_MAX];

    if (r || recorder.sabotage == SABOTAGE_EVERY_SYNC)
        return r;
    if (file != NO_FILE && !is_left_out(file))
        record_alone(POWERCUT_SYNC, file);
    else if (recorder.sabotage != SABOTAGE_DIRECTORY_SYNC && name_of(fd, name) && !*name)
        record_alone(POWERCUT_SYNC_DIRECTORY, NO_FILE);
    return 0;
}

int fsync(int fd)
{
    return record_synced(fd, recorder.fsync(fd));
}

int fdatasync(int fd)
{
    return record_synced(fd, recorder.fdatasync(fd));
}

int rename(const char *from, const char *to)
{
    int r = recorder.rename(from, to);
    const char *name = recorder.fd >= 0 ? name_in_directory(to) : NULL, *former = name ? name_in_directory(from) : NULL;

    if (!r && former && file_named(name) == POWERCUT_DATA)
        record_alone(POWERCUT_RENAME, file_named(former));
    return r;
}

/* Whoever comes back to the name begins with nothing. */
int unlink(const char *path)
{
    int r = recorder.unlink(path);
    const char *name = recorder.fd >= 0 ? name_in_directory(path) : NULL;

    if (!r && name && file_named(name) == POWERCUT_COMPACT) {
        pthread_mutex_lock(&recorder.mutex);
        record(POWERCUT_TRUNCATE, POWERCUT_COMPACT, 0, NULL, 0, 0);
        pthread_mutex_unlock(&recorder.mutex);
    }
    return r;
}
