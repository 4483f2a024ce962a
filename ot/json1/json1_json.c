#include "ot/error.h"
#include "ot/json/json_node.h"
#include "ot/json1/json1.h"

#include <string.h>

/* Operations on JSON documents to and from JSON: ["items",[0,{"r":true}],[3,"title",{"es":[2,"x"]}]]. */

/* ---- from JSON: components --------------------------------------------------------------------------------------- */

struct reading {
    enum op_form form;
    const struct ot_limits *limits;
    size_t max_depth;
    struct json1_builder builder;
    struct ot_error *error;
};

static int bad(const struct reading *reading, const struct json1_node *node, const char *what)
{
    char place[JSON1_PLACE_BYTES];

    return ot_fail(reading->error, OT_BAD_OP, "at %s: %s", json1_place(node, place), what);
}

static int read_slot(const struct reading *reading, const struct ot_json *json, const struct json1_node *node,
                     uint32_t *out)
{
    uint64_t slot;

    if (!ot_json_integer(json, &slot) || slot > JSON1_MAX_INDEX)
        return bad(reading, node, "a slot must be an integer from 0 to 2^31-1");
    *out = (uint32_t)slot;
    return 0;
}

static int read_added(const struct reading *reading, const struct ot_json *json, struct json1_node *node)
{
    if (ot_json_kind(json) != OT_JSON_NUMBER)
        return bad(reading, node, "only a number can be added");
    node->edit.added = ot_json_number(json);
    return 0;
}

static int read_op(const struct reading *reading, const struct ot_type *type, const struct ot_json *json,
                   struct json1_node *node)
{
    struct ot_error error;
    int r;

    if (reading->form == OP_LENIENT)
        r = ot_op_normalize(type, json, reading->limits, &node->edit.op, &error);
    else
        r = ot_op_parse(type, json, reading->limits, &node->edit.op, &error);
    if (r > 0) {
        char place[JSON1_PLACE_BYTES];

        return ot_fail(reading->error, r, "at %s: %s", json1_place(node, place), error.message);
    }
    return r;
}

static int read_edit_of(const struct reading *reading, const struct ot_json *name, const struct ot_json *json,
                        struct json1_node *node)
{
    const struct ot_type *type;
    const char *string;
    size_t n_bytes;

    if (!name || !json || ot_json_kind(name) != OT_JSON_STRING)
        return bad(reading, node, "et must be the name of a type, and e the edit");
    string = ot_json_string(name, &n_bytes);
    if (n_bytes == strlen("number") && memcmp(string, "number", n_bytes) == 0)
        return read_added(reading, json, node);
    type = ot_type_find(string, n_bytes);
    return type ? read_op(reading, type, json, node) : bad(reading, node, "et names no type");
}

static int read_edit(const struct reading *reading, const struct ot_json *json, struct json1_node *node)
{
    const struct ot_json *text = ot_json_get(json, "es", 2), *added = ot_json_get(json, "ena", 3);
    const struct ot_json *other = ot_json_get(json, "e", 1), *name = ot_json_get(json, "et", 2);

    if (!text && !added && !other && !name)
        return 0;
    if (!!text + !!added + (other || name) > 1)
        return bad(reading, node, "two edits");
    node->flags |= JSON1_EDIT;
    if (text)
        return read_op(reading, &text_unicode, text, node);
    return added ? read_added(reading, added, node) : read_edit_of(reading, name, other, node);
}

static int read_pick(const struct reading *reading, const struct ot_json *json, struct json1_node *node)
{
    const struct ot_json *slot = ot_json_get(json, "p", 1), *removed = ot_json_get(json, "r", 1);

    if (slot && removed)
        return bad(reading, node, "picked and removed");
    if (removed) {
        node->flags |= JSON1_REMOVE;
        return value_from_json(removed, &node->removed);
    }
    node->flags |= slot ? JSON1_PICK : 0;
    return slot ? read_slot(reading, slot, node, &node->pick_slot) : 0;
}

static int read_drop(const struct reading *reading, const struct ot_json *json, struct json1_node *node)
{
    const struct ot_json *slot = ot_json_get(json, "d", 1), *inserted = ot_json_get(json, "i", 1);

    if (slot && inserted)
        return bad(reading, node, "dropped and inserted");
    if (inserted) {
        node->flags |= JSON1_INSERT;
        return value_from_json(inserted, &node->inserted);
    }
    node->flags |= slot ? JSON1_DROP : 0;
    return slot ? read_slot(reading, slot, node, &node->drop_slot) : 0;
}

static bool is_field(const struct ot_json *json, size_t i)
{
    static const char *const fields[] = { "p", "r", "d", "i", "es", "ena", "et", "e" };
    size_t n_bytes;
    const char *key = ot_json_key_at(json, i, &n_bytes);

    for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
        if (strlen(fields[k]) == n_bytes && memcmp(fields[k], key, n_bytes) == 0)
            return true;
    }
    return false;
}

