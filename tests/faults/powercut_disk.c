#include "tests/faults/powercut_disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    size_t at = 0, capacity = 0;
    struct stat stat;

    *recording = (struct recording){ 0 };
    if (fd < 0 || fstat(fd, &stat))
        must(NULL, path);
    recording->n_bytes = (size_t)stat.st_size;
    recording->at = mmap(NULL, recording->n_bytes, PROT_READ, MAP_PRIVATE, fd, 0); /* which a fork need not copy */
    if (recording->at == MAP_FAILED)
        must(NULL, path);
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
    (void)munmap(recording->at, recording->n_bytes);
    free(recording->events);
    free(recording->contents);
}

/* ---- the disk ---------------------------------------------------------------------------------------------------- */

static struct image image_create(const struct disk *disk)
{
    return (struct image){ .durable = must(calloc(1, disk->capacity + 1), "calloc"),
                           .pending = must(calloc(disk->recording->n_events + 1, sizeof(size_t)), "calloc") };
}

static void image_free(struct image *image)
{
    free(image->durable);
    free(image->pending);
}

void disk_init(struct disk *disk, const struct recording *recording)
{
    *disk = (struct disk){ .recording = recording };
    for (size_t i = 0; i < recording->n_events; i++) {
        const struct powercut_event *event = &recording->events[i];
        size_t end = event->offset + event->n_bytes;

        if (event->kind != POWERCUT_MARK && end > disk->capacity)
            disk->capacity = end;
    }
    for (size_t i = 0; i < POWERCUT_N_FILES; i++)
        disk->files[i] = image_create(disk);
}

void disk_finish(struct disk *disk)
{
    for (size_t i = 0; i < POWERCUT_N_FILES; i++)
        image_free(&disk->files[i]);
    image_free(&disk->former);
}

static void apply(char *image, size_t *n_image, uint64_t offset, const char *content, size_t n_bytes)
{
    memcpy(image + offset, content, n_bytes);
    if (offset + n_bytes > *n_image)
        *n_image = offset + n_bytes;
}

static void sync_all(const struct disk *disk, struct image *image)
{
    for (size_t i = 0; i < image->n_pending; i++) {
        const struct powercut_event *event = &disk->recording->events[image->pending[i]];

        apply(image->durable, &image->n_durable, event->offset, disk->recording->contents[image->pending[i]],
              event->n_bytes);
    }
    image->n_pending = 0;
}

/* The directory is synced, or assumed to be. */
static void settle_name(struct disk *disk)
{
    image_free(&disk->former);
    disk->former = (struct image){ 0 };
    disk->is_name_uncertain = false;
}

/* Of two renames without a sync between only the second is uncertain here: less than what may happen, never more. */
static void rename_file(struct disk *disk, enum powercut_file from)
{
    settle_name(disk);
    disk->former = disk->files[POWERCUT_DATA];
    disk->files[POWERCUT_DATA] = disk->files[from];
    disk->files[from] = image_create(disk);
    disk->is_name_uncertain = true;
    disk->renamed = from;
}

static void forget(struct disk *disk, const struct powercut_event *event)
{
    struct image *image = &disk->files[event->file];

    if ((event->file != POWERCUT_BACKUP && event->file != POWERCUT_COMPACT) || event->offset != 0)
        must(NULL, "the store truncates its file: that is not simulated");
    image->exists = false;
    image->n_durable = image->n_pending = 0;
}

const struct powercut_event *disk_step(struct disk *disk, const char **content)
{
    const struct powercut_event *event;

    if (disk->next == disk->recording->n_events)
        return NULL;
    event = &disk->recording->events[disk->next];
    *content = disk->recording->contents[disk->next];
    if (event->kind == POWERCUT_WRITE || event->kind == POWERCUT_WRITE_SYNCED) {
        struct image *image = &disk->files[event->file];

        image->exists = true;
        image->pending[image->n_pending++] = disk->next;
    } else if (event->kind == POWERCUT_SYNC) {
        sync_all(disk, &disk->files[event->file]);
    } else if (event->kind == POWERCUT_TRUNCATE) {
        forget(disk, event);
    } else if (event->kind == POWERCUT_RENAME) {
        rename_file(disk, event->file);
    } else if (event->kind == POWERCUT_SYNC_DIRECTORY) {
        settle_name(disk);
    }
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

static size_t image_cut(const struct disk *disk, const struct image *image, const char *name, enum loss loss,
                        struct sim_random *random, const char *directory)
{
    char *content = must(calloc(1, disk->capacity + 1), "calloc");
    size_t n = image->n_durable, n_uncertain = 0;

    memcpy(content, image->durable, image->n_durable);
    for (size_t i = 0; i < image->n_pending; i++) {
        const struct powercut_event *event = &disk->recording->events[image->pending[i]];
        const char *written = disk->recording->contents[image->pending[i]];

        if (event->kind == POWERCUT_WRITE_SYNCED) {
            apply(content, &n, event->offset, written, event->n_bytes);
        } else {
            apply_some(content, &n, event, written, loss, random);
            n_uncertain++;
        }
    }
    write_file(directory, name, content, n);
    free(content);
    return n_uncertain;
}

bool disk_is_compacting(const struct disk *disk)
{
    return disk->files[POWERCUT_COMPACT].exists || (disk->is_name_uncertain && disk->renamed == POWERCUT_COMPACT);
}

size_t disk_cut(const struct disk *disk, enum loss loss, struct sim_random *random, const char *directory)
{
    bool has_old_name = disk->is_name_uncertain && (loss == LOSS_OF_ALL || sim_random_chance(random, 500));
    size_t n_uncertain = 0;

    for (size_t i = 0; i < POWERCUT_N_FILES; i++) {
        const char *name = powercut_names[has_old_name && i == POWERCUT_DATA ? disk->renamed : i];

        if (disk->files[i].exists)
            n_uncertain += image_cut(disk, &disk->files[i], name, loss, random, directory);
    }
    if (has_old_name && disk->former.exists)
        n_uncertain += image_cut(disk, &disk->former, powercut_names[POWERCUT_DATA], loss, random, directory);
    return n_uncertain;
}
