#include "tests/sim/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/violation.h"

void replay_init(struct replay *replay)
{
    *replay = (struct replay){ 0 };
}

void replay_finish(struct replay *replay)
{
    ot_snapshot_destroy(replay->value);
    replay_init(replay);
}

static int replay_create(struct replay *replay, const struct ot_json *create)
{
    size_t n_bytes;
    const char *uri = ot_json_string(ot_json_get(create, "type", 4), &n_bytes);
    const struct ot_type *type = ot_type_find(uri, n_bytes);

    if (!type || replay->value)
        return OT_NOT_APPLIED;
    return ot_snapshot_create(type, ot_json_get(create, "data", 4), &ot_limits_default, &replay->value, NULL);
}

static int replay_edit(struct replay *replay, const struct ot_json *edit)
{
    struct ot_op *op = NULL;
    int r;

    if (!replay->value)
        return OT_NOT_APPLIED;
    r = ot_op_parse(ot_snapshot_type(replay->value), edit, &ot_limits_default, &op, NULL);
    if (!r)
        r = ot_snapshot_apply(replay->value, op, &ot_limits_default, NULL);
    ot_op_unref(op);
    return r;
}

void replay_step(struct replay *replay, const struct record *record)
{
    struct ot_json *body = NULL, *part;
    int r = ot_json_parse(record->body.at, record->body.n_bytes, &ot_limits_default, &body, NULL);

    if (!r && (part = ot_json_get(body, "op", 2))) {
        r = replay_edit(replay, part);
    } else if (!r && (part = ot_json_get(body, "create", 6))) {
        r = replay_create(replay, part);
    } else if (!r && ot_json_get(body, "del", 3)) {
        ot_snapshot_destroy(replay->value);
        replay->value = NULL;
    }
    ot_json_unref(body);
    if (r)
        sim_violation("the log can be replayed", "version %" PRIu64 " does not apply: %.*s", replay->version,
                      (int)record->body.n_bytes, (const char *)record->body.at);
    replay->version = record_end(replay->version, record);
}

void replay_to(struct replay *replay, const struct sim_disk *disk, struct store_name name, uint64_t version)
{
    const struct sim_log *log = sim_disk_find(disk, name);
    const struct record *record;

    while (replay->version < version && (record = sim_log_record(log, replay->version)))
        replay_step(replay, record);
}

char *replay_content(const struct replay *replay)
{
    struct buffer buffer;
    int r;

    buffer_init(&buffer, SIZE_MAX / 2);
    r = replay->value ? ot_snapshot_write_json(replay->value, buffer_write, &buffer)
                      : buffer_append_string(&buffer, "none");
    if (r || buffer_append(&buffer, "", 1))
        abort();
    return buffer.at;
}
