/* One document of a client: the value as he sees it, his operations that are not acknowledged, and what he makes of
 * those of others. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

/* ---- the value --------------------------------------------------------------------------------------------------- */

static void own_op_destroy(struct own_op *own)
{
    if (!own)
        return;
    list_remove(&own->link);
    ot_op_unref(own->op);
    ot_json_unref(own->data);
    free(own);
}

/* What was sent may yet be committed. */
static void own_op_forget(struct replica *replica, struct own_op *own, bool for_good)
{
    if (own && own->was_sent && for_good)
        judge_outcome(replica->client->run, replica->number, own->src, own->seq, OUTCOME_FORGOTTEN, 0);
    own_op_destroy(own);
}

void replica_forget(struct replica *replica, bool for_good)
{
    struct list *node;

    own_op_forget(replica, replica->in_flight, for_good);
    replica->in_flight = NULL;
    while ((node = list_pop(&replica->waiting)))
        own_op_forget(replica, LIST_ENTRY(node, struct own_op, link), for_good);
    ot_snapshot_destroy(replica->value);
    replica->value = NULL;
    replica->has_version = false;
    replica->has_conflict = false;
}

static void value_apply(struct replica *replica, const struct ot_op *op, bool is_own, struct bytes src)
{
    if (!replica->value)
        sim_violation("clients can follow", "client %zu is sent an edit of what it does not have",
                      replica->client->number);
    client_must(ot_snapshot_apply(replica->value, op, &ot_limits_default, NULL), "applying an operation");
    presence_on_applied(replica, op, is_own, src);
}

static void value_create(struct replica *replica, const struct ot_type *type, const struct ot_json *data)
{
    ot_snapshot_destroy(replica->value);
    replica->value = NULL;
    client_must(ot_snapshot_create(type, data, &ot_limits_default, &replica->value, NULL), "making a document");
}

static void value_delete(struct replica *replica)
{
    ot_snapshot_destroy(replica->value);
    replica->value = NULL;
    presence_on_gone(replica);
}

/* NULL: there is no document. A json0 snapshot does not name its type, but is there all the same. */
static const struct ot_type *type_of(const struct ot_json *named)
{
    size_t n_bytes;
    const char *name;

    if (!named || ot_json_kind(named) == OT_JSON_NULL)
        return named ? NULL : ot_type_find("json0", strlen("json0"));
    name = ot_json_string(named, &n_bytes);
    return ot_type_find(name, n_bytes);
}

/* ---- editing ----------------------------------------------------------------------------------------------------- */

/* An edit is composed into the last one that waits, when that was never sent. */
static bool compose_into_last(struct replica *replica, const struct ot_op *op)
{
    struct own_op *last;
    struct ot_op *composed;

    if (list_is_empty(&replica->waiting))
        return false;
    last = LIST_ENTRY(replica->waiting.previous, struct own_op, link);
    if (last->was_sent || last->kind != OWN_EDIT)
        return false;
    client_must(ot_op_compose(last->op, op, &ot_limits_default, &composed, NULL), "composing");
    ot_op_unref(last->op);
    last->op = composed;
    return true;
}

static struct own_op *submit_own(struct replica *replica, enum own_kind kind)
{
    struct own_op *own = sim_alloc(sizeof(*own));

    own->kind = kind;
    list_append(&replica->waiting, &own->link);
    return own;
}

/* After a deletion mostly as another type. */
static void create_document(struct client *client, struct replica *replica)
{
    struct own_op *own = submit_own(replica, OWN_CREATE);

    own->type =
        replica->has_version && replica->version ? edit_any_type(client->run) : client->run->types[replica->number];
    own->data = edit_content(own->type);
    value_create(replica, own->type, own->data);
    client_flush(client, replica);
}

void client_edit(struct client *client, struct replica *replica)
{
    struct own_op *own;
    struct ot_op *op;

    if (!replica->value) {
        bool may_create = replica->has_version || (client->run->scenario->creates_race && !replica->wants_stream);

        /* An answer to an earlier fetch that comes while a create is on its way confuses the client. */
        if (may_create && !replica->was_refused && !replica_has_write_pending(replica) && !replica->n_fetches)
            create_document(client, replica);
        return;
    }
    op = edit_random(client->run, replica->value);
    client->run->n_edits++;
    value_apply(replica, op, true, bytes_of(NULL, 0));
    if (run_chance(client->run, 700) && compose_into_last(replica, op)) {
        ot_op_unref(op);
    } else {
        own = submit_own(replica, OWN_EDIT);
        own->op = op;
    }
    client_flush(client, replica);
}

/* With more on its way the npm client can end with the right version and the wrong content (docs/protocol.md). */
void client_delete(struct client *client, struct replica *replica)
{
    if (!replica->value || !replica_is_idle(replica))
        return;
    value_delete(replica);
    (void)submit_own(replica, OWN_DELETE);
    client_flush(client, replica);
}

