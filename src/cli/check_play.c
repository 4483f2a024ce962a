/* Every document played again from its first operation, as the store gives it to the server, and held against every
 * snapshot on the way and against what the listing says. What looks wrong is looked at twice: beside a server, merging
 * and purging go on meanwhile. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_inside.h"
#include "cli/intake.h"
#include "doc/kept.h"
#include "storage/lmdb/store_lmdb.h"

#define SLICE_BYTES ((size_t)1 << 20)

struct named {
    uint64_t number;
    struct store_name name;
    const uint64_t *snapshots; /* their versions, ascending */
    size_t n_snapshots;
};

struct play {
    FILE *to;
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool is_woken;

    /* What was asked last. */
    bool is_answered;
    int r;
    struct store_log *log;
    struct store_info info;
    char type[64];
    uint64_t version;
    struct buffer snapshot;

    /* The document at hand. */
    const struct named *named;
    struct past past;
    uint64_t last_ms; /* of the record that was played last */
    size_t next_snapshot;
    bool is_second, is_wrong; /* the second look tells what the first has found */
};

/* ---- asking the store -------------------------------------------------------------------------------------------- */

static void on_wake(void *arg)
{
    struct play *play = arg;

    (void)pthread_mutex_lock(&play->lock);
    play->is_woken = true;
    (void)pthread_cond_signal(&play->woken);
    (void)pthread_mutex_unlock(&play->lock);
}

/* r: what the call returned. */
static int answer_wait(struct play *play, int r)
{
    while (!r && !play->is_answered) {
        (void)pthread_mutex_lock(&play->lock);
        while (!play->is_woken)
            (void)pthread_cond_wait(&play->woken, &play->lock);
        play->is_woken = false;
        (void)pthread_mutex_unlock(&play->lock);
        store_dispatch(play->store);
    }
    play->is_answered = false;
    return r ? r : play->r;
}

static void on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct play *play = arg;

    play->is_answered = true;
    play->r = r;
    play->log = log;
    if (r)
        return;
    play->info = *info;
    if (info->state.type.n_bytes)
        memcpy(play->type, info->state.type.at, info->state.type.n_bytes);
    play->info.state.type.at = play->type;
}

static void on_snapshot(void *arg, int r, uint64_t version, struct bytes snapshot)
{
    struct play *play = arg;

    play->is_answered = true;
    play->r = r;
    play->version = version;
    buffer_reset(&play->snapshot);
    if (!r && buffer_append(&play->snapshot, snapshot.at, snapshot.n_bytes))
        play->r = -ENOMEM;
}

/* ---- saying what is wrong ---------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void tell(struct play *play, uint64_t from, uint64_t to,
                                                       const char *format, ...)
{
    struct verify_finding finding = { .severity = VERIFY_DAMAGE,
                                      .name = play->named->name,
                                      .number = play->named->number };
    char what[256];
    va_list args;

    play->is_wrong = true;
    if (!play->is_second)
        return;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    finding.from = from;
    finding.to = to;
    finding.what = what;
    check_send(play->to, json_pack("{s:o}", "finding", check_finding(&finding)));
}

/* ---- snapshots --------------------------------------------------------------------------------------------------- */

/* Keys may stand in another order. One of a former format has no times. */
static int value_compare(struct play *play, struct bytes kept, struct bytes replayed, bool *same)
{
    const struct past *past = &play->past;
    struct past there = { 0 };
    struct buffer text;
    int r = kept_read(kept, &intake_limits, &there);

    buffer_init(&text, SIZE_MAX / 2);
    *same = !r && there.type == past->type &&
            (!there.created_ms || !there.type ||
             (there.created_ms == past->created_ms && there.modified_ms <= play->last_ms));
    if (*same && there.type) {
        there.created_ms = past->created_ms;
        there.modified_ms = past->modified_ms;
        r = kept_write(&there, &text);
        *same = !r && bytes_equal(buffer_bytes(&text), replayed);
    }
    past_finish(&there);
    buffer_finish(&text);
    return r == -ENOMEM ? r : 0;
}

