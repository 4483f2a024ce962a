#include "tests/unit/api/conversation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ot/ot.h"
#include "tests/lib/alloc_fault.h"

#define NAME_BYTES 16

struct said {
    struct list link;
    struct frame *frame;
};

/* One who speaks with the server. */
struct voice {
    struct peer peer; /* first */
    struct list link;
    char name[NAME_BYTES];
    struct client_id id;
    struct session *session;
    struct list heard; /* of struct said, not read yet */
    int closed;        /* the code, or 0 */
    bool is_paused, is_full;
};

/* ---- voices ------------------------------------------------------------------------------------------------------ */

static void voice_send(struct peer *peer, struct frame *frame, bool is_reply)
{
    struct voice *voice = (struct voice *)peer;
    struct said *said;

    (void)is_reply;
    if (voice->closed)
        fail_msg("%s is closed and is sent %.*s", voice->name, (int)frame->n_bytes, frame->content);
    said = sim_alloc(sizeof(*said));
    said->frame = frame_ref(frame);
    list_append(&voice->heard, &said->link);
}

static void voice_close(struct peer *peer, enum peer_close_code code, const char *reason)
{
    struct voice *voice = (struct voice *)peer;

    assert_non_null(reason);
    if (voice->closed)
        fail_msg("%s is closed twice", voice->name);
    voice->closed = (int)code;
}

static void voice_pause(struct peer *peer, bool paused)
{
    struct voice *voice = (struct voice *)peer;

    assert_int_not_equal(voice->is_paused, paused);
    voice->is_paused = paused;
}

static bool voice_is_full(struct peer *peer)
{
    return ((struct voice *)peer)->is_full;
}

static const struct peer_interface voice_interface = { voice_send, voice_close, voice_pause, voice_is_full };

static struct voice *find_voice(struct conversation *conversation, const char *name)
{
    LIST_FOR_EACH (node, &conversation->voices) {
        struct voice *voice = LIST_ENTRY(node, struct voice, link);

        if (strcmp(voice->name, name) == 0)
            return voice;
    }
    return NULL;
}

/* Whoever is named in a line about somebody must have come. */
static struct voice *known_voice(struct conversation *conversation, const char *name)
{
    struct voice *voice = find_voice(conversation, name);

    if (!voice) {
        fail_msg("nobody is called %s", name);
        abort();
    }
    return voice;
}

static struct said *take_heard(struct voice *voice)
{
    struct list *node = list_pop(&voice->heard);

    return node ? LIST_ENTRY(node, struct said, link) : NULL;
}

static void forget(struct said *said)
{
    if (!said)
        return;
    frame_unref(said->frame);
    free(said);
}

/* "id":"..." in init. */
static void learn_id(struct voice *voice)
{
    const struct frame *init = LIST_ENTRY(voice->heard.next, struct said, link)->frame;
    const char *at = memmem(init->content, init->n_bytes, "\"id\":\"", 6);

    assert_non_null(at);
    memcpy(voice->id.text, at + 6, CLIENT_ID_CHARS);
}

/* "PRINCIPAL [RIGHT]"; NULL: anyone. */
static struct principal principal_of(const char *words)
{
    const char *right = words ? strchr(words, ' ') : NULL;
    struct principal principal = principal_anyone;

    if (!words)
        return principal;
    principal.n_name = (uint8_t)(right ? (size_t)(right - words) : strlen(words));
    memcpy(principal.name, words, principal.n_name);
    principal.is_account = true;
    if (right)
        principal.rights = (uint8_t)right_of_name(bytes_of_string(right + 1));
    return principal;
}

static struct voice *connect_voice(struct conversation *conversation, const char *name, const char *words)
{
    const struct principal principal = principal_of(words);
    struct voice *voice = find_voice(conversation, name);

    if (!voice) {
        voice = sim_alloc(sizeof(*voice));
        (void)snprintf(voice->name, sizeof(voice->name), "%s", name);
        list_init(&voice->heard);
        list_append(&conversation->voices, &voice->link);
    }
    if (voice->session)
        fail_msg("%s is connected already", name);
    voice->peer.interface = &voice_interface;
    voice->closed = 0;
    voice->is_paused = false;
    assert_int_equal(
        session_create(&conversation->context, &voice->peer, &principal, bytes_of_string(NULL), &voice->session), 0);
    if (!list_is_empty(&voice->heard))
        learn_id(voice);
    return voice;
}

