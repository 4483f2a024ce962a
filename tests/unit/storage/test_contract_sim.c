/* The contract over the simulated store, so that what is tested upon it is tested upon the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/sim/store_sim.h"
#include "tests/unit/storage/store_contract.h"

static void *create(void)
{
    return sim_disk_create();
}

static struct store *open_store(void *place, struct store_loop *loop)
{
    return store_sim_open(place, 0, loop_wake, loop);
}

static void destroy(void *place)
{
    sim_disk_destroy(place);
}

int main(void)
{
    struct contract_subject subject = { "the simulated store keeps the contract", create, open_store, destroy };

    return store_contract_run(&subject);
}
