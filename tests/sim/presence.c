/* What a client shows of itself and what it sees of others: Presence and DocPresence of the npm client, as they should
 * be used. Where that client forgets to, this one says again what it shows when it comes back, and asks again when it
 * has loaded a document anew; and what it saw it forgets with its line, because nobody can tell it who left
 * meanwhile. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

static struct seen *seen_of(struct list *node)
{
    return LIST_ENTRY(node, struct seen, link);
}

static struct bytes string_of(const struct ot_json *frame, const char *key)
{
    const struct ot_json *value = ot_json_get(frame, key, strlen(key));
    struct bytes string = bytes_of(NULL, 0);

    if (value)
        string.at = ot_json_string(value, &string.n_bytes);
    return string;
}

static struct presence *presence_of(struct client *client, const struct ot_json *frame)
{
    struct bytes channel = string_of(frame, "ch");

    for (size_t i = 0; i <= client->run->n_documents; i++)
        if (bytes_equal(channel, bytes_of_string(client->presences[i].channel)))
            return &client->presences[i];
    return NULL;
}

void presence_id(const struct client *client, char id[8])
{
    (void)snprintf(id, 8, "%c%u", (char)('A' + client->number), client->generation);
}

/* ---- what is seen ------------------------------------------------------------------------------------------------ */

static void seen_destroy(struct seen *seen)
{
    list_remove(&seen->link);
    ot_json_unref(seen->value);
    ot_json_unref(seen->pending);
    free(seen);
}

static void forget_seen(struct presence *presence)
{
    while (!list_is_empty(&presence->seen))
        seen_destroy(seen_of(presence->seen.next));
}

static struct seen *find(const struct presence *presence, struct bytes id)
{
    LIST_FOR_EACH (node, &presence->seen)
        if (bytes_equal(id, bytes_of_string(seen_of(node)->id)))
            return seen_of(node);
    return NULL;
}

const struct seen *presence_find(const struct presence *presence, const char *id)
{
    const struct seen *seen = find(presence, bytes_of_string(id));

    return seen && seen->value ? seen : NULL;
}

static struct seen *find_or_add(struct presence *presence, const struct ot_json *frame)
{
    struct bytes id = string_of(frame, "id"), src = string_of(frame, "src");
    struct seen *seen = find(presence, id);

    if (!seen) {
        seen = sim_alloc(sizeof(*seen));
        (void)snprintf(seen->id, sizeof(seen->id), "%.*s", (int)id.n_bytes, (const char *)id.at);
        list_append(&presence->seen, &seen->link);
    }
    (void)snprintf(seen->src, sizeof(seen->src), "%.*s", (int)src.n_bytes, (const char *)src.at);
    return seen;
}

/* Takes over the value; NULL: it is gone. */
static void seen_set(struct seen *seen, uint64_t pv, struct ot_json *value)
{
    ot_json_unref(seen->value);
    seen->value = value;
    seen->pv = pv;
    if (!value)
        seen_destroy(seen);
}

static bool can_show(const struct replica *replica)
{
    return replica->value && ot_type_has_presence(ot_snapshot_type(replica->value));
}

static void ask(struct presence *presence)
{
    if (presence->is_wanted && presence->client->is_connected)
        client_say(presence->client, "{\"a\":\"pr\",\"ch\":\"%s\"}", presence->channel);
}

/* Nothing of the document is on its way. */
static void take_pending(struct presence *presence, struct seen *seen)
{
    struct replica *replica = presence->replica;
    struct ot_json *value = seen->pending;
    bool is_newer = seen->pending_pv >= seen->pv, is_now = seen->pending_version == replica->version;

    if (is_newer && seen->pending_version > replica->version) {
        client_fetch(presence->client, replica);
        return;
    }
    seen->is_pending = false;
    seen->pending = NULL;
    if (is_newer && is_now) {
        if (value && !can_show(replica))
            sim_violation("carets stand in documents", "client %zu sees %s in d%zu, which has none",
                          presence->client->number, seen->id, replica->number);
        seen_set(seen, seen->pending_pv, value);
        return;
    }
    ot_json_unref(value);
    if (!is_now)
        ask(presence);
    if (!seen->value)
        seen_destroy(seen);
}

static void take_all_pending(struct presence *presence)
{
    struct list *next;

    for (struct list *node = presence->seen.next; node != &presence->seen; node = next) {
        next = node->next;
        if (!replica_is_idle(presence->replica) || !presence->replica->has_version)
            return;
        if (seen_of(node)->is_pending)
            take_pending(presence, seen_of(node));
    }
}

/* ---- what is shown ----------------------------------------------------------------------------------------------- */

static void set_own(struct presence *presence, struct ot_json *value)
{
    ot_json_unref(presence->value);
    presence->value = value;
}

