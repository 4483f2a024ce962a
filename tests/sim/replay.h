/* What a log adds up to, computed from its records alone: the judge of everything that was ever shown of it. */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include "ot/ot.h"
#include "tests/sim/sim_disk.h"

struct replay {
    uint64_t version;
    struct ot_snapshot *value; /* NULL: there is no document */
};

void replay_init(struct replay *replay);
void replay_finish(struct replay *replay);

/* One record more. A record that does not apply is a violation. */
void replay_step(struct replay *replay, const struct record *record);

/* From version 0 up to `version`, or the head where that is lower; further where a record stands for several. */
void replay_to(struct replay *replay, const struct sim_disk *disk, struct store_name name, uint64_t version);

/* The content as JSON, terminated, for the caller to free; "none": there is no document. */
char *replay_content(const struct replay *replay);

#endif
