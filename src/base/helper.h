/* A thread beside the loop, for what would hold everybody else up: reading a message of megabytes, writing it again.
 *
 *     loop: helper_do --errand--> thread: work --errand--> wake, helper_dispatch on the loop: done
 *
 * An errand is embedded in a structure of the caller, who keeps it alive and unmoved until done, and touches nothing
 * that work reads or writes meanwhile, reference counts included. Work begins after the caller's turn of the loop is
 * over, so what his callers do on their way back is no trouble. Errands are done one after the other, in order. */
#ifndef BASE_HELPER_H
#define BASE_HELPER_H

#include "base/list.h"

#define HELPER_WORTH_BYTES (256 * 1024) /* what is smaller is done faster than it is handed over */

struct errand {
    struct list link;
    void (*work)(struct errand *errand); /* on the thread */
    void (*done)(struct errand *errand); /* on the loop, exactly once */
};

struct helper;

/* wake: from any thread; helper_dispatch is to be called on the loop. -ENOMEM, -EAGAIN: no thread could be made. */
__attribute__((warn_unused_result)) int helper_create(void (*wake)(void *arg), void *arg, struct helper **out);

/* helper NULL: there is none; both happen now, from inside this call. */
void helper_do(struct helper *helper, struct errand *errand);

/* That were given and are not done. helper NULL: none. */
size_t helper_n_errands(const struct helper *helper);

void helper_dispatch(struct helper *helper);

/* Waits until every errand is done, and says so from inside. NULL is fine. */
void helper_destroy(struct helper *helper);

#endif