/* ---- operations come in ------------------------------------------------------------------------------------------ */

static struct bytes src_of(const struct ot_json *frame)
{
    const struct ot_json *src = ot_json_get(frame, "src", 3);
    struct bytes string = bytes_of(NULL, 0);

    if (src)
        string.at = ot_json_string(src, &string.n_bytes);
    return string;
}

static bool is_own(const struct own_op *own, const struct ot_json *frame)
{
    uint64_t seq;

    return own && ot_json_integer(ot_json_get(frame, "seq", 3), &seq) && seq == own->seq &&
           bytes_equal(src_of(frame), bytes_of_string(own->src));
}

static void gap(struct replica *replica, uint64_t version)
{
    const struct run *run = replica->client->run;
    const struct scenario *scenario = run->scenario;

    if (replica->has_version && !replica->n_fetches && !scenario->cut && !scenario->leave)
        sim_violation("streams have no gap", "client %zu, at %" PRIu64 " of d%zu, is sent %" PRIu64,
                      replica->client->number, replica->version, replica->number, version);
    run_trace(run, "%c has a gap before %" PRIu64, (char)('A' + replica->client->number), version);
    replica->client->run->n_gaps++;
    if (!replica->n_fetches)
        client_fetch(replica->client, replica);
}

/* The client forgets the document and fetches. */
static void hard_rollback(struct replica *replica, bool for_good)
{
    replica_forget(replica, for_good);
    presence_on_loaded(replica);
    replica->was_refused = true;
    client_fetch(replica->client, replica);
}

static void acknowledged(struct replica *replica, uint64_t version)
{
    struct client *client = replica->client;
    struct own_op *own = replica->in_flight;

    judge_outcome(client->run, replica->number, own->src, own->seq, OUTCOME_ACKNOWLEDGED, version);
    if (replica->has_conflict) {
        replica->in_flight = NULL;
        own_op_destroy(own);
        hard_rollback(replica, true);
        return;
    }
    if (own->kind == OWN_CREATE) {
        replica->version = version;
        replica->has_version = true;
    } else if (!replica->has_version || version != replica->version) {
        gap(replica, version);
        return;
    }
    presence_on_committed(replica, own->op, bytes_of_string(own->src));
    client->run->n_acknowledged++;
    replica->version++;
    replica->in_flight = NULL;
    own_op_destroy(own);
    client_flush(client, replica);
}

/* A copy of what is on its way, and then of what waits; NULL behind the last. */
static struct own_op *own_after(struct replica *replica, struct own_op *own)
{
    struct list *next = own && own != replica->in_flight ? own->link.next : replica->waiting.next;

    if (!own && replica->in_flight)
        return replica->in_flight;
    return next == &replica->waiting ? NULL : LIST_ENTRY(next, struct own_op, link);
}

/* OT_CONFLICT, which leaves everything as it was. *theirs becomes what it is here. */
static int transform_own(struct replica *replica, struct ot_op **theirs)
{
    struct ot_op *here = ot_op_ref(*theirs), *next;
    int r = 0;

    for (struct own_op *own = own_after(replica, NULL); own && !r; own = own_after(replica, own)) {
        r = ot_op_transform(own->op, here, OT_LEFT, &ot_limits_default, &own->transformed, NULL);
        if (!r)
            r = ot_op_transform(here, own->op, OT_RIGHT, &ot_limits_default, &next, NULL);
        if (r)
            break;
        ot_op_unref(here);
        here = next;
    }
    if (r && r != OT_CONFLICT)
        client_must(r, "transforming");
    for (struct own_op *own = own_after(replica, NULL); own; own = own_after(replica, own)) {
        struct ot_op *dropped = r ? own->transformed : own->op;

        if (!r)
            own->op = own->transformed;
        own->transformed = NULL;
        ot_op_unref(dropped);
    }
    ot_op_unref(r ? here : *theirs);
    if (!r)
        *theirs = here;
    return r;
}

static void take_edit(struct replica *replica, const struct ot_json *frame, const struct ot_json *edit)
{
    struct ot_op *theirs = NULL;

    if (!replica->value)
        sim_violation("clients can follow", "client %zu is sent an edit of what it does not have",
                      replica->client->number);
    client_must(ot_op_parse(ot_snapshot_type(replica->value), edit, &ot_limits_default, &theirs, NULL),
                "reading an operation");
    presence_on_committed(replica, theirs, src_of(frame));
    if (transform_own(replica, &theirs)) {
        run_trace(replica->client->run, "%c has a conflict", (char)('A' + replica->client->number));
        replica->has_conflict = true;
    } else {
        replica->version++;
        value_apply(replica, theirs, false, src_of(frame));
    }
    ot_op_unref(theirs);
}

