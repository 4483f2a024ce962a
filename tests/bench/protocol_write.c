#include "tests/bench/protocol_load.h"

#include <stdlib.h>

#include "tests/bench/ws_frame.h"

/* ---- operations -------------------------------------------------------------------------------------------------- */

static struct slot *slot_of(struct client *client, uint32_t seq)
{
    return &client->slots[seq % MAX_OUTSTANDING];
}

/* Begins the message of the client's next operation, up to its content. */
static struct piece begin(struct client *client, const char *version, uint64_t at_ns)
{
    struct load *load = client->load;
    struct buffer *scratch = &load->scratch;
    struct bytes head = buffer_bytes(&client->document->head);
    uint32_t seq = ++client->n_sent;

    *slot_of(client, seq) = (struct slot){ .seq = seq, .n_left = 1 + load->n_readers, .at_ns = at_ns };
    client->n_waiting++;
    client->document->n_sent++;
    buffer_reset(scratch);
    (void)buffer_append(scratch, head.at, head.n_bytes);
    if (version)
        (void)buffer_append_string(scratch, version);
    else
        (void)buffer_append_u64(scratch, load->is_foretelling ? seq - 1 : client->version);
    (void)buffer_append_string(scratch, ",\"seq\":");
    (void)buffer_append_u64(scratch, seq);
    return (struct piece){ client->number, seq };
}

static void end(struct client *client)
{
    struct buffer *scratch = &client->load->scratch;

    (void)buffer_append_string(scratch, "}");
    if (scratch->error)
        fail("an operation is too large");
    ws_append_frame(&client->line.output, WS_TEXT, buffer_bytes(scratch));
}

void write_create(struct client *client)
{
    struct load *load = client->load;

    client->slots = calloc(MAX_OUTSTANDING, sizeof(*client->slots));
    if (!client->slots)
        fail("no memory");
    (void)begin(client, "0", now_ns());
    slot_of(client, client->n_sent)->n_left = 1;
    (void)buffer_append_string(&load->scratch,
                               ",\"create\":{\"type\":\"http://sharejs.org/types/text-unicode\",\"data\":\"");
    ledger_append_text(&client->document->ledger, &load->scratch);
    (void)buffer_append_string(&load->scratch, "\"}");
    end(client);
    line_flush(&client->line);
}

static void append_session_op(struct load *load)
{
    const char *at = load->session.at;
    const char *newline = memchr(at, '\n', load->session.n_bytes);
    size_t n = (size_t)(newline - at);

    (void)buffer_append(&load->scratch, at, n);
    load->session = bytes_of(newline + 1, load->session.n_bytes - n - 1);
}

void write_op(struct client *client, uint64_t at_ns)
{
    struct load *load = client->load;
    struct piece piece;

    if (!client->slots && !(client->slots = calloc(MAX_OUTSTANDING, sizeof(*client->slots))))
        fail("no memory");
    if (client->n_waiting >= MAX_OUTSTANDING - 1)
        fail("the server is %u operations of client %u behind", client->n_waiting, client->number);
    piece = begin(client, NULL, at_ns);
    (void)buffer_append_string(&load->scratch, ",\"op\":");
    if (load->expected.at)
        append_session_op(load);
    else
        ledger_append_op(&client->document->ledger, piece, &load->scratch);
    end(client);
}

void write_again(struct client *client)
{
    uint32_t n_sent = client->n_sent;

    client->document->n_sent -= n_sent - client->n_acknowledged;
    client->n_sent = client->n_acknowledged;
    client->n_waiting = 0;
    while (client->n_sent < n_sent)
        write_op(client, now_ns());
    line_flush(&client->line);
}

bool write_has_more(const struct client *client)
{
    bool is_creator = client == client->document->creator;

    if (client->load->mode->has_writer_beside && !is_creator)
        return false;
    return client->n_sent - (is_creator ? 1 : 0) < client->load->most;
}

void write_pump(struct client *client)
{
    struct load *load = client->load;
    bool has_more = client->line.output.n_bytes;

    if (load->interval_ns)
        return;
    while (client->n_waiting < load->outstanding && write_has_more(client)) {
        write_op(client, load->at_ns);
        has_more = true;
    }
    if (has_more)
        line_flush(&client->line);
}

/* ---- what is told of them ---------------------------------------------------------------------------------------- */

/* False: the client knows that version. */
static bool reached(struct client *client, int64_t version)
{
    struct load *load = client->load;
    uint64_t ahead = (uint64_t)(version - client->version);

    if (load->is_bare && load->mode->subscribes && !load->mode->has_writer_beside) {
        client->version++; /* nobody has put them in order */
        return true;
    }
    if (version < client->version) {
        if (!load->is_lenient)
            fail("client %u was told version %lld again, after %u", client->number, (long long)version,
                 client->version - 1);
        return false;
    }
    if (ahead && !load->is_lenient)
        fail("client %u was told version %lld after %lld: one is lost", client->number, (long long)version,
             (long long)client->version - 1);
    if (ahead >= 64)
        fail("client %u waits for version %u, and is told %lld", client->number, client->version, (long long)version);
    if (client->ahead & 1ull << ahead)
        return false;
    client->ahead |= 1ull << ahead;
    for (; client->ahead & 1; client->ahead >>= 1)
        client->version++;
    return true;
}

