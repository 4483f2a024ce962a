/* Any bytes: [document, patch], of the type and the kind that the first byte says. If the patch fits, the operation
 * that it becomes fits the document, too, and the document is as it was. */
#include "tests/fuzz/fuzz.h"

#include "api/json_patch.h"
#include "base/buffer.h"

#include <errno.h>
#include <string.h>

static const struct ot_limits limits = { .max_depth = 8, .max_components = 100, .max_document_bytes = 2000 };

static void write_snapshot(const struct ot_snapshot *snapshot, struct buffer *into)
{
    buffer_init(into, 1 << 20);
    FUZZ_REQUIRE(ot_snapshot_write_json(snapshot, buffer_write, into) == 0);
}

static void check(const struct ot_type *type, patch_fn *apply, const struct ot_json *data, const struct ot_json *patch,
                  size_t n_bytes)
{
    struct ot_error error = { "" };
    struct ot_snapshot *snapshot = NULL;
    struct buffer before, after;
    struct ot_op *op = NULL;
    int r;

    if (ot_snapshot_create(type, data, &limits, &snapshot, NULL))
        return;
    write_snapshot(snapshot, &before);
    r = apply(snapshot, patch, n_bytes, &limits, &op, &error);
    write_snapshot(snapshot, &after);
    FUZZ_REQUIRE(before.n_bytes == after.n_bytes && memcmp(before.at, after.at, before.n_bytes) == 0);
    FUZZ_REQUIRE(r == -ENOMEM || (r == 0) == (op != NULL));
    FUZZ_REQUIRE(r <= 0 || error.message[0]);
    if (op)
        FUZZ_REQUIRE(ot_snapshot_apply(snapshot, op, &limits, &error) == 0);
    ot_op_unref(op);
    ot_snapshot_destroy(snapshot);
    buffer_finish(&before);
    buffer_finish(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct ot_json *json = NULL;

    if (n_bytes < 2 || ot_json_parse((const char *)data + 1, n_bytes - 1, &limits, &json, NULL))
        return 0;
    if (ot_json_kind(json) == OT_JSON_ARRAY && ot_json_count(json) == 2 && !ot_json_flaw(json))
        check(ot_type_find(data[0] & 1 ? "json1" : "json0", 5), data[0] & 2 ? merge_patch : json_patch,
              ot_json_at(json, 0), ot_json_at(json, 1), n_bytes);
    ot_json_unref(json);
    return 0;
}