/* The content that the store gave, and what has been replayed up to there. */
static int content_compare(struct play *play, bool *same)
{
    struct buffer text;
    int r;

    buffer_init(&text, SIZE_MAX / 2);
    r = kept_write(&play->past, &text);
    *same = !r && bytes_equal(buffer_bytes(&text), buffer_bytes(&play->snapshot));
    if (!r && !*same)
        r = value_compare(play, buffer_bytes(&play->snapshot), buffer_bytes(&text), same);
    buffer_finish(&text);
    return r;
}

/* That of the version which has been reached. One that is not there any more went while we were on our way: whether one
 * is missing that should be there, the pages tell. */
static int snapshot_compare(struct play *play)
{
    uint64_t version = play->past.version;
    bool same = false;
    int r = answer_wait(play, store_snapshot_get(play->log, version, on_snapshot, play));

    if (r == -EBADMSG) {
        tell(play, version, version + 1, "its snapshot of version %" PRIu64 " can't be read", version);
        return 0;
    }
    if (r || play->version != version)
        return r;
    r = content_compare(play, &same);
    if (!r && !same)
        tell(play, version, version + 1, "its snapshot of version %" PRIu64 " is not what its operations lead to",
             version);
    return r;
}

static uint64_t next_snapshot(const struct play *play)
{
    const struct named *named = play->named;

    return play->next_snapshot < named->n_snapshots ? named->snapshots[play->next_snapshot] : STORE_NEWEST;
}

