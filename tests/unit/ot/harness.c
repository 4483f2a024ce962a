#include "tests/unit/ot/harness.h"

#include "ot/json/utf8.h"
#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value && *value ? strtoull(value, NULL, 10) : otherwise;
}

void for_each_case(const char *law, size_t n_cases, void (*check)(struct sim_random *random))
{
    for_each_seed(law, (size_t)from_environment("PILCROW_CASES", n_cases), check);
}

void for_each_seed(const char *what, size_t n_cases, void (*check)(struct sim_random *random))
{
    uint64_t seed = from_environment("PILCROW_SEED", 1);

    print_message("# %s: %zu cases, PILCROW_SEED=%llu\n", what, n_cases, (unsigned long long)seed);
    for (size_t i = 0; i < n_cases; i++) {
        struct sim_random random = { seed + i };

        check(&random);
    }
}

void fail_each(int (*attempt)(void *arg), void *arg)
{
    for (int kind = 0; kind < 2; kind++) {
        bool met = true;

        for (size_t n = 0; met; n++) {
            int r;

            assert_in_range(n, 0, 10000);
            alloc_fault_arm(n, kind ? ALLOC_FAULT_FROM_THEN_ON : ALLOC_FAULT_ONCE);
            r = attempt(arg);
            met = alloc_fault_disarm();
            if (!met || r != -ENOMEM)
                assert_int_equal(r, 0);
        }
    }
}

int text_write(void *arg, const char *at, size_t n_bytes)
{
    struct text *text = arg;

    if (text->n_bytes + n_bytes + 1 > text->capacity) {
        size_t capacity = 2 * (text->n_bytes + n_bytes) + 64;
        char *grown = realloc(text->at, capacity);

        if (!grown)
            return -ENOMEM;
        text->at = grown;
        text->capacity = capacity;
    }
    if (n_bytes)
        memcpy(text->at + text->n_bytes, at, n_bytes);
    text->n_bytes += n_bytes;
    text->at[text->n_bytes] = 0;
    return 0;
}

void text_add(struct text *text, const char *literal)
{
    assert_int_equal(text_write(text, literal, strlen(literal)), 0);
}

void text_free(struct text *text)
{
    free(text->at);
    *text = (struct text){ 0 };
}

const struct ot_type *text_type(void)
{
    return ot_type_find("text-unicode", 12);
}

int parse_exactly(const char *json, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out)
{
    char *copy = malloc(n_bytes ? n_bytes : 1);
    int r;

    assert_non_null(copy);
    if (n_bytes)
        memcpy(copy, json, n_bytes);
    r = ot_json_parse(copy, n_bytes, limits, out, NULL);
    free(copy);
    return r;
}

struct ot_json *json_of(const char *json)
{
    struct ot_json *out = NULL;

    assert_int_equal(parse_exactly(json, strlen(json), NULL, &out), 0);
    return out;
}

static struct ot_op *op_read(const char *json,
                             int (*read)(const struct ot_type *, const struct ot_json *, const struct ot_limits *,
                                         struct ot_op **, struct ot_error *))
{
    struct ot_json *value = json_of(json);
    struct ot_error error = { "" };
    struct ot_op *op = NULL;

    if (read(text_type(), value, NULL, &op, &error) != 0)
        fail_msg("%s: %s", json, error.message);
    ot_json_unref(value);
    return op;
}

struct ot_op *op_of(const char *json)
{
    return op_read(json, ot_op_parse);
}

struct ot_op *op_normalized(const char *json)
{
    return op_read(json, ot_op_normalize);
}

struct ot_snapshot *document_of_bytes(const char *utf8, size_t n_bytes)
{
    struct ot_snapshot *document = NULL;
    struct ot_json *json = NULL;

    assert_int_equal(ot_json_from_text(utf8, n_bytes, &json), 0);
    assert_int_equal(ot_snapshot_create(text_type(), json, NULL, &document, NULL), 0);
    ot_json_unref(json);
    return document;
}

struct ot_snapshot *document_of(const char *text)
{
    return document_of_bytes(text, strlen(text));
}

char *written_json(const struct ot_json *json)
{
    struct text text = { 0 };

    assert_int_equal(ot_json_write(json, text_write, &text), 0);
    return text.at;
}

char *written_op(const struct ot_op *op)
{
    struct text text = { 0 };

    assert_int_equal(ot_op_write(op, text_write, &text), 0);
    return text.at;
}

char *written_document(const struct ot_snapshot *document)
{
    struct text text = { 0 };

    assert_int_equal(text_write(&text, "", 0), 0);
    assert_int_equal(ot_snapshot_write_text(document, text_write, &text), 0);
    assert_int_equal(text.n_bytes, ot_snapshot_size(document));
    return text.at;
}

