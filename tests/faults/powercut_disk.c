#include "tests/faults/powercut_disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *must(void *at, const char *what)
{
    if (at)
        return at;
    perror(what);
    exit(1);
}

void recording_load(struct recording *recording, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    size_t at = 0, n_read = 0, capacity = 0;

    *recording = (struct recording){ 0 };
    if (fd < 0 || fstat(fd, &stat))
        must(NULL, path);
    recording->n_bytes = (size_t)stat.st_size;
    recording->at = must(malloc(recording->n_bytes + 1), "malloc");
    while (n_read < recording->n_bytes) {
        ssize_t n = read(fd, recording->at + n_read, recording->n_bytes - n_read);

        if (n <= 0)
            must(NULL, path);
        n_read += (size_t)n;
    }
    (void)close(fd);
    while (at + sizeof(struct powercut_event) <= recording->n_bytes) {
        struct powercut_event *event;

        if (recording->n_events == capacity) {
            capacity = capacity * 2 + 1000;
            recording->events = must(realloc(recording->events, capacity * sizeof(*recording->events)), "realloc");
            recording->contents =
                must(realloc(recording->contents, capacity * sizeof(*recording->contents)), "realloc");
        }
        event = &recording->events[recording->n_events];
        memcpy(event, recording->at + at, sizeof(*event));
        at += sizeof(*event);
        recording->contents[recording->n_events++] = recording->at + at;
        at += event->n_bytes;
    }
}

void recording_free(struct recording *recording)
{
    free(recording->at);
    free(recording->events);
    free(recording->contents);
}

/* ---- the disk ---------------------------------------------------------------------------------------------------- */

void disk_init(struct disk *disk, const struct recording *recording)
{
    *disk = (struct disk){ .recording = recording };
    disk->pending = must(calloc(recording->n_events + 1, sizeof(*disk->pending)), "calloc");
    for (size_t i = 0; i < recording->n_events; i++) {
        const struct powercut_event *event = &recording->events[i];
        size_t end = event->offset + event->n_bytes;

        if (event->kind != POWERCUT_MARK && end > disk->capacity)
            disk->capacity = end;
    }
    disk->durable = must(calloc(1, disk->capacity + 1), "calloc");
}

void disk_finish(struct disk *disk)
{
    free(disk->durable);
    free(disk->pending);
}

static void apply(char *image, size_t *n_image, uint64_t offset, const char *content, size_t n_bytes)
{
    memcpy(image + offset, content, n_bytes);
    if (offset + n_bytes > *n_image)
        *n_image = offset + n_bytes;
}

static void sync_all(struct disk *disk)
{
    for (size_t i = 0; i < disk->n_pending; i++) {
        const struct powercut_event *event = &disk->recording->events[disk->pending[i]];

        apply(disk->durable, &disk->n_durable, event->offset, disk->recording->contents[disk->pending[i]],
              event->n_bytes);
    }
    disk->n_pending = 0;
}

const struct powercut_event *disk_step(struct disk *disk, const char **content)
{
    const struct powercut_event *event;

    if (disk->next == disk->recording->n_events)
        return NULL;
    event = &disk->recording->events[disk->next];
    *content = disk->recording->contents[disk->next];
    if (event->kind == POWERCUT_WRITE || event->kind == POWERCUT_WRITE_SYNCED)
        disk->pending[disk->n_pending++] = disk->next;
    else if (event->kind == POWERCUT_SYNC)
        sync_all(disk);
    else if (event->kind == POWERCUT_TRUNCATE)
        must(NULL, "the store truncates its file: that is not simulated");
    else if (event->kind == POWERCUT_RENAME)
        disk->is_renamed = true;
    else if (event->kind == POWERCUT_SYNC_DIRECTORY)
        disk->is_name_durable = disk->is_renamed;
    disk->next++;
    return event;
}

static size_t loss_unit(enum loss loss, size_t n_bytes)
{
    return loss == LOSS_OF_PAGES ? 4096 : loss == LOSS_OF_SECTORS ? 512 : n_bytes;
}

/* Unit by unit of the file, of which each makes it or does not. */
static void apply_some(char *image, size_t *n_image, const struct powercut_event *event, const char *content,
                       enum loss loss, struct sim_random *random)
{
    size_t unit = loss_unit(loss, event->n_bytes);

    for (size_t at = 0, n; at < event->n_bytes; at += n) {
        n = unit == event->n_bytes ? unit : unit - (event->offset + at) % unit;
        if (n > event->n_bytes - at)
            n = event->n_bytes - at;
        if (loss == LOSS_OF_NONE || (loss != LOSS_OF_ALL && sim_random_chance(random, 500)))
            apply(image, n_image, event->offset + at, content + at, n);
    }
}

static void write_file(const char *directory, const char *name, const char *at, size_t n_bytes)
{
    char path[PATH_MAX];
    int fd;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= PATH_MAX)
        must(NULL, directory);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        must(NULL, path);
    for (size_t n_written = 0; n_written < n_bytes;) {
        ssize_t n = write(fd, at + n_written, n_bytes - n_written);

        if (n <= 0)
            must(NULL, path);
        n_written += (size_t)n;
    }
    (void)close(fd);
}

size_t disk_cut(const struct disk *disk, enum loss loss, struct sim_random *random, const char *directory)
{
    bool named = disk->is_name_durable || (disk->is_renamed && loss != LOSS_OF_ALL && sim_random_chance(random, 500));
    char *image = must(calloc(1, disk->capacity + 1), "calloc");
    size_t n_image = disk->n_durable, n_uncertain = 0;

    memcpy(image, disk->durable, disk->n_durable);
    for (size_t i = 0; i < disk->n_pending; i++) {
        const struct powercut_event *event = &disk->recording->events[disk->pending[i]];
        const char *content = disk->recording->contents[disk->pending[i]];

        if (event->kind == POWERCUT_WRITE_SYNCED) {
            apply(image, &n_image, event->offset, content, event->n_bytes);
        } else {
            apply_some(image, &n_image, event, content, loss, random);
            n_uncertain++;
        }
    }
    write_file(directory, named ? "data.mdb" : "new.mdb", image, n_image);
    free(image);
    return n_uncertain;
}
