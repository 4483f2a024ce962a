#include "tests/unit/ot/json0_random.h"

#include "ot/json/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ot_type *json0_type(void)
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

struct ot_snapshot *json0_document(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_snapshot *document = NULL;

    assert_int_equal(ot_snapshot_create(json0_type(), value, NULL, &document, NULL), 0);
    ot_json_unref(value);
    return document;
}

char *json0_written(const struct ot_snapshot *document)
{
    struct text text = { 0 };

    assert_int_equal(ot_snapshot_write_json(document, text_write, &text), 0);
    return text.at;
}

struct ot_op *json0_op_from(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_error error = { "" };
    struct ot_op *op = NULL;

    if (ot_op_parse(json0_type(), value, NULL, &op, &error) != 0)
        fail_msg("%s: %s", json, error.message);
    ot_json_unref(value);
    return op;
}

struct ot_snapshot *random_json0_document(struct sim_random *random)
{
    struct text json = { 0 };
    struct ot_snapshot *document;

    add_random_value(random, &json, 4);
    document = json0_document(json.at);
    text_free(&json);
    return document;
}

static struct ot_op *random_component(struct sim_random *random, const struct ot_snapshot *document)
{
    char *json = json0_written(document);
    struct ot_json *root = json_of(json);
    struct text text = { 0 };
    struct ot_op *op;

    text_add(&text, "[");
    add_component(random, root, &text);
    text_add(&text, "]");
    op = json0_op_from(text.at);
    ot_json_unref(root);
    text_free(&text);
    free(json);
    return op;
}

/* One component, often; else several, each for what the ones before it leave. */
struct ot_op *random_json0_op(struct sim_random *random, const struct ot_snapshot *document)
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