static int snapshots_compare(struct play *play)
{
    int r = 0;

    while (!r && next_snapshot(play) <= play->past.version) {
        if (next_snapshot(play) == play->past.version)
            r = snapshot_compare(play);
        play->next_snapshot++;
    }
    return r;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

#define MISFIT 1000 /* an operation does not follow from what was before it; it has been told */

static int record_play(struct play *play, const struct record *record)
{
    uint64_t version = play->past.version;
    int r = past_record(&play->past, record, &intake_limits);

    play->last_ms = record->time_ms;
    if (!r || r == -ENOMEM)
        return r;
    tell(play, version, record_end(version, record), "operation %" PRIu64 " does not fit what was before it", version);
    return MISFIT;
}

static void on_records(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct play *play = arg;

    if (!r && (!n || from != play->past.version))
        r = -EBADMSG;
    for (size_t i = 0; !r && i < n; i++)
        r = record_play(play, &records[i]);
    play->is_answered = true;
    play->r = r;
}

/* Up to the next snapshot, to be compared there. */
static int records_play(struct play *play)
{
    int r = 0;

    while (!r && play->past.version < play->info.head) {
        uint64_t before = play->past.version, snapshot = next_snapshot(play);
        uint64_t to = snapshot < play->info.head ? snapshot : play->info.head;

        r = answer_wait(play, store_read(play->log, before, to, SLICE_BYTES, on_records, play));
        if (!play->is_second)
            check_send(play->to, json_pack("{s:I}", "played", (json_int_t)(play->past.version - before)));
        if (!r)
            r = snapshots_compare(play);
    }
    if (r == -EBADMSG || (r > 0 && r != MISFIT))
        tell(play, play->past.version, play->info.head, "its operations can't be read from version %" PRIu64 " on",
             play->past.version);
    return r == -EBADMSG || r > 0 ? MISFIT : r;
}

static void row_compare(struct play *play)
{
    const struct store_state *state = &play->info.state;
    const struct past *past = &play->past;
    struct bytes uri = past->type ? bytes_of_string(ot_type_uri(past->type)) : bytes_of(NULL, 0);

    if (state->exists != (past->type != NULL) || !bytes_equal(state->type, uri))
        tell(play, 0, 0, "its row says another type than its operations, or that it is deleted, or not");
    else if (past->value && state->n_bytes != ot_snapshot_size(past->value))
        tell(play, 0, 0, "its row says another size than its operations lead to");
    else if (past->value && play->info.created_ms != past->created_ms)
        tell(play, 0, 0, "its row says another time of its creation than its operations");
    else if (play->info.head > play->info.first && play->info.modified_ms != play->last_ms)
        tell(play, 0, 0, "its row says another time of the last change than its operations");
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

/* Also of one that was removed meanwhile, and has no operations any more. */
static int log_play(struct play *play)
{
    int r;

    play->past = (struct past){ .version = play->info.first };
    play->next_snapshot = 0;
    r = snapshots_compare(play);
    if (!r)
        r = records_play(play);
    if (!r)
        row_compare(play);
    if (r < 0 && r != -ENOMEM)
        tell(play, play->past.version, play->info.head, "it can't be read: %s", strerror(-r));
    past_finish(&play->past);
    return r;
}

static int document_look(struct play *play)
{
    int r = answer_wait(play, store_log_open(play->store, play->named->name, NULL, on_open, play));

    play->is_wrong = false;
    if (r) {
        tell(play, 0, 0, "it can't be opened: %s", strerror(-r));
    } else {
        r = log_play(play);
        store_log_close(play->log);
    }
    return r == -ENOMEM ? r : 0;
}

static int document_play(struct play *play, const struct named *named)
{
    int r;

    play->named = named;
    play->is_second = false;
    r = document_look(play);
    if (!r && play->is_wrong) {
        play->is_second = true;
        r = document_look(play);
    }
    return r;
}

struct names {
    struct named *at;
    size_t n;
    FILE *to;
    struct buffer bytes, snapshots;
};

static int name_take(void *arg, const struct verify_log *log)
{
    struct names *names = arg;

    if (names->n == CHECK_PLAY_LOGS || (names->n && names->snapshots.n_bytes > CHECK_PLAY_BYTES))
        return 1;
    if (!log->name.id.n_bytes)
        return 0;
    names->at[names->n++] = (struct named){ log->number, log->name, NULL, log->n_snapshots };
    if (log->n_snapshots &&
        buffer_append(&names->snapshots, log->snapshots, log->n_snapshots * sizeof(*log->snapshots)))
        return -ENOMEM;
    (void)buffer_append(&names->bytes, log->name.collection.at, log->name.collection.n_bytes);
    return buffer_append(&names->bytes, log->name.id.at, log->name.id.n_bytes);
}

/* The bytes have come to rest. */
static void names_settle(struct names *names)
{
    const char *at = names->bytes.at;
    const void *snapshots = names->snapshots.at; /* as malloc gave them */
    const uint64_t *snapshot = snapshots;

    for (size_t i = 0; i < names->n; i++) {
        struct store_name *name = &names->at[i].name;

        name->collection.at = at;
        at += name->collection.n_bytes;
        name->id.at = at;
        at += name->id.n_bytes;
        names->at[i].snapshots = snapshot;
        if (snapshot)
            snapshot += names->at[i].n_snapshots;
    }
}

static void names_progress(void *arg, const char *what, uint64_t n_done, uint64_t n_total)
{
    check_send(arg, json_pack("{s:s,s:I,s:I}", "step", what, "done", (json_int_t)n_done, "total", (json_int_t)n_total));
}

static int documents_play(struct play *play, const struct names *names)
{
    int r = 0;

    for (size_t i = 0; !r && i < names->n; i++) {
        struct verify_finding at = { .name = names->at[i].name, .number = names->at[i].number, .what = "" };

        check_send(play->to, json_pack("{s:o}", "at", check_finding(&at)));
        r = document_play(play, &names->at[i]);
    }
    return r;
}

int check_play(const char *path, uint64_t after, FILE *to)
{
    struct play play = { .to = to, .lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER };
    const struct verify_config look = { .path = path, .on_progress = names_progress, .arg = to };
    const struct store_lmdb_config config = { .path = path, .mode = STORE_READ_ONLY, .wake = on_wake, .arg = &play };
    struct names names = { .at = malloc(CHECK_PLAY_LOGS * sizeof(*names.at)), .to = to };
    char why[512] = "out of memory";
    int r;

    buffer_init(&names.bytes, SIZE_MAX / 2);
    buffer_init(&names.snapshots, SIZE_MAX / 2);
    buffer_init(&play.snapshot, SIZE_MAX / 2);
    r = names.at ? verify_each_log(&look, after, name_take, &names, why, sizeof(why)) : -ENOMEM;
    if (r >= 0) {
        bool more = r > 0;

        names_settle(&names);
        r = store_lmdb_open(&config, &play.store, why, sizeof(why));
        if (!r)
            r = documents_play(&play, &names);
        if (!r && more && names.n)
            check_send(to, json_pack("{s:I}", "more", (json_int_t)names.at[names.n - 1].number));
    }
    if (r)
        check_send(to, json_pack("{s:s}", "failed", why));
    return 0; /* the process ends: so does all that it holds */
}
