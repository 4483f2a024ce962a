#include "tests/unit/ot/harness.h"

#include "ot/json/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The laws of json0 over random documents and operations. PILCROW_SEED and PILCROW_CASES choose others, and more. */

static const struct ot_type *json0_type(void)
{
    return ot_type_find("json0", 5);
}

/* ---- chance ------------------------------------------------------------------------------------------------------ */

static const char *const keys[] = { "a", "b", "ab", "items", "", "0", "ключ", "a key of more than fourteen bytes" };

static void add_number(struct text *json, size_t number)
{
    char digits[32];

    (void)snprintf(digits, sizeof(digits), "%zu", number);
    text_add(json, digits);
}

static void add_string(struct text *json, const char *utf8, size_t n_bytes)
{
    assert_int_equal(ot_json_write_string(utf8, n_bytes, text_write, json), 0);
}

static void add_json(struct text *json, const struct ot_json *value)
{
    assert_int_equal(ot_json_write(value, text_write, json), 0);
}

static void add_random_string(struct sim_random *random, struct text *json, size_t n_cps)
{
    struct text text = { 0 };

    random_text(random, n_cps, &text);
    add_string(json, text.at, text.n_bytes);
    text_free(&text);
}

static void add_random_key(struct sim_random *random, struct text *json)
{
    const char *key = keys[sim_random_below(random, sizeof(keys) / sizeof(keys[0]))];

    add_string(json, key, strlen(key));
}

static void add_random_value(struct sim_random *random, struct text *json, unsigned depth);

static void add_random_container(struct sim_random *random, struct text *json, unsigned depth, bool is_object)
{
    text_add(json, is_object ? "{" : "[");
    for (size_t n = sim_random_below(random, 5); n > 0; n--) {
        if (is_object) {
            add_random_key(random, json);
            text_add(json, ":");
        }
        add_random_value(random, json, depth - 1);
        text_add(json, n > 1 ? "," : "");
    }
    text_add(json, is_object ? "}" : "]");
}

static void add_random_value(struct sim_random *random, struct text *json, unsigned depth)
{
    static const char *const scalars[] = { "null", "true", "false", "0", "1", "-7.5", "123456" };
    size_t kind = sim_random_below(random, 10);

    if (depth && kind < 6)
        add_random_container(random, json, depth, kind < 3);
    else if (kind < 8)
        add_random_string(random, json, sim_random_chance(random, 100) ? 40 : 5);
    else
        text_add(json, scalars[sim_random_below(random, sizeof(scalars) / sizeof(scalars[0]))]);
}

/* ---- a component that fits what is at the end of the path ----------------------------------------------------------
 */

struct place {
    struct sim_random *random;
    struct text path; /* "[", elements, each with a comma behind it */
    struct text *op;
};

static void begin_component(struct place *place)
{
    text_add(place->op, "{\"p\":");
    text_add(place->op, place->path.at);
}

/* The path is open still, with a comma at its end. */
static void end_path(struct place *place)
{
    if (place->op->at[place->op->n_bytes - 1] == ',')
        place->op->at[--place->op->n_bytes] = 0;
    text_add(place->op, "]");
}

static size_t units(const char *utf8, size_t n_bytes)
{
    return utf8_count(utf8, n_bytes) + utf8_count_astral(utf8, n_bytes);
}

static void edit_text(struct place *place, const struct ot_json *json)
{
    size_t n_bytes, n_cps, from, to;
    const char *text = ot_json_string(json, &n_bytes);
    bool is_legacy = sim_random_chance(place->random, 500), is_insert = sim_random_chance(place->random, 500);

    n_cps = utf8_count(text, n_bytes);
    from = utf8_offset(text, n_bytes, sim_random_below(place->random, n_cps + 1));
    to = from + utf8_offset(text + from, n_bytes - from, 1 + sim_random_below(place->random, 4));
    begin_component(place);
    if (is_legacy)
        add_number(place->op, units(text, from));
    end_path(place);
    if (!is_legacy) {
        text_add(place->op, ",\"t\":\"text0\",\"o\":[{\"p\":");
        add_number(place->op, units(text, from));
    }
    text_add(place->op, is_legacy ? is_insert ? ",\"si\":" : ",\"sd\":" : is_insert ? ",\"i\":" : ",\"d\":");
    if (is_insert)
        add_random_string(place->random, place->op, 4);
    else
        add_string(place->op, text + from, to - from);
    text_add(place->op, is_legacy ? "}" : "}]}");
}

