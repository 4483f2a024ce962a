/* Whether a store that was cut off holds what was acknowledged. */
#ifndef FAULTS_POWERCUT_CHECK_H
#define FAULTS_POWERCUT_CHECK_H

#include "tests/faults/powercut_content.h"
#include "tests/faults/powercut_log.h"

struct expected_version {
    bool may_begin, has_snapshot; /* asked for: the log begins here; acknowledged */
    uint8_t merged, mergeable;    /* it is in a record of at least, of at most so many */
};

/* What was acknowledged up to the cut, and what was only asked for. */
struct expectation {
    struct {
        uint64_t head, base;
        struct expected_version versions[CONTENT_MAX_VERSIONS];
    } logs[CONTENT_LOGS];
    uint64_t meta;
};

void expectation_mark(struct expectation *expectation, const struct mark *mark);

/* For a copy that was begun then and ended `later`: what was asked for in between may be in it. */
void expectation_allow(struct expectation *expectation, const struct expectation *later);

/* What the cuts have hit; shared between processes. */
struct coverage {
    size_t n_half_folded;    /* stores with records in both, segments and inbox */
    size_t n_half_snapshots; /* with chunks of a snapshot that is not whole */
    size_t n_half_staged;    /* with pieces of a large append that is not there */
    size_t n_differences;    /* snapshots that refer to others */
    size_t n_hidden;         /* snapshots that are only there to be referred to */
    size_t n_records;        /* read and compared */
    size_t n_merged;         /* of them, those that stand for several */
    size_t n_snapshots;      /* read and compared */
    size_t n_verified;       /* stores looked at page by page */
};

enum check_mode {
    CHECK_READ_ONLY,
    CHECK_GO_ON,  /* opens to write, appends, closes, looks again */
    CHECK_VERIFY, /* as the first, and then page by page */
};

/* 0, or 1, with a line on standard error that says what is wrong. Opens the store: once a process. */
int check_store(const char *directory, struct expectation *expectation, enum check_mode mode,
                struct coverage *coverage);

#endif