static void end_voice(struct voice *voice)
{
    struct session *session = voice->session;

    voice->session = NULL;
    session_end(session);
}

/* Whoever speaks for the first time comes, and hears init. */
static struct voice *speaking(struct conversation *conversation, const char *name)
{
    struct voice *voice = find_voice(conversation, name);

    if (voice && voice->session)
        return voice;
    voice = connect_voice(conversation, name, NULL);
    forget(take_heard(voice));
    return voice;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static uint64_t now_ms(void *arg)
{
    return ((struct conversation *)arg)->now_ms++;
}

static void chance(void *arg, void *into, size_t n_bytes)
{
    struct conversation *conversation = arg;
    unsigned char *at = into;

    while (n_bytes--)
        *at++ = (unsigned char)(conversation->n_random++ * 37 + 11);
}

static void start(struct conversation *conversation)
{
    conversation->store = store_sim_open(conversation->disk, 0, NULL, NULL);
    conversation->config.store = conversation->store;
    assert_int_equal(hub_create(&conversation->config, &conversation->hub), 0);
    conversation->context.hub = conversation->hub;
}

static void stop(struct conversation *conversation)
{
    LIST_FOR_EACH (node, &conversation->voices)
        end_voice(LIST_ENTRY(node, struct voice, link));
    store_sim_hold(conversation->store, 0);
    store_sim_fault_end(conversation->store);
    store_sim_settle(conversation->store);
    hub_destroy(conversation->hub);
    store_close(conversation->store);
}

int conversation_setup(void **state)
{
    struct conversation *conversation = sim_alloc(sizeof(*conversation));

    conversation->disk = sim_disk_create();
    conversation->now_ms = 1000;
    conversation->world = (struct world){ now_ms, chance, conversation };
    conversation->config = hub_defaults;
    conversation->config.world = &conversation->world;
    conversation->context.limits = session_limits_default;
    memset(&conversation->context.key, 'k', sizeof(conversation->context.key));
    list_init(&conversation->voices);
    start(conversation);
    *state = conversation;
    return 0;
}

int conversation_teardown(void **state)
{
    struct conversation *conversation = *state;
    struct list *node;

    (void)alloc_fault_disarm();
    stop(conversation);
    assert_int_equal(conversation->context.n_sessions, 0);
    while ((node = list_pop(&conversation->voices))) {
        struct voice *voice = LIST_ENTRY(node, struct voice, link);

        skip_unread(conversation, voice->name);
        while (!list_is_empty(&voice->heard))
            forget(take_heard(voice));
        free(voice);
    }
    sim_disk_destroy(conversation->disk);
    free(conversation);
    return 0;
}

void conversation_restart(struct conversation *conversation)
{
    stop(conversation);
    start(conversation);
}

/* ---- speaking ---------------------------------------------------------------------------------------------------- */

void say(struct conversation *conversation, const char *name, const char *text, size_t n_bytes)
{
    struct voice *voice = speaking(conversation, name);
    char *exact = sim_alloc(n_bytes); /* so that a byte too many is seen */

    memcpy(exact, text, n_bytes);
    session_on_frame(voice->session, exact, n_bytes);
    free(exact);
}

/* $name -> the id of that voice. */
static char *with_ids(struct conversation *conversation, const char *text)
{
    struct buffer buffer;

    buffer_init(&buffer, 1 << 24);
    while (*text) {
        size_t n = strcspn(text, "$"), n_name;
        char name[NAME_BYTES];
        struct voice *voice;

        assert_int_equal(buffer_append(&buffer, text, n), 0);
        text += n;
        if (!*text)
            break;
        n_name = strspn(++text, "abcdefghijklmnopqrstuvwxyz");
        (void)snprintf(name, sizeof(name), "%.*s", (int)n_name, text);
        voice = known_voice(conversation, name);
        assert_int_equal(buffer_append_string(&buffer, voice->id.text), 0);
        text += n_name;
    }
    assert_int_equal(buffer_append(&buffer, "", 1), 0);
    return buffer.at;
}

static size_t unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from;) {
        if (from[0] == '\\' && from[1] == 'x') {
            char digits[3] = { from[2], from[3], '\0' };

            *to++ = (char)strtoul(digits, NULL, 16);
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    return (size_t)(to - text);
}

static void oversized(struct conversation *conversation, const char *name, const char *start_of_it)
{
    struct voice *voice = speaking(conversation, name);

    session_on_oversized(voice->session, start_of_it, strlen(start_of_it));
}

/* ---- listening --------------------------------------------------------------------------------------------------- */

static bool is_any(const struct ot_json *want)
{
    size_t n_bytes;
    const char *at;

    if (ot_json_kind(want) != OT_JSON_STRING)
        return false;
    at = ot_json_string(want, &n_bytes);
    return n_bytes == 1 && *at == '*';
}

static bool matches(const struct ot_json *want, const struct ot_json *got)
{
    if (!got || is_any(want))
        return got != NULL;
    if (ot_json_kind(want) != ot_json_kind(got) || ot_json_count(want) != ot_json_count(got))
        return false;
    if (ot_json_kind(want) != OT_JSON_OBJECT && ot_json_kind(want) != OT_JSON_ARRAY)
        return ot_json_equal(want, got);
    for (size_t i = 0; i < ot_json_count(want); i++) {
        size_t n_bytes;
        const char *key;

        if (ot_json_kind(want) == OT_JSON_ARRAY) {
            if (!matches(ot_json_at(want, i), ot_json_at(got, i)))
                return false;
            continue;
        }
        key = ot_json_key_at(want, i, &n_bytes);
        if (!matches(ot_json_at(want, i), ot_json_get(got, key, n_bytes)))
            return false;
    }
    return true;
}

static struct ot_json *parse(const char *text, size_t n_bytes)
{
    struct ot_json *json = NULL;
    struct ot_error error;

    if (ot_json_parse(text, n_bytes, &ot_limits_default, &json, &error))
        fail_msg("not JSON: %.*s: %s", (int)n_bytes, text, error.message);
    return json;
}

static void hears(struct voice *voice, const char *text)
{
    struct said *said = take_heard(voice);
    struct ot_json *want = parse(text, strlen(text)), *got;

    if (!said)
        fail_msg("%s should hear %s\nand hears nothing%s", voice->name, text, voice->closed ? ", he is closed" : "");
    else {
        got = parse(said->frame->content, said->frame->n_bytes);
        if (!matches(want, got))
            fail_msg("%s should hear %s\nand hears       %.*s", voice->name, text, (int)said->frame->n_bytes,
                     said->frame->content);
        ot_json_unref(got);
        forget(said);
    }
    ot_json_unref(want);
}

static void hears_nothing(struct voice *voice)
{
    struct said *said = take_heard(voice);

    if (said)
        fail_msg("%s should hear nothing more\nand hears %.*s", voice->name, (int)said->frame->n_bytes,
                 said->frame->content);
    if (voice->closed)
        fail_msg("%s is closed with %d", voice->name, voice->closed);
}

static void is_closed(struct voice *voice, int code)
{
    struct said *said = take_heard(voice);

    if (said)
        fail_msg("%s should be closed\nand hears %.*s", voice->name, (int)said->frame->n_bytes, said->frame->content);
    if (voice->closed != code)
        fail_msg("%s should be closed with %d, it is %d", voice->name, code, voice->closed);
    end_voice(voice);
}

size_t count_unread(struct conversation *conversation, const char *name)
{
    struct voice *voice = known_voice(conversation, name);
    size_t n = 0;

    LIST_FOR_EACH (node, &voice->heard)
        n++;
    return n;
}

void skip_unread(struct conversation *conversation, const char *name)
{
    struct voice *voice = find_voice(conversation, name);

    while (voice && !list_is_empty(&voice->heard))
        forget(take_heard(voice));
}

static void listen_to(struct conversation *conversation, const char *name, const char *what)
{
    struct voice *voice = known_voice(conversation, name);
    char *expanded;

    store_sim_settle(conversation->store);
    if (strcmp(what, "nothing") == 0)
        hears_nothing(voice);
    else if (strncmp(what, "closed ", 7) == 0)
        is_closed(voice, atoi(what + 7));
    else if (strcmp(what, "paused") == 0)
        assert_true(voice->is_paused);
    else if (strcmp(what, "not paused") == 0)
        assert_false(voice->is_paused);
    else if (strcmp(what, "...") == 0)
        skip_unread(conversation, name);
    else {
        expanded = with_ids(conversation, what);
        hears(voice, expanded);
        free(expanded);
    }
}

/* ---- doing ------------------------------------------------------------------------------------------------------- */

static void do_to_disk(struct conversation *conversation, const char *what)
{
    struct sim_fault fault = { .n_strikes = 1, .r = -EIO };

    if (strcmp(what, "hold") == 0)
        store_sim_hold(conversation->store, SIM_APPEND);
    else if (strcmp(what, "hold snapshots") == 0)
        store_sim_hold(conversation->store, SIM_SNAPSHOT_GET);
    else if (strcmp(what, "release") == 0)
        store_sim_hold(conversation->store, 0);
    else if (strcmp(what, "fail commits once") == 0)
        fault.calls = SIM_APPEND;
    else if (strcmp(what, "fail reads once") == 0)
        fault.calls = SIM_EVERY_READ;
    else if (strcmp(what, "fill up") == 0)
        fault = (struct sim_fault){ .calls = SIM_APPEND, .n_strikes = SIZE_MAX, .r = -ENOSPC };
    else
        fail_msg("the disk cannot %s", what);
    if (fault.calls)
        store_sim_fault(conversation->store, &fault);
}

static void read_on(struct voice *voice)
{
    voice->is_full = false;
    session_on_drained(voice->session);
}

static void limit(struct conversation *conversation, const char *what)
{
    struct session_limits *limits = &conversation->context.limits;
    size_t n;

    if (sscanf(what, "queries %zu", &n) == 1)
        limits->n_queries = n;
    else if (sscanf(what, "query documents %zu", &n) == 1)
        limits->n_query_documents = n;
    else if (sscanf(what, "query bytes %zu", &n) == 1)
        limits->query_max_bytes = n;
    else if (sscanf(what, "bulk bytes %zu", &n) == 1)
        limits->bulk_max_bytes = n;
    else
        fail_msg("there is no limit %s", what);
}

static void do_to(struct conversation *conversation, const char *name, const char *what)
{
    if (strcmp(name, "disk") == 0)
        do_to_disk(conversation, what);
    else if (strcmp(name, "server") == 0 && strcmp(what, "restart") == 0)
        conversation_restart(conversation);
    else if (strcmp(name, "limit") == 0)
        limit(conversation, what);
    else if (strcmp(what, "end") == 0)
        end_voice(known_voice(conversation, name));
    else if (strcmp(what, "stop reading") == 0)
        known_voice(conversation, name)->is_full = true;
    else if (strcmp(what, "read on") == 0)
        read_on(known_voice(conversation, name));
    else if (strcmp(what, "connect") == 0)
        (void)connect_voice(conversation, name, NULL);
    else if (strncmp(what, "connect ", 8) == 0)
        (void)connect_voice(conversation, name, what + 8);
    else
        fail_msg("%s cannot %s", name, what);
}

static void say_line(struct conversation *conversation, const char *name, const char *sign, const char *what)
{
    char *expanded = with_ids(conversation, what);

    if (strcmp(sign, "><") == 0)
        oversized(conversation, name, expanded);
    else if (strcmp(sign, ">>") == 0)
        say(conversation, name, expanded, unescape(expanded));
    else
        say(conversation, name, expanded, strlen(expanded));
    free(expanded);
}

static void converse_line(struct conversation *conversation, char *line)
{
    char name[NAME_BYTES], sign[3];
    int n = 0;
    const char *what;

    if (sscanf(line, "%15s %2s%n", name, sign, &n) != 2 || name[0] == '#')
        return; /* a blank line, or a remark */
    what = line + n + strspn(line + n, " ");
    if (sign[0] == '>')
        say_line(conversation, name, sign, what);
    else if (strcmp(sign, "<") == 0)
        listen_to(conversation, name, what);
    else if (strcmp(sign, "!") == 0)
        do_to(conversation, name, what);
    else
        fail_msg("what does this line say? %s", line);
}

void converse(struct conversation *conversation, const char *script)
{
    while (*script) {
        size_t n = strcspn(script, "\n");
        char *line = sim_alloc(n + 1);

        memcpy(line, script, n);
        converse_line(conversation, line);
        free(line);
        script += n + (script[n] == '\n');
    }
    store_sim_settle(conversation->store);
    LIST_FOR_EACH (node, &conversation->voices) {
        struct voice *voice = LIST_ENTRY(node, struct voice, link);

        if (voice->session)
            hears_nothing(voice);
    }
}
