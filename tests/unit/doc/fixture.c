#include "tests/unit/doc/fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/alloc_fault.h"

#define NAME_BYTES 32

static const char *const error_names[] = {
    [DOCUMENT_VERSION_AHEAD] = "VERSION_AHEAD",
    [DOCUMENT_EXISTS] = "EXISTS",
    [DOCUMENT_MISSING] = "MISSING",
    [DOCUMENT_WAS_DELETED] = "WAS_DELETED",
    [DOCUMENT_TYPE_UNKNOWN] = "TYPE_UNKNOWN",
    [DOCUMENT_BAD_OP] = "BAD_OP",
    [DOCUMENT_NOT_APPLIED] = "NOT_APPLIED",
    [DOCUMENT_OP_CONFLICT] = "OP_CONFLICT",
    [DOCUMENT_LIMIT] = "LIMIT",
    [DOCUMENT_SEQ_TOO_OLD] = "SEQ_TOO_OLD",
    [DOCUMENT_OPS_GONE] = "OPS_GONE",
    [DOCUMENT_CHANGED] = "CHANGED",
    [DOCUMENT_ID_REUSED] = "ID_REUSED",
    [DOCUMENT_IS_NEW] = "IS_NEW",
    [DOCUMENT_AS_WANTED] = "AS_WANTED",
};

/* ---- journal ----------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void note(struct fixture *f, const char *format, ...)
{
    char line[1024];
    va_list arguments;

    if (f->is_quiet)
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    alloc_fault_pause();
    assert_int_equal(buffer_append_string(&f->journal, line), 0);
    alloc_fault_resume();
}

static void note_result(struct fixture *f, const char *who, int r)
{
    f->last_r = r;
    if (r > 0)
        note(f, "%s refused %s\n", who, error_names[r]);
    else
        note(f, "%s failed %s\n", who, strerrorname_np(-r));
}

void expect(struct fixture *f, const char *journal)
{
    char *got;

    assert_int_equal(buffer_append(&f->journal, "", 1), 0);
    got = strdup(f->journal.at);
    buffer_reset(&f->journal);
    assert_string_equal(got, journal);
    free(got);
}

/* ---- submitting -------------------------------------------------------------------------------------------------- */

struct request {
    struct fixture *f;
    struct document *document;
    char who[NAME_BYTES], src[NAME_BYTES];
    struct submission submission;
    struct fetch fetch;
    struct purge purge;
    struct subscriber *subscriber;
    struct ot_json *body;
};

struct store_name fixture_name(const char *document)
{
    return (struct store_name){ bytes_of_string("c"), bytes_of_string(document) };
}

/* NULL when the hub refuses. */
static struct request *request_create(struct fixture *f, const char *document, const char *who)
{
    struct request *request;
    struct document *opened;
    int r = hub_document(f->hub, fixture_name(document), &opened);

    if (r) {
        note_result(f, who, r);
        f->n_failed++;
        return NULL;
    }
    request = sim_alloc(sizeof(*request));
    request->f = f;
    request->document = opened;
    (void)snprintf(request->who, sizeof(request->who), "%s", who);
    f->n_unanswered++;
    return request;
}

static void request_destroy(struct request *request)
{
    request->f->n_unanswered--;
    document_unref(request->document);
    ot_json_unref(request->body);
    free(request);
}

static void on_missed(struct submission *submission, struct committed_op *op)
{
    struct request *request = LIST_ENTRY(submission, struct request, submission);

    note(request->f, "%s missed %" PRIu64 "\n", request->who, op->version);
}

static void on_accepted(struct submission *submission)
{
    struct request *request = LIST_ENTRY(submission, struct request, submission);

    note(request->f, "%s accepted\n", request->who);
}

static void on_submitted(struct submission *submission, int r, uint64_t version)
{
    struct request *request = LIST_ENTRY(submission, struct request, submission);
    struct fixture *f = request->f;

    f->last_r = r;
    if (r) {
        f->n_failed++;
        note_result(f, request->who, r);
    } else {
        f->n_done++;
        note(f, "%s done at %" PRIu64 "\n", request->who, version);
        if (version >= sim_disk_head(f->disk, document_name(request->document)))
            fail_msg("%s was acknowledged at %" PRIu64 ", which is not durable", request->who, version);
    }
    request_destroy(request);
}

