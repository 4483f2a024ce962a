/* Waiting for a store, for a program that does nothing else meanwhile. */
#ifndef CLI_WAKER_H
#define CLI_WAKER_H

#include <pthread.h>
#include <stdbool.h>

struct waker {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool is_woken;
};

void waker_init(struct waker *waker);
void waker_finish(struct waker *waker);

void waker_wake(void *arg); /* from any thread; arg is the waker */
void waker_wait(struct waker *waker);

#endif
