#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mapped.h"

#define BUFFER_FIRST_BYTES 256

void buffer_init(struct buffer *buffer, size_t max_bytes)
{
    *buffer = (struct buffer){ .max_bytes = max_bytes };
}

void buffer_init_in(struct buffer *buffer, size_t max_bytes, char *first, size_t n_bytes)
{
    *buffer = (struct buffer){
        .at = first, .capacity = n_bytes < max_bytes ? n_bytes : max_bytes, .max_bytes = max_bytes, .is_lent = true
    };
}

void buffer_init_mapped(struct buffer *buffer, size_t max_bytes)
{
    *buffer = (struct buffer){ .max_bytes = max_bytes, .is_mapped = true };
}

static struct mapped mapped_of(const struct buffer *buffer)
{
    return (struct mapped){ buffer->at, buffer->capacity };
}

void buffer_finish(struct buffer *buffer)
{
    struct mapped mapped = mapped_of(buffer);

    if (buffer->is_mapped)
        mapped_finish(&mapped);
    else if (!buffer->is_lent)
        free(buffer->at);
    *buffer = (struct buffer){ .max_bytes = buffer->max_bytes, .is_mapped = buffer->is_mapped };
}

void buffer_reset(struct buffer *buffer)
{
    buffer->n_bytes = 0;
    buffer->error = 0;
}

int buffer_fail(struct buffer *buffer, int error)
{
    buffer_finish(buffer);
    buffer->error = error;
    return error;
}

static char *resized(struct buffer *buffer, size_t capacity)
{
    struct mapped mapped = mapped_of(buffer);

    if (buffer->is_mapped)
        return mapped_resize(&mapped, capacity) ? NULL : mapped.at;
    return realloc(buffer->is_lent ? NULL : buffer->at, capacity);
}

static int buffer_grow(struct buffer *buffer, size_t n_bytes)
{
    size_t first = buffer->is_mapped ? MAPPED_LEAST_BYTES : BUFFER_FIRST_BYTES;
    size_t capacity = buffer->capacity ? buffer->capacity : first;
    const char *lent = buffer->is_lent ? buffer->at : NULL;
    char *at;

    while (capacity < buffer->n_bytes + n_bytes)
        capacity *= 2;
    if (capacity > buffer->max_bytes)
        capacity = buffer->max_bytes;
    at = resized(buffer, capacity);
    if (!at)
        return buffer_fail(buffer, -ENOMEM);
    if (lent)
        memcpy(at, lent, buffer->n_bytes);
    buffer->at = at;
    buffer->capacity = capacity;
    buffer->is_lent = false;
    return 0;
}

char *buffer_room(struct buffer *buffer, size_t n_bytes)
{
    int r = buffer->error;

    if (!r && n_bytes > buffer->max_bytes - buffer->n_bytes)
        r = buffer_fail(buffer, -E2BIG);
    if (!r && (!buffer->at || n_bytes > buffer->capacity - buffer->n_bytes))
        r = buffer_grow(buffer, n_bytes);
    return r ? NULL : buffer->at + buffer->n_bytes;
}

void buffer_grew(struct buffer *buffer, size_t n_bytes)
{
    buffer->n_bytes += n_bytes;
}

int buffer_append_grown(struct buffer *buffer, const void *at, size_t n_bytes)
{
    char *room = buffer_room(buffer, n_bytes);

    if (!room)
        return buffer->error;
    if (n_bytes)
        memcpy(room, at, n_bytes);
    buffer_grew(buffer, n_bytes);
    return 0;
}

int buffer_append_u64(struct buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return buffer_append(buffer, digits + n, sizeof(digits) - n);
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    char *room;
    int n;

    va_start(arguments, format);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0)
        return buffer_fail(buffer, -EINVAL);

    room = buffer_room(buffer, (size_t)n + 1);
    if (!room)
        return buffer->error;
    va_start(arguments, format);
    (void)vsnprintf(room, (size_t)n + 1, format, arguments);
    va_end(arguments);
    buffer_grew(buffer, (size_t)n);
    return 0;
}

int buffer_write(void *arg, const char *at, size_t n_bytes)
{
    return buffer_append(arg, at, n_bytes);
}
