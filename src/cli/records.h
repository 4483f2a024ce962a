/* Records of one's own: copies, side by side. */
#ifndef CLI_RECORDS_H
#define CLI_RECORDS_H

#include "base/buffer.h"
#include "storage/store.h"

struct records {
    struct record *at; /* what they say is found once they are settled */
    size_t n, capacity;
    struct buffer bytes;
};

void records_init(struct records *records);
void records_finish(struct records *records);
void records_clear(struct records *records); /* a large one's memory is given back */

/* -ENOMEM, -E2BIG (above twice the largest record). */
STORE_MUST_CHECK int records_add(struct records *records, const struct record *record);
/* From here on `at` may be read; nothing may be added any more. */
void records_settle(struct records *records);

#endif
