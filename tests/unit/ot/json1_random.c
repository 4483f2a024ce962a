#include "tests/unit/ot/json1_random.h"

#include "ot/json1/json1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ot_type *json1_type(void)
{
    return ot_type_find("json1", 5);
}

struct ot_op *json1_op_from(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_op *op = NULL;

    assert_int_equal(ot_op_parse(json1_type(), value, NULL, &op, NULL), 0);
    ot_json_unref(value);
    return op;
}

struct ot_snapshot *json1_document(const char *json)
{
    struct ot_json *value = json_of(json);
    struct ot_snapshot *document = NULL;

    assert_int_equal(ot_snapshot_create(json1_type(), value, NULL, &document, NULL), 0);
    ot_json_unref(value);
    return document;
}

char *json1_written(const struct ot_snapshot *document)
{
    struct text text = { 0 };

    assert_int_equal(ot_snapshot_write_json(document, text_write, &text), 0);
    return text.at;
}

void assert_same_json1(const struct ot_snapshot *a, const struct ot_snapshot *b)
{
    char *text_a = json1_written(a), *text_b = json1_written(b);

    assert_string_equal(text_a, text_b);
    assert_int_equal(ot_snapshot_size(a), ot_snapshot_size(b));
    free(text_a);
    free(text_b);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static const char *const keys[] = { "a", "b", "x", "y", "", "0", "\uffff", "😀", "a key of more than fourteen bytes" };
static const char *const texts[] = { "", "abc", "😀é\n", "a text of more than fourteen bytes" };

static const char *random_key(struct sim_random *random)
{
    size_t n = sim_random_chance(random, 800) ? 4 : sizeof(keys) / sizeof(keys[0]);

    return keys[sim_random_below(random, n)];
}

static struct value text_value(const char *utf8)
{
    struct value value;

    assert_int_equal(value_text(utf8, strlen(utf8), &value), 0);
    return value;
}

static struct value random_scalar(struct sim_random *random)
{
    size_t kind = sim_random_below(random, 10);

    if (kind < 4)
        return text_value(texts[sim_random_below(random, sizeof(texts) / sizeof(texts[0]))]);
    if (kind < 8)
        return value_number((double)sim_random_below(random, 7) - 3);
    return value_of_kind(kind == 8 ? VALUE_NULL : VALUE_TRUE);
}

static struct value random_value(struct sim_random *random, unsigned depth)
{
    struct value value;

    if (!depth || sim_random_chance(random, 350))
        return random_scalar(random);
    value = value_of_kind(sim_random_chance(random, 500) ? VALUE_LIST : VALUE_OBJECT);
    for (size_t n = sim_random_below(random, 4); n > 0; n--) {
        struct value inner = random_value(random, depth - 1);

        if (value.kind == VALUE_LIST)
            assert_int_equal(value_append(&value, inner), 0);
        else
            assert_int_equal(value_set(&value, text_value(random_key(random)), inner), 0);
    }
    return value;
}

struct ot_snapshot *random_json1_document(struct sim_random *random)
{
    struct value value = random_value(random, 4);
    struct ot_snapshot *document = NULL;
    struct ot_json *json = NULL;

    assert_int_equal(value_to_json(&value, &json), 0);
    assert_int_equal(ot_snapshot_create(json1_type(), json, NULL, &document, NULL), 0);
    ot_json_unref(json);
    value_release(&value);
    return document;
}

static struct value root_of(const struct ot_snapshot *document)
{
    char *text = json1_written(document);
    struct ot_json *json = json_of(text);
    struct value root;

    assert_int_equal(value_from_json(json, &root), 0);
    ot_json_unref(json);
    free(text);
    return root;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

#define MAX_PATH 16

struct path {
    struct value keys[MAX_PATH];
    size_t n_keys;
    const struct value *here; /* what lies there */
    const struct value *parent;
};

static void path_release(struct path *path)
{
    while (path->n_keys)
        value_release(&path->keys[--path->n_keys]);
}

static struct path random_path(struct sim_random *random, const struct value *root)
{
    struct path path = { .here = root };

    while (path.n_keys < MAX_PATH && value_is_container(path.here) && value_count(path.here) &&
           sim_random_chance(random, 850)) {
        size_t i = sim_random_below(random, value_count(path.here));

        path.keys[path.n_keys++] =
            path.here->kind == VALUE_LIST ? value_number((double)i) : value_share(value_key_at(path.here, i));
        path.parent = path.here;
        path.here = value_at(path.here, i);
    }
    return path;
}

/* A place for something new. False: there is none where chance led. */
static bool random_place(struct sim_random *random, const struct value *root, struct path *out)
{
    struct path path = random_path(random, root);
    size_t i;

    if (!value_is_container(path.here) && path.parent) {
        path.here = path.parent;
        value_release(&path.keys[--path.n_keys]);
    }
    if (!value_is_container(path.here) || path.n_keys == MAX_PATH) {
        path_release(&path);
        return false;
    }
    if (path.here->kind == VALUE_LIST)
        path.keys[path.n_keys++] = value_number((double)sim_random_below(random, value_count(path.here) + 1));
    else
        path.keys[path.n_keys++] = text_value(random_key(random));
    if (path.here->kind == VALUE_OBJECT && value_find(path.here, &path.keys[path.n_keys - 1], &i)) {
        path_release(&path);
        return false;
    }
    *out = path;
    return true;
}

struct ot_json *random_json1_path(struct sim_random *random, const struct ot_snapshot *document)
{
    struct value root = root_of(document), keys_of_path = value_of_kind(VALUE_LIST);
    struct path path = random_path(random, &root);
    struct ot_json *json = NULL;

    for (size_t i = 0; i < path.n_keys; i++)
        assert_int_equal(value_append(&keys_of_path, value_share(&path.keys[i])), 0);
    assert_int_equal(value_to_json(&keys_of_path, &json), 0);
    value_release(&keys_of_path);
    path_release(&path);
    value_release(&root);
    return json;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static struct json1_node *down(struct json1_builder *builder, struct json1_node *tree, const struct path *path)
{
    for (size_t i = 0; i < path->n_keys; i++)
        tree = json1_down(builder, tree, &path->keys[i]);
    return tree;
}

static struct ot_op *finish(struct json1_builder *builder, struct json1_node *tree)
{
    struct ot_op *op = NULL;

    assert_int_equal(json1_finish(builder, tree, NULL, &op, NULL), 0);
    return op;
}

static void write_random_edit(struct sim_random *random, struct json1_builder *builder, struct json1_node *node,
                              const struct value *here)
{
    struct json1_edit edit = { .added = (double)sim_random_below(random, 11) - 5 };
    size_t n_cps, at;
    char json[100];

    if (value_is_text(here)) {
        n_cps = value_text_sums(here).n_cps;
        at = sim_random_below(random, n_cps + 1);
        if (at < n_cps && sim_random_chance(random, 500))
            (void)snprintf(json, sizeof(json), "[%zu,{\"d\":%zu},\"x\"]", at, 1 + sim_random_below(random, n_cps - at));
        else
            (void)snprintf(json, sizeof(json), "[%zu,\"é%zu\"]", at, n_cps);
        edit.op = op_normalized(json);
    } else if (here->kind != VALUE_NUMBER) {
        return;
    }
    json1_write_edit(builder, node, &edit);
    json1_edit_release(&edit);
}

/* Moves what lies at the path to somewhere in what is left. */
static void write_random_move(struct sim_random *random, struct json1_builder *builder, struct json1_node *tree,
                              const struct path *path, const struct ot_snapshot *document)
{
    struct json1_builder removing;
    struct json1_node *removed;
    struct ot_snapshot *after;
    struct ot_op *remove;
    struct value root;
    struct path to;

    json1_builder_init(&removing);
    removed = json1_new_tree(&removing);
    json1_write_remove_true(&removing, down(&removing, removed, path));
    remove = finish(&removing, removed);
    after = applied(document, remove);
    root = root_of(after);
    if (random_place(random, &root, &to)) {
        json1_write_pick(builder, down(builder, tree, path), 0);
        json1_write_drop(builder, down(builder, tree, &to), 0);
        path_release(&to);
    }
    value_release(&root);
    ot_op_unref(remove);
    ot_snapshot_destroy(after);
}

static void write_random_insert(struct sim_random *random, struct json1_builder *builder, struct json1_node *tree,
                                const struct value *root)
{
    struct value inserted = random_value(random, 2);
    struct path to;

    if (random_place(random, root, &to)) {
        json1_write_insert(builder, down(builder, tree, &to), &inserted);
        path_release(&to);
    }
    value_release(&inserted);
}

static void write_random_replace(struct sim_random *random, struct json1_builder *builder, struct json1_node *node)
{
    struct value inserted = random_value(random, 1);

    json1_write_remove_true(builder, node);
    json1_write_insert(builder, node, &inserted);
    value_release(&inserted);
}

static struct ot_op *random_part(struct sim_random *random, const struct ot_snapshot *document)
{
    struct value root = root_of(document);
    struct path path = random_path(random, &root);
    struct json1_builder builder;
    struct json1_node *tree;
    size_t kind = sim_random_below(random, 100);

    json1_builder_init(&builder);
    tree = json1_new_tree(&builder);
    if (kind < 25)
        write_random_insert(random, &builder, tree, &root);
    else if (kind < 30)
        write_random_replace(random, &builder, down(&builder, tree, &path));
    else if (kind < 50 && path.n_keys)
        json1_write_remove(&builder, down(&builder, tree, &path), path.here);
    else if (kind < 75 && path.n_keys)
        write_random_move(random, &builder, tree, &path, document);
    else
        write_random_edit(random, &builder, down(&builder, tree, &path), path.here);
    path_release(&path);
    value_release(&root);
    return finish(&builder, tree);
}

struct ot_op *random_json1_op(struct sim_random *random, const struct ot_snapshot *document)
{
    struct ot_snapshot *now = NULL;
    struct ot_op *op = json1_op_from("null");

    assert_int_equal(ot_snapshot_share(document, &now), 0);
    for (size_t n = sim_random_chance(random, 50) ? 10 : 1 + sim_random_below(random, 4); n > 0; n--) {
        struct ot_op *part = random_part(random, now), *both = composed(op, part);

        assert_int_equal(ot_snapshot_apply(now, part, NULL, NULL), 0);
        ot_op_unref(op);
        ot_op_unref(part);
        op = both;
    }
    ot_snapshot_destroy(now);
    return op;
}
