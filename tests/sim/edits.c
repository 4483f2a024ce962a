/* Random content and operations of every type: small documents, so that everybody writes to the same places. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/run.h"
#include "tests/unit/ot/json0_random.h"
#include "tests/unit/ot/json1_random.h"
#include "tests/unit/ot/rich_random.h"

#define LARGE_BYTES 150

static struct ot_op *random_normal_rich_op(struct sim_random *random, const struct ot_snapshot *value)
{
    return random_rich_op(random, value, true);
}

static const struct edits {
    const char *name, *content;
    struct ot_op *(*random)(struct sim_random *random, const struct ot_snapshot *value);
} edits[] = {
    { "text-unicode", "\"...\"", random_op },
    { "rich-text", "[{\"insert\":\"...\\n\"}]", random_normal_rich_op },
    { "json0", "{\"a\":[\"x\",{}],\"b\":1,\"items\":\"abc\"}", random_json0_op },
    { "json1", "{\"a\":[\"x\",{}],\"b\":1,\"x\":\"abc\"}", random_json1_op },
};
#define N_TYPES (sizeof(edits) / sizeof(edits[0]))

static const struct edits *edits_of(const struct ot_type *type)
{
    size_t i = 0;

    while (strcmp(edits[i].name, ot_type_name(type)) != 0)
        i++;
    return &edits[i];
}

const struct ot_type *edit_any_type(struct run *run)
{
    const char *name = edits[run_below(run, N_TYPES)].name;

    return ot_type_find(name, strlen(name));
}

struct ot_json *edit_content(const struct ot_type *type)
{
    return json_of(edits_of(type)->content);
}

static bool is_text(const struct ot_snapshot *value)
{
    return strcmp(ot_type_name(ot_snapshot_type(value)), "text-unicode") == 0;
}

static size_t length_of(const struct ot_snapshot *value)
{
    size_t n = 0;

    if (is_text(value)) {
        char *text = written_document(value);

        for (const char *at = text; *at; at++)
            n += ((unsigned char)*at & 0xc0) != 0x80;
        free(text);
    } else {
        struct rich_lengths lengths = rich_lengths(value);

        for (size_t i = 0; i < lengths.n; i++)
            n += lengths.at[i];
        free(lengths.at);
    }
    return n;
}

/* Texts grow more than they shrink; now and then somebody deletes everything. */
static struct ot_op *clearing_op(const struct ot_snapshot *value)
{
    size_t n = length_of(value);
    char json[64];

    if (is_text(value))
        (void)snprintf(json, sizeof(json), "[{\"d\":%zu}]", n);
    else
        (void)snprintf(json, sizeof(json), "[{\"delete\":%zu}]", n);
    return is_text(value) ? op_of(json) : rich_op(json, true);
}

struct ot_op *edit_random(struct run *run, const struct ot_snapshot *value)
{
    if (ot_type_has_presence(ot_snapshot_type(value)) && ot_snapshot_size(value) > LARGE_BYTES)
        return clearing_op(value);
    return edits_of(ot_snapshot_type(value))->random(&run->random, value);
}

struct ot_json *edit_random_range(struct run *run, const struct ot_snapshot *value)
{
    size_t n = length_of(value), index = run_below(run, n + 1), length = run_below(run, n - index + 1);
    char json[64];

    (void)snprintf(json, sizeof(json), "{\"index\":%zu,\"length\":%zu}", index, length);
    return json_of(json);
}
