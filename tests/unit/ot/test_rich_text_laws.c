#include "tests/unit/ot/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The laws of rich-text over random documents and operations. PILCROW_SEED and PILCROW_CASES choose others, and more of
 * them. */

/* ---- documents --------------------------------------------------------------------------------------------------- */

static const struct ot_type *rich_type(void)
{
    return ot_type_find("rich-text", 9);
}

static struct ot_snapshot *rich_document(const char *json)
{
    struct ot_json *data = json_of(json);
    struct ot_snapshot *document = NULL;

    assert_int_equal(ot_snapshot_create(rich_type(), data, NULL, &document, NULL), 0);
    ot_json_unref(data);
    return document;
}

static struct ot_op *rich_op(const char *json, bool is_strict)
{
    struct ot_json *value = json_of(json);
    struct ot_op *op = NULL;

    assert_int_equal((is_strict ? ot_op_parse : ot_op_normalize)(rich_type(), value, NULL, &op, NULL), 0);
    ot_json_unref(value);
    return op;
}

static char *written(const struct ot_snapshot *document)
{
    struct text text = { 0 };

    assert_int_equal(ot_snapshot_write_json(document, text_write, &text), 0);
    return text.at;
}

/* How many units each of a document's characters and embeds has: what an operation must not divide. */
struct lengths {
    unsigned char *at;
    size_t n;
};

static void lengths_add(struct lengths *lengths, const struct ot_json *insert)
{
    size_t n_bytes = 1;
    const char *text = ot_json_kind(insert) == OT_JSON_STRING ? ot_json_string(insert, &n_bytes) : "*";

    lengths->at = realloc(lengths->at, lengths->n + n_bytes + 1);
    assert_non_null(lengths->at);
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char byte = (unsigned char)text[i];

        if ((byte & 0xc0) != 0x80)
            lengths->at[lengths->n++] = byte >= 0xf0 ? 2 : 1;
    }
}

static struct lengths lengths_of(const struct ot_snapshot *document)
{
    char *text = written(document);
    struct ot_json *json = json_of(text), *ops = ot_json_get(json, "ops", 3);
    struct lengths lengths = { NULL, 0 };

    for (size_t i = 0; i < ot_json_count(ops); i++)
        lengths_add(&lengths, ot_json_get(ot_json_at(ops, i), "insert", 6));
    ot_json_unref(json);
    free(text);
    return lengths;
}

/* ---- chance ------------------------------------------------------------------------------------------------------ */

static void add_attributes(struct sim_random *random, struct text *json, bool is_format)
{
    static const char *const some[] = {
        "{\"bold\":true}",
        "{\"bold\":true}",
        "{\"bold\":true,\"link\":\"https://example.org/a/long/one\"}",
        "{\"font\":{\"px\":12,\"of\":[1,null]}}",
        "{\"\":1,\"bold\":false}",
        "{\"bold\":null}",
        "{\"link\":null,\"font\":{\"px\":12},\"bold\":true}",
    };

    if (!is_format && sim_random_chance(random, 500))
        return;
    text_add(json, ",\"attributes\":");
    text_add(json, some[sim_random_below(random, is_format ? 7 : 5)]);
}

static void add_insert(struct sim_random *random, struct text *json)
{
    struct text inserted = { 0 };

    text_add(json, "{\"insert\":");
    random_text(random, sim_random_chance(random, 20) ? 300 : 6, &inserted);
    if (inserted.n_bytes)
        assert_int_equal(ot_json_write_string(inserted.at, inserted.n_bytes, text_write, json), 0);
    else
        text_add(json, sim_random_chance(random, 500) ? "{\"hr\":true}" : "{\"image\":\"https://example.org/1.png\"}");
    text_free(&inserted);
    add_attributes(random, json, false);
    text_add(json, "},");
}

static struct ot_snapshot *random_document(struct sim_random *random)
{
    size_t n = sim_random_chance(random, 20) ? 400 : sim_random_below(random, 8);
    struct ot_snapshot *document;
    struct text json = { 0 };

