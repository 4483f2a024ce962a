#include "tests/bench/protocol_ledger.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/load.h"

#define MAX_VERSIONS   (64u << 20)
#define TEXT_MAX_BYTES (1u << 30)

void ledger_init(struct ledger *ledger, size_t n_text, size_t position, bool is_replacing)
{
    *ledger = (struct ledger){ .n_text = n_text, .position = position, .is_replacing = is_replacing };
    if (position + (is_replacing ? PIECE_BYTES : 0) > n_text)
        fail("a text of %zu characters has no room for that place", n_text);
}

void ledger_finish(struct ledger *ledger)
{
    free(ledger->entries);
}

/* The first text, from and up to these characters of it. */
static void append_stretch(struct buffer *out, size_t from, size_t to)
{
    static const char words[] = "a line of a text that stays as it is. ";
    char *at = buffer_room(out, to - from);

    for (size_t i = from; at && i < to; i++)
        at[i - from] = words[i % (sizeof(words) - 1)];
    if (at)
        buffer_grew(out, to - from);
}

void ledger_append_text(const struct ledger *ledger, struct buffer *out)
{
    append_stretch(out, 0, ledger->n_text);
}

static void write_piece(struct piece piece, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 5; i++)
        out[i] = digits[piece.client >> 4 * (4 - i) & 15];
    for (int i = 0; i < 6; i++)
        out[5 + i] = digits[piece.seq >> 4 * (5 - i) & 15];
    out[11] = '_';
}

static void append_piece(struct piece piece, struct buffer *out)
{
    char text[PIECE_BYTES];

    write_piece(piece, text);
    (void)buffer_append(out, text, sizeof(text));
}

void ledger_append_op(const struct ledger *ledger, struct piece piece, struct buffer *out)
{
    (void)buffer_append_string(out, "[");
    if (ledger->position) {
        (void)buffer_append_u64(out, ledger->position);
        (void)buffer_append_string(out, ",");
    }
    (void)buffer_append_string(out, "\"");
    append_piece(piece, out);
    (void)buffer_append_string(out, ledger->is_replacing ? "\",{\"d\":12}]" : "\"]");
}

struct piece ledger_piece(struct bytes op)
{
    const char *at = memchr(op.at, '"', op.n_bytes);
    uint64_t number = 0;

    if (!at || at + 1 + PIECE_BYTES > (const char *)op.at + op.n_bytes || at[PIECE_BYTES] != '_')
        fail("an operation came that nobody made: %.*s", (int)op.n_bytes, (const char *)op.at);
    for (int i = 1; i < PIECE_BYTES; i++) {
        char c = at[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            fail("an operation came that nobody made: %.*s", (int)op.n_bytes, (const char *)op.at);
        number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return (struct piece){ (unsigned)(number >> 24), (uint32_t)(number & 0xffffff) };
}

static void make_room(struct ledger *ledger, size_t version)
{
    size_t capacity = ledger->capacity ? ledger->capacity : 64;

    if (version >= MAX_VERSIONS)
        fail("version %zu is more than this program counts", version);
    while (capacity <= version)
        capacity *= 2;
    if (capacity != ledger->capacity) {
        ledger->entries = reallocarray(ledger->entries, capacity, sizeof(*ledger->entries));
        if (!ledger->entries)
            fail("no memory");
        memset(ledger->entries + ledger->capacity, 0, (capacity - ledger->capacity) * sizeof(*ledger->entries));
        ledger->capacity = capacity;
    }
    if (version >= ledger->n_entries)
        ledger->n_entries = version + 1;
}

void ledger_told(struct ledger *ledger, size_t version, struct piece piece)
{
    struct piece *known;

    make_room(ledger, version);
    known = &ledger->entries[version].piece;
    if (known->seq == 0)
        *known = piece;
    if (known->client != piece.client || known->seq != piece.seq)
        fail("version %zu is operation %u of client %u to some, and %u of %u to others", version, known->seq,
             known->client, piece.seq, piece.client);
}

void ledger_acknowledged(struct ledger *ledger, size_t version, struct piece piece)
{
    ledger_told(ledger, version, piece);
    if (ledger->entries[version].is_acknowledged)
        fail("version %zu was acknowledged twice", version);
    ledger->entries[version].is_acknowledged = true;
    ledger->n_acknowledged++;
}

static void append_expected(const struct ledger *ledger, struct buffer *out)
{
    (void)buffer_append_string(out, "\"");
    append_stretch(out, 0, ledger->position);
    for (size_t i = ledger->n_entries; i-- > 1;) { /* 0: the create */
        append_piece(ledger->entries[i].piece, out);
        if (ledger->is_replacing)
            break;
    }
    append_stretch(out, ledger->position + (ledger->is_replacing && ledger->n_entries > 1 ? PIECE_BYTES : 0),
                   ledger->n_text);
    (void)buffer_append_string(out, "\"");
}

void ledger_check(const struct ledger *ledger, size_t version, struct bytes text)
{
    struct buffer expected;

    for (size_t i = 0; i < ledger->n_entries; i++)
        if (!ledger->entries[i].is_acknowledged)
            fail("version %zu is operation %u of client %u, to whom it was not acknowledged", i,
                 ledger->entries[i].piece.seq, ledger->entries[i].piece.client);
    if (version != ledger->n_entries)
        fail("the document is at version %zu, and %zu operations were acknowledged", version, ledger->n_acknowledged);
    buffer_init(&expected, TEXT_MAX_BYTES);
    append_expected(ledger, &expected);
    if (expected.error)
        fail("no memory");
    if (!bytes_equal(text, buffer_bytes(&expected)))
        fail("the document holds something else than was acknowledged: %.*s",
             (int)(text.n_bytes < 200 ? text.n_bytes : 200), (const char *)text.at);
    buffer_finish(&expected);
}