struct ot_snapshot *applied(const struct ot_snapshot *document, const struct ot_op *op)
{
    struct ot_error error = { "" };
    struct ot_snapshot *out = NULL;

    assert_int_equal(ot_snapshot_share(document, &out), 0);
    if (ot_snapshot_apply(out, op, NULL, &error) != 0)
        fail_msg("apply: %s", error.message);
    return out;
}

struct ot_op *transformed(const struct ot_op *op, const struct ot_op *other, enum ot_side side)
{
    struct ot_op *out = NULL;

    assert_int_equal(ot_op_transform(op, other, side, NULL, &out, NULL), 0);
    return out;
}

struct ot_op *composed(const struct ot_op *first, const struct ot_op *second)
{
    struct ot_op *out = NULL;

    assert_int_equal(ot_op_compose(first, second, NULL, &out, NULL), 0);
    return out;
}

void assert_same_document(const struct ot_snapshot *a, const struct ot_snapshot *b)
{
    struct text text_a = { 0 }, text_b = { 0 };

    assert_int_equal(ot_snapshot_write_json(a, text_write, &text_a), 0);
    assert_int_equal(ot_snapshot_write_json(b, text_write, &text_b), 0);
    assert_string_equal(text_a.at, text_b.at);
    text_free(&text_a);
    text_free(&text_b);
}

void assert_same_op(const struct ot_op *a, const struct ot_op *b)
{
    char *text_a = written_op(a), *text_b = written_op(b);

    assert_string_equal(text_a, text_b);
    free(text_a);
    free(text_b);
}

/* ---- chance ------------------------------------------------------------------------------------------------------ */

void random_text(struct sim_random *random, size_t n_cps, struct text *out)
{
    static const char *const characters[] = { "a", "b", "c",  " ", "\n",     "\"", "\\", "\x01",      "ß",
                                              "é", "ก", "日", "ﬁ", "\u2028", "😀",  "𐀀",  "\U0010ffff" };

    assert_int_equal(text_write(out, "", 0), 0);
    for (size_t i = sim_random_below(random, n_cps + 1); i > 0; i--) {
        /* Mostly ASCII, so that leaves and texts of both kinds come up. */
        size_t n = sim_random_chance(random, 700) ? 5 : sizeof(characters) / sizeof(characters[0]);

        text_add(out, characters[sim_random_below(random, n)]);
    }
}

static void add_number(struct text *json, const char *before, size_t number, const char *after)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%zu", number);
    text_add(json, before);
    text_add(json, text);
    text_add(json, after);
}

static void add_quoted(struct text *json, const char *utf8, size_t n_bytes)
{
    assert_int_equal(ot_json_write_string(utf8, n_bytes, text_write, json), 0);
}

/* A component on what is left of the document at *at; *at and *n_cps become what is left after it. */
static void add_component(struct sim_random *random, struct text *json, const char **at, size_t *n_cps)
{
    size_t kind = *n_cps ? sim_random_below(random, 5) : 1, n = 0, n_bytes;
    struct text inserted = { 0 };

    if (*n_cps)
        n = 1 + sim_random_below(random, *n_cps < 12 ? *n_cps : 12);
    n_bytes = utf8_offset(*at, strlen(*at), n);
    if (kind == 0) {
        add_number(json, "", n, ",");
    } else if (kind == 1) {
        n = n_bytes = 0;
        random_text(random, 5, &inserted);
        add_quoted(json, inserted.at, inserted.n_bytes);
        text_add(json, ",");
    } else if (sim_random_chance(random, 300)) {
        text_add(json, "{\"d\":");
        add_quoted(json, *at, n_bytes);
        text_add(json, "},");
    } else {
        add_number(json, "{\"d\":", n, "},");
    }
    text_free(&inserted);
    *at += n_bytes;
    *n_cps -= n;
}

struct ot_op *random_op(struct sim_random *random, const struct ot_snapshot *document)
{
    char *text = written_document(document);
    const char *at = text;
    size_t n_cps = utf8_count(text, strlen(text));
    struct text json = { 0 };
    struct ot_op *op;

    text_add(&json, "[");
    if (n_cps) {
        size_t n = sim_random_below(random, n_cps + 1);

        add_number(&json, "", n, ",");
        at += utf8_offset(text, strlen(text), n);
        n_cps -= n;
    }
    for (size_t i = 1 + sim_random_below(random, 5); i > 0; i--)
        add_component(random, &json, &at, &n_cps);
    text_add(&json, "0]");
    op = op_normalized(json.at);
    text_free(&json);
    free(text);
    return op;
}
