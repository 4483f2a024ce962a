/* Waiting for a store, for a program that does nothing else meanwhile. */
#ifndef CLI_WAKER_H
#define CLI_WAKER_H

#include <stdbool.h>

struct waker {
    int fd; /* an eventfd */
};

/* 0 or -errno; waker_finish is fine after either. */
__attribute__((warn_unused_result)) int waker_init(struct waker *waker);
void waker_finish(struct waker *waker);

void waker_wake(void *arg); /* from any thread; arg is the waker */

/* Until it is woken or, unless that is -1, fd can be read; false: not woken. A signal ends it, too. */
bool waker_wait(const struct waker *waker, int fd);

#endif
