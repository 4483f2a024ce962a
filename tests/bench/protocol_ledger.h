/* What a document must hold: which operation became which version, as everybody was told.
 *
 *     version     0        1                2                3
 *                 create   00000000002_     00100000002_     00000000003_     <- a piece names its client and seq
 *
 * Each operation inserts its piece at one and the same place of a text. Of two insertions at one place the one that was
 * committed later stands first, whoever made it for whatever version. So the text is known from the list: its first
 * half, the pieces from the newest to the oldest, and its second half. An operation that replaces takes the piece out
 * that was put in before.
 *
 * Whoever is told otherwise ends the program. */
#ifndef BENCH_PROTOCOL_LEDGER_H
#define BENCH_PROTOCOL_LEDGER_H

#include <stdint.h>

#include "base/buffer.h"

#define PIECE_BYTES 12

struct piece {
    unsigned client;
    uint32_t seq;
};

struct ledger {
    size_t n_text, position; /* of the text that the document begins with, and where pieces go */
    bool is_replacing;
    struct ledger_entry {
        struct piece piece; /* seq 0: nobody was told of this version yet */
        bool is_acknowledged;
    } * entries; /* by version */
    size_t n_entries, capacity;
    size_t n_acknowledged;
};

void ledger_init(struct ledger *ledger, size_t n_text, size_t position, bool is_replacing);
void ledger_finish(struct ledger *ledger);

void ledger_append_text(const struct ledger *ledger, struct buffer *out); /* what the document begins with */
void ledger_append_op(const struct ledger *ledger, struct piece piece, struct buffer *out);

/* The piece in an operation as it was streamed. */
struct piece ledger_piece(struct bytes op);

/* Somebody was told that this version is that piece. */
void ledger_told(struct ledger *ledger, size_t version, struct piece piece);
void ledger_acknowledged(struct ledger *ledger, size_t version, struct piece piece);

/* The document is said to be at this version and to hold this text (a JSON string): is each operation acknowledged,
 * and are they what it holds? */
void ledger_check(const struct ledger *ledger, size_t version, struct bytes text);

#endif
