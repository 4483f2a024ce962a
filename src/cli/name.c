#include "cli/name.h"

#include <ctype.h>
#include <stdio.h>

#include "api/percent.h"

/* Where "@123" at the end begins; NULL: nowhere. */
static const char *version_in(const char *word)
{
    const char *at = strrchr(word, '@');

    if (!at || !at[1])
        return NULL;
    for (const char *digit = at + 1; *digit; digit++)
        if (!isdigit((unsigned char)*digit))
            return NULL;
    return at;
}

static bool decode(const char *at, size_t n, char into[DOC_TEXT_MAX], size_t *out)
{
    return percent_decode(bytes_of(at, n), into, DOC_TEXT_MAX, out) == 0 && *out > 0;
}

bool doc_parse(const char *word, bool may_have_version, struct doc *out)
{
    const char *slash = strchr(word, '/'), *end = word + strlen(word);
    const char *version = may_have_version && slash ? version_in(slash) : NULL;

    out->version[0] = '\0';
    if (version) {
        (void)snprintf(out->version, sizeof(out->version), "%s", version + 1);
        end = version;
    }
    if (slash && decode(word, (size_t)(slash - word), out->collection, &out->n_collection) &&
        decode(slash + 1, (size_t)(end - slash - 1), out->id, &out->n_id))
        return true;
    (void)cli_say(CLI_USAGE, "%s is no document; write COLLECTION/ID", word);
    return false;
}

void doc_target(const struct doc *doc, const char *suffix, struct exchange *exchange)
{
    (void)buffer_append_string(&exchange->target, "/v1/docs/");
    percent_encode(bytes_of(doc->collection, doc->n_collection), &exchange->target);
    (void)buffer_append_string(&exchange->target, "/");
    percent_encode(bytes_of(doc->id, doc->n_id), &exchange->target);
    (void)buffer_append_string(&exchange->target, suffix);
}