static void add_taken(struct place *place, const char *member, const struct ot_json *json)
{
    text_add(place->op, member);
    add_json(place->op, json);
}

static void add_put(struct place *place, const char *member)
{
    text_add(place->op, member);
    add_random_value(place->random, place->op, 2);
}

static void edit_list(struct place *place, const struct ot_json *json)
{
    size_t n = ot_json_count(json), i = sim_random_below(place->random, n + 1),
           kind = i == n ? 0 : sim_random_below(place->random, 4);

    begin_component(place);
    add_number(place->op, i);
    end_path(place);
    if (kind == 1 || kind == 2)
        add_taken(place, ",\"ld\":", ot_json_at(json, i));
    if (kind == 0 || kind == 1)
        add_put(place, ",\"li\":");
    if (kind == 3) {
        text_add(place->op, ",\"lm\":");
        add_number(place->op, sim_random_below(place->random, n));
    }
    text_add(place->op, "}");
}

static void edit_object(struct place *place, const struct ot_json *json)
{
    size_t n = ot_json_count(json), n_bytes = 0;
    const char *key = keys[sim_random_below(place->random, sizeof(keys) / sizeof(keys[0]))];
    const struct ot_json *old;

    n_bytes = strlen(key);
    if (n && sim_random_chance(place->random, 500))
        key = ot_json_key_at(json, sim_random_below(place->random, n), &n_bytes);
    old = ot_json_get(json, key, n_bytes);
    begin_component(place);
    add_string(place->op, key, n_bytes);
    end_path(place);
    if (old)
        add_taken(place, ",\"od\":", old);
    if (!old || sim_random_chance(place->random, 500))
        add_put(place, ",\"oi\":");
    text_add(place->op, "}");
}

static void edit_number_or_root(struct place *place, const struct ot_json *json, const struct ot_json *root)
{
    if (ot_json_kind(json) != OT_JSON_NUMBER) {
        text_add(place->op, "{\"p\":[]");
        add_taken(place, ",\"od\":", root);
        add_put(place, ",\"oi\":");
        text_add(place->op, "}");
        return;
    }
    begin_component(place);
    end_path(place);
    text_add(place->op, sim_random_chance(place->random, 500) ? ",\"na\":0.5}" : ",\"na\":-3}");
}

/* Goes down some way, and puts what can be done there behind the operation. */
static void add_component(struct sim_random *random, const struct ot_json *root, struct text *op)
{
    struct place place = { .random = random, .op = op };
    const struct ot_json *json = root;

    text_add(&place.path, "[");
    while (ot_json_count(json) && sim_random_chance(random, 600)) {
        size_t i = sim_random_below(random, ot_json_count(json)), n_bytes;

        if (ot_json_kind(json) == OT_JSON_OBJECT) {
            const char *key = ot_json_key_at(json, i, &n_bytes);

            add_string(&place.path, key, n_bytes);
        } else {
            add_number(&place.path, i);
        }
        text_add(&place.path, ",");
        json = ot_json_at(json, i);
    }
    switch (ot_json_kind(json)) {
    case OT_JSON_STRING: edit_text(&place, json); break;
    case OT_JSON_ARRAY: edit_list(&place, json); break;
    case OT_JSON_OBJECT: edit_object(&place, json); break;
    default: edit_number_or_root(&place, json, root); break;
    }
    text_free(&place.path);
}

/* ---- documents and operations ------------------------------------------------------------------------------------ */

static struct ot_snapshot *document_of_json(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_snapshot *document = NULL;

    assert_int_equal(ot_snapshot_create(json0_type(), value, NULL, &document, NULL), 0);
    ot_json_unref(value);
    return document;
}

static char *written(const struct ot_snapshot *document)
{
    struct text text = { 0 };

    assert_int_equal(ot_snapshot_write_json(document, text_write, &text), 0);
    return text.at;
}

static struct ot_op *json0_op(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_error error = { "" };
    struct ot_op *op = NULL;

    if (ot_op_parse(json0_type(), value, NULL, &op, &error) != 0)
        fail_msg("%s: %s", json, error.message);
    ot_json_unref(value);
    return op;
}

