/* What must hold, judged by the disk alone: shown means committed, exactly once, and in the end the same document and
 * the same people in it everywhere. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

void judge_finish(struct run *run)
{
    for (size_t i = 0; i < run->n_documents; i++) {
        for (size_t v = 0; v < run->judge.documents[i].n; v++)
            free(run->judge.documents[i].contents[v]);
        free(run->judge.documents[i].contents);
        replay_finish(&run->judge.documents[i].replay);
    }
    free(run->judge.submitted);
    judge_presence_finish(run);
}

/* ---- the content of each version --------------------------------------------------------------------------------- */

/* Its type, too: "json1 [1]". For the caller to free. */
static char *typed_content(const struct replay *replay)
{
    char *content = replay_content(replay), *typed;

    if (asprintf(&typed, "%s %s", replay->value ? ot_type_name(ot_snapshot_type(replay->value)) : "", content) < 0)
        abort();
    free(content);
    return typed;
}

/* Borrowed; version must be durable. Replays each record once. */
static const char *content_at(struct run *run, size_t document, uint64_t version)
{
    struct replay *replay = &run->judge.documents[document].replay;
    char ***contents = &run->judge.documents[document].contents;
    size_t *n = &run->judge.documents[document].n;

    for (; *n <= version; ++*n) {
        replay_to(replay, run->server.disk, run_name(document), *n);
        *contents = realloc(*contents, (*n + 1) * sizeof(**contents));
        (*contents)[*n] = typed_content(replay);
    }
    return (*contents)[version];
}

struct ot_snapshot *judge_value(struct run *run, size_t document)
{
    const struct replay *replay = &run->judge.documents[document].replay;
    struct ot_snapshot *value = NULL;

    (void)content_at(run, document, sim_disk_head(run->server.disk, run_name(document)));
    if (replay->value && ot_snapshot_share(replay->value, &value))
        abort();
    return value;
}

/* ---- what the server says ---------------------------------------------------------------------------------------- */

static struct bytes string_of(const struct ot_json *json)
{
    struct bytes string = bytes_of(NULL, 0);

    if (json && ot_json_kind(json) == OT_JSON_STRING)
        string.at = ot_json_string(json, &string.n_bytes);
    return string;
}

static bool same_member(const struct ot_json *a, const struct ot_json *b, const char *key)
{
    const struct ot_json *x = ot_json_get(a, key, strlen(key)), *y = ot_json_get(b, key, strlen(key));

    return x && y ? ot_json_equal(x, y) : x == y;
}

static void body_shown(const struct ot_json *frame, const struct record *record, uint64_t version)
{
    struct ot_json *body = NULL;

    if (!ot_json_get(frame, "op", 2) && !ot_json_get(frame, "create", 6) && !ot_json_get(frame, "del", 3))
        return; /* an acknowledgement */
    if (ot_json_parse(record->body.at, record->body.n_bytes, &ot_limits_default, &body, NULL))
        abort();
    if (!same_member(frame, body, "op") || !same_member(frame, body, "create") || !same_member(frame, body, "del"))
        sim_violation("shown means committed", "version %" PRIu64 " is shown as another operation", version);
    ot_json_unref(body);
}

static void op_shown(struct run *run, size_t document, const struct ot_json *frame)
{
    struct bytes src = string_of(ot_json_get(frame, "src", 3));
    const struct record *record;
    uint64_t version, seq;

    if (ot_json_get(frame, "error", 5))
        return;
    if (!ot_json_integer(ot_json_get(frame, "v", 1), &version) || !ot_json_integer(ot_json_get(frame, "seq", 3), &seq))
        sim_violation("frames are whole", "an op without v or seq");
    record = sim_log_record(sim_disk_find(run->server.disk, run_name(document)), version);
    if (!record)
        sim_violation("shown means committed", "version %" PRIu64 " of d%zu is shown, the head is %" PRIu64, version,
                      document, sim_disk_head(run->server.disk, run_name(document)));
    if (record->id.seq != seq || !bytes_equal(record->id.src, src))
        sim_violation("shown means committed", "version %" PRIu64 " of d%zu is shown as %.*s/%" PRIu64, version,
                      document, (int)src.n_bytes, (const char *)src.at, seq);
    body_shown(frame, record, version);
}

/* A snapshot of json0 does not name its type. */
static const char *name_of_type(const struct ot_json *named)
{
    struct bytes name = string_of(named);

    if (!named)
        return "json0";
    return name.at ? ot_type_name(ot_type_find(name.at, name.n_bytes)) : "";
}

static bool is_content(const struct ot_json *snapshot, const char *content)
{
    const struct ot_json *data = ot_json_get(snapshot, "data", 4);
    struct buffer buffer;
    bool same;

    buffer_init(&buffer, 1 << 24);
    (void)buffer_append_string(&buffer, name_of_type(ot_json_get(snapshot, "type", 4)));
    (void)buffer_append_string(&buffer, data ? " " : " none");
    if (data && ot_json_write(data, buffer_write, &buffer))
        abort();
    same = bytes_equal(buffer_bytes(&buffer), bytes_of_string(content));
    buffer_finish(&buffer);
    return same;
}

static void snapshot_shown(struct run *run, size_t document, const struct ot_json *snapshot)
{
    uint64_t version, head = sim_disk_head(run->server.disk, run_name(document));

    if (!ot_json_integer(ot_json_get(snapshot, "v", 1), &version))
        sim_violation("frames are whole", "a snapshot without v");
    if (version > head)
        sim_violation("shown means committed", "a snapshot of version %" PRIu64 ", the head is %" PRIu64, version,
                      head);
    if (!is_content(snapshot, content_at(run, document, version)))
        sim_violation("snapshots are replays", "version %" PRIu64 " of d%zu should be %s", version, document,
                      content_at(run, document, version));
}

