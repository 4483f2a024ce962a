#include "tests/unit/ot/rich_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- documents --------------------------------------------------------------------------------------------------- */

const struct ot_type *rich_type(void)
{
    return ot_type_find("rich-text", 9);
}

struct ot_snapshot *rich_document(const char *json)
{
    struct ot_json *data = json_of(json);
    struct ot_snapshot *document = NULL;

    assert_int_equal(ot_snapshot_create(rich_type(), data, NULL, &document, NULL), 0);
    ot_json_unref(data);
    return document;
}

struct ot_op *rich_op(const char *json, bool is_strict)
{
    struct ot_json *value = json_of(json);
    struct ot_op *op = NULL;

    assert_int_equal((is_strict ? ot_op_parse : ot_op_normalize)(rich_type(), value, NULL, &op, NULL), 0);
    ot_json_unref(value);
    return op;
}

char *rich_written(const struct ot_snapshot *document)
{
    struct text text = { 0 };

    assert_int_equal(ot_snapshot_write_json(document, text_write, &text), 0);
    return text.at;
}

static void lengths_add(struct rich_lengths *lengths, const struct ot_json *insert)
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

struct rich_lengths rich_lengths(const struct ot_snapshot *document)
{
    char *text = rich_written(document);
    struct ot_json *json = json_of(text), *ops = ot_json_get(json, "ops", 3);
    struct rich_lengths lengths = { NULL, 0 };

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

struct ot_snapshot *random_rich_document(struct sim_random *random)
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
static void add_length(struct sim_random *random, struct text *json, struct rich_lengths *left, size_t n, size_t kind)
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

struct ot_op *random_rich_op(struct sim_random *random, const struct ot_snapshot *document, bool is_normal)
{
    struct rich_lengths lengths = rich_lengths(document), left = lengths;
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
