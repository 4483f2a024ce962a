/* Presence: ps, pu, p, pr. Values that are shown to others on a channel and forgotten; what each session shows is
 * remembered only so that it can be taken back when its line ends, however it ends. */
#include <errno.h>
#include <stdlib.h>

#include "api/session_inside.h"
#include "base/name.h"

/* A session that listens to a channel. */
struct listener {
    struct channel_member member;
    struct list link; /* in its session's listeners */
    struct session *session;
};

/* What a session shows under one id. */
struct presence {
    struct list link; /* in its session's presences, the one that changed last first */
    struct bytes channel, id;
    uint64_t pv;
    struct document *document; /* counted; NULL: a plain channel */
    const struct ot_type *type;
    char text[]; /* channel and id */
};

/* ---- telling others ---------------------------------------------------------------------------------------------- */

static struct listener *listener_of(struct list *node)
{
    return LIST_ENTRY(node, struct listener, member.link);
}

/* To all who listen but the one it is about, by his id: he may have come back on a second line already. */
static void tell_others(const struct session *session, struct bytes name, struct frame *frame)
{
    struct channel *channel = channel_find(&session->context->channels, name);

    if (!channel || !frame)
        return;
    LIST_FOR_EACH (node, &channel->members) {
        struct session *other = listener_of(node)->session;

        if (other->peer && !session_is_own(session, bytes_of(other->id.text, CLIENT_ID_CHARS)))
            peer_stream(other->peer, frame);
    }
}

static struct frame *frame_of_update(const struct session *session, const struct presence_update *update)
{
    struct presence_frame presence = { .channel = update->channel,
                                       .src = bytes_of(session->id.text, CLIENT_ID_CHARS),
                                       .id = update->id,
                                       .value = update->value,
                                       .pv = update->pv };

    if (update->document) {
        presence.is_of_document = true;
        presence.document = document_name(update->document);
        presence.version = update->version;
        presence.type = bytes_of_string(ot_type_uri(update->type));
    }
    return frame_presence(&presence);
}

/* ---- what a session shows ---------------------------------------------------------------------------------------- */

static struct presence *presence_find(const struct session *session, struct bytes channel, struct bytes id)
{
    LIST_FOR_EACH (node, &session->presences) {
        struct presence *presence = LIST_ENTRY(node, struct presence, link);

        if (bytes_equal(presence->id, id) && bytes_equal(presence->channel, channel))
            return presence;
    }
    return NULL;
}

static void presence_destroy(struct session *session, struct presence *presence)
{
    list_remove(&presence->link);
    session->n_presences--;
    session->context->n_presences--;
    document_unref(presence->document);
    free(presence);
}

static struct presence *presence_create(struct session *session, const struct presence_update *update)
{
    struct presence *presence = calloc(1, sizeof(*presence) + update->channel.n_bytes + update->id.n_bytes);

    if (!presence)
        return NULL;
    list_init(&presence->link);
    presence->channel = bytes_of(presence->text, update->channel.n_bytes);
    presence->id = bytes_of(presence->text + update->channel.n_bytes, update->id.n_bytes);
    memcpy(presence->text, update->channel.at, update->channel.n_bytes);
    memcpy(presence->text + update->channel.n_bytes, update->id.at, update->id.n_bytes);
    session->n_presences++;
    session->context->n_presences++;
    return presence;
}

/* Remembers an update that is shown, or forgets what is shown no more. False without memory. */
static bool remember(struct session *session, const struct presence_update *update)
{
    struct presence *presence = presence_find(session, update->channel, update->id);
    struct document *before = presence ? presence->document : NULL;

    if (!update->value && presence)
        presence_destroy(session, presence);
    if (!update->value)
        return true;
    if (!presence)
        presence = presence_create(session, update);
    if (!presence)
        return false;
    presence->pv = update->pv;
    presence->type = update->type;
    presence->document = update->document ? document_ref(update->document) : NULL;
    document_unref(before);
    list_remove(&presence->link);
    list_prepend(&session->presences, &presence->link);
    return true;
}

static void take_back(struct session *session, struct presence *presence)
{
    struct presence_update update = { .channel = presence->channel,
                                      .id = presence->id,
                                      .pv = presence->pv,
                                      .document = presence->document,
                                      .version = presence->document ? document_head(presence->document) : 0,
                                      .type = presence->type };
    struct frame *frame = frame_of_update(session, &update);

    tell_others(session, presence->channel, frame);
    frame_unref(frame);
    presence_destroy(session, presence);
}

