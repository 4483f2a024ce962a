/* One document of a client: the text as he sees it, his operations that are not acknowledged, and what he makes of
 * those of others. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

static const struct ot_type *text_type(void)
{
    return ot_type_find("text-unicode", strlen("text-unicode"));
}

/* ---- the text ---------------------------------------------------------------------------------------------------- */

static void own_op_destroy(struct own_op *own)
{
    if (!own)
        return;
    list_remove(&own->link);
    ot_op_unref(own->op);
    free(own);
}

void replica_forget(struct replica *replica, bool for_good)
{
    struct run *run = replica->client->run;
    struct list *node;

    if (replica->in_flight && for_good)
        judge_outcome(run, replica->number, replica->in_flight->src, replica->in_flight->seq, OUTCOME_FORGOTTEN, 0);
    own_op_destroy(replica->in_flight);
    replica->in_flight = NULL;
    while ((node = list_pop(&replica->waiting)))
        own_op_destroy(LIST_ENTRY(node, struct own_op, link));
    ot_snapshot_destroy(replica->text);
    replica->text = NULL;
    replica->has_version = false;
}

static void text_apply(struct replica *replica, const struct ot_op *op)
{
    if (!replica->text)
        sim_violation("clients can follow", "client %zu is sent an edit of what it does not have",
                      replica->client->number);
    client_must(ot_snapshot_apply(replica->text, op, &ot_limits_default, NULL), "applying an operation");
}

static void text_create(struct replica *replica, const struct ot_json *data)
{
    ot_snapshot_destroy(replica->text);
    replica->text = NULL;
    client_must(ot_snapshot_create(text_type(), data, &ot_limits_default, &replica->text, NULL), "making a text");
}

static size_t count_code_points(const struct ot_snapshot *text)
{
    struct buffer buffer;
    size_t n = 0;

    buffer_init(&buffer, 1 << 24);
    client_must(ot_snapshot_write_text(text, buffer_write, &buffer), "reading a text");
    for (size_t i = 0; i < buffer.n_bytes; i++)
        n += ((unsigned char)buffer.at[i] & 0xc0) != 0x80;
    buffer_finish(&buffer);
    return n;
}

/* ---- editing ----------------------------------------------------------------------------------------------------- */

static struct ot_op *op_of_json(const struct ot_json *json)
{
    struct ot_op *op = NULL;

    client_must(ot_op_parse(text_type(), json, &ot_limits_default, &op, NULL), "reading an operation");
    return op;
}

