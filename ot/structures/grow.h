/* Arrays that begin in the builder they belong to, and move to the heap when they outgrow it. Internal to ot/. */
#ifndef OT_GROW_H
#define OT_GROW_H

#include <stddef.h>

/* first: the array in the builder, of which old_bytes are in use. NULL without memory, and the old one stays. */
void *array_grow(void *array, const void *first, size_t old_bytes, size_t new_bytes);

/* Room for n_more bytes behind n_bytes of text. 0, -ENOMEM, OT_LIMIT. */
int array_grow_text(char **text, const char *first, size_t n_bytes, size_t *capacity, size_t n_more);

#endif
