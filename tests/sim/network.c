/* Lines between clients and the server. A frame is on its way for as long as chance pleases; frames of one line never
 * overtake each other. */
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/sim/violation.h"

static struct line *line_of(struct peer *peer)
{
    return (struct line *)peer;
}

static void packets_drop(struct list *packets)
{
    struct list *node;

    while ((node = list_pop(packets)))
        free(LIST_ENTRY(node, struct packet, link));
}

static void packet_add(struct list *packets, const char *text, size_t n_bytes)
{
    struct packet *packet = sim_alloc(sizeof(*packet) + n_bytes);

    packet->n_bytes = n_bytes;
    memcpy(packet->text, text, n_bytes);
    list_append(packets, &packet->link);
}

/* ---- the server's end -------------------------------------------------------------------------------------------- */

static void line_send(struct peer *peer, struct frame *frame, bool is_reply)
{
    struct line *line = line_of(peer);
    struct run *run = line->run;

    (void)is_reply;
    if (line->is_closing)
        sim_violation("a closed peer is left alone", "it is sent %.*s", (int)frame->n_bytes, frame->content);
    judge_shown(run, frame->content, frame->n_bytes);
    if (!line->client || (sim_sabotage == SABOTAGE_LOSS && run_chance(run, 20)))
        return;
    packet_add(&line->down, frame->content, frame->n_bytes);
    if (sim_sabotage == SABOTAGE_DUPLICATE && run_chance(run, 20))
        packet_add(&line->down, frame->content, frame->n_bytes);
    if (sim_sabotage == SABOTAGE_REORDER && run_chance(run, 50)) {
        struct list *last = line->down.previous;

        list_remove(last);
        list_prepend(&line->down, last);
    }
}

static void line_close(struct peer *peer, enum peer_close_code code, const char *reason)
{
    struct line *line = line_of(peer);
    const struct scenario *scenario = line->run->scenario;

    if (code != PEER_TRY_LATER || (!scenario->append_fails && !scenario->read_fails))
        sim_violation("lines stay open", "the server closes one with %d, %s", (int)code, reason);
    line->is_closing = true;
    packets_drop(&line->up);
}

static void line_pause(struct peer *peer, bool paused)
{
    line_of(peer)->is_paused = paused;
}

/* A client that is slow to read, now and then. */
static bool line_is_full(struct peer *peer)
{
    struct line *line = line_of(peer);

    if (!line->client || list_is_empty(&line->down) || !run_chance(line->run, 200))
        return false;
    line->is_drain_awaited = true;
    return true;
}

static void line_drains(struct line *line)
{
    if (!line->is_drain_awaited || !list_is_empty(&line->down))
        return;
    line->is_drain_awaited = false;
    if (line->session && !line->is_closing)
        session_on_drained(line->session);
}

static const struct peer_interface line_interface = { line_send, line_close, line_pause, line_is_full };

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void line_free_if_over(struct line *line)
{
    if (line->session || line->client)
        return;
    packets_drop(&line->up);
    packets_drop(&line->down);
    list_remove(&line->link);
    free(line);
}

void network_connect(struct run *run, struct client *client)
{
    struct line *line = sim_alloc(sizeof(*line));
    struct bytes author = bytes_of(&line->letter, 1);

    line->peer.interface = &line_interface;
    line->run = run;
    line->client = client;
    line->letter = (char)('A' + client->number);
    list_init(&line->up);
    list_init(&line->down);
    list_append(&run->lines, &line->link);
    if (session_create(&run->server.context, &line->peer, &principal_anyone, author, &line->session))
        abort();
    client_on_line(client, line);
}

void network_send_up(struct line *line, const char *text, size_t n_bytes)
{
    if (line->session && !line->is_closing)
        packet_add(&line->up, text, n_bytes);
}

/* A part of what is on its way to the server arrives; nothing of what is on its way to the client. */
void network_cut(struct line *line)
{
    struct client *client = line->client;
    struct list *node = line->up.next;

    for (; node != &line->up && !run_chance(line->run, 300); node = node->next)
        ;
    while (node != &line->up) {
        struct list *next = node->next;

        list_remove(node);
        free(LIST_ENTRY(node, struct packet, link));
        node = next;
    }
    packets_drop(&line->down);
    line->is_up_ended = true;
    line->client = NULL;
    client_on_cut(client);
    line_drains(line);
    line_free_if_over(line);
}

