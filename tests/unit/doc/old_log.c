#include "tests/unit/doc/old_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define GOES_ON 1

static void state_after(struct fixture *f, const char *document, const struct record *record, struct store_state *after)
{
    struct replay replay;

    replay_init(&replay);
    replay_to(&replay, f->disk, fixture_name(document), UINT64_MAX);
    replay_step(&replay, record);
    if (replay.value) {
        after->exists = true;
        after->type = bytes_of_string(ot_type_uri(ot_snapshot_type(replay.value)));
        after->n_bytes = ot_snapshot_size(replay.value);
    }
    replay_finish(&replay);
}

void old_record(struct fixture *f, const char *document, uint64_t minute, const char *author, const char *body)
{
    struct record record = { .id = { bytes_of_string(author), sim_disk_head(f->disk, fixture_name(document)) + 1 },
                             .time_ms = minute * MINUTE_MS,
                             .author = bytes_of_string(author),
                             .body = bytes_of_string(body) };
    struct store_state after = { 0 };

    state_after(f, document, &record, &after);
    sim_disk_append(f->disk, fixture_name(document), &record, 1, &after);
}

void expect_records(struct fixture *f, const char *document, const char *records)
{
    const struct sim_log *log = sim_disk_find(f->disk, fixture_name(document));
    struct buffer got;
    uint64_t version = log->base;

    buffer_init(&got, 1 << 20);
    for (size_t i = 0; i < log->n; i++) {
        const struct record *record = &log->records[i];

        (void)buffer_append_u64(&got, version);
        if (record->n_merged)
            (void)buffer_printf(&got, "+%" PRIu64, record->n_merged);
        (void)buffer_printf(&got, " %.*s %" PRIu64 " ", (int)record->author.n_bytes, (const char *)record->author.at,
                            (uint64_t)(record->time_ms / MINUTE_MS));
        (void)buffer_append(&got, record->body.at, record->body.n_bytes);
        (void)buffer_append_string(&got, "\n");
        version = record_end(version, record);
    }
    assert_int_equal(buffer_append(&got, "", 1), 0);
    assert_string_equal(got.at, records);
    buffer_finish(&got);
}

struct run {
    struct retain retain;
    int r;
};

static void on_done(struct retain *retain, int r)
{
    LIST_ENTRY(retain, struct run, retain)->r = r;
}

struct retain *retain_create(struct fixture *f, uint64_t days)
{
    struct run *run = sim_alloc(sizeof(*run));
    char rule[16];

    (void)snprintf(rule, sizeof(rule), "c=%" PRIu64, days);
    assert_null(retain_rules_add(&run->retain.rules, bytes_of_string(rule)));
    return &run->retain;
}

void retain_begin(struct fixture *f, struct retain *retain, uint64_t day)
{
    struct run *run = LIST_ENTRY(retain, struct run, retain);

    f->now_ms = day * DAY_MS;
    retain->hub = f->hub;
    retain->on_done = on_done;
    run->r = GOES_ON;
    assert_int_equal(retain_all(retain), 0);
}

int retain_result(struct retain *retain)
{
    return LIST_ENTRY(retain, struct run, retain)->r;
}

int retain_run(struct fixture *f, struct retain *retain, uint64_t day)
{
    retain_begin(f, retain, day);
    settle(f);
    assert_int_not_equal(retain_result(retain), GOES_ON);
    return retain_result(retain);
}

void retain_free(struct retain *retain)
{
    free(LIST_ENTRY(retain, struct run, retain));
}
