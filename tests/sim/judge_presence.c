/* What must hold of presence: what is shown is what its owner said, brought up to date by the log; and at rest
 * everybody sees who is there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

void judge_presence_finish(struct run *run)
{
    for (size_t i = 0; i < run->judge.n_said; i++)
        ot_json_unref(run->judge.said[i].value);
    free(run->judge.said);
}

/* ---- what the server says ---------------------------------------------------------------------------------------- */

void judge_said(struct run *run, const struct presence *presence)
{
    struct judge *judge = &run->judge;
    struct said *said;

    if (judge->n_said == judge->said_capacity) {
        judge->said_capacity = judge->said_capacity * 2 + 64;
        judge->said = realloc(judge->said, judge->said_capacity * sizeof(*judge->said));
    }
    said = &judge->said[judge->n_said++];
    *said = (struct said){ .document = presence->replica ? presence->replica->number : RUN_DOCUMENTS_MAX,
                           .version = presence->replica ? presence->replica->version : 0,
                           .pv = presence->next_pv,
                           .value = presence->value ? ot_json_ref(presence->value) : NULL };
    presence_id(presence->client, said->id);
}

static struct bytes string_of(const struct ot_json *frame, const char *key)
{
    const struct ot_json *value = ot_json_get(frame, key, strlen(key));
    struct bytes string = bytes_of(NULL, 0);

    if (value)
        string.at = ot_json_string(value, &string.n_bytes);
    return string;
}

static const struct said *find_said(const struct judge *judge, size_t document, struct bytes id, uint64_t pv)
{
    for (size_t i = judge->n_said; i > 0; i--) {
        const struct said *said = &judge->said[i - 1];

        if (said->pv == pv && said->document == document && bytes_equal(id, bytes_of_string(said->id)))
            return said;
    }
    return NULL;
}

/* Over one operation of the log; *value is NULL once the document went or came. */
static void bring_over(struct ot_json **value, const struct record *record, const struct ot_json *frame)
{
    struct bytes type = string_of(frame, "t");
    struct ot_json *body = NULL, *edit, *moved = NULL;
    struct ot_op *op = NULL;

    client_must(ot_json_parse(record->body.at, record->body.n_bytes, &ot_limits_default, &body, NULL), "the log");
    edit = ot_json_get(body, "op", 2);
    if (edit) {
        client_must(ot_op_parse(ot_type_find(type.at, type.n_bytes), edit, &ot_limits_default, &op, NULL), "the log");
        client_must(
            ot_op_transform_presence(op, *value, bytes_equal(record->id.src, string_of(frame, "src")), &moved, NULL),
            "moving a caret");
        ot_op_unref(op);
    }
    ot_json_unref(*value);
    *value = moved;
    ot_json_unref(body);
}

static struct ot_json *brought_to(const struct run *run, const struct said *said, uint64_t version,
                                  const struct ot_json *frame)
{
    struct ot_json *value = ot_json_ref(said->value);
    const struct sim_log *log;

    if (said->document == RUN_DOCUMENTS_MAX)
        return value;
    log = sim_disk_find(run->server.disk, run_name(said->document));
    for (uint64_t v = said->version; value && v < version; v++)
        bring_over(&value, sim_log_record(log, v), frame);
    return value;
}

/* What is taken back at the end of a line bears the number of what was said last. */
static void value_shown(const struct run *run, size_t document, uint64_t version, const struct ot_json *frame)
{
    const struct ot_json *value = ot_json_get(frame, "p", 1);
    struct bytes id = string_of(frame, "id");
    const struct said *said;
    struct ot_json *want;
    uint64_t pv;

    if (!value || ot_json_kind(value) == OT_JSON_NULL)
        return;
    said = ot_json_integer(ot_json_get(frame, "pv", 2), &pv) ? find_said(&run->judge, document, id, pv) : NULL;
    if (!said || !said->value)
        sim_violation("what is shown was said", "%.*s said nothing of the kind", (int)id.n_bytes, (const char *)id.at);
    want = brought_to(run, said, version, frame);
    if (!want || !ot_json_equal(value, want))
        sim_violation("presence is brought up to date", "%.*s of version %" PRIu64 " is shown elsewhere at %" PRIu64,
                      (int)id.n_bytes, (const char *)id.at, said->version, version);
    ot_json_unref(want);
}

void judge_presence_shown(const struct run *run, const struct ot_json *frame)
{
    size_t document = RUN_DOCUMENTS_MAX;
    uint64_t version = 0, head;

    if (ot_json_get(frame, "error", 5))
        return; /* the client complains */
    if (run_document_of(frame, &document)) {
        head = sim_disk_head(run->server.disk, run_name(document));
        if (!ot_json_integer(ot_json_get(frame, "v", 1), &version) || version > head)
            sim_violation("shown means committed", "a presence at version %" PRIu64 ", the head is %" PRIu64, version,
                          head);
    } else {
        document = RUN_DOCUMENTS_MAX;
    }
    value_shown(run, document, version, frame);
}

/* ---- at rest ----------------------------------------------------------------------------------------------------- */

static size_t count_seen(const struct presence *presence)
{
    size_t n = 0;

    LIST_FOR_EACH (node, &presence->seen)
        n += LIST_ENTRY(node, struct seen, link)->value != NULL;
    return n;
}

/* 1 where the other shows himself, and is seen. */
static size_t judge_sight(const struct presence *presence, const struct presence *other, bool is_exact)
{
    const struct seen *seen;
    char id[8];

    presence_id(other->client, id);
    seen = presence_find(presence, id);
    if (!other->value != !seen)
        sim_violation(seen ? "presence has no ghosts" : "nobody is overlooked", "client %zu %s %s on %s",
                      presence->client->number, seen ? "still sees" : "does not see", id, presence->channel);
    if (seen && is_exact && !ot_json_equal(seen->value, other->value))
        sim_violation("presence is the same everywhere", "client %zu sees %s elsewhere on %s", presence->client->number,
                      id, presence->channel);
    return seen != NULL;
}

void judge_presence(struct run *run, bool were_shown_again)
{
    for (size_t i = 0; i < run->n_clients; i++) {
        for (size_t c = 0; c <= run->n_documents; c++) {
            const struct presence *presence = &run->clients[i].presences[c];
            size_t n = 0;

            for (size_t other = 0; other < run->n_clients; other++)
                if (other != i)
                    n += judge_sight(presence, &run->clients[other].presences[c],
                                     !presence->replica || were_shown_again);
            if (n != count_seen(presence))
                sim_violation("presence has no ghosts", "client %zu sees %zu on %s, where there are %zu", i,
                              count_seen(presence), presence->channel, n);
        }
    }
}
