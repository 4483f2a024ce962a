#include "cli/waker.h"

void waker_init(struct waker *waker)
{
    (void)pthread_mutex_init(&waker->lock, NULL);
    (void)pthread_cond_init(&waker->woken, NULL);
    waker->is_woken = false;
}

void waker_finish(struct waker *waker)
{
    (void)pthread_cond_destroy(&waker->woken);
    (void)pthread_mutex_destroy(&waker->lock);
}

void waker_wake(void *arg)
{
    struct waker *waker = arg;

    (void)pthread_mutex_lock(&waker->lock);
    waker->is_woken = true;
    (void)pthread_cond_signal(&waker->woken);
    (void)pthread_mutex_unlock(&waker->lock);
}

void waker_wait(struct waker *waker)
{
    (void)pthread_mutex_lock(&waker->lock);
    while (!waker->is_woken)
        (void)pthread_cond_wait(&waker->woken, &waker->lock);
    waker->is_woken = false;
    (void)pthread_mutex_unlock(&waker->lock);
}