static bool has_own(struct replica *replica, enum own_kind kind)
{
    for (struct own_op *own = own_after(replica, NULL); own; own = own_after(replica, own))
        if (own->kind == kind)
            return true;
    return false;
}

static void take_foreign(struct replica *replica, const struct ot_json *frame)
{
    const struct ot_json *edit = ot_json_get(frame, "op", 2), *create = ot_json_get(frame, "create", 6);
    bool is_deletion = ot_json_get(frame, "del", 3) != NULL;

    if (has_own(replica, OWN_DELETE)) { /* swallows whatever it meets */
        presence_on_committed(replica, NULL, src_of(frame));
        replica->version++;
        return;
    }
    if (replica_has_write_pending(replica) && (create || is_deletion || has_own(replica, OWN_CREATE))) {
        hard_rollback(replica, true);
        return;
    }
    if (edit) {
        take_edit(replica, frame, edit);
        return;
    }
    presence_on_committed(replica, NULL, src_of(frame));
    replica->version++;
    if (create)
        value_create(replica, type_of(ot_json_get(create, "type", 4)), ot_json_get(create, "data", 4));
    else if (is_deletion)
        value_delete(replica);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

/* What others can have done meanwhile. */
static bool is_fair(const struct own_op *own, struct bytes code)
{
    if (bytes_equal(code, bytes_of_string("ERR_DOC_ALREADY_CREATED")))
        return own->kind != OWN_EDIT;
    if (bytes_equal(code, bytes_of_string("ERR_DOC_WAS_DELETED")))
        return own->kind != OWN_DELETE;
    return own->kind == OWN_EDIT && bytes_equal(code, bytes_of_string("ERR_OT_TRANSFORM_CONFLICT")) &&
           strcmp(ot_type_name(ot_op_type(own->op)), "json1") == 0;
}

/* json0 can be undone, below what waits. False: it has to be forgotten. */
static bool undo(struct replica *replica)
{
    struct own_op *own = replica->in_flight;
    struct ot_op *inverse;

    if (own->kind != OWN_EDIT || strcmp(ot_type_name(ot_op_type(own->op)), "json0") != 0 ||
        ot_op_invert(own->op, &inverse, NULL))
        return false;
    replica->in_flight = NULL;
    own_op_destroy(own);
    client_must(transform_own(replica, &inverse), "undoing");
    value_apply(replica, inverse, false, bytes_of(NULL, 0));
    ot_op_unref(inverse);
    client_flush(replica->client, replica);
    return true;
}

static void on_refusal(struct replica *replica, const struct ot_json *frame)
{
    struct bytes code = bytes_of(NULL, 0);
    struct own_op *own = replica->in_flight;
    struct run *run = replica->client->run;
    uint64_t seq;

    code.at = ot_json_string(ot_json_get(ot_json_get(frame, "error", 5), "code", 4), &code.n_bytes);
    run->n_refused++;
    if (!own)
        return;
    if (!ot_json_integer(ot_json_get(frame, "seq", 3), &seq) || seq != own->seq)
        sim_violation("refusals are of what is on its way", "client %zu: %" PRIu64 ", not %" PRIu64,
                      replica->client->number, seq, own->seq);
    if (!is_fair(own, code))
        sim_violation("only what can't be is refused", "client %zu: %.*s", replica->client->number, (int)code.n_bytes,
                      (const char *)code.at);
    /* A create that was sent twice may arrive a second time, when there is no document any more. */
    judge_outcome(run, replica->number, own->src, own->seq,
                  own->kind == OWN_CREATE && own->was_resent ? OUTCOME_FORGOTTEN : OUTCOME_REFUSED, 0);
    if (!undo(replica))
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
    if (replica->has_conflict)
        return;
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

bool replica_is_idle(const struct replica *replica)
{
    return !replica_has_write_pending(replica) && !replica->n_subscribes && !replica->n_fetches &&
           !replica->n_unsubscribes && !replica->was_refused;
}

void replica_ingest(struct replica *replica, const struct ot_json *snapshot)
{
    const struct ot_type *type = type_of(ot_json_get(snapshot, "type", 4));
    uint64_t version;

    if (!ot_json_integer(ot_json_get(snapshot, "v", 1), &version))
        sim_violation("frames are whole", "a snapshot without a version");
    if (replica->value || replica_has_write_pending(replica)) {
        if (replica->has_version && version > replica->version)
            client_fetch(replica->client, replica);
        return;
    }
    if (replica->has_version && replica->version > version)
        return;
    replica->version = version;
    replica->has_version = true;
    replica->was_refused = false;
    if (type)
        value_create(replica, type, ot_json_get(snapshot, "data", 4));
    presence_on_loaded(replica);
}