static struct ot_op *random_op(struct run *run, const struct replica *replica)
{
    static const char *const words[] = { "a", "be", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xe4\xbd\xa0\xe5\xa5\xbd", "\\n" };
    size_t n = count_code_points(replica->text), at = run_below(run, n + 1), left = n - at;
    struct ot_json *json = NULL;
    struct ot_op *op;
    char text[128];
    int used = 0;

    used += snprintf(text, sizeof(text), "[");
    if (at)
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%zu,", at);
    if (left && run_chance(run, n > 60 ? 700 : 350))
        used +=
            snprintf(text + used, sizeof(text) - (size_t)used, "{\"d\":%zu}]", 1 + run_below(run, left < 8 ? left : 8));
    else
        used += snprintf(text + used, sizeof(text) - (size_t)used, "\"%s%c\"]", words[run_below(run, 6)],
                         (int)('A' + replica->client->number));
    client_must(ot_json_parse(text, (size_t)used, &ot_limits_default, &json, NULL), text);
    op = op_of_json(json);
    ot_json_unref(json);
    return op;
}

/* An edit is composed into the last one that waits, when that was never sent. */
static bool compose_into_last(struct replica *replica, const struct ot_op *op)
{
    struct own_op *last;
    struct ot_op *composed;

    if (list_is_empty(&replica->waiting))
        return false;
    last = LIST_ENTRY(replica->waiting.previous, struct own_op, link);
    if (last->was_sent || !last->op)
        return false;
    client_must(ot_op_compose(last->op, op, &ot_limits_default, &composed, NULL), "composing");
    ot_op_unref(last->op);
    last->op = composed;
    return true;
}

static void submit_own(struct replica *replica, struct ot_op *op)
{
    struct own_op *own = sim_alloc(sizeof(*own));

    own->op = op;
    list_append(&replica->waiting, &own->link);
}

static void create_text(struct client *client, struct replica *replica)
{
    struct ot_json *data = NULL;

    client_must(ot_json_from_text("...", 3, &data), "making a text");
    text_create(replica, data);
    ot_json_unref(data);
    submit_own(replica, NULL);
    client_flush(client, replica);
}

void client_edit(struct client *client, struct replica *replica)
{
    struct ot_op *op;

    if (!replica->text) {
        bool may_create = replica->has_version || (client->run->scenario->creates_race && !replica->wants_stream);

        /* An answer to an earlier fetch that comes while a create is on its way confuses the client. */
        if (may_create && !replica->was_refused && !replica->in_flight && !replica->n_fetches)
            create_text(client, replica);
        return;
    }
    op = random_op(client->run, replica);
    client->run->n_edits++;
    text_apply(replica, op);
    if (run_chance(client->run, 700) && compose_into_last(replica, op))
        ot_op_unref(op);
    else
        submit_own(replica, op);
    client_flush(client, replica);
}

/* ---- operations come in ------------------------------------------------------------------------------------------ */

static bool is_own(const struct own_op *own, const struct ot_json *frame)
{
    const struct ot_json *src = ot_json_get(frame, "src", 3);
    uint64_t seq;
    size_t n_bytes;
    const char *at;

    if (!own || !src || !ot_json_integer(ot_json_get(frame, "seq", 3), &seq) || seq != own->seq)
        return false;
    at = ot_json_string(src, &n_bytes);
    return bytes_equal(bytes_of(at, n_bytes), bytes_of_string(own->src));
}

static void gap(struct replica *replica, uint64_t version)
{
    const struct scenario *scenario = replica->client->run->scenario;

    if (replica->has_version && !replica->n_fetches && !scenario->cut && !scenario->leave)
        sim_violation("streams have no gap", "client %zu, at %" PRIu64 " of d%zu, is sent %" PRIu64,
                      replica->client->number, replica->version, replica->number, version);
    run_trace(replica->client->run, "%c has a gap before %" PRIu64, (char)('A' + replica->client->number), version);
    replica->client->run->n_gaps++;
    client_fetch(replica->client, replica);
}

static void acknowledged(struct replica *replica, uint64_t version)
{
    struct client *client = replica->client;
    struct own_op *own = replica->in_flight;

    judge_outcome(client->run, replica->number, own->src, own->seq, OUTCOME_ACKNOWLEDGED, version);
    if (!own->op) {
        replica->version = version;
        replica->has_version = true;
    } else if (!replica->has_version || version != replica->version) {
        gap(replica, version);
        return;
    }
    client->run->n_acknowledged++;
    replica->version++;
    replica->in_flight = NULL;
    own_op_destroy(own);
    client_flush(client, replica);
}

/* Somebody made what one of ours wanted to make: the client forgets the document and fetches. */
static void hard_rollback(struct replica *replica, bool for_good)
{
    replica_forget(replica, for_good);
    replica->was_refused = true;
    client_fetch(replica->client, replica);
}

static void transform_own(struct own_op *own, struct ot_op **theirs)
{
    struct ot_op *mine, *other;

    client_must(ot_op_transform(own->op, *theirs, OT_LEFT, &ot_limits_default, &mine, NULL), "transforming ours");
    client_must(ot_op_transform(*theirs, own->op, OT_RIGHT, &ot_limits_default, &other, NULL), "transforming theirs");
    ot_op_unref(own->op);
    ot_op_unref(*theirs);
    own->op = mine;
    *theirs = other;
}

static bool has_own_create(const struct replica *replica)
{
    if (replica->in_flight && !replica->in_flight->op)
        return true;
    LIST_FOR_EACH (node, &replica->waiting)
        if (!LIST_ENTRY(node, struct own_op, link)->op)
            return true;
    return false;
}

static void take_foreign(struct replica *replica, const struct ot_json *frame)
{
    const struct ot_json *edit = ot_json_get(frame, "op", 2), *create = ot_json_get(frame, "create", 6);
    struct ot_op *theirs;

    if (has_own_create(replica) && (edit || create)) {
        hard_rollback(replica, true);
        return;
    }
    replica->version++;
    if (create)
        text_create(replica, ot_json_get(create, "data", 4));
    if (!edit)
        return;
    theirs = op_of_json(edit);
    if (replica->in_flight)
        transform_own(replica->in_flight, &theirs);
    LIST_FOR_EACH (node, &replica->waiting)
        transform_own(LIST_ENTRY(node, struct own_op, link), &theirs);
    text_apply(replica, theirs);
    ot_op_unref(theirs);
}

static void on_refusal(struct replica *replica, const struct ot_json *frame)
{
    size_t n_bytes;
    const char *code = ot_json_string(ot_json_get(ot_json_get(frame, "error", 5), "code", 4), &n_bytes);
    struct run *run = replica->client->run;

    run->n_refused++;
    if (!bytes_equal(bytes_of(code, n_bytes), bytes_of_string("ERR_DOC_ALREADY_CREATED")))
        sim_violation("edits are not refused", "client %zu: %.*s", replica->client->number, (int)n_bytes, code);
    if (!replica->in_flight)
        return;
    judge_outcome(run, replica->number, replica->in_flight->src, replica->in_flight->seq,
                  replica->in_flight->op ? OUTCOME_FORGOTTEN : OUTCOME_REFUSED, 0);
    hard_rollback(replica, false);
}

void replica_on_op(struct replica *replica, const struct ot_json *frame)
{
    uint64_t version;

    if (ot_json_get(frame, "error", 5)) {
        on_refusal(replica, frame);
        return;
    }
    if (!ot_json_integer(ot_json_get(frame, "v", 1), &version))
        sim_violation("frames are whole", "an op without a version");
    if (is_own(replica->in_flight, frame)) {
        acknowledged(replica, version);
        return;
    }
    if (!replica->has_version || version > replica->version) {
        gap(replica, version);
        return;
    }
    if (version == replica->version)
        take_foreign(replica, frame);
}

/* ---- snapshots come in ------------------------------------------------------------------------------------------- */

bool replica_has_write_pending(const struct replica *replica)
{
    return replica->in_flight || !list_is_empty(&replica->waiting);
}
void replica_ingest(struct replica *replica, const struct ot_json *snapshot)
{
    const struct ot_json *data = ot_json_get(snapshot, "data", 4);
    uint64_t version;

    if (!ot_json_integer(ot_json_get(snapshot, "v", 1), &version))
        sim_violation("frames are whole", "a snapshot without a version");
    if (replica->text || replica_has_write_pending(replica)) {
        if (replica->has_version && version > replica->version)
            client_fetch(replica->client, replica);
        return;
    }
    if (replica->has_version && replica->version > version)
        return;
    replica->version = version;
    replica->has_version = true;
    replica->was_refused = false;
    if (data)
        text_create(replica, data);
}
