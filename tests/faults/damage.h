/* What test_damage.c damages and asks: a store with something of everything, all that it answers, and what verification
 * finds in it and saves. */
#ifndef FAULTS_DAMAGE_H
#define FAULTS_DAMAGE_H

#include "tests/unit/storage/place.h"

#define N_LOGS     64 /* of a large store */
#define N_REMOVED  3  /* the last ones */
#define N_OF_LOG   8  /* answers */
#define N_ANSWERS  (N_LOGS * N_OF_LOG + 5)
#define KEPT_BYTES 9000 /* of the largest snapshots */

extern size_t n_logs; /* that the store has; from N_REMOVED to N_LOGS */

/* damage_store.c */
void write_store(struct place *place);
struct store_name name_of(size_t i, char id[96]);
struct bytes content_of(size_t i, uint64_t version, char content[KEPT_BYTES]);
struct bytes collection_of(size_t i); /* i: 0 to 2 */

/* damage_answers.c */
enum answered { NOT_ANSWERED, ANSWERED, REFUSED };

struct answer {
    enum answered answered;
    uint32_t crc;
    uint64_t version; /* of a snapshot: an older one serves as well, the log is the truth */
};

struct answers {
    struct answer of[N_ANSWERS];
    size_t n_damage, n_file, n_harmless, n_wrong; /* snapshots that were saved and are not what they were */
    int verify_r;
    bool is_named[N_LOGS], is_saved[N_LOGS]; /* saved: as it was */
    bool knows_saved;
    uint32_t saved[N_LOGS];
};

extern struct answers *shared; /* with the processes that look */

/* Fill it in. */
void ask_store(struct place *place);
void verify(struct place *place, bool prints);

#endif
