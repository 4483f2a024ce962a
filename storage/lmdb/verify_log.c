/* One log, from everything that there is of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/large.h"
#include "storage/lmdb/verify_inside.h"

/* ---- which ------------------------------------------------------------------------------------------------------- */

static const enum db dbs_of_logs[] = { DB_NAMES, DB_LOG, DB_SOURCES, DB_SNAPSHOTS, DB_CHUNKS, DB_LARGE };
#define N_DBS_OF_LOGS (sizeof(dbs_of_logs) / sizeof(dbs_of_logs[0]))

int log_next(struct verify *verify, uint64_t after, uint64_t *out)
{
    struct log_key key = log_key_of(after + 1);
    uint64_t least = UINT64_MAX;
    size_t from, to;
    int r = 0;

    *out = 0;
    if (after == UINT64_MAX)
        return 0;

    for (size_t i = 0; (!r || r == -ENOENT) && i < N_DBS_OF_LOGS; i++) {
        struct cursor *cursor = &verify->cursors[dbs_of_logs[i]];

        r = cursor_seek(cursor, log_key_bytes(&key));
        while (!r && cursor->key.n_bytes < 8)
            r = cursor_next(cursor);
        if (!r && get_be64(cursor->key.at) < least)
            least = get_be64(cursor->key.at);
    }
    inbox_of_log(verify, after + 1, &from, &to);
    if (from < verify->inbox.n && verify->inbox.at[from].number < least)
        least = verify->inbox.at[from].number;
    for (size_t i = 0; i < verify->n_unnamed; i++)
        if (verify->unnamed[i].number > after && verify->unnamed[i].number < least)
            least = verify->unnamed[i].number;
    *out = least == UINT64_MAX ? 0 : least;
    return r == -ENOENT ? 0 : r;
}

static void name_take(struct log_state *log, struct bytes key)
{
    if (key.n_bytes > NAME_KEY_MAX)
        return;
    memcpy(log->key.at, key.at, key.n_bytes);
    if (!name_key_split(bytes_of(log->key.at, key.n_bytes), log->collection, &log->name))
        log->key.n_bytes = key.n_bytes;
}