static void say_shown(struct presence *presence)
{
    const struct replica *replica = presence->replica;
    char id[8], document[160] = "";
    struct buffer value;

    judge_said(presence->client->run, presence);
    presence_id(presence->client, id);
    buffer_init(&value, 1024);
    (void)buffer_append_string(&value, presence->value ? "" : "null");
    if (presence->value)
        client_must(ot_json_write(presence->value, buffer_write, &value), "writing a presence");
    if (replica)
        (void)snprintf(document, sizeof(document),
                       ",\"c\":\"" RUN_COLLECTION "\",\"d\":\"d%zu\",\"v\":%" PRIu64 ",\"t\":\"%s\"", replica->number,
                       replica->version, ot_type_uri(ot_snapshot_type(replica->value)));
    client_say(presence->client, "{\"a\":\"p\",\"ch\":\"%s\",\"id\":\"%s\",\"p\":%.*s,\"pv\":%" PRIu64 "%s}",
               presence->channel, id, (int)value.n_bytes, value.at, presence->next_pv++, document);
    buffer_finish(&value);
    presence->n_shows++;
    presence->client->run->n_shown++;
}

static void show_if_due(struct presence *presence)
{
    struct replica *replica = presence->replica;

    if (!presence->is_due || !presence->client->is_connected || (replica && !replica_is_idle(replica)) ||
        (replica && !replica->has_version))
        return;
    presence->is_due = false;
    if (replica && !can_show(replica)) { /* of what is gone everybody thinks nothing */
        presence->may_be_seen = false;
        return;
    }
    say_shown(presence);
    presence->may_be_seen = presence->value != NULL;
}

void presence_show_again(struct presence *presence)
{
    presence->is_due = presence->value || presence->may_be_seen;
    show_if_due(presence);
}

void presence_move(struct presence *presence)
{
    struct run *run = presence->client->run;
    struct ot_json *value = NULL;

    if (!presence->is_wanted || (presence->replica && !can_show(presence->replica)))
        return;
    if (run_chance(run, 850)) {
        if (presence->replica)
            value = edit_random_range(run, presence->replica->value);
        else
            client_must(ot_json_from_number((double)run_below(run, 100), &value), "making a presence");
    }
    set_own(presence, value);
    presence_show_again(presence);
}

void presence_toggle(struct presence *presence)
{
    struct client *client = presence->client;

    if (!client->is_connected || presence->n_subscribes)
        return;
    presence->is_wanted = !presence->is_wanted;
    client_say(client, "{\"a\":\"%s\",\"ch\":\"%s\",\"seq\":%" PRIu64 "}", presence->is_wanted ? "ps" : "pu",
               presence->channel, client->next_presence_seq++);
    presence->n_subscribes++;
    if (presence->is_wanted)
        return;
    forget_seen(presence);
    set_own(presence, NULL);
    /* The server takes back what is shown; what is on its way may be overtaken by that. */
    presence->may_be_seen = presence->n_shows > 0;
    presence_show_again(presence);
}

void presence_go_on(struct client *client)
{
    if (!client->is_connected)
        return;
    for (size_t i = 0; i <= client->run->n_documents; i++) {
        show_if_due(&client->presences[i]);
        if (client->presences[i].replica)
            take_all_pending(&client->presences[i]);
    }
}

/* ---- news from the replica --------------------------------------------------------------------------------------- */

static struct presence *of_replica(const struct replica *replica)
{
    return &replica->client->presences[replica->number];
}

static void move_over(struct ot_json **value, const struct ot_op *op, bool is_own)
{
    struct ot_json *moved = NULL;

    if (!*value)
        return;
    client_must(ot_op_transform_presence(op, *value, is_own, &moved, NULL), "moving a caret");
    ot_json_unref(*value);
    *value = moved;
}

static bool is_by(const struct seen *seen, struct bytes src)
{
    return bytes_equal(src, bytes_of_string(seen->src));
}

void presence_on_committed(struct replica *replica, const struct ot_op *op, struct bytes src)
{
    LIST_FOR_EACH (node, &of_replica(replica)->seen) {
        struct seen *seen = seen_of(node);

        if (!seen->is_pending || seen->pending_version != replica->version)
            continue;
        seen->pending_version++;
        if (op)
            move_over(&seen->pending, op, is_by(seen, src));
        else
            ot_json_unref(seen->pending);
        if (!op)
            seen->pending = NULL;
    }
}

void presence_on_applied(struct replica *replica, const struct ot_op *op, bool is_own, struct bytes src)
{
    struct presence *presence = of_replica(replica);

    move_over(&presence->value, op, is_own);
    LIST_FOR_EACH (node, &presence->seen)
        move_over(&seen_of(node)->value, op, is_by(seen_of(node), src));
}

void presence_on_gone(struct replica *replica)
{
    struct presence *presence = of_replica(replica);
    struct list *next;

    set_own(presence, NULL);
    presence->is_due = presence->may_be_seen = false;
    for (struct list *node = presence->seen.next; node != &presence->seen; node = next) {
        struct seen *seen = seen_of(node);

        next = node->next;
        ot_json_unref(seen->value);
        seen->value = NULL;
        if (!seen->is_pending)
            seen_destroy(seen);
    }
}

