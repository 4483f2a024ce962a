#include "cli/save.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PORTION_BYTES (256 * 1024) /* with more at once, others' syncs wait longer; 1 GB takes 4 s */

int save_open(const char *path, struct save *out)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    *out = (struct save){ .fd = fd };
    return 0;
}

/* Writes the next portion out and waits for it. Where a file system can't, it does as it likes. */
static void portion_settle(struct save *save)
{
    off_t at = (off_t)save->n_settled;

    (void)sync_file_range(save->fd, at, PORTION_BYTES,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    (void)posix_fadvise(save->fd, at, PORTION_BYTES, POSIX_FADV_DONTNEED);
    save->n_settled += PORTION_BYTES;
}

int save_write(struct save *save, struct bytes piece)
{
    const char *at = piece.at;
    size_t n_left = piece.n_bytes;

    while (n_left) {
        ssize_t n = write(save->fd, at, n_left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += n;
        n_left -= (size_t)n;
        save->n_bytes += (size_t)n;
    }
    while (save->n_bytes - save->n_settled >= PORTION_BYTES)
        portion_settle(save);
    return 0;
}

int save_finish(struct save *save)
{
    int r = fsync(save->fd) ? -errno : 0;

    if (close(save->fd) && !r)
        r = -errno;
    return r;
}