static void end_session(struct line *line)
{
    struct session *session = line->session;

    line->session = NULL;
    packets_drop(&line->up);
    session_end(session);
}

/* What had been sent may still arrive, or not. */
void network_end_sessions(struct run *run)
{
    struct list *node = run->lines.next, *next;

    for (; node != &run->lines; node = next) {
        struct line *line = LIST_ENTRY(node, struct line, link);

        next = node->next;
        if (!line->session)
            continue;
        end_session(line);
        line->is_closing = true;
        line_free_if_over(line);
    }
}

void network_finish(struct run *run)
{
    network_end_sessions(run);
    while (!list_is_empty(&run->lines)) {
        struct line *line = LIST_ENTRY(run->lines.next, struct line, link);

        line->client->line = NULL;
        line->client = NULL;
        line_free_if_over(line);
    }
}

/* ---- what may happen next ---------------------------------------------------------------------------------------- */

enum event { EVENT_NONE, EVENT_UP, EVENT_DOWN, EVENT_SERVER_NOTICES, EVENT_CLIENT_NOTICES };

static enum event up_event(const struct line *line)
{
    if (!line->session)
        return EVENT_NONE;
    if (line->is_closing)
        return EVENT_SERVER_NOTICES; /* the carrier ends it, later */
    if (!list_is_empty(&line->up))
        return line->is_paused ? EVENT_NONE : EVENT_UP;
    return line->is_up_ended ? EVENT_SERVER_NOTICES : EVENT_NONE;
}

static enum event down_event(const struct line *line)
{
    if (!line->client)
        return EVENT_NONE;
    if (!list_is_empty(&line->down))
        return EVENT_DOWN;
    return line->is_closing ? EVENT_CLIENT_NOTICES : EVENT_NONE;
}

/* The first packet, the caller's from here on; there is one. */
static struct packet *packet_take(struct list *packets)
{
    struct list *node = packets->next;

    list_remove(node);
    return LIST_ENTRY(node, struct packet, link);
}

static void note_arrival(struct line *line, char direction, const struct packet *packet)
{
    uint64_t *fingerprint = &line->run->fingerprint;

    run_trace(line->run, "%c%c %.*s", line->letter, direction, (int)packet->n_bytes, packet->text);
    for (size_t i = 0; i < packet->n_bytes; i++)
        *fingerprint = (*fingerprint ^ (unsigned char)packet->text[i]) * 0x100000001b3ull;
    *fingerprint = (*fingerprint ^ (unsigned char)line->letter) * 0x100000001b3ull;
}

static void happen(struct line *line, enum event event)
{
    struct packet *packet = NULL;

    switch (event) {
    case EVENT_NONE: return;
    case EVENT_UP:
        packet = packet_take(&line->up);
        note_arrival(line, '>', packet);
        session_on_frame(line->session, packet->text, packet->n_bytes);
        break;
    case EVENT_DOWN:
        packet = packet_take(&line->down);
        note_arrival(line, '<', packet);
        client_on_frame(line->client, packet->text, packet->n_bytes);
        line_drains(line);
        break;
    case EVENT_SERVER_NOTICES: end_session(line); break;
    case EVENT_CLIENT_NOTICES: network_cut(line); return;
    }
    free(packet);
    line_free_if_over(line);
}

bool network_step(struct run *run)
{
    struct line *chosen = NULL;
    enum event what = EVENT_NONE;
    size_t n = 0;

    LIST_FOR_EACH (node, &run->lines) {
        struct line *line = LIST_ENTRY(node, struct line, link);
        const enum event events[] = { up_event(line), down_event(line) };

        for (size_t i = 0; i < 2; i++) {
            if (events[i] == EVENT_NONE || run_below(run, ++n))
                continue;
            chosen = line;
            what = events[i];
        }
    }
    if (chosen)
        happen(chosen, what);
    return chosen != NULL;
}
