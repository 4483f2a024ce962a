#include "cli/records.h"

#include <errno.h>
#include <stdlib.h>

#define KEPT_BYTES ((size_t)4 << 20)

void records_init(struct records *records)
{
    *records = (struct records){ 0 };
    buffer_init(&records->bytes, 2 * (size_t)STORE_RECORD_MAX_BYTES);
}

void records_finish(struct records *records)
{
    free(records->at);
    buffer_finish(&records->bytes);
    records_init(records);
}

void records_clear(struct records *records)
{
    records->n = 0;
    if (records->bytes.capacity > KEPT_BYTES)
        buffer_finish(&records->bytes);
    else
        buffer_reset(&records->bytes);
}

int records_add(struct records *records, const struct record *record)
{
    struct buffer *bytes = &records->bytes;

    if (records->n == records->capacity) {
        size_t capacity = records->capacity ? records->capacity * 2 : 64;
        struct record *grown = realloc(records->at, capacity * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        records->at = grown;
        records->capacity = capacity;
    }
    records->at[records->n++] = *record;
    (void)buffer_append(bytes, record->id.src.at, record->id.src.n_bytes);
    (void)buffer_append(bytes, record->author.at, record->author.n_bytes);
    return buffer_append(bytes, record->body.at, record->body.n_bytes);
}

static void settle(struct bytes *bytes, const char **at)
{
    bytes->at = *at;
    *at += bytes->n_bytes;
}

void records_settle(struct records *records)
{
    const char *at = records->bytes.at ? records->bytes.at : "";

    for (size_t i = 0; i < records->n; i++) {
        settle(&records->at[i].id.src, &at);
        settle(&records->at[i].author, &at);
        settle(&records->at[i].body, &at);
    }
}
