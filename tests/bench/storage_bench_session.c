/* A document with a long history, written through a hub as a server would, and opened again. */
#include <stdio.h>
#include <stdlib.h>

#include "doc/hub.h"
#include "tests/bench/storage_bench.h"

#define AT_ONCE      64
#define KEYSTROKE_MS 180    /* about; somebody who types */
#define PAUSE_MS     600000 /* now and then he looks out of the window */

struct session {
    struct bench bench;
    struct hub *hub;
    struct document *document;
    uint64_t now_ms, n_sent;
    uint32_t chance;
    struct ot_json **ops;
    size_t n_lines;
    struct slot {
        struct submission submission;
        struct session *session;
        bool is_used;
    } slots[AT_ONCE];
};

static void session_open(struct session *session, const char *path, const struct world *world)
{
    struct hub_config config = hub_defaults;

    bench_open(&session->bench, path);
    config.store = session->bench.store;
    config.world = world;
    config.n_idle_max = 0; /* what nobody uses is unloaded at once */
    must(hub_create(&config, &session->hub) == 0, "no hub");
}

static void session_enter(struct session *session, const char *id)
{
    const struct store_name name = { bytes_of_string("bench"), bytes_of_string(id) };

    must(hub_document(session->hub, name, &session->document) == 0, "no document");
}

static void session_leave(struct session *session)
{
    struct hub_figures figures;

    document_unref(session->document);
    for (hub_figures(session->hub, &figures); figures.n_documents > 0; hub_figures(session->hub, &figures))
        bench_turn(&session->bench); /* a snapshot is still being written */
}

static void session_close(struct session *session)
{
    hub_destroy(session->hub);
    bench_close(&session->bench);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static uint64_t session_now(void *arg)
{
    return ((struct session *)arg)->now_ms;
}

static void session_random(void *arg, void *into, size_t n_bytes)
{
    (void)arg;
    world_random(&world_real, into, n_bytes);
}

/* The generator of Numerical Recipes: the same session every time. */
static uint32_t chance(struct session *session, uint32_t below)
{
    session->chance = session->chance * 1664525 + 1013904223;
    return (session->chance >> 8) % below;
}

static void session_read(struct session *session, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t n_line = 0, capacity = 0;
    ssize_t n;

    must(file != NULL, "the operations can't be read");
    while ((n = getline(&line, &n_line, file)) > 0) {
        if (session->n_lines == capacity) {
            capacity = capacity ? 2 * capacity : 4096;
            session->ops = realloc(session->ops, capacity * sizeof(struct ot_json *));
            must(session->ops != NULL, "no memory");
        }
        must(ot_json_parse(line, (size_t)n, NULL, &session->ops[session->n_lines++], NULL) == 0, "a line is no JSON");
    }
    must(session->n_lines > 0, "there are no operations");
    free(line);
    (void)fclose(file);
}

static void on_missed(struct submission *submission, struct committed_op *op)
{
    (void)submission, (void)op;
}

static void on_done(struct submission *submission, int r, uint64_t version)
{
    (void)version;
    must(r == 0, "an operation was refused");
    ((struct slot *)submission)->is_used = false;
}

static struct slot *free_slot(struct session *session)
{
    for (;;) {
        for (size_t i = 0; i < AT_ONCE; i++)
            if (!session->slots[i].is_used)
                return &session->slots[i];
        bench_turn(&session->bench);
    }
}

static void submit(struct session *session, enum step_kind kind, struct ot_json *data)
{
    struct slot *slot = free_slot(session);

    session->now_ms += chance(session, 400) ? KEYSTROKE_MS / 2 + chance(session, KEYSTROKE_MS) : PAUSE_MS;
    slot->is_used = true;
    slot->submission = (struct submission){
        .id = { bytes_of_string("PwR2xTq0c9Wm"), ++session->n_sent },
        .author = bytes_of_string("ink"),
        .version = DOCUMENT_NOW,
        .kind = kind,
        .data = data,
        .type = bytes_of_string(kind == STEP_CREATE ? "text-unicode" : ""),
        .on_missed = on_missed,
        .on_done = on_done,
    };
    document_submit(session->document, &slot->submission);
}

static bool is_busy(const struct session *session)
{
    for (size_t i = 0; i < AT_ONCE; i++)
        if (session->slots[i].is_used)
            return true;
    return false;
}

/* NULL: it begins empty. */
static struct ot_json *content_read(const char *path)
{
    struct ot_json *content = NULL;
    char *bytes = NULL;
    size_t capacity = 0;
    FILE *file = path ? fopen(path, "r") : NULL;
    ssize_t n;

    if (!path)
        return NULL;
    must(file != NULL, "the content can't be read");
    n = getdelim(&bytes, &capacity, '\0', file);
    must(n > 0 && ot_json_parse(bytes, (size_t)n, NULL, &content, NULL) == 0, "the content is no JSON");
    free(bytes);
    (void)fclose(file);
    return content;
}

int bench_session(const char *path, const char *id, unsigned long n_ops, const char *ops_path, const char *content_path)
{
    struct ot_json *content = content_read(content_path);
    struct session *session = calloc(1, sizeof(*session));
    const struct world world = { session_now, session_random, session };
    double began;

    must(session != NULL, "no memory");
    session->now_ms = 1700000000000;
    session_read(session, ops_path);
    session_open(session, path, &world);
    session_enter(session, id);
    began = now();
    submit(session, STEP_CREATE, content);
    for (unsigned long i = 0; i < n_ops; i++)
        submit(session, STEP_EDIT, session->ops[i % session->n_lines]);
    while (is_busy(session))
        bench_turn(&session->bench);
    session_leave(session);
    (void)printf("{\"n\":%lu,\"seconds\":%.3f}\n", n_ops, now() - began);
    session_close(session);
    for (size_t i = 0; i < session->n_lines; i++)
        ot_json_unref(session->ops[i]);
    ot_json_unref(content);
    free(session->ops);
    free(session);
    return 0;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

struct looking {
    struct fetch fetch;
    bool is_over;
    uint64_t version;
};

static void on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct looking *looking = (struct looking *)fetch;

    must(r == 0 && view->type, "the document can't be read");
    looking->is_over = true;
    looking->version = view->version;
}

int bench_opening(const char *path, const char *id, unsigned long n_times)
{
    struct session session = { 0 };
    struct looking looking;
    struct times times = { 0 };

    session_open(&session, path, &world_real);
    for (unsigned long i = 0; i < n_times; i++) {
        double began = now();

        session_enter(&session, id);
        looking = (struct looking){ .fetch = { .what = FETCH_SNAPSHOT, .on_done = on_view } };
        document_fetch(session.document, &looking.fetch);
        while (!looking.is_over)
            bench_turn(&session.bench);
        times_add(&times, (now() - began) * 1e3);
        session_leave(&session);
    }
    (void)printf("{\"version\":%llu,\"median_ms\":%.4f,\"p99_ms\":%.4f}\n", (unsigned long long)looking.version,
                 times_at(&times, 0.5), times_at(&times, 0.99));
    times_finish(&times);
    session_close(&session);
    return 0;
}
