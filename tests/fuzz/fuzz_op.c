/* [document, operation, other operation] of one type, FUZZ_TYPE: whatever is taken must obey the laws, and whatever is
 * refused must leave the document alone.
 *
 * The JSON types name what they remove (ld, od, r) and nobody compares it with the document, so an operation may lie,
 * and then TP1 and inversion don't hold; their laws are tested on honest operations, in tests/unit/ot. Here they have
 * to end, with an answer that can be read again. */
#include "tests/fuzz/fuzz.h"

#include "ot/ot.h"

#include <string.h>

static const struct ot_limits limits = { .max_depth = 12, .max_components = 40, .max_document_bytes = 4000 };

static const struct ot_type *type(void)
{
    return ot_type_find(FUZZ_TYPE, strlen(FUZZ_TYPE));
}

static bool is_honest(void)
{
    return strncmp(FUZZ_TYPE, "json", 4) != 0;
}

struct output {
    char *at;
    size_t n_bytes;
};

static int gather(void *arg, const char *at, size_t n_bytes)
{
    struct output *output = arg;

    output->at = realloc(output->at, output->n_bytes + n_bytes + 1);
    FUZZ_REQUIRE(output->at);
    memcpy(output->at + output->n_bytes, at, n_bytes);
    output->n_bytes += n_bytes;
    return 0;
}

static void require_same(const struct ot_snapshot *a, const struct ot_snapshot *b)
{
    struct output text_a = { NULL, 0 }, text_b = { NULL, 0 };

    FUZZ_REQUIRE(ot_snapshot_write_json(a, gather, &text_a) == 0);
    FUZZ_REQUIRE(ot_snapshot_write_json(b, gather, &text_b) == 0);
    FUZZ_REQUIRE(text_a.n_bytes == text_b.n_bytes && memcmp(text_a.at, text_b.at, text_a.n_bytes) == 0);
    free(text_a.at);
    free(text_b.at);
}

/* NULL when the operation does not fit; the document is what it was. */
static struct ot_snapshot *applied(const struct ot_snapshot *document, const struct ot_op *op)
{
    struct ot_snapshot *out = NULL;
    int r;

    FUZZ_REQUIRE(ot_snapshot_share(document, &out) == 0);
    r = ot_snapshot_apply(out, op, &limits, NULL);
    if (r == 0)
        return out;
    FUZZ_REQUIRE(r == OT_NOT_APPLIED || r == OT_LIMIT);
    require_same(document, out);
    ot_snapshot_destroy(out);
    return NULL;
}

/* Understood by its document, an operation does the same to it, and there is nothing left to understand. */
static void check_settled(const struct ot_snapshot *document, const struct ot_op *op, const struct ot_snapshot *after)
{
    struct output text = { NULL, 0 }, same = { NULL, 0 };
    struct ot_op *settled = NULL, *again = NULL;
    struct ot_snapshot *settled_after;

    FUZZ_REQUIRE(ot_op_settle(op, document, &settled, NULL) == 0);
    settled_after = applied(document, settled);
    FUZZ_REQUIRE(settled_after);
    require_same(after, settled_after);
    FUZZ_REQUIRE(ot_op_settle(settled, document, &again, NULL) == 0);
    FUZZ_REQUIRE(ot_op_write(settled, gather, &text) == 0);
    FUZZ_REQUIRE(ot_op_write(again, gather, &same) == 0);
    FUZZ_REQUIRE(text.n_bytes == same.n_bytes && memcmp(text.at, same.at, text.n_bytes) == 0);
    ot_snapshot_destroy(settled_after);
    ot_op_unref(settled);
    ot_op_unref(again);
    free(text.at);
    free(same.at);
}

/* What is written is taken again, and is the same. */
static void require_readable(const struct ot_op *op)
{
    struct output text = { NULL, 0 }, same = { NULL, 0 };
    struct ot_json *written = NULL;
    struct ot_op *again = NULL;

    FUZZ_REQUIRE(ot_op_write(op, gather, &text) == 0);
    FUZZ_REQUIRE(ot_json_parse(text.at, text.n_bytes, NULL, &written, NULL) == 0);
    FUZZ_REQUIRE(ot_op_parse(type(), written, NULL, &again, NULL) == 0);
    FUZZ_REQUIRE(ot_op_write(again, gather, &same) == 0);
    FUZZ_REQUIRE(text.n_bytes == same.n_bytes && memcmp(text.at, same.at, text.n_bytes) == 0);
    ot_op_unref(again);
    ot_json_unref(written);
    free(text.at);
    free(same.at);
}

/* What is taken in strict form is taken in any, but that merging may find a surrogate pair divided by another part. */
static struct ot_op *op_of(const struct ot_json *json)
{
    struct ot_op *normal = NULL, *strict = NULL;
    int r = ot_op_parse(type(), json, &limits, &strict, NULL),
        r_normal = ot_op_normalize(type(), json, &limits, &normal, NULL);

