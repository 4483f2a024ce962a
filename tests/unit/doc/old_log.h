/* Logs with a past: records of other days and authors, written straight onto the simulated disk, and what has become of
 * them after a run of src/doc/retain.h. */
#ifndef DOC_OLD_LOG_H
#define DOC_OLD_LOG_H

#include "doc/retain.h"
#include "tests/unit/doc/fixture.h"

#define MINUTE_MS 60000ull
#define DAY_MS    (24 * 60 * MINUTE_MS)

/* Appends a record by `author` (who is the source, too), so many minutes after 1970. */
void old_record(struct fixture *f, const char *document, uint64_t minute, const char *author, const char *body);

/* One line a record: "5 ink 1440 {...}", "5+3 ink 1440 {...}" when it stands for three more. */
void expect_records(struct fixture *f, const char *document, const char *records);

/* A run over collection "c" on the day `day` after 1970: what is older than 30 days is merged. Answers on_done's r. */
struct retain *retain_create(struct fixture *f, uint64_t days);
void retain_begin(struct fixture *f, struct retain *retain, uint64_t day); /* on its way, to be settled */
int retain_run(struct fixture *f, struct retain *retain, uint64_t day);
int retain_result(struct retain *retain); /* 1: it goes on */
void retain_free(struct retain *retain);

#endif