static void bulk_shown(struct run *run, const struct ot_json *data)
{
    for (size_t i = 0; i < run->n_documents; i++) {
        const char name[] = { 'd', (char)('0' + i) };
        const struct ot_json *snapshot = ot_json_get(data, name, 2);

        if (snapshot)
            snapshot_shown(run, i, snapshot);
    }
}

void judge_shown(struct run *run, const char *text, size_t n_bytes)
{
    struct ot_json *frame = NULL;
    const struct ot_json *data;
    struct bytes action;
    size_t document;

    if (ot_json_parse(text, n_bytes, &ot_limits_default, &frame, NULL))
        sim_violation("frames are whole", "%.*s", (int)n_bytes, text);
    action = string_of(ot_json_get(frame, "a", 1));
    data = ot_json_get(frame, "data", 4);
    if (bytes_equal(action, bytes_of_string("p"))) {
        judge_presence_shown(run, frame);
    } else if (!run_document_of(frame, &document)) {
        if (data)
            bulk_shown(run, data);
    } else if (bytes_equal(action, bytes_of_string("op"))) {
        op_shown(run, document, frame);
    } else if (data) {
        snapshot_shown(run, document, data);
    }
    ot_json_unref(frame);
}

/* ---- what clients submit ----------------------------------------------------------------------------------------- */

static struct submitted *find_submitted(struct judge *judge, size_t document, const char *src, uint64_t seq)
{
    for (size_t i = 0; i < judge->n; i++) {
        struct submitted *submitted = &judge->submitted[i];

        if (submitted->seq == seq && submitted->document == document && strcmp(submitted->src, src) == 0)
            return submitted;
    }
    return NULL;
}

void judge_submitted(struct run *run, size_t document, const char *src, uint64_t seq)
{
    struct judge *judge = &run->judge;
    struct submitted *submitted;

    if (judge->n == judge->capacity) {
        judge->capacity = judge->capacity * 2 + 64;
        judge->submitted = realloc(judge->submitted, judge->capacity * sizeof(*judge->submitted));
    }
    submitted = &judge->submitted[judge->n++];
    *submitted = (struct submitted){ .document = document, .seq = seq };
    (void)snprintf(submitted->src, sizeof(submitted->src), "%s", src);
}

void judge_outcome(struct run *run, size_t document, const char *src, uint64_t seq, enum outcome outcome,
                   uint64_t version)
{
    struct submitted *submitted = find_submitted(&run->judge, document, src, seq);

    if (!submitted)
        sim_violation("frames are known", "an answer for %s/%" PRIu64 ", which was not sent", src, seq);
    if (submitted->outcome == OUTCOME_ACKNOWLEDGED && outcome == OUTCOME_ACKNOWLEDGED && submitted->version != version)
        sim_violation("exactly once", "%s/%" PRIu64 " is acknowledged at %" PRIu64 " and at %" PRIu64, src, seq,
                      submitted->version, version);
    submitted->outcome = outcome;
    submitted->version = version;
}

/* ---- at rest ----------------------------------------------------------------------------------------------------- */

static size_t count_in_log(const struct sim_log *log, const struct submitted *submitted)
{
    size_t n = 0;

    for (size_t i = 0; log && i < log->n; i++)
        n += log->records[i].id.seq == submitted->seq &&
             bytes_equal(log->records[i].id.src, bytes_of_string(submitted->src));
    return n;
}

static void judge_submission(const struct run *run, const struct submitted *submitted)
{
    const struct sim_log *log = sim_disk_find(run->server.disk, run_name(submitted->document));
    size_t n = count_in_log(log, submitted);

    if (n > 1)
        sim_violation("exactly once", "%s/%" PRIu64 " is in the log %zu times", submitted->src, submitted->seq, n);
    if (submitted->outcome == OUTCOME_OPEN)
        sim_violation("comes to rest", "%s/%" PRIu64 " was never answered", submitted->src, submitted->seq);
    if (submitted->outcome == OUTCOME_ACKNOWLEDGED && n == 0)
        sim_violation("acknowledged means durable", "%s/%" PRIu64 " is not in the log", submitted->src, submitted->seq);
    if (submitted->outcome == OUTCOME_REFUSED && n)
        sim_violation("refused means nothing happened", "%s/%" PRIu64 " is in the log", submitted->src, submitted->seq);
}

static void judge_replica(struct run *run, const struct client *client, size_t document)
{
    const struct replica *replica = &client->replicas[document];
    uint64_t head = sim_disk_head(run->server.disk, run_name(document));
    const char *want = content_at(run, document, head);
    struct replay own = { replica->version, replica->value };
    char *got = typed_content(&own);

    if (replica->version != head || strcmp(got, want) != 0)
        sim_violation("convergence", "client %zu has d%zu at %" PRIu64 ": %s; the log says %" PRIu64 ": %s",
                      client->number, document, replica->version, got, head, want);
    free(got);
}

void judge_at_rest(struct run *run)
{
    for (size_t i = 0; i < run->judge.n; i++)
        judge_submission(run, &run->judge.submitted[i]);
    for (size_t i = 0; i < run->n_clients; i++)
        for (size_t d = 0; d < run->n_documents; d++)
            judge_replica(run, &run->clients[i], d);
}
