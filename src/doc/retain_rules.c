#include "doc/retain_rules.h"

#include <ctype.h>

static bool read_days(struct bytes text, uint64_t *out)
{
    const char *at = text.at;

    *out = 0;
    for (size_t i = 0; i < text.n_bytes; i++) {
        if (!isdigit((unsigned char)at[i]) || i == 6)
            return false;
        *out = *out * 10 + (uint64_t)(at[i] - '0');
    }
    return text.n_bytes > 0;
}

struct retain_rule *retain_rules_find(struct retain_rules *rules, struct bytes collection)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (bytes_equal(bytes_of_name(&rules->rules[i].collection), collection))
            return &rules->rules[i];
    }
    return NULL;
}

bool retain_rules_equal(const struct retain_rules *a, const struct retain_rules *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (a->rules[i].days != b->rules[i].days ||
            !bytes_equal(bytes_of_name(&a->rules[i].collection), bytes_of_name(&b->rules[i].collection)))
            return false;
    }
    return a->n == b->n;
}

const char *retain_rules_add(struct retain_rules *rules, struct bytes text)
{
    const char *equals = text.n_bytes ? memrchr(text.at, '=', text.n_bytes) : NULL;
    struct bytes collection = bytes_of(text.at, equals ? (size_t)(equals - (const char *)text.at) : 0);
    struct retain_rule *rule;
    uint64_t days;

    if (!equals || !name_is_allowed(collection, NAME_MAX_BYTES))
        return "does not begin with the name of a collection and =";
    if (!read_days(bytes_of(equals + 1, text.n_bytes - collection.n_bytes - 1), &days) || days > RETAIN_DAYS_MAX)
        return "does not end with a number of days";
    if (days < RETAIN_DAYS_MIN)
        return "names fewer than 30 days: whoever was away for so long comes back with work that is based on that";
    rule = retain_rules_find(rules, collection);
    if (!rule && rules->n == RETAIN_RULES_MAX)
        return "is one rule too many: 16 are possible";
    if (!rule)
        rule = &rules->rules[rules->n++];
    name_set(&rule->collection, collection);
    rule->days = days;
    return NULL;
}

const char *retain_rules_read(struct retain_rules *rules, struct bytes list)
{
    const char *at = list.at, *end = at + list.n_bytes, *flaw = NULL;

    while (!flaw && at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t n = (size_t)((comma ? comma : end) - at);

        flaw = n ? retain_rules_add(rules, bytes_of(at, n)) : NULL;
        at += n + 1;
    }
    return flaw;
}