    text_add(&json, "[");
    for (size_t i = 0; i < n; i++)
        add_insert(random, &json);
    text_add(&json, "{\"insert\":\"\\n\"}]");
    document = rich_document(json.at);
    text_free(&json);
    return document;
}

/* A retain, format or delete of up to n of what is left. */
static void add_length(struct sim_random *random, struct text *json, struct lengths *left, size_t n, size_t kind)
{
    char length[32];
    size_t n_units = 0;

    n = sim_random_below(random, (left->n < n ? left->n : n) + 1);
    for (size_t i = 0; i < n; i++)
        n_units += left->at[i];
    left->at += n;
    left->n -= n;
    if (!n)
        return;
    (void)snprintf(length, sizeof(length), "{\"%s\":%zu", kind == 0 ? "delete" : "retain", n_units);
    text_add(json, length);
    if (kind == 1)
        add_attributes(random, json, true);
    text_add(json, "},");
}

/* Inserts before deletes or behind them, as it comes; or in normal form. */
static struct ot_op *random_rich_op(struct sim_random *random, const struct ot_snapshot *document, bool is_normal)
{
    struct lengths lengths = lengths_of(document), left = lengths;
    struct text json = { 0 };
    struct ot_op *op;

    text_add(&json, "[");
    add_length(random, &json, &left, left.n, 2);
    for (size_t i = 1 + sim_random_below(random, 6); i > 0; i--) {
        size_t kind = sim_random_below(random, 5);

        if (kind > 2)
            add_insert(random, &json);
        else
            add_length(random, &json, &left, 9, kind);
    }
    text_add(&json, "{\"retain\":1}]");
    op = rich_op(json.at, !is_normal);
    text_free(&json);
    free(lengths.at);
    return op;
}

/* ---- laws -------------------------------------------------------------------------------------------------------- */

static void check_tp1(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    bool is_normal = sim_random_chance(random, 700);
    struct ot_op *a = random_rich_op(random, document, is_normal), *b = random_rich_op(random, document, is_normal),
                 *a_over_b = transformed(a, b, OT_LEFT), *b_over_a = transformed(b, a, OT_RIGHT);
    struct ot_snapshot *with_a = applied(document, a), *with_b = applied(document, b),
                       *by_a = applied(with_a, b_over_a), *by_b = applied(with_b, a_over_b);

    assert_same_document(by_a, by_b);
    assert_int_equal(ot_snapshot_size(by_a), ot_snapshot_size(by_b));
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(a_over_b);
    ot_op_unref(b_over_a);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(with_a);
    ot_snapshot_destroy(with_b);
    ot_snapshot_destroy(by_a);
    ot_snapshot_destroy(by_b);
}

static void check_compose(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *a = random_rich_op(random, document, sim_random_chance(random, 700));
    struct ot_snapshot *after_a = applied(document, a);
    struct ot_op *b = random_rich_op(random, after_a, sim_random_chance(random, 700)), *both = composed(a, b);
    struct ot_snapshot *after_b = applied(after_a, b), *at_once = applied(document, both);

    assert_same_document(after_b, at_once);
    ot_op_unref(a);
    ot_op_unref(b);
    ot_op_unref(both);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after_a);
    ot_snapshot_destroy(after_b);
    ot_snapshot_destroy(at_once);
}

static void check_invert(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random), *after, *back;
    struct ot_op *op = random_rich_op(random, document, sim_random_chance(random, 700)), *inverse = NULL;

    after = applied(document, op);
    assert_int_equal(ot_op_invert_with(op, document, &inverse, NULL), 0);
    back = applied(after, inverse);
    assert_same_document(document, back);
    assert_int_equal(ot_snapshot_size(document), ot_snapshot_size(back));
    ot_op_unref(op);
    ot_op_unref(inverse);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(back);
}

/* A document is an operation that inserts it: edited many times in place, it is what composing says, and is written as
 * what parses as itself. Every state before is what it was. */
