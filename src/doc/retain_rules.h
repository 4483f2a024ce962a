/* Which collections keep their single operations for how long; all others keep them for ever. */
#ifndef DOC_RETAIN_RULES_H
#define DOC_RETAIN_RULES_H

#include <stdint.h>

#include "base/name.h"

#define RETAIN_RULES_MAX 16
#define RETAIN_DAYS_MIN  30
#define RETAIN_DAYS_MAX  36500
#define RETAIN_LIST_MAX  (RETAIN_RULES_MAX * (NAME_MAX_BYTES + 8)) /* bytes of all rules as text */

struct retain_name {
    char at[NAME_MAX_BYTES];
    size_t n_bytes;
};

static inline struct bytes bytes_of_name(const struct retain_name *name)
{
    return bytes_of(name->at, name->n_bytes);
}

static inline void name_set(struct retain_name *name, struct bytes from)
{
    name->n_bytes = from.n_bytes;
    memcpy(name->at, from.at, from.n_bytes);
}

struct retain_rule {
    struct retain_name collection;
    uint64_t days;
};

struct retain_rules {
    struct retain_rule rules[RETAIN_RULES_MAX];
    size_t n;
};

/* Adds "COLLECTION=DAYS", or replaces the rule of that collection. NULL, or what is wrong with it, as the end of a
 * sentence that begins with the text: "does not end with a number of days". */
__attribute__((warn_unused_result)) const char *retain_rules_add(struct retain_rules *rules, struct bytes text);

/* Several, separated by commas; empty ones are passed over. The first that is wrong ends it. */
__attribute__((warn_unused_result)) const char *retain_rules_read(struct retain_rules *rules, struct bytes list);

/* The same, in the same order. */
bool retain_rules_equal(const struct retain_rules *a, const struct retain_rules *b);

/* NULL: the collection has none. */
struct retain_rule *retain_rules_find(struct retain_rules *rules, struct bytes collection);

#endif
