/* Whether all that there is of one log fits together. */
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/lmdb/large.h"
#include "storage/lmdb/verify_inside.h"

struct source {
    struct store_source found;
    bool is_known;
    size_t n_src;
    char src[SRC_BYTES_MAX];
};

struct examination {
    struct verify *verify;
    const struct log_state *log;
    void *sources; /* search.h; of what is folded */
    struct source *last;
    size_t n_sources;
    struct versions snapshots; /* that somebody may read from; [next_snapshot, n) were not passed yet */
    size_t next_snapshot;
    bool has_gaps, has_merged;
    uint64_t n_records, n_snapshots, end, last_ms, n_pieces_left, n_chunks_left;
};

__attribute__((format(printf, 4, 5))) static void damage(struct examination *exam, enum db db, uint64_t version,
                                                         const char *format, ...)
{
    char what[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    trees_tell(&exam->verify->trees, log_finding(exam->log, db, version, version ? version + 1 : 0), "%s", what);
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

static int source_compare(const void *left, const void *right)
{
    const struct source *a = left, *b = right;

    return bytes_compare(bytes_of(a->src, a->n_src), bytes_of(b->src, b->n_src));
}

static struct source *source_find(struct examination *exam, struct bytes src, bool adds)
{
    struct source wanted = { .n_src = src.n_bytes }, *own, **node;

    if (src.n_bytes > SRC_BYTES_MAX)
        return NULL;
    memcpy(wanted.src, src.at, src.n_bytes);
    if (exam->last && source_compare(exam->last, &wanted) == 0)
        return exam->last;
    node = tfind(&wanted, &exam->sources, source_compare);
    if (!node && adds) {
        own = malloc(sizeof(*own));
        if (own)
            *own = wanted;
        node = own ? tsearch(own, &exam->sources, source_compare) : NULL;
        if (!node)
            free(own);
        exam->n_sources += node != NULL;
    }
    exam->last = node ? *node : NULL;
    return exam->last;
}

static void source_judge(struct examination *exam, struct bytes src, struct bytes value)
{
    const struct source *source = source_find(exam, src, false);
    struct store_source said;

    if (source_decode(value, &said))
        damage(exam, DB_SOURCES, 0, "what it says of a source can't be read");
    else if (exam->has_gaps || (exam->has_merged && !source))
        return; /* nobody knows better */
    else if (!source)
        damage(exam, DB_SOURCES, 0, "it knows a source that has no records");
    else if (exam->has_merged
                 ? said.highest_seq < source->found.highest_seq || said.newest_version < source->found.newest_version
                 : said.highest_seq != source->found.highest_seq ||
                       said.highest_version != source->found.highest_version ||
                       said.newest_version != source->found.newest_version)
        damage(exam, DB_SOURCES, source->found.newest_version, "what it says of a source is not what its records say");
}

static int sources_verify(struct examination *exam)
{
    struct cursor *cursor = &exam->verify->cursors[DB_SOURCES];
    struct log_key key = log_key_of(exam->log->number);
    size_t n = 0;
    int r = cursor_seek(cursor, log_key_bytes(&key));

    for (; !r && cursor->key.n_bytes >= 8 && memcmp(cursor->key.at, key.at, 8) == 0; r = cursor_next(cursor)) {
        struct bytes src = bytes_of((const char *)cursor->key.at + 8, cursor->key.n_bytes - 8), value = { 0 };

        r = cursor_value(cursor, &value);
        if (r == -ENOMEM)
            return r;
        if (r)
            damage(exam, DB_SOURCES, 0, "what it says of a source is damaged");
        else
            source_judge(exam, src, value);
        n++;
    }
    if (!exam->has_gaps && n < exam->n_sources)
        damage(exam, DB_SOURCES, 0, "%zu of its %zu sources are missing", exam->n_sources - n, exam->n_sources);
    return r == -ENOENT ? 0 : r;
}

/* ---- records and bodies ------------------------------------------------------------------------------------------ */

/* Pieces below `version` that no record asked for. The cursor stands behind what was asked for last. */
static int pieces_skip(struct examination *exam, uint64_t from, uint64_t to)
{
    struct log_key key = log_key_of_chunk(exam->log->number, from, 0);
    struct cursor *cursor = &exam->verify->cursors[DB_LARGE];
    int r = cursor_seek(cursor, log_key_bytes(&key));

    for (; !r && cursor->key.n_bytes == 20 && memcmp(cursor->key.at, key.at, 8) == 0; r = cursor_next(cursor)) {
        if (get_be64((const char *)cursor->key.at + 8) >= to)
            break;
        exam->n_pieces_left++;
    }
    return r == -ENOENT ? 0 : r;
}

/* Nobody could go on from a snapshot in the middle of a record. */
static void snapshots_pass(struct examination *exam, uint64_t version, uint64_t end)
{
    const struct versions *snapshots = &exam->snapshots;

    for (; exam->next_snapshot < snapshots->n && snapshots->at[exam->next_snapshot] < end; exam->next_snapshot++)
        if (snapshots->at[exam->next_snapshot] > version)
            damage(exam, DB_SNAPSHOTS, snapshots->at[exam->next_snapshot],
                   "it has a snapshot of a version that was merged with others");
}

static int on_record(void *arg, uint64_t version, const struct record *record)
{
    struct examination *exam = arg;
    int r = 0;

    exam->has_merged |= record->n_merged > 0;
    snapshots_pass(exam, version, record_end(version, record));
    if (exam->n_records++ % 512 == 0)
        verify_progress(exam->verify, "documents", exam->log->number, exam->verify->counters.next_number);
    if (body_is_mark(record->body)) {
        r = pieces_skip(exam, exam->end, version);
        exam->end = version + 1;
        if (!r)
            r = log_body(exam->verify, exam->log->number, version, record->body.n_bytes);
        if (r == -EBADMSG) {
            damage(exam, DB_LARGE, version, "a large operation can't be read");
            r = 0;
        }
    }
    exam->last_ms = record->time_ms;
    if (r || !exam->log->has_row || version >= exam->log->row.head)
        return r;
    if (!source_find(exam, record->id.src, true))
        return -ENOMEM;
    source_advance(&exam->last->found, &exam->last->is_known, record->id.seq, version);
    return 0;
}

static int on_problem(void *arg, enum db db, uint64_t from, uint64_t to, const char *what)
{
    struct examination *exam = arg;

    exam->has_gaps = true;
    trees_tell(&exam->verify->trees, log_finding(exam->log, db, from, to), "%s", what);
    return 0;
}

static int records_verify(struct examination *exam)
{
    const struct log_walk walk = { on_record, on_problem, exam };
    int r = log_snapshot_versions(exam->verify, exam->log->number, &exam->snapshots);

    if (!r)
        r = log_walk(exam->verify, exam->log, &walk);
    if (!r)
        r = pieces_skip(exam, exam->end, UINT64_MAX);
    if (!r && !exam->has_gaps && exam->n_records && exam->last_ms != exam->log->now.modified_ms)
        damage(exam, DB_DOCS, 0, "its row says another time of the last change than its records");
    return r;
}

/* ---- snapshots --------------------------------------------------------------------------------------------------- */

static void snapshot_judge(struct examination *exam, uint64_t version)
{
    if (exam->n_snapshots++ % 64 == 0)
        verify_progress(exam->verify, "snapshots", exam->log->number, exam->verify->counters.next_number);
    if (exam->log->has_row && (version <= exam->log->now.base || version > exam->log->now.head))
        damage(exam, DB_SNAPSHOTS, version, "it has a snapshot of a version that it has not");
}

static int on_snapshot(void *arg, uint64_t version, bool is_hidden, struct bytes content)
{
    (void)is_hidden;
    (void)content;
    snapshot_judge(arg, version);
    return 0;
}

static int on_bad_snapshot(void *arg, uint64_t version, const char *why)
{
    snapshot_judge(arg, version);
    damage(arg, DB_SNAPSHOTS, version, "its snapshot of version %llu: %s", (unsigned long long)version, why);
    return 0;
}

static int snapshots_verify(struct examination *exam)
{
    const struct snapshot_walk walk = { on_snapshot, on_bad_snapshot, exam };

    return log_snapshots(exam->verify, exam->log->number, &walk);
}

/* Pieces behind the last one of the snapshot that they are of: all of them, when there is no manifest. One that is
 * damaged was told of. */
static bool chunk_is_left(struct cursor *manifests, struct bytes chunk, uint64_t number)
{
    struct bytes of = bytes_of(chunk.at, 16), value = { 0 };
    struct manifest manifest = { 0 };
    struct log_key behind;

    if (!cursor_seek(manifests, of) && bytes_equal(manifests->key, of) &&
        (cursor_value(manifests, &value) || manifest_decode(value, &manifest)))
        return false;
    behind = log_key_of_chunk(number, get_be64((const char *)chunk.at + 8), manifest.n_chunks);
    return bytes_compare(chunk, log_key_bytes(&behind)) >= 0;
}

static int chunks_verify(struct examination *exam)
{
    struct cursor *chunks = &exam->verify->cursors[DB_CHUNKS], *manifests = &exam->verify->cursors[DB_SNAPSHOTS];
    struct log_key key = log_key_of(exam->log->number);
    int r = cursor_seek(chunks, log_key_bytes(&key));

    for (; !r && chunks->key.n_bytes == 20 && memcmp(chunks->key.at, key.at, 8) == 0; r = cursor_next(chunks))
        exam->n_chunks_left += chunk_is_left(manifests, chunks->key, exam->log->number);
    return r == -ENOENT ? 0 : r;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void leftovers_tell(struct examination *exam)
{
    struct verify_finding finding = log_finding(exam->log, DB_LARGE, 0, 0);

    finding.severity = VERIFY_LEFTOVER;
    if (exam->n_pieces_left)
        trees_tell(&exam->verify->trees, finding, "%llu pieces of a large operation that was never committed",
                   (unsigned long long)exam->n_pieces_left);
    finding.database = environment_db_name(DB_CHUNKS);
    if (exam->n_chunks_left)
        trees_tell(&exam->verify->trees, finding, "%llu pieces of a snapshot that was never finished",
                   (unsigned long long)exam->n_chunks_left);
}

/* A log that nobody leads to: only what a crash may leave behind is none. */
static void orphan_tell(struct verify *verify, const struct log_state *log)
{
    static const enum db dbs[] = { DB_NAMES, DB_LOG, DB_SOURCES, DB_SNAPSHOTS };
    struct log_key key = log_key_of(log->number);

    for (size_t i = 0; i < sizeof(dbs) / sizeof(dbs[0]); i++) {
        struct cursor *cursor = &verify->cursors[dbs[i]];

        if (!cursor_seek(cursor, log_key_bytes(&key)) && cursor->key.n_bytes >= 8 &&
            memcmp(cursor->key.at, key.at, 8) == 0) {
            trees_tell(&verify->trees, log_finding(log, DB_DOCS, 0, 0),
                       "its row is lost or damaged: the document seems not to exist");
            return;
        }
    }
}

int log_verify(struct verify *verify, const struct log_state *log)
{
    struct examination exam = { .verify = verify, .log = log };
    int r = 0;

    if (log->is_removed)
        return 0; /* on its way out */
    if (!log->has_row && !log->is_created) {
        orphan_tell(verify, log);
        exam.has_gaps = true; /* who knows what should be there */
    }
    if (log->number >= verify->counters.next_number)
        damage(&exam, DB_META, 0, "its log has a number that is still to be given away");
    r = records_verify(&exam);
    if (!r)
        r = sources_verify(&exam);
    if (!r)
        r = snapshots_verify(&exam);
    if (!r)
        r = chunks_verify(&exam);
    if (!r)
        leftovers_tell(&exam);
    tdestroy(exam.sources, free);
    free(exam.snapshots.at);
    return r;
}
