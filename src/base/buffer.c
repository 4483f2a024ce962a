#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_FIRST_BYTES 256

void buffer_init(struct buffer *buffer, size_t max_bytes)
{
    *buffer = (struct buffer){ .max_bytes = max_bytes };
}

void buffer_finish(struct buffer *buffer)
{
    free(buffer->at);
    buffer_init(buffer, buffer->max_bytes);
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

char *buffer_room(struct buffer *buffer, size_t n_bytes)
{
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST_BYTES;
    char *at;

    if (buffer->error)
        return NULL;
    if (n_bytes > buffer->max_bytes - buffer->n_bytes) {
        (void)buffer_fail(buffer, -E2BIG);
        return NULL;
    }
    if (buffer->at && buffer->n_bytes + n_bytes <= buffer->capacity)
        return buffer->at + buffer->n_bytes;

    while (capacity < buffer->n_bytes + n_bytes)
        capacity *= 2;
    at = realloc(buffer->at, capacity);
    if (!at) {
        (void)buffer_fail(buffer, -ENOMEM);
        return NULL;
    }
    buffer->at = at;
    buffer->capacity = capacity;
    return at + buffer->n_bytes;
}

void buffer_grew(struct buffer *buffer, size_t n_bytes)
{
    buffer->n_bytes += n_bytes;
}

int buffer_append(struct buffer *buffer, const void *at, size_t n_bytes)
{
    char *room = buffer_room(buffer, n_bytes);

    if (!room)
        return buffer->error;
    if (n_bytes)
        memcpy(room, at, n_bytes);
    buffer_grew(buffer, n_bytes);
    return 0;
}

int buffer_append_string(struct buffer *buffer, const char *string)
{
    return buffer_append(buffer, string, strlen(string));
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