static void check_apply_is_compose(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random), *again, *before = NULL;
    char *text = written(document), *now = NULL;
    struct ot_op *content = rich_op(text, true), *op, *longer;

    for (size_t i = 0; i < 12; i++) {
        free(text);
        text = written(document);
        if (sim_random_chance(random, 500))
            assert_int_equal(ot_snapshot_share(document, &before), 0);
        op = random_rich_op(random, document, true);
        assert_int_equal(ot_snapshot_apply(document, op, NULL, NULL), 0);
        longer = composed(content, op);
        ot_op_unref(content);
        ot_op_unref(op);
        content = longer;
        if (before) {
            now = written(before);
            assert_string_equal(now, text);
            free(now);
            ot_snapshot_destroy(before);
            before = NULL;
        }
    }
    free(text);
    text = written(document);
    now = written_op(content);
    assert_string_equal(text, now);
    again = rich_document(text);
    assert_same_document(document, again);
    assert_int_equal(ot_snapshot_size(document), ot_snapshot_size(again));
    free(text);
    free(now);
    ot_op_unref(content);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(again);
}

/* What is written parses as itself. */
static void check_round_trip(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *op = random_rich_op(random, document, sim_random_chance(random, 500)), *again;
    char *json = written_op(op);

    again = rich_op(json, true);
    assert_same_op(op, again);
    free(json);
    ot_op_unref(op);
    ot_op_unref(again);
    ot_snapshot_destroy(document);
}

static size_t presence_index(const struct ot_op *op, size_t at, bool is_own)
{
    struct ot_json *range, *moved = NULL;
    char json[64];
    double index;

    (void)snprintf(json, sizeof(json), "{\"index\":%zu,\"length\":0}", at);
    range = json_of(json);
    assert_int_equal(ot_op_transform_presence(op, range, is_own, &moved, NULL), 0);
    index = ot_json_number(ot_json_get(moved, "index", 5));
    assert_true(ot_json_number(ot_json_get(moved, "length", 6)) == 0);
    ot_json_unref(range);
    ot_json_unref(moved);
    return (size_t)index;
}

/* Where an operation's only insert goes. */
static size_t place_of_insert(const struct ot_op *op)
{
    char *text = written_op(op);
    struct ot_json *json = json_of(text), *first = ot_json_at(ot_json_get(json, "ops", 3), 0);
    const struct ot_json *retain = ot_json_get(first, "retain", 6);
    size_t at = retain ? (size_t)ot_json_number(retain) : 0;

    ot_json_unref(json);
    free(text);
    return at;
}

/* A caret moves like a character inserted there: one that stays before another's inserts, and behind one's own. */
static void check_presence(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *op = random_rich_op(random, document, true), *mark, *moved;
    struct lengths lengths = lengths_of(document);
    size_t n = sim_random_below(random, lengths.n + 1), at = 0;
    bool is_own = sim_random_chance(random, 500);
    char json[64];

    for (size_t i = 0; i < n; i++)
        at += lengths.at[i];
    (void)snprintf(json, sizeof(json), "[{\"retain\":%zu},{\"insert\":\"|\"}]", at);
    mark = rich_op(json, !!at);
    moved = transformed(mark, op, is_own ? OT_LEFT : OT_RIGHT);
    assert_int_equal(presence_index(op, at, is_own), place_of_insert(moved));
    free(lengths.at);
    ot_op_unref(op);
    ot_op_unref(mark);
    ot_op_unref(moved);
    ot_snapshot_destroy(document);
}

#define LAW(name, n_cases)                                                                                             \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(#name, n_cases, check_##name);                                                                   \
    }

LAW(tp1, 60000)
LAW(compose, 45000)
LAW(invert, 45000)
LAW(apply_is_compose, 9000)
LAW(round_trip, 45000)
LAW(presence, 45000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),        cmocka_unit_test(compose),
        cmocka_unit_test(invert),     cmocka_unit_test(apply_is_compose),
        cmocka_unit_test(round_trip), cmocka_unit_test(presence),
    };

    return cmocka_run_group_tests_name("laws of rich-text", tests, NULL, NULL);
}
