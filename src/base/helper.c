#include "base/helper.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct helper {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void (*wake)(void *arg);
    void *arg;

    struct list fresh;          /* the loop's own: handed over at the next dispatch */
    size_t n_given;             /* the loop's own: not done yet */
    struct list errands, ready; /* under the mutex, like the rest */
    bool is_stopping;
};

/* The next errand; NULL: it is over. */
static struct errand *next_errand(struct helper *helper)
{
    struct list *node;

    pthread_mutex_lock(&helper->mutex);
    while (!(node = list_pop(&helper->errands)) && !helper->is_stopping)
        pthread_cond_wait(&helper->changed, &helper->mutex);
    pthread_mutex_unlock(&helper->mutex);
    return node ? LIST_ENTRY(node, struct errand, link) : NULL;
}

static void *helper_main(void *arg)
{
    struct helper *helper = arg;
    struct errand *errand;

    (void)pthread_setname_np(pthread_self(), "helper");
    while ((errand = next_errand(helper))) {
        errand->work(errand);
        pthread_mutex_lock(&helper->mutex);
        list_append(&helper->ready, &errand->link);
        pthread_cond_signal(&helper->changed);
        pthread_mutex_unlock(&helper->mutex);
        helper->wake(helper->arg);
    }
    return NULL;
}

int helper_create(void (*wake)(void *arg), void *arg, struct helper **out)
{
    struct helper *helper = calloc(1, sizeof(*helper));
    int r;

    if (!helper)
        return -ENOMEM;
    pthread_mutex_init(&helper->mutex, NULL);
    pthread_cond_init(&helper->changed, NULL);
    list_init(&helper->fresh);
    list_init(&helper->errands);
    list_init(&helper->ready);
    helper->wake = wake;
    helper->arg = arg;
    r = pthread_create(&helper->thread, NULL, helper_main, helper);
    if (r) {
        free(helper);
        return -r;
    }
    *out = helper;
    return 0;
}

void helper_do(struct helper *helper, struct errand *errand)
{
    if (!helper) {
        errand->work(errand);
        errand->done(errand);
        return;
    }
    helper->n_given++;
    list_append(&helper->fresh, &errand->link);
    helper->wake(helper->arg);
}

size_t helper_n_errands(const struct helper *helper)
{
    return helper ? helper->n_given : 0;
}

void helper_dispatch(struct helper *helper)
{
    struct list ready, *node;
    bool has_fresh = !list_is_empty(&helper->fresh);

    if (!helper->n_given)
        return; /* the store wakes the loop as well, thousands of times a second */
    pthread_mutex_lock(&helper->mutex);
    list_take(&helper->ready, &ready);
    while ((node = list_pop(&helper->fresh)))
        list_append(&helper->errands, node);
    pthread_mutex_unlock(&helper->mutex);
    if (has_fresh)
        pthread_cond_signal(&helper->changed);
    while ((node = list_pop(&ready))) {
        struct errand *errand = LIST_ENTRY(node, struct errand, link);

        helper->n_given--;
        errand->done(errand);
    }
}

static void wait_for_ready(struct helper *helper)
{
    pthread_mutex_lock(&helper->mutex);
    while (helper->n_given && list_is_empty(&helper->fresh) && list_is_empty(&helper->ready))
        pthread_cond_wait(&helper->changed, &helper->mutex);
    pthread_mutex_unlock(&helper->mutex);
}

void helper_destroy(struct helper *helper)
{
    if (!helper)
        return;
    while (helper->n_given) { /* what is done may bring more */
        helper_dispatch(helper);
        wait_for_ready(helper);
    }
    pthread_mutex_lock(&helper->mutex);
    helper->is_stopping = true;
    pthread_cond_signal(&helper->changed);
    pthread_mutex_unlock(&helper->mutex);
    pthread_join(helper->thread, NULL);
    pthread_cond_destroy(&helper->changed);
    pthread_mutex_destroy(&helper->mutex);
    free(helper);
}
