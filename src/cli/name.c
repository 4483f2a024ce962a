#include "cli/name.h"

#include <stdio.h>
#include <string.h>

#include "api/percent.h"
#include "cli/moment.h"

static bool is_number(const char *word)
{
    return *word && !word[strspn(word, "0123456789")];
}

static bool is_date(const char *word)
{
    uint64_t time_ms;

    return strspn(word, "0123456789") == 4 && word[4] == '-' && moment_parse(word, 0, &time_ms);
}

/* Where "@123" or "@2026-11-01" at the end begins; NULL: nowhere. */
static const char *point_in(const char *word)
{
    const char *at = strrchr(word, '@');

    return at && (is_number(at + 1) || is_date(at + 1)) ? at : NULL;
}

static bool decode(const char *at, size_t n, char into[DOC_TEXT_MAX], size_t *out)
{
    return percent_decode(bytes_of(at, n), into, DOC_TEXT_MAX, out) == 0 && *out > 0;
}

bool doc_parse(const char *word, bool may_have_version, struct doc *out)
{
    const char *slash = strchr(word, '/'), *end = word + strlen(word);
    const char *point = may_have_version && slash ? point_in(slash) : NULL;

    out->point[0] = '\0';
    if (point && strlen(point) <= sizeof(out->point)) {
        (void)snprintf(out->point, sizeof(out->point), "%s", point + 1);
        end = point;
    }
    if (slash && decode(word, (size_t)(slash - word), out->collection, &out->n_collection) &&
        decode(slash + 1, (size_t)(end - slash - 1), out->id, &out->n_id))
        return true;
    (void)cli_say(CLI_USAGE, "%s is no document; write COLLECTION/ID", word);
    return false;
}

bool doc_set(struct doc *doc, struct bytes collection, struct bytes id)
{
    if (collection.n_bytes > DOC_TEXT_MAX || id.n_bytes > DOC_TEXT_MAX)
        return false;
    memcpy(doc->collection, collection.at, collection.n_bytes);
    memcpy(doc->id, id.at, id.n_bytes);
    doc->n_collection = collection.n_bytes;
    doc->n_id = id.n_bytes;
    doc->point[0] = '\0';
    return true;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("-_.,:+=/", c));
}

/* Names that are too long for a document are cut. */
static size_t write_shown(const char *at, size_t n, char *into, size_t n_into)
{
    size_t n_written = 0;

    for (size_t i = 0; i < n && n_written + 4 < n_into; i++)
        n_written += (size_t)snprintf(into + n_written, n_into - n_written,
                                      is_plain((unsigned char)at[i]) ? "%c" : "%%%02X", (unsigned char)at[i]);
    return n_written;
}

const char *doc_shown(const struct doc *doc, char into[DOC_SHOWN_BYTES])
{
    size_t n = write_shown(doc->collection, doc->n_collection, into, DOC_SHOWN_BYTES / 2);

    into[n++] = '/';
    (void)write_shown(doc->id, doc->n_id, into + n, DOC_SHOWN_BYTES - n);
    return into;
}

void name_target(struct store_name name, const char *suffix, struct exchange *exchange)
{
    (void)buffer_append_string(&exchange->target, "/v1/docs/");
    percent_encode(name.collection, &exchange->target);
    (void)buffer_append_string(&exchange->target, "/");
    percent_encode(name.id, &exchange->target);
    (void)buffer_append_string(&exchange->target, suffix);
}

void doc_target(const struct doc *doc, const char *suffix, struct exchange *exchange)
{
    const struct store_name name = { bytes_of(doc->collection, doc->n_collection), bytes_of(doc->id, doc->n_id) };

    exchange->doc = doc;
    name_target(name, suffix, exchange);
}