void presence_on_loaded(struct replica *replica)
{
    struct presence *presence = of_replica(replica);

    set_own(presence, NULL);
    presence->is_due = presence->may_be_seen;
    forget_seen(presence);
    if (replica->has_version)
        ask(presence);
}

/* ---- frames come in ---------------------------------------------------------------------------------------------- */

static void take_answer(size_t *n_unanswered, const struct presence *presence, const char *what)
{
    if (*n_unanswered == 0)
        sim_violation("one reply each", "client %zu is answered a %s that it did not ask", presence->client->number,
                      what);
    --*n_unanswered;
}

static void take_update(struct presence *presence, const struct ot_json *frame, uint64_t pv, struct ot_json *value)
{
    struct seen *seen = find_or_add(presence, frame);

    if (pv >= seen->pv)
        seen_set(seen, pv, value ? ot_json_ref(value) : NULL);
}

static void take_document_update(struct presence *presence, const struct ot_json *frame, uint64_t pv,
                                 struct ot_json *value)
{
    const struct replica *replica = presence->replica;
    struct seen *seen;
    uint64_t version;

    if (!ot_json_integer(ot_json_get(frame, "v", 1), &version))
        sim_violation("frames are whole", "a presence of a document without a version");
    if (replica->has_version && version < replica->version)
        sim_violation("presence is brought up to date", "client %zu, at %" PRIu64 " of d%zu, is shown one of %" PRIu64,
                      presence->client->number, replica->version, replica->number, version);
    seen = find_or_add(presence, frame);
    if (seen->is_pending && pv < seen->pending_pv)
        return;
    ot_json_unref(seen->pending);
    seen->is_pending = true;
    seen->pending = value ? ot_json_ref(value) : NULL;
    seen->pending_pv = pv;
    seen->pending_version = version;
}

static void on_update(struct presence *presence, const struct ot_json *frame)
{
    struct ot_json *value = ot_json_get(frame, "p", 1);
    char id[8];
    uint64_t pv;

    presence_id(presence->client, id);
    if (bytes_equal(string_of(frame, "id"), bytes_of_string(id))) {
        take_answer(&presence->n_shows, presence, "p");
        return;
    }
    if (!ot_json_integer(ot_json_get(frame, "pv", 2), &pv))
        sim_violation("frames are whole", "a presence without pv");
    if (value && ot_json_kind(value) == OT_JSON_NULL)
        value = NULL;
    if (!presence->is_wanted && !presence->n_subscribes)
        sim_violation("who does not listen is not told", "client %zu is", presence->client->number);
    else if (!presence->is_wanted)
        return;
    if (presence->replica)
        take_document_update(presence, frame, pv, value);
    else
        take_update(presence, frame, pv, value);
}

bool presence_on_frame(struct client *client, struct bytes action, const struct ot_json *frame)
{
    struct presence *presence = presence_of(client, frame);

    if (!presence)
        return false;
    if (ot_json_get(frame, "error", 5))
        sim_violation("presence is not refused", "client %zu, a %.*s", client->number, (int)action.n_bytes,
                      (const char *)action.at);
    if (bytes_equal(action, bytes_of_string("p")))
        on_update(presence, frame);
    else if (bytes_equal(action, bytes_of_string("pr")) && presence->value)
        presence_show_again(presence);
    else if (!bytes_equal(action, bytes_of_string("pr")))
        take_answer(&presence->n_subscribes, presence, "ps");
    return true;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void presence_init(struct presence *presence, struct client *client, size_t number)
{
    presence->client = client;
    presence->is_wanted = true;
    list_init(&presence->seen);
    if (number < client->run->n_documents)
        presence->replica = &client->replicas[number];
    if (presence->replica)
        (void)snprintf(presence->channel, sizeof(presence->channel), RUN_COLLECTION ".d%d", (int)number);
    else
        (void)snprintf(presence->channel, sizeof(presence->channel), "room");
}

void presence_finish(struct presence *presence)
{
    set_own(presence, NULL);
    forget_seen(presence);
}

/* The server takes back what was shown. */
void presence_on_cut(struct presence *presence)
{
    presence->n_subscribes = presence->n_shows = 0;
    presence->may_be_seen = false;
    presence->is_due = presence->value != NULL;
    forget_seen(presence);
}

void presence_on_connected(struct presence *presence)
{
    if (!presence->is_wanted)
        return;
    presence->is_wanted = false;
    presence_toggle(presence);
    presence_show_again(presence);
}

bool presence_is_at_rest(const struct presence *presence)
{
    LIST_FOR_EACH (node, &presence->seen)
        if (seen_of(node)->is_pending)
            return false;
    return presence->is_wanted && !presence->n_subscribes && !presence->n_shows && !presence->is_due;
}
