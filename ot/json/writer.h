/* Many small pieces of output, gathered before they are handed on. Internal to ot/. */
#ifndef OT_WRITER_H
#define OT_WRITER_H

#include "ot/ot.h"

#include <string.h>

/* After the first failure the rest is dropped and writer_finish returns it, so callers need not look in between. */
struct writer {
    ot_write_fn *write;
    void *arg;
    int r;
    size_t n_bytes;
    char bytes[1000];
};

void writer_init(struct writer *writer, ot_write_fn *write, void *arg);
int writer_finish(struct writer *writer); /* hands on what is left */

void writer_integer(struct writer *writer, uint64_t integer);
void writer_number(struct writer *writer, double number); /* finite; as JavaScript prints it */

/* The inside of a JSON string, without quotes. */
void writer_escaped(struct writer *writer, const char *utf8, size_t n_bytes);
void writer_string(struct writer *writer, const char *utf8, size_t n_bytes);

/* What there is no room for. */
void writer_overflow(struct writer *writer, const char *at, size_t n_bytes);

/* Inline, since most pieces are a byte or a word that the compiler knows. */
static inline void writer_bytes(struct writer *writer, const char *at, size_t n_bytes)
{
    if (n_bytes > sizeof(writer->bytes) - writer->n_bytes) {
        writer_overflow(writer, at, n_bytes);
        return;
    }
    if (n_bytes)
        memcpy(writer->bytes + writer->n_bytes, at, n_bytes);
    writer->n_bytes += n_bytes;
}

static inline void writer_literal(struct writer *writer, const char *literal)
{
    writer_bytes(writer, literal, strlen(literal));
}

static inline void writer_byte(struct writer *writer, char byte)
{
    writer_bytes(writer, &byte, 1);
}

#endif
