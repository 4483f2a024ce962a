/* A growing byte buffer that is born with its ceiling.
 *
 * A failed append leaves the buffer empty and freed, so callers have nothing to clean up, and every later append
 * fails the same way: a chain of appends needs one look, at the last or at buffer_error.
 * Errors: -ENOMEM, no memory; -E2BIG, the ceiling. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct buffer {
    char *at;                            /* not terminated */
    size_t n_bytes, capacity, max_bytes; /* capacity <= max_bytes */
    int error;                           /* 0, or why an append failed */
    bool is_lent;                        /* `at` is not ours to free */
    bool is_mapped;
};

void buffer_init(struct buffer *buffer, size_t max_bytes);

/* Begins in memory of the caller's, which outlives it: what is short needs no other. */
void buffer_init_in(struct buffer *buffer, size_t max_bytes, char *first, size_t n_bytes);

/* For what becomes large and is needed for a moment: its memory comes from the system and goes back to it (mapped.h).
 */
void buffer_init_mapped(struct buffer *buffer, size_t max_bytes);

void buffer_finish(struct buffer *buffer); /* frees; the buffer is empty and usable again */

/* Empties, keeps the memory, forgets the error. */
void buffer_reset(struct buffer *buffer);

/* As if an append had failed so; returns error. */
int buffer_fail(struct buffer *buffer, int error);

int buffer_append_u64(struct buffer *buffer, uint64_t number); /* in decimal */

__attribute__((format(printf, 2, 3))) int buffer_printf(struct buffer *buffer, const char *format, ...);

/* buffer_append as the `ot_write_fn` of ot.h: arg is the buffer. */
int buffer_write(void *arg, const char *at, size_t n_bytes);

/* Makes room for n_bytes more and returns where they go; NULL on failure. buffer_grew says how many were written there.
 */
char *buffer_room(struct buffer *buffer, size_t n_bytes);
void buffer_grew(struct buffer *buffer, size_t n_bytes);

/* What an append does when there is no room, or nothing to append. */
int buffer_append_grown(struct buffer *buffer, const void *at, size_t n_bytes);

static inline int buffer_append(struct buffer *buffer, const void *at, size_t n_bytes)
{
    if (n_bytes == 0 || n_bytes > buffer->capacity - buffer->n_bytes)
        return buffer_append_grown(buffer, at, n_bytes);
    memcpy(buffer->at + buffer->n_bytes, at, n_bytes);
    buffer->n_bytes += n_bytes;
    return 0;
}

static inline int buffer_append_string(struct buffer *buffer, const char *string)
{
    return buffer_append(buffer, string, strlen(string));
}

static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return bytes_of(buffer->at, buffer->n_bytes);
}

#endif
