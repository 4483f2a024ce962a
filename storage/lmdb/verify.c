#include "storage/lmdb/verify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/large.h"
#include "storage/lmdb/removed.h"
#include "storage/lmdb/verify_inside.h"

#define FORMAT_RECORD_BYTES 20

void verify_progress(const struct verify *verify, const char *what, uint64_t done, uint64_t total)
{
    if (verify->config->on_progress)
        verify->config->on_progress(verify->config->arg, what, done, total);
}

__attribute__((format(printf, 3, 4))) static void damage(struct verify *verify, enum db db, const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    trees_tell(&verify->trees,
               (struct verify_finding){ .severity = VERIFY_DAMAGE, .database = environment_db_name(db) }, "%s", what);
}

/* ---- the server's own -------------------------------------------------------------------------------------------- */

static void meta_judge(struct verify *verify, struct bytes key, struct bytes value, bool *has_format)
{
    struct staged_note note;

    if (bytes_equal(key, bytes_of_string(".format"))) {
        *has_format = true;
        if (value.n_bytes == FORMAT_RECORD_BYTES)
            verify->format = get_le32((const char *)value.at + 16);
        else
            damage(verify, DB_META, "the format record is of another program");
    } else if (bytes_equal(key, bytes_of_string(COUNTERS_KEY))) {
        if (counters_decode(value, &verify->counters))
            damage(verify, DB_META, "the counters can't be read");
    } else if (bytes_equal(key, bytes_of_string(STAGED_KEY))) {
        if (staged_note_decode(value, &note))
            damage(verify, DB_META, "the note about a large operation can't be read");
    } else if (*(const char *)key.at != '=') {
        damage(verify, DB_META, "there is a value that nobody knows");
    }
}

static int meta_verify(struct verify *verify)
{
    struct cursor *cursor = &verify->cursors[DB_META];
    bool has_format = false;
    int r = cursor_seek(cursor, bytes_of("", 0));

    for (; !r; r = cursor_next(cursor)) {
        struct bytes value = { 0 };

        r = cursor_value(cursor, &value);
        if (r == -ENOMEM)
            return r;
        if (r)
            damage(verify, DB_META, "the value %.*s is damaged",
                   cursor->key.n_bytes < 64 ? (int)cursor->key.n_bytes : 64, (const char *)cursor->key.at);
        else
            meta_judge(verify, cursor->key, value, &has_format);
    }
    if (!has_format)
        damage(verify, DB_META, "the format record is missing: the store can't be opened");
    return r == -ENOENT ? 0 : r;
}

/* ---- rows and names ---------------------------------------------------------------------------------------------- */