static void done(struct client *client, struct slot *slot)
{
    if (slot->n_left > 0 && --slot->n_left == 0)
        client->n_waiting--;
}

static void acknowledged(struct client *client, const struct message *message)
{
    struct load *load = client->load;
    struct slot *slot = client->slots && message->seq >= 0 ? slot_of(client, (uint32_t)message->seq) : NULL;

    if (!slot || slot->seq != message->seq || slot->is_acknowledged)
        fail("client %u has no operation %lld that waits for its acknowledgement", client->number,
             (long long)message->seq);
    if (!load->is_lenient && message->seq != client->n_acknowledged + 1)
        fail("client %u: operation %lld was acknowledged after %u", client->number, (long long)message->seq,
             client->n_acknowledged);
    slot->is_acknowledged = true;
    client->n_acknowledged++;
    if (!load->is_bare)
        ledger_acknowledged(&client->document->ledger, (size_t)message->version,
                            (struct piece){ client->number, (uint32_t)message->seq });
    (void)reached(client, message->version);
    done(client, slot);
    load->n_counted[ACKNOWLEDGED]++;
    if (load->is_measuring)
        histogram_add(&load->acknowledged, load->at_ns - slot->at_ns);
}

static void streamed(struct client *client, int64_t version, struct piece piece)
{
    struct load *load = client->load;
    struct client *author;
    struct slot *slot;

    if (!reached(client, version))
        return;
    load->n_counted[TOLD]++;
    if (piece.client >= load->n_clients)
        fail("client %u was told of an operation of client %u", client->number, piece.client);
    author = &load->clients[piece.client];
    slot = author->slots ? slot_of(author, piece.seq) : NULL;
    if (!slot || piece.seq > author->n_sent)
        fail("client %u was told of operation %u of client %u, who did not send it", client->number, piece.seq,
             piece.client);
    if (slot->seq != piece.seq)
        return; /* long ago: somebody catches up */
    if (load->mode->waits_for_readers)
        done(author, slot);
    if (load->is_measuring && !client->is_asking)
        histogram_add(&load->told, load->at_ns - slot->at_ns);
}

static struct told *told_of(struct client *client)
{
    return &client->document->told[client->version % N_TOLD];
}

bool told_before(struct client *client, struct bytes frame)
{
    const struct told *told = told_of(client);

    if (told->version != client->version || !bytes_equal(frame, bytes_of(told->bytes, told->n_bytes)))
        return false;
    streamed(client, told->version, told->piece);
    return true;
}

/* The first of several readers is told: the others will get the same bytes. */
static void remember(struct client *client, int64_t version, struct piece piece, struct bytes frame)
{
    struct told *told = told_of(client);

    if (version != client->version || frame.n_bytes > TOLD_MAX_BYTES)
        return;
    *told = (struct told){ .version = client->version, .n_bytes = (uint32_t)frame.n_bytes, .piece = piece };
    memcpy(told->bytes, frame.at, frame.n_bytes);
}

/* Pieces all go to one place, where the later one stands first, so no transform changes an operation; only of what
 * replaces, the deletion of what another has deleted goes. */
static void check_content(struct client *client, struct piece piece, struct bytes op)
{
    struct load *load = client->load;

    if (load->is_replacing)
        return;
    buffer_reset(&load->scratch);
    ledger_append_op(&client->document->ledger, piece, &load->scratch);
    if (!bytes_equal(op, buffer_bytes(&load->scratch)))
        fail("client %u was told %.*s, which is not what was sent", client->number, (int)op.n_bytes,
             (const char *)op.at);
}

void told_op(struct client *client, const struct message *message, struct bytes frame)
{
    struct load *load = client->load;
    struct piece piece = { client->document->creator->number, 1 };

    if (message->version < 0)
        fail("client %u was told of an operation without a version", client->number);
    if (!message->op.at && !message->create.at) {
        acknowledged(client, message);
        return;
    }
    if (message->op.at)
        piece = ledger_piece(message->op);
    if (message->seq != piece.seq)
        fail("client %u was told something else as operation %lld than was sent", client->number,
             (long long)message->seq);
    if (message->op.at)
        check_content(client, piece, message->op);
    if (!load->is_bare)
        ledger_told(&client->document->ledger, (size_t)message->version, piece);
    remember(client, message->version, piece, frame);
    streamed(client, message->version, piece);
}