static int name_find(struct verify *verify, struct log_state *log)
{
    struct log_key number = log_key_of(log->number);
    struct bytes key = { 0 };
    int r = cursor_get(&verify->cursors[DB_NAMES], log_key_bytes(&number), &key);

    if (!r)
        name_take(log, key);
    for (size_t i = 0; r && i < verify->n_unnamed; i++)
        if (verify->unnamed[i].number == log->number)
            name_take(log, name_key_bytes(&verify->unnamed[i].key));
    return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

/* What the inbox says is newer than the row. */
static int inbox_apply(struct verify *verify, struct log_state *log)
{
    struct batch_entry entry;
    int r = 0;

    for (size_t i = log->first_filed; !r && i < log->n_filed; i++) {
        const struct filed *filed = &verify->inbox.at[i];

        log->is_removed |= filed->kind == ENTRY_REMOVE;
        if (filed->kind == ENTRY_REMOVE)
            continue;
        r = inbox_read(verify, filed, &entry);
        if (!r && entry_creates(filed->kind)) {
            struct name_key key = name_key_of(entry.name);

            log->is_created = true;
            if (!log->key.n_bytes)
                name_take(log, name_key_bytes(&key));
            if (!log->has_row)
                log->now.base = log->now.head = filed->from;
        }
        if (!r && filed->from == log->now.head)
            row_advance(&log->now, filed->n, entry.first_ms, entry.last_ms, &entry.after);
    }
    return r == -EBADMSG ? 0 : r; /* reading its records will tell */
}

int log_find(struct verify *verify, uint64_t number, struct log_state *out)
{
    struct bytes value = { 0 };
    int r;

    *out = (struct log_state){ .number = number, .now = { .number = number } };
    inbox_of_log(verify, number, &out->first_filed, &out->n_filed);
    r = name_find(verify, out);
    if (r)
        return r;
    if (out->key.n_bytes) {
        r = cursor_get(&verify->cursors[DB_DOCS], name_key_bytes(&out->key), &value);
        if (!r)
            r = row_decode(value, &out->row);
        out->has_row = !r && out->row.number == number;
    }
    if (r && r != -ENOENT && r != -EBADMSG)
        return r;
    if (out->has_row)
        out->now = out->row;
    return inbox_apply(verify, out);
}

/* ---- its records ------------------------------------------------------------------------------------------------- */

struct walking {
    struct verify *verify;
    const struct log_state *log;
    const struct log_walk *walk;
    uint64_t at, ms;
    bool begun;
};

static int problem(struct walking *walking, enum db db, uint64_t from, uint64_t to, const char *what)
{
    return walking->walk->on_problem(walking->walk->arg, db, from, to, what);
}

static int walk_record(struct walking *walking, enum db db, const struct record *record)
{
    uint64_t version = walking->at;
    int r = 0;

    if (walking->begun && record->time_ms < walking->ms)
        r = problem(walking, db, version, record_end(version, record), "time runs backwards");
    walking->ms = record->time_ms;
    walking->begun = true;
    walking->at = record_end(version, record);
    return r ? r : walking->walk->on_record(walking->walk->arg, version, record);
}

/* The segment under the cursor, whose first version is `first`. */
static int walk_segment(struct walking *walking, uint64_t first)
{
    struct verify *verify = walking->verify;
    struct bytes value = { 0 };
    int r = cursor_sealed(&verify->cursors[DB_LOG], &value);

    if (!r)
        r = segment_decode(&verify->segment, walking->log->number, first, value);
    if (r)
        return r;
    for (size_t i = 0; !r && i < verify->segment.n; i++)
        r = walk_record(walking, DB_LOG, &verify->segment.records[i]);
    return r;
}

/* The version that the segment under the cursor begins with; -ENOENT: it is another log's, or there is none. */
static int segment_first(struct walking *walking, int r, uint64_t *out)
{
    const struct cursor *cursor = &walking->verify->cursors[DB_LOG];

    if (!r && (cursor->key.n_bytes != 16 || get_be64(cursor->key.at) != walking->log->number))
        r = -ENOENT;
    if (!r)
        *out = get_be64((const char *)cursor->key.at + 8);
    return r;
}

static int walk_to(struct walking *walking, enum db db, uint64_t first)
{
    uint64_t at = walking->at;

    walking->at = first;
    if (first > at)
        return problem(walking, db, at, first, "records are missing");
    return first < at ? problem(walking, db, first, at, "records lie there twice") : 0;
}

/* The cursor goes on with each turn, whatever stands there. One that can't be read ends where the next one begins. */
static int walk_segments(struct walking *walking)
{
    struct log_key key = log_key_of_version(walking->log->number, 0);
    struct cursor *cursor = &walking->verify->cursors[DB_LOG];
    uint64_t first = 0, head = walking->log->row.head;
    int r = 0, more = segment_first(walking, cursor_seek(cursor, log_key_bytes(&key)), &first);

    if (!more && !walking->log->has_row && !walking->log->is_created)
        walking->at = first; /* there is no other who knows */
    while (!more && !r) {
        bool is_bad;

        r = walk_to(walking, DB_LOG, first);
        if (!r)
            r = walk_segment(walking, first);
        is_bad = r == -EBADMSG;
        more = segment_first(walking, cursor_next(cursor), &first);
        if (is_bad) {
            uint64_t at = walking->at, to = !more ? first : head > at ? head : at + 1;

            walking->at = to > at ? to : at + 1;
            r = problem(walking, DB_LOG, at, walking->at, "records can't be read");
        }
    }
    return r || more == -ENOENT ? r : more;
}

static int walk_folded(struct walking *walking)
{
    uint64_t head = walking->log->row.head;
    int r = walk_segments(walking);

    if (r || !walking->log->has_row || walking->at == head)
        return r;
    if (walking->at > head)
        return problem(walking, DB_LOG, head, walking->at, "there are more records than the document's row says");
    return walk_to(walking, DB_LOG, head);
}

static int walk_entry(struct walking *walking, const struct filed *filed)
{
    struct record record = { 0 };
    struct batch_entry entry;
    int r = walk_to(walking, DB_INBOX, filed->from);

    if (!r)
        r = inbox_read(walking->verify, filed, &entry);
    while (!r && walking->at < filed->from + filed->n) {
        r = batch_read_record(&entry, walking->at, &record);
        if (!r)
            r = walk_record(walking, DB_INBOX, &record);
    }
    if (r != -EBADMSG)
        return r;
    r = problem(walking, DB_INBOX, walking->at, filed->from + filed->n, "records can't be read");
    walking->at = filed->from + filed->n;
    return r;
}

int log_walk(struct verify *verify, const struct log_state *log, const struct log_walk *walk)
{
    struct walking walking = { .verify = verify, .log = log, .walk = walk, .at = log->row.base };
    int r;

    if (!log->has_row && log->is_created)
        walking.at = log->now.base;
    r = walk_folded(&walking);
    for (size_t i = log->first_filed; !r && i < log->n_filed; i++) {
        const struct filed *filed = &verify->inbox.at[i];

        if (filed->kind != ENTRY_REMOVE && filed->from + filed->n > walking.at)
            r = walk_entry(&walking, filed);
    }
    return r;
}

/* ---- beside the records ------------------------------------------------------------------------------------------ */

int log_body(struct verify *verify, uint64_t number, uint64_t version, size_t n_bytes)
{
    size_t left = n_bytes;
    int r = 0;

    if (!verify->pieces && !(verify->pieces = ZSTD_createDCtx()))
        return -ENOMEM;
    buffer_reset(&verify->body);
    for (uint32_t piece = 0; !r && left > 0; piece++) {
        struct log_key key = log_key_of_chunk(number, version, piece);
        size_t before = verify->body.n_bytes;
        struct bytes packed = { 0 };

        r = cursor_get(&verify->cursors[DB_LARGE], log_key_bytes(&key), &packed);
        if (!r)
            r = piece_unpack(verify->pieces, packed, left, &verify->body);
        left -= verify->body.n_bytes - before;
    }
    return r == -ENOENT ? -EBADMSG : r;
}
