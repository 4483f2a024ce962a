#include "tests/lib/store_loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define PATIENCE_MS 60000

void loop_init(struct store_loop *loop)
{
    *loop = (struct store_loop){ 0 };
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->changed, NULL);
    buffer_init(&loop->bytes, SIZE_MAX / 2);
}

static struct bytes copy_of(struct bytes bytes)
{
    char *at = malloc(bytes.n_bytes + 1);

    assert_non_null(at);
    if (bytes.n_bytes)
        memcpy(at, bytes.at, bytes.n_bytes);
    at[bytes.n_bytes] = 0;
    return bytes_of(at, bytes.n_bytes);
}

static void free_copy(struct bytes copy)
{
    union {
        const void *borrowed;
        void *at;
    } owned = { .borrowed = copy.at };

    free(owned.at);
}

static void forget_records(struct store_loop *loop)
{
    for (size_t i = 0; i < loop->n_records; i++) {
        free_copy(loop->records[i].id.src);
        free_copy(loop->records[i].author);
        free_copy(loop->records[i].body);
    }
    free(loop->records);
    loop->records = NULL;
    loop->n_records = 0;
}

static void forget_entries(struct store_loop *loop)
{
    for (size_t i = 0; i < loop->n_entries; i++) {
        free_copy(loop->entries[i].collection);
        free_copy(loop->entries[i].id);
        free_copy(loop->entries[i].info.state.type);
    }
    free(loop->entries);
    loop->entries = NULL;
    loop->n_entries = 0;
}

static void forget_collections(struct store_loop *loop)
{
    for (size_t i = 0; i < loop->n_collections; i++)
        free_copy(loop->collections[i].name);
    free(loop->collections);
    loop->collections = NULL;
    loop->n_collections = 0;
}

void loop_finish(struct store_loop *loop)
{
    forget_records(loop);
    forget_entries(loop);
    forget_collections(loop);
    buffer_finish(&loop->bytes);
    pthread_cond_destroy(&loop->changed);
    pthread_mutex_destroy(&loop->mutex);
}

/* ---- turning ----------------------------------------------------------------------------------------------------- */

void loop_wake(void *arg)
{
    struct store_loop *loop = arg;

    pthread_mutex_lock(&loop->mutex);
    loop->is_woken = true;
    pthread_cond_signal(&loop->changed);
    pthread_mutex_unlock(&loop->mutex);
}

bool loop_turn(struct store_loop *loop, unsigned timeout_ms)
{
    struct timespec until;
    bool woken;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&loop->mutex);
    while (!loop->is_woken && pthread_cond_timedwait(&loop->changed, &loop->mutex, &until) == 0)
        ;
    woken = loop->is_woken;
    loop->is_woken = false;
    pthread_mutex_unlock(&loop->mutex);
    if (woken)
        store_dispatch(loop->store);
    return woken;
}

void loop_until_none(struct store_loop *loop, const size_t *n_pending)
{
    while (*n_pending > 0)
        if (!loop_turn(loop, PATIENCE_MS))
            fail_msg("the store does not answer");
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* One call that is waited for. */
struct call {
    struct store_loop *loop;
    size_t n_pending;
    int r;
    struct store_log *log;
    struct bytes produced;
};

static struct call call_begin(struct store_loop *loop)
{
    loop->is_calling = true;
    return (struct call){ .loop = loop, .n_pending = 1 };
}

static int call_wait(struct call *call, int r)
{
    call->loop->is_calling = false;
    if (r)
        return r;
    loop_until_none(call->loop, &call->n_pending);
    return call->r;
}

static struct store_loop *call_answered(struct call *call, int r)
{
    assert_false(call->loop->is_calling);
    assert_int_equal(call->n_pending, 1);
    call->n_pending = 0;
    call->r = r;
    call->loop->n_answers++;
    return call->loop;
}

static void on_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    struct call *call = arg;
    struct store_loop *loop = call_answered(call, r);

    call->log = log;
    if (r)
        return;
    loop->info = *info;
    assert_true(info->state.type.n_bytes <= sizeof(loop->type));
    if (info->state.type.n_bytes)
        memcpy(loop->type, info->state.type.at, info->state.type.n_bytes);
    loop->info.state.type.at = loop->type;
}

struct store_log *loop_open_name(struct store_loop *loop, struct store_name name, int *r)
{
    struct call call = call_begin(loop);
    int answer = call_wait(&call, store_log_open(loop->store, name, NULL, on_open, &call));

    if (r)
        *r = answer;
    else
        assert_int_equal(answer, 0);
    return call.log;
}

struct store_log *loop_open_log(struct store_loop *loop, const char *collection, const char *id, int *r)
{
    return loop_open_name(loop, (struct store_name){ bytes_of_string(collection), bytes_of_string(id) }, r);
}

static void on_append(void *arg, int r, uint64_t head)
{
    call_answered(arg, r)->head = head;
}

int loop_append_records(struct store_loop *loop, struct store_log *log, uint64_t expected, const struct record *records,
                        size_t n, const struct store_state *after)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_append(log, expected, records, n, after, on_append, &call));
}

int loop_append(struct store_loop *loop, struct store_log *log, uint64_t expected, const char *body)
{
    struct record record = { .id = { bytes_of_string("s"), expected + 1 },
                             .time_ms = expected,
                             .author = bytes_of_string("someone"),
                             .body = bytes_of_string(body) };
    struct store_state after = { true, bytes_of_string("text"), expected };

    return loop_append_records(loop, log, expected, &record, 1, &after);
}

