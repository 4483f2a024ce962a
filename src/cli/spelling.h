/* What somebody may have meant who wrote a word that is none. */
#ifndef CLI_SPELLING_H
#define CLI_SPELLING_H

#include <stddef.h>

/* So many letters may be wrong, missing or too many. */
#define SPELLING_SLIPS 2

/* How many letters must be added, removed or replaced to make one of the other; SIZE_MAX: b is too long to say. */
size_t spelling_distance(const char *a, const char *b);

#endif