static int read_component(const struct reading *reading, const struct ot_json *json, struct json1_node *node)
{
    int r;

    if (!node)
        return 0; /* the builder has failed */
    if (!ot_json_count(json) && reading->form == OP_STRICT)
        return bad(reading, node, "a component without content");
    for (size_t i = 0; i < ot_json_count(json); i++) {
        if (!is_field(json, i))
            return bad(reading, node, "a component has a field that is none of p, r, d, i, es, ena, et, e");
    }
    r = read_pick(reading, json, node);
    if (!r)
        r = read_drop(reading, json, node);
    return r ? r : read_edit(reading, json, node);
}

/* ---- from JSON: descents ----------------------------------------------------------------------------------------- */

/* A list of the operation: where it has come to, and what came last. */
struct descent {
    struct json1_node *node;
    size_t depth; /* keys above */
    bool is_root;
    enum { AT_START, AT_KEY, AT_COMPONENT, AT_CHILD } last;
    const struct json1_node *last_child;
    size_t n_children;
};

static int check_key(const struct reading *reading, const struct ot_json *json, const struct json1_node *node)
{
    const char *key;
    size_t n_bytes;
    uint64_t index;

    if (ot_json_kind(json) == OT_JSON_NUMBER)
        return ot_json_integer(json, &index) && index <= JSON1_MAX_INDEX
                   ? 0
                   : bad(reading, node, "an index must be an integer from 0 to 2^31-1");
    if (ot_json_kind(json) != OT_JSON_STRING)
        return bad(reading, node, "a key must be a string or an index");
    key = ot_json_string(json, &n_bytes);
    if (n_bytes == strlen("__proto__") && memcmp(key, "__proto__", n_bytes) == 0)
        return bad(reading, node, "__proto__ can't be a key");
    return 0;
}

static int read_key(struct reading *reading, const struct ot_json *json, struct descent *descent)
{
    struct value key;
    int r = check_key(reading, json, descent->node);

    if (r)
        return r;
    if (descent->last == AT_CHILD)
        return bad(reading, descent->node, "a key after lists");
    if (++descent->depth > reading->max_depth)
        return ot_fail(reading->error, OT_LIMIT, "paths of more than %zu keys", reading->max_depth);
    r = value_from_json(json, &key);
    if (r)
        return r;
    descent->node = json1_down(&reading->builder, descent->node, &key);
    value_release(&key);
    descent->last = AT_KEY;
    return 0;
}

static int read_component_of(const struct reading *reading, const struct ot_json *json, struct descent *descent)
{
    if (descent->last == AT_COMPONENT || descent->last == AT_CHILD)
        return bad(reading, descent->node, "a component that follows no key");
    if (descent->last == AT_START && !descent->is_root)
        return bad(reading, descent->node, "a list that begins without a key");
    descent->last = AT_COMPONENT;
    return read_component(reading, json, descent->node);
}

static int check_child(const struct reading *reading, const struct ot_json *json, struct descent *descent)
{
    const struct ot_json *first = ot_json_count(json) ? ot_json_at(json, 0) : NULL;

    if (!first || (ot_json_kind(first) != OT_JSON_NUMBER && ot_json_kind(first) != OT_JSON_STRING))
        return bad(reading, descent->node, "a list that begins without a key");
    return 0;
}

static int read_descent(struct reading *reading, const struct ot_json *json, struct descent *descent);

/* Nodes are made in order, so that a child that is not behind the last one either exists or is made before it. */
static int read_child(struct reading *reading, const struct ot_json *json, struct descent *descent)
{
    struct json1_node *parent = descent->node;
    struct descent child = { .node = parent, .depth = descent->depth };
    const struct json1_node *made;
    struct value key;
    int r = check_child(reading, json, descent);

    if (!r)
        r = check_key(reading, ot_json_at(json, 0), parent);
    if (!r)
        r = value_from_json(ot_json_at(json, 0), &key);
    if (r)
        return r;
    made = json1_down(&reading->builder, parent, &key);
    value_release(&key);
    if (made && descent->last_child && json1_key_compare(&descent->last_child->key, &made->key) >= 0)
        return bad(reading, made, "keys must be different and in order");
    descent->last_child = made;
    descent->n_children++;
    descent->last = AT_CHILD;
    return read_descent(reading, json, &child);
}

static int read_item(struct reading *reading, const struct ot_json *json, struct descent *descent)
{
    switch (ot_json_kind(json)) {
    case OT_JSON_ARRAY: return read_child(reading, json, descent);
    case OT_JSON_OBJECT: return read_component_of(reading, json, descent);
    default: return read_key(reading, json, descent);
    }
}

/* Recurses as deep as the lists are nested, which the parser of JSON keeps under OT_DEPTH_CEILING. */
static int read_descent(struct reading *reading, const struct ot_json *json, struct descent *descent)
{
    int r = 0;

    for (size_t i = 0; !r && !reading->builder.r && i < ot_json_count(json); i++)
        r = read_item(reading, ot_json_at(json, i), descent);
    if (r || reading->builder.r)
        return r ? r : reading->builder.r;
    if (reading->form == OP_LENIENT)
        return 0;
    if (descent->last == AT_START || descent->last == AT_KEY)
        return bad(reading, descent->node, "a list that ends without a component");
    return descent->n_children == 1 ? bad(reading, descent->node, "a list that is the only one") : 0;
}