static void on_read(void *arg, int r, uint64_t from, const struct record *records, size_t n)
{
    struct store_loop *loop = call_answered(arg, r);

    forget_records(loop);
    if (r) {
        assert_int_equal(n, 0);
        return;
    }
    loop->version = from;
    loop->records = calloc(n + 1, sizeof(*loop->records));
    assert_non_null(loop->records);
    for (size_t i = 0; i < n; i++) {
        loop->records[i] = records[i];
        loop->records[i].id.src = copy_of(records[i].id.src);
        loop->records[i].author = copy_of(records[i].author);
        loop->records[i].body = copy_of(records[i].body);
    }
    loop->n_records = n;
}

int loop_read(struct store_loop *loop, struct store_log *log, uint64_t from, uint64_t to, size_t max_bytes)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_read(log, from, to, max_bytes, on_read, &call));
}

static void on_find(void *arg, int r, uint64_t version, const struct store_source *source)
{
    struct store_loop *loop = call_answered(arg, r);

    loop->version = version;
    loop->has_source = source != NULL;
    loop->source = source ? *source : (struct store_source){ 0 };
}

int loop_find(struct store_loop *loop, struct store_log *log, const char *src, uint64_t seq)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_find(log, (struct op_id){ bytes_of_string(src), seq }, on_find, &call));
}

static void on_version(void *arg, int r, uint64_t version)
{
    call_answered(arg, r)->version = version;
}

int loop_version_at(struct store_loop *loop, struct store_log *log, uint64_t time_ms)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_version_at(log, time_ms, on_version, &call));
}

static void on_snapshot(void *arg, int r, uint64_t version, struct bytes snapshot)
{
    struct store_loop *loop = call_answered(arg, r);

    loop->version = version;
    buffer_reset(&loop->bytes);
    assert_int_equal(buffer_append(&loop->bytes, snapshot.at, snapshot.n_bytes), 0);
}

int loop_snapshot_get(struct store_loop *loop, struct store_log *log, uint64_t at_most)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_snapshot_get(log, at_most, on_snapshot, &call));
}

static int produce(void *arg, struct buffer *into)
{
    const struct call *call = arg;

    return buffer_append(into, call->produced.at, call->produced.n_bytes);
}

static void on_plain(void *arg, int r)
{
    (void)call_answered(arg, r);
}

int loop_snapshot_put(struct store_loop *loop, struct store_log *log, uint64_t version, struct bytes content)
{
    struct call call = call_begin(loop);

    call.produced = content;
    return call_wait(&call, store_snapshot_put(log, version, produce, on_plain, &call));
}

int loop_remove(struct store_loop *loop, struct store_log *log)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_remove(log, on_plain, &call));
}

int loop_begin_at(struct store_loop *loop, struct store_log *log, uint64_t version)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_begin_at(log, version, on_plain, &call));
}

int loop_merge(struct store_loop *loop, struct store_log *log, uint64_t from, const struct record *records, size_t n)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_merge(log, from, records, n, on_plain, &call));
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct store_loop *loop = call_answered(arg, r);

    forget_entries(loop);
    loop->more = more;
    if (r)
        return;
    loop->entries = calloc(n + 1, sizeof(*loop->entries));
    assert_non_null(loop->entries);
    for (size_t i = 0; i < n; i++) {
        loop->entries[i] = entries[i];
        loop->entries[i].collection = copy_of(entries[i].collection);
        loop->entries[i].id = copy_of(entries[i].id);
        loop->entries[i].info.state.type = copy_of(entries[i].info.state.type);
    }
    loop->n_entries = n;
}

int loop_list(struct store_loop *loop, const struct store_list_query *query)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_list(loop->store, query, on_list, &call));
}

static void on_collections(void *arg, int r, const struct store_collection *collections, size_t n)
{
    struct store_loop *loop = call_answered(arg, r);

    forget_collections(loop);
    if (r)
        return;
    loop->collections = calloc(n + 1, sizeof(*loop->collections));
    assert_non_null(loop->collections);
    for (size_t i = 0; i < n; i++) {
        loop->collections[i] = collections[i];
        loop->collections[i].name = copy_of(collections[i].name);
    }
    loop->n_collections = n;
}

int loop_collections(struct store_loop *loop)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_collections(loop->store, on_collections, &call));
}

static void on_meta(void *arg, int r, struct bytes value)
{
    struct store_loop *loop = call_answered(arg, r);

    buffer_reset(&loop->bytes);
    if (!r)
        assert_int_equal(buffer_append(&loop->bytes, value.at, value.n_bytes), 0);
}

int loop_meta_get(struct store_loop *loop, const char *key)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_meta_get(loop->store, bytes_of_string(key), on_meta, &call));
}

int loop_meta_put(struct store_loop *loop, const char *key, struct bytes value)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_meta_put(loop->store, bytes_of_string(key), value, on_plain, &call));
}

int loop_pack(struct store_loop *loop)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_pack(loop->store, on_plain, &call));
}

static void on_progress(void *arg, uint64_t n_done, uint64_t n_total)
{
    const struct call *call = arg;

    assert_int_equal(call->n_pending, 1);
    assert_true(n_done <= n_total && n_done >= call->loop->n_done);
    call->loop->n_done = n_done;
    call->loop->n_total = n_total;
}

int loop_compact(struct store_loop *loop)
{
    struct call call = call_begin(loop);

    loop->n_done = loop->n_total = 0;
    return call_wait(&call, store_compact(loop->store, on_progress, on_plain, &call));
}

static void on_sizes(void *arg, int r, const struct store_sizes *sizes)
{
    struct store_loop *loop = call_answered(arg, r);

    if (!r)
        loop->sizes = *sizes;
}

int loop_sizes(struct store_loop *loop)
{
    struct call call = call_begin(loop);

    return call_wait(&call, store_sizes(loop->store, on_sizes, &call));
}
