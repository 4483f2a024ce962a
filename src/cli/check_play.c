/* Every document played again from its first operation, as the store gives it to the server, and held against every
 * snapshot on the way and against what the listing says. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check_inside.h"
#include "doc/hub.h"
#include "doc/past.h"
#include "storage/lmdb/store_lmdb.h"

#define SLICE_BYTES   ((size_t)1 << 20)
#define SNAPSHOTS_MAX 65536

struct named {
    uint64_t number;
    struct store_name name;
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
    struct ot_limits limits;
    struct past past;
    uint64_t *snapshots; /* their versions, ascending */
    size_t n_snapshots, next_snapshot;
    uint64_t told; /* operations, since the last line */
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

    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    finding.from = from;
    finding.to = to;
    finding.what = what;
    check_send(play->to, json_pack("{s:o}", "finding", check_finding(&finding)));
}

/* ---- snapshots --------------------------------------------------------------------------------------------------- */

static int snapshot_note(struct play *play)
{
    uint64_t *grown = realloc(play->snapshots, (play->n_snapshots + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    play->snapshots = grown;
    memmove(grown + 1, grown, play->n_snapshots * sizeof(*grown));
    grown[0] = play->version;
    play->n_snapshots++;
    return 0;
}

/* From the newest one down. */
static int snapshots_find(struct play *play)
{
    uint64_t at_most = STORE_NEWEST;
    int r = 0;

    play->n_snapshots = play->next_snapshot = 0;
    while (!r && play->n_snapshots < SNAPSHOTS_MAX) {
        r = answer_wait(play, store_snapshot_get(play->log, at_most, on_snapshot, play));
        if (r == -EBADMSG)
            tell(play, play->version, play->version ? play->version + 1 : 0, "a snapshot of it can't be read");
        if (!play->version || (r && r != -EBADMSG))
            break;
        r = r ? 0 : snapshot_note(play);
        at_most = play->version - 1;
    }
    return r == -EBADMSG ? 0 : r;
}

static bool is_same(struct play *play)
{
    struct bytes kept = buffer_bytes(&play->snapshot);
    const char *end = kept.n_bytes ? memchr(kept.at, '\n', kept.n_bytes) : NULL;
    struct ot_json *here = NULL, *there = NULL;
    struct bytes uri, content;
    struct buffer text;
    bool same;

    if (!end)
        return false;
    uri = bytes_of(kept.at, (size_t)(end - (const char *)kept.at));
    content = bytes_of(end + 1, kept.n_bytes - uri.n_bytes - 1);
    if (!play->past.type || !bytes_equal(uri, bytes_of_string(ot_type_uri(play->past.type))))
        return !play->past.type && uri.n_bytes == 0;
    buffer_init(&text, SIZE_MAX / 2);
    same = !ot_snapshot_write_json(play->past.value, buffer_write, &text);
    if (same && !bytes_equal(buffer_bytes(&text), content)) /* keys may stand in another order */
        same = !ot_json_parse(text.at, text.n_bytes, &play->limits, &here, NULL) &&
               !ot_json_parse(content.at, content.n_bytes, &play->limits, &there, NULL) && ot_json_equal(here, there);
    ot_json_unref(here);
    ot_json_unref(there);
    buffer_finish(&text);
    return same;
}

/* The one of the version that has been reached, if there is one. */
static int snapshot_compare(struct play *play)
{
    int r;

    while (play->next_snapshot < play->n_snapshots && play->snapshots[play->next_snapshot] < play->past.version)
        play->next_snapshot++;
    if (play->next_snapshot == play->n_snapshots || play->snapshots[play->next_snapshot] != play->past.version)
        return 0;
    r = answer_wait(play, store_snapshot_get(play->log, play->past.version, on_snapshot, play));
    if (!r && (play->version != play->past.version || !is_same(play)))
        tell(play, play->past.version, play->past.version + 1,
             "its snapshot of version %" PRIu64 " is not what its operations lead to", play->past.version);
    return r;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

#define MISFIT 1000 /* an operation does not follow from what was before it; it has been told */

static int record_play(struct play *play, const struct record *record)
{
    struct step step = { .kind = STEP_NOTHING };
    uint64_t version = play->past.version;
    int r = step_parse(record->body, play->past.type, &play->limits, &step);

    if (!r)
        r = past_step(&play->past, &step, record->time_ms, &play->limits);
    step_finish(&step);
    if (r == -ENOMEM)
        return r;
    if (r) {
        tell(play, version, version + 1, "operation %" PRIu64 " does not fit what was before it", version);
        return MISFIT;
    }
    play->past.version = record_end(version, record);
    return 0;
}

static void on_records(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct play *play = arg;

    if (!r && (!n || from != play->past.version))
        r = -EBADMSG;
    play->is_answered = true;
    play->r = r;
    /* The records end with this call, and asking for a snapshot waits: those that lie within are compared there. */
    for (size_t i = 0; !play->r && i < n; i++) {
        play->r = record_play(play, &records[i]);
        if (!play->r && play->next_snapshot < play->n_snapshots &&
            play->past.version >= play->snapshots[play->next_snapshot])
            return; /* the rest is read again */
    }
}

static int records_play(struct play *play)
{
    int r = 0;

    while (!r && play->past.version < play->info.head) {
        uint64_t before = play->past.version;

        r = answer_wait(play, store_read(play->log, before, play->info.head, SLICE_BYTES, on_records, play));
        check_send(play->to, json_pack("{s:I}", "played", (json_int_t)(play->past.version - before)));
        if (!r)
            r = snapshot_compare(play);
    }
    if (r == -EBADMSG || r > 0) {
        if (r != MISFIT)
            tell(play, play->past.version, play->info.head, "its operations can't be read from version %" PRIu64 " on",
                 play->past.version);
        return MISFIT;
    }
    return r;
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
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static int document_play(struct play *play, const struct named *named)
{
    int r;

    play->named = named;
    play->past = (struct past){ 0 };
    r = answer_wait(play, store_log_open(play->store, named->name, NULL, on_open, play));
    if (r) {
        tell(play, 0, 0, "it can't be opened: %s", strerror(-r));
        return r == -ENOMEM ? r : 0;
    }
    play->past.version = play->info.first;
    if (!play->info.head)
        tell(play, 0, 0, "it is not found by its name");
    r = snapshots_find(play);
    if (!r)
        r = records_play(play);
    if (!r)
        row_compare(play);
    if (r < 0 && r != -ENOMEM)
        tell(play, play->past.version, play->info.head, "it can't be read: %s", strerror(-r));
    past_finish(&play->past);
    store_log_close(play->log);
    return r == -ENOMEM ? r : 0;
}

struct names {
    struct named *at;
    size_t n;
    FILE *to;
    struct buffer bytes;
};

static int name_take(void *arg, const struct verify_log *log)
{
    struct names *names = arg;

    if (names->n == CHECK_PLAY_LOGS)
        return 1;
    if (!log->name.id.n_bytes)
        return 0;
    names->at[names->n++] = (struct named){ log->number, log->name };
    (void)buffer_append(&names->bytes, log->name.collection.at, log->name.collection.n_bytes);
    return buffer_append(&names->bytes, log->name.id.at, log->name.id.n_bytes);
}

/* The bytes have come to rest. */
static void names_settle(struct names *names)
{
    const char *at = names->bytes.at;

    for (size_t i = 0; i < names->n; i++) {
        struct store_name *name = &names->at[i].name;

        name->collection.at = at;
        at += name->collection.n_bytes;
        name->id.at = at;
        at += name->id.n_bytes;
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
    struct play play = { .to = to,
                         .limits = { .max_depth = 2000, .max_components = 10000000, .max_document_bytes = SIZE_MAX },
                         .lock = PTHREAD_MUTEX_INITIALIZER,
                         .woken = PTHREAD_COND_INITIALIZER };
    const struct verify_config look = { .path = path, .on_progress = names_progress, .arg = to };
    const struct store_lmdb_config config = { .path = path, .mode = STORE_READ_ONLY, .wake = on_wake, .arg = &play };
    struct names names = { .at = malloc(CHECK_PLAY_LOGS * sizeof(*names.at)), .to = to };
    char why[512] = "out of memory";
    int r;

    buffer_init(&names.bytes, SIZE_MAX / 2);
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