    if (r_normal != 0)
        FUZZ_REQUIRE(r > 0 || (!is_honest() && r_normal == OT_NOT_APPLIED));
    else
        require_readable(normal);
    if (r != 0)
        return normal;
    require_readable(strict);
    ot_op_unref(normal);
    return strict;
}

static void check_inverse(const struct ot_snapshot *document, const struct ot_op *op, const struct ot_snapshot *after)
{
    struct ot_op *inverse = NULL, *both = NULL;
    struct ot_snapshot *back;

    FUZZ_REQUIRE(ot_op_invert_with(op, document, &inverse, NULL) == 0);
    back = applied(after, inverse);
    if (back)
        require_same(document, back);
    ot_snapshot_destroy(back);
    if (ot_op_compose(op, inverse, NULL, &both, NULL) == 0) {
        back = applied(document, both);
        if (back)
            require_same(document, back);
        ot_snapshot_destroy(back);
    }
    ot_op_unref(inverse);
    ot_op_unref(both);
}

/* The second over the first, and the first over the second, end in the same text, unless one goes over a ceiling. */
static void check_tp1(const struct ot_snapshot *with_a, const struct ot_snapshot *with_b, const struct ot_op *a,
                      const struct ot_op *b)
{
    struct ot_op *a_over_b = NULL, *b_over_a = NULL, *both = NULL;
    struct ot_snapshot *by_a, *by_b;

    FUZZ_REQUIRE(ot_op_transform(a, b, OT_LEFT, NULL, &a_over_b, NULL) == 0);
    FUZZ_REQUIRE(ot_op_transform(b, a, OT_RIGHT, NULL, &b_over_a, NULL) == 0);
    by_a = applied(with_a, b_over_a);
    by_b = applied(with_b, a_over_b);
    FUZZ_REQUIRE(!by_a == !by_b || ot_snapshot_size(with_a) + ot_snapshot_size(with_b) > 4000);
    if (by_a && by_b)
        require_same(by_a, by_b);
    FUZZ_REQUIRE(ot_op_compose(a, b_over_a, NULL, &both, NULL) == 0);
    ot_op_unref(a_over_b);
    ot_op_unref(b_over_a);
    ot_op_unref(both);
    ot_snapshot_destroy(by_a);
    ot_snapshot_destroy(by_b);
}

/* Any answer will do, as long as it can be read again. */
static void take(int r, struct ot_op **answer)
{
    FUZZ_REQUIRE(r >= 0);
    if (r == 0)
        require_readable(*answer);
    ot_op_unref(*answer);
    *answer = NULL;
}

static void check_answers(const struct ot_snapshot *document, const struct ot_op *a, const struct ot_op *b)
{
    struct ot_op *answer = NULL;

    for (enum ot_side side = OT_LEFT; side <= OT_RIGHT; side++) {
        take(ot_op_transform(a, b, side, &limits, &answer, NULL), &answer);
        take(ot_op_transform_resolving(a, b, side, &limits, &answer, NULL), &answer);
    }
    take(ot_op_compose(a, b, &limits, &answer, NULL), &answer);
    take(ot_op_invert(a, &answer, NULL), &answer);
    take(ot_op_invert_with(a, document, &answer, NULL), &answer);
    take(ot_op_make_invertible(a, document, &answer, NULL), &answer);
    take(ot_op_settle(a, document, &answer, NULL), &answer);
}

static void check(const struct ot_snapshot *document, const struct ot_op *a, const struct ot_op *b)
{
    struct ot_snapshot *with_a = applied(document, a), *with_b = applied(document, b);

    check_answers(document, a, b);
    if (with_a)
        check_settled(document, a, with_a);
    if (with_a && is_honest())
        check_inverse(document, a, with_a);
    if (with_a && with_b && is_honest())
        check_tp1(with_a, with_b, a, b);
    ot_snapshot_destroy(with_a);
    ot_snapshot_destroy(with_b);
}

/* The third value is a caret or a selection as well. */
static void check_positions(const struct ot_op *op, const struct ot_json *position)
{
    struct ot_json *moved = NULL;

    FUZZ_REQUIRE(ot_op_transform_position(op, position, &moved, NULL) >= 0);
    ot_json_unref(moved);
    for (int is_own = 0; is_own < 2; is_own++) {
        moved = NULL;
        FUZZ_REQUIRE(ot_op_transform_presence(op, position, is_own, &moved, NULL) >= 0);
        ot_json_unref(moved);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct ot_snapshot *document = NULL;
    struct ot_op *a = NULL, *b = NULL;
    struct ot_json *json = NULL;

    if (ot_json_parse((const char *)data, n_bytes, &limits, &json, NULL) != 0 || ot_json_count(json) < 3)
        goto out;
    if (ot_snapshot_create(type(), ot_json_at(json, 0), &limits, &document, NULL) != 0)
        goto out;
    a = op_of(ot_json_at(json, 1));
    b = op_of(ot_json_at(json, 2));
    if (a && b)
        check(document, a, b);
    if (a)
        check_positions(a, ot_json_at(json, 2));
out:
    ot_op_unref(a);
    ot_op_unref(b);
    ot_snapshot_destroy(document);
    ot_json_unref(json);
    return 0;
}
