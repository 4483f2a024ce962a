/* Reading what keep.c wrote. A snapshot spares work and holds nothing that the log does not: where one can't be read,
 * an older one and more of the log say the same. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "doc/inside.h"
#include "doc/kept.h"

/* Replaying costs several times more than loading, for each byte; and what is kept of a document that has not changed
 * much is small. */
#define SNAPSHOT_PART 4

struct kept_search {
    struct document *document;
    uint64_t at_most;
    kept_found_fn *done;
    void *arg;
};

bool kept_is_due(size_t tail_bytes, const struct ot_snapshot *value, size_t least_bytes)
{
    size_t part = value ? ot_snapshot_size(value) / SNAPSHOT_PART : 0;

    return tail_bytes >= (part > least_bytes ? part : least_bytes);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

int kept_write(const struct past *kept, struct buffer *into)
{
    if (kept->type)
        (void)buffer_append_string(into, ot_type_uri(kept->type));
    (void)buffer_printf(into, " %" PRIu64 " %" PRIu64 "\n", kept->created_ms, kept->modified_ms);
    if (into->error || !kept->type)
        return into->error;
    return ot_snapshot_write_json(kept->value, buffer_write, into);
}

/* " " and a number. */
static bool read_number(const char **at, const char *end, uint64_t *out)
{
    const char *digit = *at;
    uint64_t number = 0;

    if (digit == end || *digit++ != ' ' || digit == end)
        return false;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        number = number * 10 + (uint64_t)(*digit - '0');
    *at = digit;
    *out = number;
    return true;
}

/* Before there were times in it, the line was the type's. */
static int read_head(const char *at, const char *end, struct past *out)
{
    const char *uri_end = memchr(at, ' ', (size_t)(end - at));

    if (!uri_end)
        uri_end = end;
    if (uri_end > at) {
        out->type = ot_type_find(at, (size_t)(uri_end - at));
        if (!out->type)
            return -EBADMSG;
    }
    if (uri_end == end)
        return 0;
    at = uri_end;
    return read_number(&at, end, &out->created_ms) && read_number(&at, end, &out->modified_ms) && at == end ? 0
                                                                                                            : -EBADMSG;
}

int kept_read(struct bytes kept, const struct ot_limits *limits, struct past *out)
{
    const char *at = kept.at, *end = kept.n_bytes ? memchr(at, '\n', kept.n_bytes) : NULL;
    struct ot_json *data = NULL;
    int r = end ? read_head(at, end, out) : -EBADMSG;

    if (r || !out->type)
        return r;
    end++;
    r = ot_json_parse(end, kept.n_bytes - (size_t)(end - at), limits, &data, NULL);
    if (!r)
        r = ot_snapshot_create(out->type, data, limits, &out->value, NULL);
    ot_json_unref(data);
    return r > 0 ? -EBADMSG : r;
}

/* ---- the newest that can be read --------------------------------------------------------------------------------- */

static int ask(struct kept_search *search);

static void search_end(struct kept_search *search, int r, struct past *found)
{
    struct document *document = search->document;

    if (r)
        past_finish(found);
    search->done(search->arg, r, found);
    free(search);
    document_unref(document);
}

static void tell_damage(const struct document *document, uint64_t version)
{
    const struct store_name *name = &document->name;

    log_warning("doc", "the snapshot of %.*s/%.*s at version %" PRIu64 " is damaged: an older one and the log will do",
                (int)name->collection.n_bytes, (const char *)name->collection.at, (int)name->id.n_bytes,
                (const char *)name->id.at, version);
}

static void on_snapshot(void *arg, int r, uint64_t version, struct bytes snapshot)
{
    struct kept_search *search = arg;
    struct document *document = search->document;
    struct past found = { .version = version };

    if (!r && version)
        r = kept_read(snapshot, document_limits(document), &found);
    if (r != -EBADMSG) {
        search_end(search, r, &found);
        return;
    }
    tell_damage(document, version);
    past_finish(&found);
    search->at_most = version ? version - 1 : 0;
    if (!search->at_most) {
        search_end(search, 0, &found);
        return;
    }
    document->n_calls--;
    r = ask(search);
    if (r) {
        document->n_calls++; /* as if it had been answered */
        search_end(search, r, &found);
    }
}

static int ask(struct kept_search *search)
{
    int r;

    search->document->n_calls++;
    r = store_snapshot_get(search->document->log, search->at_most, on_snapshot, search);
    if (r)
        search->document->n_calls--;
    return r;
}

int kept_find(struct document *document, uint64_t at_most, kept_found_fn *done, void *arg)
{
    struct kept_search *kept = calloc(1, sizeof(*kept));
    int r;

    if (!kept)
        return -ENOMEM;
    *kept = (struct kept_search){ document_ref(document), at_most, done, arg };
    r = ask(kept);
    if (r) {
        document_unref(document);
        free(kept);
    }
    return r;
}
