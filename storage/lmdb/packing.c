/* Records become segments. */
#include "storage/lmdb/inside.h"

static size_t raw_bytes(const struct record *record)
{
    return body_kept_bytes(record->body) + 4;
}

size_t packing_raw_bytes(const struct record *records, size_t n)
{
    size_t n_bytes = 0;

    for (size_t i = 0; i < n; i++)
        n_bytes += raw_bytes(&records[i]);
    return n_bytes;
}

/* How many records make a segment of about the right size, from how well those before them packed. */
static size_t segment_take(const struct store_lmdb_tuning *tuning, const struct record *records, size_t n, double ratio)
{
    double budget = (double)tuning->segment_bytes * ratio;
    size_t i, n_bytes = 0;

    if (budget > (double)tuning->segment_payload_bytes)
        budget = (double)tuning->segment_payload_bytes;
    for (i = 0; i < n && i < SEGMENT_RECORDS_MAX; i++) {
        n_bytes += raw_bytes(&records[i]);
        if (i > 0 && (double)n_bytes > budget)
            break;
    }
    return i;
}

int packing_put(struct lmdb_store *store, struct parcel *parcel, uint64_t number, uint64_t first,
                const struct record *records, size_t n, double ratio)
{
    struct segment_writer *writer = &store->worker.writer;
    int r = 0;

    for (size_t at = 0, taken; !r && at < n; at += taken) {
        struct log_key key = log_key_of_version(number, first);

        taken = segment_take(&store->tuning, records + at, n - at, ratio);
        r = segment_write(writer, number, first, records + at, taken, SEGMENT_LEVEL_QUICK, SEGMENT_LOOSE);
        if (r)
            break;
        ratio = (double)packing_raw_bytes(records + at, taken) / (double)writer->value.n_bytes;
        parcel_put_sealed(parcel, DB_LOG, log_key_bytes(&key), buffer_bytes(&writer->value));
        first = records_end(first, records + at, taken);
    }
    return r ? r : parcel->ops.error;
}
