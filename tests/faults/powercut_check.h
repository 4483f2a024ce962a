/* Whether a store that was cut off holds what was acknowledged. */
#ifndef FAULTS_POWERCUT_CHECK_H
#define FAULTS_POWERCUT_CHECK_H

#include "tests/faults/powercut_content.h"
#include "tests/faults/powercut_log.h"

/* What was acknowledged up to the cut. */
struct expectation {
    struct {
        uint64_t head, base, removing, snapshot;
    } logs[CONTENT_LOGS];
    uint64_t meta;
};

void expectation_mark(struct expectation *expectation, const struct mark *mark);

/* What the cuts have hit; shared between processes. */
struct coverage {
    size_t n_half_folded;    /* stores with records in both, segments and inbox */
    size_t n_half_snapshots; /* with chunks of a snapshot that is not whole */
    size_t n_half_staged;    /* with pieces of a large append that is not there */
    size_t n_records;        /* read and compared */
};

enum check_mode { CHECK_READ_ONLY, CHECK_GO_ON /* opens to write, appends, closes, looks again */ };

/* 0, or 1, with a line on standard error that says what is wrong. Opens the store: once a process. */
int check_store(const char *directory, struct expectation *expectation, enum check_mode mode,
                struct coverage *coverage);

#endif
