/* What is still readable, log by log. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage/lmdb/large.h"
#include "storage/lmdb/verify_inside.h"

#define STOPPED 1 /* at the first problem */

struct saving {
    struct verify *verify;
    const struct log_state *log;
    const struct salvage *salvage;
    struct verify_log found;
    bool is_looking;
    uint64_t reached;
    const char *why;
};

static int on_record(void *arg, uint64_t version, const struct record *record)
{
    struct saving *saving = arg;
    const struct salvage *salvage = saving->salvage;
    struct record whole = *record;
    int r = 0;

    if (body_is_mark(record->body)) {
        r = log_body(saving->verify, saving->log->number, version, record->body.n_bytes);
        whole.body = buffer_bytes(&saving->verify->body);
    }
    if (r == -EBADMSG) {
        saving->why = "a large operation can't be read";
        return STOPPED;
    }
    if (!r)
        r = saving->is_looking ? salvage->on_look(salvage->arg, &saving->found, version, &whole)
                               : salvage->on_record(salvage->arg, version, &whole);
    if (!r)
        saving->reached = record_end(version, record);
    return r;
}

/* Where time runs backwards the records are there all the same. */
static int on_problem(void *arg, enum db db, uint64_t from, uint64_t to, const char *what)
{
    struct saving *saving = arg;

    if (from == saving->reached && strcmp(what, "time runs backwards") == 0)
        return 0;
    saving->why = what;
    return STOPPED;
}

struct newest {
    uint64_t above, version;
    struct buffer content;
};

static int newest_take(void *arg, uint64_t version, bool is_hidden, struct bytes content)
{
    struct newest *newest = arg;

    if (is_hidden || version <= newest->above)
        return 0;
    newest->version = version;
    buffer_reset(&newest->content);
    return buffer_append(&newest->content, content.at, content.n_bytes);
}

/* The newest one that is readable, if the records do not reach it. */
static int snapshot_save(struct saving *saving)
{
    struct newest newest = { .above = saving->reached };
    const struct snapshot_walk walk = { newest_take, NULL, &newest };
    int r;

    buffer_init(&newest.content, SNAPSHOT_MAX_BYTES);
    r = log_snapshots(saving->verify, saving->log->number, &walk);
    if (!r && newest.version)
        r = saving->salvage->on_snapshot(saving->salvage->arg, &saving->found, newest.version,
                                         buffer_bytes(&newest.content));
    buffer_finish(&newest.content);
    return r;
}

static int walk_until_stopped(struct saving *saving)
{
    const struct log_walk walk = { on_record, on_problem, saving };
    int r = log_walk(saving->verify, saving->log, &walk);

    return r == STOPPED ? 0 : r;
}

/* Without a row nobody knows what the first version is, but what is there. */
static int first_find(struct saving *saving)
{
    struct log_key key = log_key_of_version(saving->log->number, 0);
    struct cursor *cursor = &saving->verify->cursors[DB_LOG];
    int r = saving->found.is_known ? 0 : cursor_seek(cursor, log_key_bytes(&key));

    if (!r && !saving->found.is_known && cursor->key.n_bytes == 16 && memcmp(cursor->key.at, key.at, 8) == 0)
        saving->found.info.first = get_be64((const char *)cursor->key.at + 8);
    return r == -ENOENT ? 0 : r;
}

static int log_save(struct verify *verify, const struct log_state *log, const struct salvage *salvage)
{
    struct saving saving = { .verify = verify, .log = log, .salvage = salvage, .is_looking = true };
    int r;

    saving.found =
        (struct verify_log){ log->number, log->name, log->has_row || log->is_created, row_info(&log->now, 0), NULL, 0 };
    r = first_find(&saving);
    saving.reached = saving.found.info.first;
    if (!r)
        r = walk_until_stopped(&saving);
    if (!r && !saving.why && saving.reached < log->now.head)
        saving.why = "records are missing";
    if (!r && !saving.why && !saving.found.is_known)
        saving.why = "its row is lost, and with it whether there was more";
    if (!r)
        r = salvage->on_log(salvage->arg, &saving.found, saving.reached, saving.why);
    saving.is_looking = false;
    if (!r)
        r = walk_until_stopped(&saving);
    return r || !saving.why ? r : snapshot_save(&saving);
}

int verify_salvage(const struct verify_config *config, const struct salvage *salvage, char *why, size_t n_why)
{
    struct verify verify;
    struct log_state log;
    uint64_t number = 0;
    int r = verify_open(config, &verify, why, n_why);

    if (r)
        return r;
    r = log_next(&verify, 0, &number);
    while (!r && number) {
        verify_progress(&verify, "documents", number, verify.counters.next_number);
        r = log_find(&verify, number, &log);
        if (!r && !log.is_removed)
            r = log_save(&verify, &log, salvage);
        if (!r)
            r = log_next(&verify, number, &number);
    }
    verify_close(&verify);
    return r;
}
