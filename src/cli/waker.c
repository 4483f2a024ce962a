#include "cli/waker.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

int waker_init(struct waker *waker)
{
    waker->fd = eventfd(0, EFD_CLOEXEC);
    return waker->fd < 0 ? -errno : 0;
}

void waker_finish(struct waker *waker)
{
    if (waker->fd >= 0)
        (void)close(waker->fd);
    waker->fd = -1;
}

void waker_wake(void *arg)
{
    const struct waker *waker = arg;

    (void)eventfd_write(waker->fd, 1);
}

bool waker_wait(const struct waker *waker, int fd)
{
    struct pollfd fds[] = { { waker->fd, POLLIN, 0 }, { fd, POLLIN, 0 } };
    eventfd_t n;

    return poll(fds, 2, -1) > 0 && fds[0].revents && eventfd_read(waker->fd, &n) == 0;
}