/* "a/12": source a, seq 12. */
static struct op_id id_of(const char *id, char src[NAME_BYTES])
{
    const char *slash = strrchr(id, '/');

    (void)snprintf(src, NAME_BYTES, "%.*s", (int)(slash - id), id);
    return (struct op_id){ bytes_of_string(src), strtoull(slash + 1, NULL, 10) };
}

static void read_create(struct submission *submission, const struct ot_json *create)
{
    size_t n_bytes;
    const char *type = ot_json_string(ot_json_get(create, "type", 4), &n_bytes);

    submission->kind = STEP_CREATE;
    submission->type = bytes_of(type, n_bytes);
    submission->data = ot_json_get(create, "data", 4);
}

static void read_body(struct submission *submission, const struct ot_json *body)
{
    const struct ot_json *create = ot_json_get(body, "create", 6);

    if (create) {
        read_create(submission, create);
    } else if (ot_json_get(body, "del", 3)) {
        submission->kind = STEP_DELETE;
    } else {
        submission->kind = STEP_EDIT;
        submission->data = ot_json_get(body, "op", 2);
    }
}

void submit_with(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body,
                 const struct submission *how)
{
    struct request *request = request_create(f, document, id);
    struct submission *submission;

    if (!request)
        return;
    submission = &request->submission;
    alloc_fault_pause();
    assert_int_equal(ot_json_parse(body, strlen(body), &ot_limits_default, &request->body, NULL), 0);
    alloc_fault_resume();
    *submission = *how;
    submission->id = id_of(id, request->src);
    submission->author = bytes_of_string("somebody");
    submission->version = version;
    read_body(submission, request->body);
    submission->on_missed = on_missed;
    submission->on_accepted = on_accepted;
    submission->on_done = on_submitted;
    document_submit(request->document, submission);
}

void submit(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body)
{
    submit_with(f, document, id, version, body, &(struct submission){ .only_now = false });
}

void submit_only_now(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body)
{
    submit_with(f, document, id, version, body, &(struct submission){ .only_now = true });
}

