/* The contract over LMDB, with the sizes of real life, where nearly everything stays in the inbox, and with tiny ones,
 * where nearly everything goes through segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/storage/place.h"
#include "tests/unit/storage/store_contract.h"

static struct store_lmdb_tuning tuning;

static void *create(void)
{
    return place_create();
}

static struct store *open_store(void *place, struct store_loop *loop)
{
    return place_open(place, loop, &tuning);
}

static void destroy(void *place)
{
    place_destroy(place);
}

int main(int argc, char **argv)
{
    struct contract_subject subject = { "LMDB keeps the contract", create, open_store, destroy };

    tuning = argc > 1 ? place_tiny_tuning : store_lmdb_tuning_default;
    return store_contract_run(&subject);
}
