#include "doc/op.h"

#include <errno.h>
#include <stdlib.h>

static struct bytes copy_behind(char **at, struct bytes from)
{
    struct bytes copy = { *at, from.n_bytes };

    if (from.n_bytes)
        memcpy(*at, from.at, from.n_bytes);
    *at += from.n_bytes;
    return copy;
}

struct committed_op *committed_op_create(uint64_t version, const struct record *record)
{
    size_t n_bytes = record->id.src.n_bytes + record->author.n_bytes + record->body.n_bytes;
    struct committed_op *op = malloc(sizeof(*op) + n_bytes);
    char *at = (char *)(op + 1);

    if (!op)
        return NULL;
    *op = (struct committed_op){ .n_references = 1,
                                 .version = version,
                                 .time_ms = record->time_ms,
                                 .seq = record->id.seq,
                                 .n_merged = record->n_merged };
    op->src = copy_behind(&at, record->id.src);
    op->author = copy_behind(&at, record->author);
    op->body = copy_behind(&at, record->body);
    return op;
}

struct committed_op *committed_op_ref(struct committed_op *op)
{
    op->n_references++;
    return op;
}

void committed_op_unref(struct committed_op *op)
{
    if (!op || --op->n_references)
        return;
    frame_unref(op->frame);
    free(op);
}

size_t committed_op_size(const struct committed_op *op)
{
    return sizeof(*op) + op->src.n_bytes + op->author.n_bytes + op->body.n_bytes + (op->frame ? op->frame->n_bytes : 0);
}

/* Bodies are written by step_write alone, so their beginnings are known. */
enum step_kind step_kind_of(struct bytes body)
{
    static const struct {
        const char *start;
        enum step_kind kind;
    } kinds[] = {
        { "{\"op\":", STEP_EDIT },
        { "{\"create\":", STEP_CREATE },
        { "{\"del\":", STEP_DELETE },
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i].start);

        if (body.n_bytes >= n && memcmp(body.at, kinds[i].start, n) == 0)
            return kinds[i].kind;
    }
    return STEP_NOTHING;
}

/* What our own log says is either readable or damaged: a code about the input becomes -EBADMSG. */
static int damaged(int r)
{
    return r > 0 ? -EBADMSG : r;
}

static int parse_edit(const struct ot_json *body, const struct ot_type *type, const struct ot_limits *limits,
                      struct step *step)
{
    step->type = type;
    if (!type)
        return -EBADMSG;
    return damaged(ot_op_parse(type, ot_json_get(body, "op", 2), limits, &step->op, NULL));
}

static int parse_create(const struct ot_json *body, struct step *step)
{
    struct ot_json *create = ot_json_get(body, "create", 6), *name = ot_json_get(create, "type", 4);
    size_t n_bytes;
    const char *uri;

    if (!name || ot_json_kind(name) != OT_JSON_STRING)
        return -EBADMSG;
    uri = ot_json_string(name, &n_bytes);
    step->type = ot_type_find(uri, n_bytes);
    if (!step->type)
        return -EBADMSG;
    step->data = ot_json_get(create, "data", 4);
    if (step->data)
        (void)ot_json_ref(step->data);
    return 0;
}

int step_parse(struct bytes body, const struct ot_type *type, const struct ot_limits *limits, struct step *out)
{
    struct step step = { .kind = step_kind_of(body) };
    struct ot_json *json = NULL;
    int r = damaged(ot_json_parse(body.at, body.n_bytes, limits, &json, NULL));

    if (r)
        return r;
    if (step.kind == STEP_EDIT)
        r = parse_edit(json, type, limits, &step);
    else if (step.kind == STEP_CREATE)
        r = parse_create(json, &step);
    ot_json_unref(json);
    if (r)
        return r;
    *out = step;
    return 0;
}

static int write_empty(const struct ot_type *type, struct buffer *into)
{
    struct ot_snapshot *empty;
    int r = ot_snapshot_create(type, NULL, NULL, &empty, NULL);

    if (r)
        return r;
    r = ot_snapshot_write_json(empty, buffer_write, into);
    ot_snapshot_destroy(empty);
    return r;
}

/* Said also where it was not: to the package a json1 document without data is undefined, to us it is null. */
static int write_create(const struct step *step, struct buffer *into)
{
    const char *uri = ot_type_uri(step->type);
    int r;

    (void)buffer_append_string(into, "{\"create\":{\"type\":");
    r = ot_json_write_string(uri, strlen(uri), buffer_write, into);
    if (!r) {
        (void)buffer_append_string(into, ",\"data\":");
        r = step->data ? ot_json_write(step->data, buffer_write, into) : write_empty(step->type, into);
    }
    return r ? r : buffer_append_string(into, "}}");
}

int step_write(const struct step *step, struct buffer *into)
{
    int r;

    switch (step->kind) {
    case STEP_CREATE: return write_create(step, into);
    case STEP_DELETE: return buffer_append_string(into, "{\"del\":true}");
    case STEP_NOTHING: return buffer_append_string(into, "{}");
    case STEP_EDIT: break;
    }
    (void)buffer_append_string(into, "{\"op\":");
    r = ot_op_write(step->op, buffer_write, into);
    return r ? r : buffer_append_string(into, "}");
}

void step_finish(struct step *step)
{
    if (step->op)
        ot_op_unref(step->op);
    ot_json_unref(step->data);
    ot_snapshot_destroy(step->value);
    *step = (struct step){ .kind = STEP_NOTHING };
}