static struct ot_snapshot *random_document(struct sim_random *random)
{
    struct text json = { 0 };
    struct ot_snapshot *document;

    add_random_value(random, &json, 4);
    document = document_of_json(json.at);
    text_free(&json);
    return document;
}

static struct ot_op *random_component(struct sim_random *random, const struct ot_snapshot *document)
{
    char *json = written(document);
    struct ot_json *root = json_of(json);
    struct text text = { 0 };
    struct ot_op *op;

    text_add(&text, "[");
    add_component(random, root, &text);
    text_add(&text, "]");
    op = json0_op(text.at);
    ot_json_unref(root);
    text_free(&text);
    free(json);
    return op;
}

/* One component, often; else several, each for what the ones before it leave. */
static struct ot_op *random_json0_op(struct sim_random *random, const struct ot_snapshot *document)
{
    struct ot_op *op = random_component(random, document);

    for (size_t n = sim_random_chance(random, 400) ? sim_random_below(random, 5) : 0; n > 0; n--) {
        struct ot_snapshot *after = applied(document, op);
        struct ot_op *next = random_component(random, after), *both = composed(op, next);

        ot_op_unref(op);
        ot_op_unref(next);
        ot_snapshot_destroy(after);
        op = both;
    }
    return op;
}

/* ---- laws -------------------------------------------------------------------------------------------------------- */

static void check_tp1(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *a = random_json0_op(random, document), *b = random_json0_op(random, document),
                 *a_over_b = transformed(a, b, OT_LEFT), *b_over_a = transformed(b, a, OT_RIGHT);
    struct ot_snapshot *with_a = applied(document, a), *with_b = applied(document, b),
                       *by_a = applied(with_a, b_over_a), *by_b = applied(with_b, a_over_b);

    assert_same_document(by_a, by_b);
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
    struct ot_op *a = random_json0_op(random, document);
    struct ot_snapshot *after_a = applied(document, a);
    struct ot_op *b = random_json0_op(random, after_a), *both = composed(a, b);
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
    struct ot_snapshot *document = random_document(random);
    struct ot_op *op = random_json0_op(random, document), *inverse = NULL, *twice = NULL;
    struct ot_snapshot *after = applied(document, op), *back;

    assert_int_equal(ot_op_invert(op, &inverse, NULL), 0);
    back = applied(after, inverse);
    assert_same_document(document, back);
    assert_int_equal(ot_op_invert(inverse, &twice, NULL), 0);
    assert_same_op(twice, op);
    ot_op_unref(op);
    ot_op_unref(inverse);
    ot_op_unref(twice);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(back);
}

static void check_round_trip(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random);
    struct ot_op *op = random_json0_op(random, document), *again;
    char *json = written_op(op);

    again = json0_op(json);
    assert_same_op(op, again);
    free(json);
    ot_op_unref(op);
    ot_op_unref(again);
    ot_snapshot_destroy(document);
}

/* An old version stays what it was, and the running count of bytes is that of a document made anew. */
static void check_versions(struct sim_random *random)
{
    struct ot_snapshot *document = random_document(random), *after, *anew;
    struct ot_op *op = random_json0_op(random, document);
    char *before = written(document), *still, *json;

    after = applied(document, op);
    still = written(document);
    assert_string_equal(before, still);
    json = written(after);
    anew = document_of_json(json);
    assert_same_document(after, anew);
    assert_int_equal(ot_snapshot_size(after), ot_snapshot_size(anew));
    free(before);
    free(still);
    free(json);
    ot_op_unref(op);
    ot_snapshot_destroy(document);
    ot_snapshot_destroy(after);
    ot_snapshot_destroy(anew);
}

#define LAW(name, n_cases)                                                                                             \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(#name, n_cases, check_##name);                                                                   \
    }

LAW(tp1, 180000)
LAW(compose, 120000)
LAW(invert, 120000)
LAW(round_trip, 90000)
LAW(versions, 120000)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tp1),        cmocka_unit_test(compose),  cmocka_unit_test(invert),
        cmocka_unit_test(round_trip), cmocka_unit_test(versions),
    };

    return cmocka_run_group_tests_name("laws of json0", tests, NULL, NULL);
}
