#include "storage/lmdb/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int directory_path(char out[PATH_MAX], const char *path, const char *file)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", path, file);

    return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int directory_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (fd < 0)
        return -errno;
    if (fsync(fd) && errno != EINVAL)
        r = -errno;
    (void)close(fd);
    return r;
}

int directory_free_bytes(const char *path, uint64_t *out)
{
    struct statvfs status;

    if (statvfs(path, &status))
        return -errno;
    *out = (uint64_t)status.f_bavail * status.f_frsize;
    return 0;
}

int directory_create(const char *path)
{
    char parent[PATH_MAX];
    int r = directory_path(parent, path, "..");

    if (r)
        return r;
    if (mkdir(path, 0700))
        return errno == EEXIST ? 0 : -errno;
    return directory_sync(parent);
}

/* Takes the descriptor over. */
static int lock(int fd, int how, int *out)
{
    int r;

    if (fd < 0)
        return -errno;
    do
        r = flock(fd, how) ? -errno : 0;
    while (r == -EINTR);
    if (r)
        (void)close(fd);
    else
        *out = fd;
    return r == -EWOULDBLOCK ? -EBUSY : r;
}

int directory_lock(const char *path, int *out)
{
    char file[PATH_MAX];
    int r = directory_path(file, path, "writer.lock");

    return r ? r : lock(open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600), LOCK_EX | LOCK_NB, out);
}

int directory_share(const char *path, int *out)
{
    return lock(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), LOCK_SH, out);
}

int directory_lock_alone(const char *path, int *out)
{
    return lock(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), LOCK_EX | LOCK_NB, out);
}
