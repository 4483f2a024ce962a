#include "ot/structures/grow.h"

#include "ot/ot.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *array_grow(void *array, const void *first, size_t old_bytes, size_t new_bytes)
{
    void *grown;

    assert(new_bytes > old_bytes);
    grown = realloc(array == first ? NULL : array, new_bytes);
    if (grown && array == first)
        memcpy(grown, first, old_bytes);
    return grown;
}

int array_grow_text(char **text, const char *first, size_t n_bytes, size_t *capacity, size_t n_more)
{
    size_t needed = n_bytes + n_more, larger = 2 * *capacity;
    char *grown;

    if (needed <= *capacity)
        return 0;
    if (needed > UINT32_MAX / 2)
        return OT_LIMIT;
    if (larger < needed)
        larger = needed;
    grown = array_grow(*text, first, *capacity, larger);
    if (!grown)
        return -ENOMEM;
    *text = grown;
    *capacity = larger;
    return 0;
}
