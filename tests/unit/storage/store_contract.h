/* What every engine behind storage/store.h must do, as one suite. Each test gets a fresh place. */
#ifndef UNIT_STORE_CONTRACT_H
#define UNIT_STORE_CONTRACT_H

#include "tests/lib/store_loop.h"

struct contract_subject {
    const char *name;
    void *(*create)(void);                                       /* an empty place that a store can be kept in */
    struct store *(*open)(void *place, struct store_loop *loop); /* its wake: loop_wake, the loop */
    void (*destroy)(void *place);
};

/* Runs it; the number of failures. */
int store_contract_run(const struct contract_subject *subject);

#endif
