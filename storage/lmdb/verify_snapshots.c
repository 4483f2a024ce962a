/* The snapshots of one log, from the lowest version up: what one refers to is the one below it, so each is read once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/verify_inside.h"

/* The manifest under the cursor; -ENOENT: it is another log's, or there is none. */
static int manifest_version(const struct cursor *cursor, uint64_t number, int r, uint64_t *out)
{
    if (!r && (cursor->key.n_bytes != 16 || get_be64(cursor->key.at) != number))
        r = -ENOENT;
    if (!r)
        *out = get_be64((const char *)cursor->key.at + 8);
    return r;
}

static int manifest_read(struct cursor *cursor, struct manifest *out)
{
    struct bytes value = { 0 };
    int r = cursor_value(cursor, &value);

    return r ? r : manifest_decode(value, out);
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

static int version_add(struct versions *versions, uint64_t version)
{
    if (versions->n == versions->capacity) {
        size_t capacity = versions->capacity ? versions->capacity * 2 : 64;
        uint64_t *grown = reallocarray(versions->at, capacity, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        versions->at = grown;
        versions->capacity = capacity;
    }
    versions->at[versions->n++] = version;
    return 0;
}

int log_snapshot_versions(struct verify *verify, uint64_t number, struct versions *out)
{
    struct log_key key = log_key_of(number);
    struct cursor *cursor = &verify->cursors[DB_SNAPSHOTS];
    uint64_t version = 0;
    int r = manifest_version(cursor, number, cursor_seek(cursor, log_key_bytes(&key)), &version);

    out->n = 0;
    while (!r) {
        struct manifest manifest = { 0 };

        r = manifest_read(cursor, &manifest);
        if (r != -ENOMEM && (r || !manifest.is_hidden))
            r = version_add(out, version);
        if (r == -ENOMEM)
            return r;
        r = manifest_version(cursor, number, cursor_next(cursor), &version);
    }
    return r == -ENOENT ? 0 : r;
}

/* ---- their contents ---------------------------------------------------------------------------------------------- */

struct reading {
    struct verify *verify;
    uint64_t number;
    const struct snapshot_walk *walk;
    uint64_t below; /* the version that was read last; 0: it can't be read, or there was none */
    size_t n_links; /* of its chain */
    struct buffer content;
};

static int leaf_get(void *arg, enum db db, struct bytes key, struct bytes *out)
{
    struct verify *verify = arg;

    return cursor_get(&verify->cursors[db], key, out);
}

/* -EBADMSG, and why. */
static int link_read(struct reading *reading, const struct chain_link *link, const char **why)
{
    const struct chain_source source = { leaf_get, reading->verify, reading->verify->pieces };
    uint64_t base = link->manifest.base;

    if (!base)
        buffer_reset(&reading->content);
    if (base && base != reading->below)
        *why = "what it refers to can't be read";
    else if (base && reading->n_links == CHAIN_MAX)
        *why = "what it refers to leads on too far";
    else
        return chain_read_link(&source, reading->number, link, &reading->content);
    return -EBADMSG;
}

/* What the manifest under the cursor stands for. */
static int snapshot_read(struct reading *reading, uint64_t version)
{
    const struct snapshot_walk *walk = reading->walk;
    struct chain_link link = { .version = version };
    const char *why = "it can't be read";
    int r = manifest_read(&reading->verify->cursors[DB_SNAPSHOTS], &link.manifest);

    if (!r)
        r = link_read(reading, &link, &why);
    reading->below = r ? 0 : version;
    reading->n_links = link.manifest.base ? reading->n_links + 1 : 1;
    if (r == -EBADMSG)
        return walk->on_problem ? walk->on_problem(walk->arg, version, why) : 0;
    return r ? r : walk->on_snapshot(walk->arg, version, link.manifest.is_hidden, buffer_bytes(&reading->content));
}

int log_snapshots(struct verify *verify, uint64_t number, const struct snapshot_walk *walk)
{
    struct reading reading = { .verify = verify, .number = number, .walk = walk };
    struct log_key key = log_key_of(number);
    struct cursor *cursor = &verify->cursors[DB_SNAPSHOTS];
    uint64_t version = 0;
    int r = verify->pieces || (verify->pieces = ZSTD_createDCtx()) ? 0 : -ENOMEM;

    buffer_init(&reading.content, SNAPSHOT_MAX_BYTES);
    if (!r)
        r = manifest_version(cursor, number, cursor_seek(cursor, log_key_bytes(&key)), &version);
    while (!r) {
        r = snapshot_read(&reading, version);
        if (!r)
            r = manifest_version(cursor, number, cursor_next(cursor), &version);
    }
    buffer_finish(&reading.content);
    return r == -ENOENT ? 0 : r;
}