static int finish_reading(struct reading *reading, struct json1_node *tree, struct ot_op **out)
{
    struct ot_op *op = NULL, *normal = NULL;
    int r = json1_finish(&reading->builder, tree, reading->limits, &op, reading->error);

    if (r == OT_NOT_APPLIED)
        r = OT_BAD_OP; /* its slots */
    if (!r && reading->form == OP_LENIENT) {
        r = json1_normalized(op, &normal, reading->error);
        ot_op_unref(op);
        op = normal;
    }
    if (!r)
        *out = op;
    return r;
}

int json1_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                struct ot_error *error)
{
    struct reading reading = { .form = form, .limits = limits, .error = error };
    struct descent descent = { .is_root = true };
    struct json1_node *root;
    int r;

    if (ot_json_kind(json) != OT_JSON_ARRAY && ot_json_kind(json) != OT_JSON_NULL)
        return ot_fail(error, OT_BAD_OP, "an operation must be null or a list");
    reading.max_depth = limits->max_depth < OT_DEPTH_CEILING ? limits->max_depth : OT_DEPTH_CEILING;
    json1_builder_init(&reading.builder);
    root = descent.node = json1_new_tree(&reading.builder);
    r = ot_json_kind(json) == OT_JSON_ARRAY ? read_descent(&reading, json, &descent) : 0;
    if (!r)
        return finish_reading(&reading, root, out);
    json1_builder_finish(&reading.builder);
    return r;
}

/* ---- to JSON ----------------------------------------------------------------------------------------------------- */

struct through {
    struct writer *writer;
};

static int write_through(void *arg, const char *at, size_t n_bytes)
{
    const struct through *through = arg;

    writer_bytes(through->writer, at, n_bytes);
    return 0;
}

static void write_name(struct writer *writer, char *before, const char *name)
{
    writer_byte(writer, *before);
    writer_string(writer, name, strlen(name));
    writer_byte(writer, ':');
    *before = ',';
}

static void write_edit(struct writer *writer, char *before, const struct json1_edit *edit)
{
    struct through through = { writer };
    int r;

    if (!edit->op) {
        write_name(writer, before, "ena");
        writer_number(writer, edit->added);
        return;
    }
    if (ot_op_type(edit->op) != &text_unicode) {
        write_name(writer, before, "et");
        writer_string(writer, ot_type_name(ot_op_type(edit->op)), strlen(ot_type_name(ot_op_type(edit->op))));
    }
    write_name(writer, before, ot_op_type(edit->op) == &text_unicode ? "es" : "e");
    r = ot_op_write(edit->op, write_through, &through);
    if (r && !writer->r)
        writer->r = r;
}

static void write_component(struct writer *writer, const struct json1_node *node)
{
    char before = '{';

    if (node->flags & JSON1_PICK) {
        write_name(writer, &before, "p");
        writer_integer(writer, node->pick_slot);
    }
    if (node->flags & JSON1_REMOVE) {
        write_name(writer, &before, "r");
        value_write(writer, &node->removed);
    }
    if (node->flags & JSON1_DROP) {
        write_name(writer, &before, "d");
        writer_integer(writer, node->drop_slot);
    }
    if (node->flags & JSON1_INSERT) {
        write_name(writer, &before, "i");
        value_write(writer, &node->inserted);
    }
    if (node->flags & JSON1_EDIT)
        write_edit(writer, &before, &node->edit);
    writer_byte(writer, '}');
}

/* What follows a node's key: its component, then its only child in the same list, or each child in one of its own. */
static void write_below(struct writer *writer, const struct json1_node *node, const char *before)
{
    for (;;) {
        if (node->flags & JSON1_COMPONENT) {
            writer_literal(writer, before);
            write_component(writer, node);
            before = ",";
        }
        if (!node->first || node->first->next)
            break;
        node = node->first;
        writer_literal(writer, before);
        value_write(writer, &node->key);
        before = ",";
    }
    for (const struct json1_node *child = node->first; child; child = child->next) {
        writer_literal(writer, before);
        writer_byte(writer, '[');
        value_write(writer, &child->key);
        write_below(writer, child, ",");
        writer_byte(writer, ']');
        before = ",";
    }
}

int json1_write(const struct ot_op *op, ot_write_fn *write, void *arg)
{
    const struct json1_node *root = json1_root(json1_op_of(op));
    struct writer writer;

    writer_init(&writer, write, arg);
    if (root) {
        writer_byte(&writer, '[');
        write_below(&writer, root, "");
        writer_byte(&writer, ']');
    } else {
        writer_literal(&writer, "null");
    }
    return writer_finish(&writer);
}