static int unnamed_add(struct verify *verify, uint64_t number, struct bytes key)
{
    struct unnamed *grown = realloc(verify->unnamed, (verify->n_unnamed + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    verify->unnamed = grown;
    grown[verify->n_unnamed] = (struct unnamed){ .number = number, .key = { .n_bytes = key.n_bytes } };
    memcpy(grown[verify->n_unnamed++].key.at, key.at, key.n_bytes);
    return 0;
}

struct counting {
    char collection[NAME_BYTES_MAX];
    size_t n_collection;
    uint64_t n;
};

static int collection_judge(struct verify *verify, const struct counting *counting)
{
    struct bytes value = { 0 };
    uint64_t said = 0;
    int r = 0;

    if (!verify->trees.leaves[DB_COLLECTIONS].is_whole)
        return 0; /* that was told */
    if (counting->n_collection)
        r = cursor_get(&verify->cursors[DB_COLLECTIONS], bytes_of(counting->collection, counting->n_collection),
                       &value);
    if (!r && counting->n_collection)
        r = number_decode(value, &said);
    if (r && r != -ENOENT && r != -EBADMSG)
        return r;
    if (r == -EBADMSG)
        damage(verify, DB_COLLECTIONS, "the count of collection %.*s is damaged", (int)counting->n_collection,
               counting->collection);
    else if (said != counting->n)
        damage(verify, DB_COLLECTIONS, "collection %.*s is said to have %llu documents, and has %llu",
               (int)counting->n_collection, counting->collection, (unsigned long long)said,
               (unsigned long long)counting->n);
    return 0;
}

static int counting_take(struct verify *verify, struct counting *counting, struct bytes collection, bool exists)
{
    int r = 0;

    if (!bytes_equal(bytes_of(counting->collection, counting->n_collection), collection)) {
        r = collection_judge(verify, counting);
        *counting = (struct counting){ .n_collection = collection.n_bytes };
        memcpy(counting->collection, collection.at, collection.n_bytes);
    }
    counting->n += exists;
    return r;
}

static int row_judge(struct verify *verify, struct bytes key, struct bytes value, struct counting *counting)
{
    struct verify_finding finding = { .severity = VERIFY_DAMAGE, .database = environment_db_name(DB_DOCS) };
    char collection[NAME_BYTES_MAX];
    struct log_key number;
    struct bytes named = { 0 };
    struct row row;
    int r;

    if (key.n_bytes > NAME_KEY_MAX || name_key_split(key, collection, &finding.name)) {
        trees_tell(&verify->trees, finding, "a row has a damaged name");
        return 0;
    }
    if (row_decode(value, &row)) {
        trees_tell(&verify->trees, finding, "its row can't be read");
        return 0;
    }
    finding.number = row.number;
    number = log_key_of(row.number);
    r = cursor_get(&verify->cursors[DB_NAMES], log_key_bytes(&number), &named);
    if (r && r != -ENOENT && r != -EBADMSG)
        return r;
    if (r || !bytes_equal(named, key)) {
        finding.database = environment_db_name(DB_NAMES);
        trees_tell(&verify->trees, finding,
                   r == -ENOENT ? "the name of its log is missing"
                   : r          ? "the name of its log is damaged"
                                : "its log has another name as well");
        r = unnamed_add(verify, row.number, key);
    }
    return r ? r : counting_take(verify, counting, finding.name.collection, row.exists);
}

static int docs_verify(struct verify *verify)
{
    struct cursor *cursor = &verify->cursors[DB_DOCS];
    struct counting counting = { 0 };
    uint64_t n = 0;
    int r = cursor_seek(cursor, bytes_of("", 0));

    for (; !r; r = cursor_next(cursor)) {
        struct verify_finding finding = { .severity = VERIFY_DAMAGE, .database = environment_db_name(DB_DOCS) };
        char collection[NAME_BYTES_MAX];
        struct bytes value = { 0 };

        verify_progress(verify, "names", n++, 0);
        r = cursor_value(cursor, &value);
        if (r == -ENOMEM)
            return r;
        if (r) {
            if (name_key_split(cursor->key, collection, &finding.name))
                finding.name = (struct store_name){ 0 };
            trees_tell(&verify->trees, finding, "its row or its name is damaged");
            continue;
        }
        r = row_judge(verify, cursor->key, value, &counting);
        if (r)
            return r;
    }
    return r == -ENOENT ? collection_judge(verify, &counting) : r;
}

/* ---- single values ----------------------------------------------------------------------------------------------- */

static bool is_sound(enum db db, struct bytes key, struct bytes value)
{
    uint64_t number;

    switch (db) {
    case DB_COLLECTIONS: return key.n_bytes <= NAME_BYTES_MAX && !number_decode(value, &number);
    case DB_REMOVED: return key.n_bytes == SHA256_DIGEST_LENGTH && !number_decode(value, &number);
    case DB_NAMES: return key.n_bytes == 8 && value.n_bytes <= NAME_KEY_MAX;
    case DB_LOG:
    case DB_SNAPSHOTS: return key.n_bytes == 16;
    case DB_CHUNKS:
    case DB_LARGE: return key.n_bytes == 20;
    case DB_SOURCES: return key.n_bytes >= 8 && key.n_bytes <= LOG_KEY_MAX;
    case DB_META:
    case DB_INBOX:
    case DB_DOCS:
    case N_DBS: break;
    }
    return true;
}

/* Whether log_verify reads it, and says more of it. */
static bool is_of_logs(enum db db)
{
    return db != DB_NAMES && db != DB_COLLECTIONS && db != DB_REMOVED;
}

/* Each value by itself, or at least its key, by which others go. */
static int values_verify(struct verify *verify, enum db db)
{
    struct cursor *cursor = &verify->cursors[db];
    uint64_t n = 0;
    int r = cursor_seek(cursor, bytes_of("", 0));

    for (; !r; r = cursor_next(cursor)) {
        struct bytes value = { 0 };

        verify_progress(verify, environment_db_name(db), n++, 0);
        r = is_of_logs(db) ? 0 : cursor_value(cursor, &value);
        if (r == -ENOMEM)
            return r;
        if (r || !is_sound(db, cursor->key, value)) {
            struct log_state log = { 0 };

            if (cursor->key.n_bytes >= 8 && db != DB_REMOVED && db != DB_COLLECTIONS) {
                char key[8];

                memcpy(key, cursor->key.at, 8);
                r = log_find(verify, get_be64(key), &log);
                if (r == -ENOMEM)
                    return r;
            }
            trees_tell(&verify->trees, log_finding(&log, db, 0, 0), "a value or its key is damaged");
        }
    }
    return r == -ENOENT ? 0 : r;
}

/* Collections that are said to have documents, of which there is none. */
static int collections_verify(struct verify *verify)
{
    struct cursor *cursor = &verify->cursors[DB_COLLECTIONS], *docs = &verify->cursors[DB_DOCS];
    int r = cursor_seek(cursor, bytes_of("", 0));

    for (; !r; r = cursor_next(cursor)) {
        struct bytes value = { 0 };
        uint64_t n = 0;

        if (cursor->key.n_bytes <= NAME_BYTES_MAX && !cursor_value(cursor, &value) && !number_decode(value, &n) && n) {
            struct name_key key = name_key_of((struct store_name){ .collection = cursor->key });

            if (cursor_seek(docs, name_key_bytes(&key)) || docs->key.n_bytes < key.n_prefix ||
                memcmp(docs->key.at, key.at, key.n_prefix) != 0)
                damage(verify, DB_COLLECTIONS, "collection %.*s is said to have %llu documents, and has none",
                       (int)cursor->key.n_bytes, (const char *)cursor->key.at, (unsigned long long)n);
        }
    }
    return r == -ENOENT ? 0 : r;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int verify_read(struct verify *verify)
{
    int r = 0;

    for (size_t i = 0; !r && i < N_DBS; i++)
        r = cursor_init(&verify->cursors[i], &verify->trees, (enum db)i);
    if (!r)
        r = meta_verify(verify);
    if (!r && verify->format > FORMAT_VERSION)
        r = STORE_FOREIGN;
    if (!r && verify->format > 1 && verify->trees.others.is_whole && !verify->trees.leaves[DB_LARGE].is_found)
        damage(verify, DB_LARGE, "the database is not found: the store can't be opened");
    if (!r)
        r = inbox_file(verify);
    return r ? r : docs_verify(verify);
}

int verify_open(const struct verify_config *config, struct verify *out, char *why, size_t n_why)
{
    int r;

    *out = (struct verify){ .config = config };
    r = trees_open(config, &out->trees, why, n_why);
    if (r)
        return r;
    buffer_init(&out->body, 2 * (size_t)STORE_RECORD_MAX_BYTES);
    r = verify_read(out);
    if (!r)
        return 0;
    if (r == STORE_FOREIGN)
        (void)snprintf(why, n_why, "%s has store format %u, this version knows %u: use the version that wrote it",
                       config->path, out->format, FORMAT_VERSION);
    else
        (void)snprintf(why, n_why, "can't read the store in %s: %s", config->path, strerror(-r));
    verify_close(out);
    return r;
}

void verify_close(struct verify *verify)
{
    for (size_t i = 0; i < N_DBS; i++)
        cursor_finish(&verify->cursors[i]);
    free(verify->inbox.at);
    free(verify->unnamed);
    segment_finish(&verify->segment);
    ZSTD_freeDCtx(verify->pieces);
    buffer_finish(&verify->body);
    trees_close(&verify->trees);
}

static int logs_verify(struct verify *verify)
{
    struct log_state log;
    uint64_t number = 0;
    int r = log_next(verify, 0, &number);

    while (!r && number) {
        verify_progress(verify, "documents", number, verify->counters.next_number);
        r = log_find(verify, number, &log);
        if (!r)
            r = log_verify(verify, &log);
        if (!r)
            r = log_next(verify, number, &number);
    }
    return r;
}

int verify_store(const struct verify_config *config, char *why, size_t n_why)
{
    static const enum db dbs[] = { DB_NAMES,  DB_LOG,         DB_SOURCES, DB_SNAPSHOTS,
                                   DB_CHUNKS, DB_COLLECTIONS, DB_REMOVED, DB_LARGE };
    struct verify verify;
    int r = verify_open(config, &verify, why, n_why);

    if (r)
        return r;
    for (size_t i = 0; !r && i < sizeof(dbs) / sizeof(dbs[0]); i++)
        r = values_verify(&verify, dbs[i]);
    if (!r)
        r = collections_verify(&verify);
    if (!r)
        r = logs_verify(&verify);
    verify_close(&verify);
    if (r)
        (void)snprintf(why, n_why, "can't read the store in %s: %s", config->path, strerror(-r));
    return r;
}

int verify_each_log(const struct verify_config *config, uint64_t after,
                    int (*each)(void *arg, const struct verify_log *log), void *arg, char *why, size_t n_why)
{
    struct versions snapshots = { 0 };
    struct verify verify;
    struct log_state log;
    uint64_t number = 0;
    int r = verify_open(config, &verify, why, n_why);

    if (r)
        return r;
    r = log_next(&verify, after, &number);
    while (!r && number) {
        r = log_find(&verify, number, &log);
        if (!r && !log.is_removed)
            r = log_snapshot_versions(&verify, number, &snapshots);
        if (!r && !log.is_removed)
            r = each(arg, &(struct verify_log){ number, log.name, log.has_row || log.is_created, row_info(&log.now, 0),
                                                snapshots.at, snapshots.n });
        if (!r)
            r = log_next(&verify, number, &number);
    }
    free(snapshots.at);
    verify_close(&verify);
    return r;
}