/* Everything, or what is shown on one channel. */
static void take_all_back(struct session *session, const struct bytes *channel)
{
    struct list *next;

    for (struct list *node = session->presences.next; node != &session->presences; node = next) {
        struct presence *presence = LIST_ENTRY(node, struct presence, link);

        next = node->next;
        if (!channel || bytes_equal(presence->channel, *channel))
            take_back(session, presence);
    }
}

/* ---- ps, pu, pr -------------------------------------------------------------------------------------------------- */

static struct listener *listener_find(const struct session *session, struct bytes name)
{
    struct channel *channel = channel_find(&session->context->channels, name);

    if (!channel)
        return NULL;
    LIST_FOR_EACH (node, &channel->members) {
        if (listener_of(node)->session == session)
            return listener_of(node);
    }
    return NULL;
}

static void listener_destroy(struct listener *listener)
{
    list_remove(&listener->link);
    listener->session->n_listeners--;
    channel_leave(&listener->session->context->channels, &listener->member);
    free(listener);
}

static int listen(struct session *session, struct bytes name)
{
    struct listener *listener = malloc(sizeof(*listener));

    if (!listener)
        return -ENOMEM;
    listener->session = session;
    if (channel_join(&session->context->channels, name, &listener->member)) {
        free(listener);
        return -ENOMEM;
    }
    list_append(&session->listeners, &listener->link);
    session->n_listeners++;
    return 0;
}

static bool is_channel(const struct ot_json *frame, struct bytes *out)
{
    return frame_string(frame, "ch", out) && name_is_allowed(*out, CHANNEL_NAME_MAX_BYTES);
}

static bool is_seq(const struct ot_json *seq)
{
    uint64_t number;

    return !seq || ot_json_kind(seq) == OT_JSON_NULL || ot_json_integer(seq, &number);
}

/* The channel of a frame about one; refuses and returns false. */
static bool names_channel(struct session *session, const struct ot_json *frame, struct bytes *channel)
{
    const char *wrong = !is_channel(frame, channel)             ? "Invalid presence channel"
                        : !is_seq(ot_json_get(frame, "seq", 3)) ? "Invalid seq"
                                                                : NULL;

    if (wrong)
        session_refuse(session, frame, &refusal_badly_formed, wrong);
    return !wrong;
}

/* Asks the others to show themselves again. Before the one who wants it is answered, as the reference does: he then may
 * go on, and those who show something only after that are not asked for it twice. */
static void ask_others(const struct session *session, struct bytes channel)
{
    struct frame *frame = frame_channel("pr", channel, NULL);

    tell_others(session, channel, frame);
    frame_unref(frame);
}

void handle_listen(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct bytes channel;
    bool is_new;

    if (!names_channel(session, frame, &channel))
        return;
    is_new = !listener_find(session, channel);
    if (is_new && session->n_listeners >= session->context->limits.n_subscriptions) {
        session_refuse_limit(session, frame, LIMIT_SUBSCRIPTIONS, "Too many presence channels");
        return;
    }
    if (is_new && listen(session, channel)) {
        session_trouble(session, -ENOMEM);
        return;
    }
    if (is_new)
        ask_others(session, channel);
    session_send(session, frame_channel(action->name, channel, ot_json_get(frame, "seq", 3)));
}

/* Those that are being brought up to date are answered later, and show nothing. */
static void leave_updates(struct session *session, struct bytes channel)
{
    LIST_FOR_EACH (node, &session->requests) {
        struct request *request = LIST_ENTRY(node, struct request, link);
        struct bytes of;

        if (request->action->begin == begin_presence && is_channel(request->frame, &of) && bytes_equal(of, channel))
            request->is_left = true;
    }
}

void handle_unlisten(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct listener *listener;
    struct bytes channel;

    if (!names_channel(session, frame, &channel))
        return;
    leave_updates(session, channel);
    take_all_back(session, &channel);
    listener = listener_find(session, channel);
    if (listener)
        listener_destroy(listener);
    session_send(session, frame_channel(action->name, channel, ot_json_get(frame, "seq", 3)));
}