void submit_large(struct fixture *f, const char *document, const char *id, uint64_t version, const char *body)
{
    submit_with(f, document, id, version, body, &(struct submission){ .is_large = true });
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void note_op(struct fixture *f, const char *who, const struct document *document, const struct committed_op *op)
{
    note(f, "%s op %" PRIu64 " %.*s/%" PRIu64 "\n", who, op->version, (int)op->src.n_bytes, (const char *)op->src.at,
         op->seq);
    if (op->version >= sim_disk_head(f->disk, document_name(document)))
        fail_msg("%s was shown version %" PRIu64 ", which is not durable", who, op->version);
}

static void on_fetched_op(struct fetch *fetch, struct committed_op *op)
{
    struct request *request = LIST_ENTRY(fetch, struct request, fetch);

    note_op(request->f, request->who, request->document, op);
}

static void note_value(struct fixture *f, const char *who, const struct document_view *view)
{
    struct buffer content;

    alloc_fault_pause();
    buffer_init(&content, 1 << 20);
    if (view->snapshot)
        assert_int_equal(ot_snapshot_write_json(view->snapshot, buffer_write, &content), 0);
    else
        assert_int_equal(buffer_append_string(&content, "none"), 0);
    note(f, "%s sees %" PRIu64 " %.*s\n", who, view->version, (int)content.n_bytes, content.at);
    buffer_finish(&content);
    alloc_fault_resume();
}

static void on_fetched(struct fetch *fetch, int r, const struct document_view *view)
{
    struct request *request = LIST_ENTRY(fetch, struct request, fetch);
    struct fixture *f = request->f;

    f->last_r = r;
    if (r) {
        f->n_failed++;
        note_result(f, request->who, r);
        request_destroy(request);
        return;
    }
    f->n_done++;
    if (view->version > sim_disk_head(f->disk, document_name(request->document)))
        fail_msg("%s was shown version %" PRIu64 ", which is not durable", request->who, view->version);
    if (fetch->what == FETCH_SNAPSHOT || fetch->what == FETCH_PAST)
        note_value(f, request->who, view);
    else
        note(f, "%s ends at %" PRIu64 "\n", request->who, view->version);
    request_destroy(request);
}

static void fetch_with(struct fixture *f, const char *document, const char *who, const struct fetch *fetch)
{
    struct request *request = request_create(f, document, who);

    if (!request)
        return;
    request->fetch = *fetch;
    request->fetch.on_op = on_fetched_op;
    request->fetch.on_done = on_fetched;
    document_fetch(request->document, &request->fetch);
}

void read_snapshot(struct fixture *f, const char *document, const char *who)
{
    fetch_with(f, document, who, &(struct fetch){ .what = FETCH_SNAPSHOT });
}

void read_ops(struct fixture *f, const char *document, const char *who, uint64_t from, uint64_t to)
{
    fetch_with(f, document, who, &(struct fetch){ .what = FETCH_OPS, .from = from, .to = to });
}

void read_past(struct fixture *f, const char *document, const char *who, uint64_t version)
{
    fetch_with(f, document, who, &(struct fetch){ .what = FETCH_PAST, .to = version });
}

void read_past_at(struct fixture *f, const char *document, const char *who, uint64_t time_ms)
{
    struct fetch fetch = { .what = FETCH_PAST };

    fetch_until(&fetch, time_ms);
    fetch_with(f, document, who, &fetch);
}

void barrier(struct fixture *f, const char *document, const char *who)
{
    fetch_with(f, document, who, &(struct fetch){ .what = FETCH_BARRIER });
}

/* ---- forgetting -------------------------------------------------------------------------------------------------- */

static void on_purged(struct purge *purge, int r, uint64_t version)
{
    struct request *request = LIST_ENTRY(purge, struct request, purge);
    struct fixture *f = request->f;

    f->last_r = r;
    if (r) {
        f->n_failed++;
        note_result(f, request->who, r);
    } else {
        f->n_done++;
        note(f, "%s purged at %" PRIu64 "\n", request->who, version);
    }
    request_destroy(request);
}

static void purge_with(struct fixture *f, const char *document, const char *id, const struct purge *how)
{
    struct request *request = request_create(f, document, id);

    if (!request)
        return;
    request->purge = *how;
    request->purge.id = id_of(id, request->src);
    request->purge.author = bytes_of_string("somebody");
    request->purge.on_done = on_purged;
    document_purge(request->document, &request->purge);
}

void purge(struct fixture *f, const char *document, const char *id)
{
    purge_with(f, document, id, &(struct purge){ .only_now = false });
}

void purge_only_now(struct fixture *f, const char *document, const char *id, uint64_t version)
{
    purge_with(f, document, id, &(struct purge){ .only_now = true, .version = version });
}

/* ---- following --------------------------------------------------------------------------------------------------- */

struct follower {
    struct list link;
    struct fixture *f;
    struct subscriber subscriber;
    char who[NAME_BYTES], document[NAME_BYTES];
    char victim[NAME_BYTES], id[NAME_BYTES];
    const char *body;
};

static struct follower *follower_named(struct fixture *f, const char *who)
{
    LIST_FOR_EACH (node, &f->followers) {
        struct follower *follower = LIST_ENTRY(node, struct follower, link);

        if (strcmp(follower->who, who) == 0)
            return follower;
    }
    return NULL;
}

static struct follower *known_follower(struct fixture *f, const char *who)
{
    struct follower *follower = follower_named(f, who);

    if (!follower)
        abort();
    return follower;
}

static void on_op(struct subscriber *subscriber, struct committed_op *op)
{
    struct follower *follower = LIST_ENTRY(subscriber, struct follower, subscriber);
    struct fixture *f = follower->f;
    const char *body = follower->body;

    note_op(f, follower->who, subscriber->document, op);
    follower->body = NULL;
    if (body)
        submit(f, follower->document, follower->id, op->version + 1, body);
    if (follower->victim[0])
        unfollow(f, follower->victim);
}

void follow(struct fixture *f, const char *document, const char *who, uint64_t from)
{
    struct follower *follower = follower_named(f, who);
    struct fetch fetch = { .what = from == DOCUMENT_NOW ? FETCH_SNAPSHOT : FETCH_OPS,
                           .from = from,
                           .to = DOCUMENT_NOW };

    if (!follower) {
        follower = sim_alloc(sizeof(*follower));
        follower->f = f;
        (void)snprintf(follower->who, sizeof(follower->who), "%s", who);
        (void)snprintf(follower->document, sizeof(follower->document), "%s", document);
        subscriber_init(&follower->subscriber, on_op);
        list_append(&f->followers, &follower->link);
    }
    fetch.subscriber = &follower->subscriber;
    fetch_with(f, document, who, &fetch);
}

void unfollow(struct fixture *f, const char *who)
{
    document_unsubscribe(&known_follower(f, who)->subscriber);
}

void follower_removes(struct fixture *f, const char *who, const char *victim)
{
    (void)snprintf(known_follower(f, who)->victim, NAME_BYTES, "%s", victim);
}

void follower_submits(struct fixture *f, const char *who, const char *id, const char *body)
{
    struct follower *follower = known_follower(f, who);

    (void)snprintf(follower->id, sizeof(follower->id), "%s", id);
    follower->body = body;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(void *arg)
{
    return ((struct fixture *)arg)->now_ms++;
}

static void no_chance(void *arg, void *into, size_t n_bytes)
{
    memset(into, 7, n_bytes);
}

static void start(struct fixture *f)
{
    f->store = store_sim_open(f->disk, f->store_seed, NULL, NULL);
    f->config.store = f->store;
    f->config.world = &f->world;
    assert_int_equal(hub_create(&f->config, &f->hub), 0);
}

static void stop(struct fixture *f)
{
    struct list *node;

    alloc_fault_disarm();
    while ((node = list_pop(&f->followers))) {
        struct follower *follower = LIST_ENTRY(node, struct follower, link);

        document_unsubscribe(&follower->subscriber);
        free(follower);
    }
    store_sim_hold(f->store, 0);
    store_sim_fault_end(f->store);
    settle(f);
    assert_int_equal(f->n_unanswered, 0);
    hub_destroy(f->hub);
    store_close(f->store);
}

int fixture_setup(void **state)
{
    struct fixture *f = sim_alloc(sizeof(*f));

    f->disk = sim_disk_create();
    f->now_ms = 1000;
    f->world = (struct world){ now_ms, no_chance, f };
    f->config = hub_defaults;
    buffer_init(&f->journal, 1 << 24);
    list_init(&f->followers);
    start(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    stop(f);
    sim_disk_destroy(f->disk);
    buffer_finish(&f->journal);
    free(f);
    return 0;
}

void fixture_restart(struct fixture *f)
{
    stop(f);
    start(f);
}

void fixture_crash(struct fixture *f)
{
    store_sim_cut_power(f->store);
    fixture_restart(f);
}

void settle(struct fixture *f)
{
    store_sim_settle(f->store);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

void expect_log(struct fixture *f, const char *document, uint64_t n, const char *content)
{
    struct replay replay;
    char *got;

    assert_int_equal(sim_disk_head(f->disk, fixture_name(document)), n);
    replay_init(&replay);
    replay_to(&replay, f->disk, fixture_name(document), n);
    got = replay_content(&replay);
    assert_string_equal(got, content);
    free(got);
    replay_finish(&replay);
}

size_t count_in_log(struct fixture *f, const char *document, const char *id)
{
    const struct sim_log *log = sim_disk_find(f->disk, fixture_name(document));
    char src[NAME_BYTES];
    struct op_id wanted = id_of(id, src);
    size_t n = 0;

    for (size_t i = 0; log && i < log->n; i++)
        if (log->records[i].id.seq == wanted.seq && bytes_equal(log->records[i].id.src, wanted.src))
            n++;
    return n;
}

struct hub_figures figures(struct fixture *f)
{
    struct hub_figures out;

    hub_figures(f->hub, &out);
    return out;
}
