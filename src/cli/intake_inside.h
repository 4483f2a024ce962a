/* What intake.c (the log at hand) and intake_append.c (writing it) know of one another. */
#ifndef CLI_INTAKE_INSIDE_H
#define CLI_INTAKE_INSIDE_H

#include "cli/intake.h"
#include "cli/records.h"
#include "cli/waker.h"
#include "doc/past.h"

/* An append on its way, and the snapshot of where it leads. */
struct batch {
    struct intake *intake;
    struct records records;
    uint64_t from;
    bool is_pending, keeps;
    uint64_t end;
    struct past kept; /* a share of the value */
};

struct intake {
    struct store *store; /* NULL: there is none, and all is new */
    bool writes;
    struct waker waker;
    char why[256];

    struct store_log *log;
    bool is_begun;
    char names[256];
    struct store_name name;
    struct store_info info; /* as it was when it was begun */
    char type_label[64];

    uint64_t at, n_new;
    uint64_t last_ms;
    struct past past; /* the document at `at` */

    struct records stored; /* of the store, to compare with */
    size_t next_stored;    /* the next of them, of version stored_at */
    uint64_t stored_at;

    struct batch batches[2], *filling;
    size_t tail_bytes; /* of records since the last snapshot */
    int failed;        /* an append: nothing more is written */
};

/* Runs the store's answers until *is_pending is false. */
void intake_wait(struct intake *intake, const bool *is_pending);

/* A batch is sent as the value has it, so: first room, then the record is applied, then it is appended. */
STORE_MUST_CHECK int intake_make_room(struct intake *intake, const struct record *record);
STORE_MUST_CHECK int intake_append(struct intake *intake, uint64_t version, const struct record *record);
/* All that was appended is durable. */
STORE_MUST_CHECK int intake_flush(struct intake *intake);

#endif