void handle_presence_request(struct session *session, const struct action *action, struct ot_json *frame)
{
    struct bytes channel;

    if (!names_channel(session, frame, &channel))
        return;
    ask_others(session, channel);
    session_send(session, frame_channel(action->name, channel, ot_json_get(frame, "seq", 3)));
}

void presence_end(struct session *session)
{
    struct list *node;

    take_all_back(session, NULL);
    while ((node = list_pop(&session->listeners)))
        listener_destroy(LIST_ENTRY(node, struct listener, link));
}

/* ---- p ----------------------------------------------------------------------------------------------------------- */

void presence_show(struct session *session, const struct ot_json *request, const struct presence_update *update)
{
    const struct presence *shown = presence_find(session, update->channel, update->id);
    bool is_old = shown && update->pv < shown->pv;
    struct frame *frame;

    if (session->has_ended)
        return;
    if (!shown && update->value && session->n_presences >= session->context->limits.n_presences) {
        session_refuse_limit(session, request, LIMIT_PRESENCES, "Too many presences");
        return;
    }
    frame = frame_of_update(session, update);
    if (!frame || (!is_old && !remember(session, update))) {
        frame_unref(frame);
        session_trouble(session, -ENOMEM);
        return;
    }
    if (!is_old)
        tell_others(session, update->channel, frame);
    session_send(session, frame);
}

const char *presence_read(const struct ot_json *frame, struct presence_update *out)
{
    const struct ot_json *value = ot_json_get(frame, "p", 1);

    if (!frame_string(frame, "id", &out->id) || !name_is_allowed(out->id, CHANNEL_NAME_MAX_BYTES))
        return "Invalid presence ID";
    if (!ot_json_get(frame, "pv", 2) || !ot_json_integer(ot_json_get(frame, "pv", 2), &out->pv))
        return "Invalid presence version";
    if (!is_channel(frame, &out->channel))
        return "Invalid presence channel";
    if (value && ot_json_flaw(value))
        return "Invalid presence value";
    out->value = value && ot_json_kind(value) != OT_JSON_NULL ? value : NULL;
    return NULL;
}

static bool is_given(const struct ot_json *frame, const char *key)
{
    const struct ot_json *value = ot_json_get(frame, key, 1);

    return value && ot_json_kind(value) != OT_JSON_NULL;
}

/* Counts what is written, and takes no more than there is room for. */
static int count(void *arg, const char *at, size_t n_bytes)
{
    size_t *n_left = arg;

    (void)at;
    if (n_bytes > *n_left)
        return -EFBIG;
    *n_left -= n_bytes;
    return 0;
}

static bool is_too_large(const struct session *session, const struct ot_json *value)
{
    size_t n_left = session->context->limits.presence_max_bytes;

    return value && ot_json_write(value, count, &n_left) != 0;
}

/* The channel of a document is its name, so that whoever may not read it cannot be sent there by it. */
static bool is_channel_of(struct bytes channel, struct store_name name)
{
    const char *at = channel.at;
    size_t n = name.collection.n_bytes;

    return channel.n_bytes == n + 1 + name.id.n_bytes && bytes_equal(bytes_of(at, n), name.collection) &&
           at[n] == '.' && bytes_equal(bytes_of(at + n + 1, name.id.n_bytes), name.id);
}

const struct ot_type *presence_type(const struct ot_json *frame)
{
    struct bytes name;

    return frame_string(frame, "t", &name) ? ot_type_find(name.at, name.n_bytes) : NULL;
}

void handle_presence(struct session *session, const struct action *action, struct ot_json *frame)
{
    bool is_of_document = is_given(frame, "d") || is_given(frame, "c");
    struct presence_update update = { .pv = 0 };
    struct store_name name;
    uint64_t version = 0;
    const char *wrong;

    if (is_of_document && !session_names(session, frame, &name, &version))
        return;
    wrong = presence_read(frame, &update);
    if (!wrong && is_of_document && !is_channel_of(update.channel, name))
        wrong = "Invalid presence channel";
    if (wrong)
        session_refuse(session, frame, &refusal_badly_formed, wrong);
    else if (is_too_large(session, update.value))
        session_refuse_limit(session, frame, LIMIT_PRESENCE, "The presence is too large");
    else if (!is_of_document)
        presence_show(session, frame, &update);
    else if (!presence_type(frame) || !ot_type_has_presence(presence_type(frame)))
        session_refuse(session, frame, &refusal_no_presence, NULL);
    else
        request_start_one(session, action, frame, name, version);
}
