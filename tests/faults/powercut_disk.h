/* The disk as it may be after a power cut, from what the recorder wrote down.
 *
 *     events    w w w S w w m | w w        S: sync, m: a write that is synced by itself, |: the power goes
 *     certain   * * * *     *
 *     perhaps           ? ?     ? ?        any of them, in whole or in part */
#ifndef FAULTS_POWERCUT_DISK_H
#define FAULTS_POWERCUT_DISK_H

#include "tests/faults/powercut_log.h"
#include "tests/sim/random.h"

struct recording {
    char *at;
    size_t n_bytes, n_events;
    struct powercut_event *events;
    const char **contents; /* of each */
};

/* Ends the program when the log can't be read. */
void recording_load(struct recording *recording, const char *path);
void recording_free(struct recording *recording);

/* What a file holds, whatever it is called. */
struct image {
    bool exists;
    char *durable; /* bytes that are certain */
    size_t n_durable;
    size_t *pending, n_pending; /* events since its last sync, in order */
};

struct disk {
    const struct recording *recording;
    size_t next; /* event */
    size_t capacity;
    struct image files[POWERCUT_N_FILES];
    /* Renamed, and the directory is not synced: it may still be called `renamed`, and `former` be data.mdb, if that
     * exists. */
    bool is_name_uncertain;
    enum powercut_file renamed;
    struct image former;
};

void disk_init(struct disk *disk, const struct recording *recording);
void disk_finish(struct disk *disk);

/* The next event happens; it is returned, with its content. NULL: that was all. */
const struct powercut_event *disk_step(struct disk *disk, const char **content);

enum loss { LOSS_OF_ALL, LOSS_OF_NONE, LOSS_OF_WRITES, LOSS_OF_PAGES, LOSS_OF_SECTORS, N_LOSSES };

/* Whether a compaction is at work: its copy is there, or not certainly in its place. */
bool disk_is_compacting(const struct disk *disk);

/* Writes the files as they may be if the power goes now, into the directory. Returns how many writes were not certain.
 */
size_t disk_cut(const struct disk *disk, enum loss loss, struct sim_random *random, const char *directory);

#endif
