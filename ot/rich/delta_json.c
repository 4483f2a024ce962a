#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/json/utf8.h"
#include "ot/rich/delta.h"

#include <string.h>

/* Operations on rich text to and from JSON: {"ops":[{"retain":3},{"insert":"x","attributes":{"bold":true}}]}. */

/* ---- from JSON --------------------------------------------------------------------------------------------------- */

struct reading {
    enum op_form form;
    bool is_content; /* of a document: inserts only */
    const struct ot_limits *limits;
    size_t i; /* of the component being read */
    struct ot_error *error;
};

/* A component with what it holds, which is its own. */
struct component {
    struct delta_piece piece;
    struct value attributes, embed;
};

static int bad(const struct reading *reading, const char *what)
{
    return ot_fail(reading->error, OT_BAD_OP, "component %zu: %s", reading->i, what);
}

static int read_length(const struct reading *reading, const struct ot_json *json, enum delta_kind kind,
                       struct component *out)
{
    if (reading->is_content)
        return bad(reading, "a document holds inserts only");
    out->piece.kind = kind;
    if (!ot_json_integer(json, &out->piece.n_units))
        return bad(reading, "a length must be an integer from 1 to 2^53-1");
    if (!out->piece.n_units && reading->form == OP_STRICT)
        return bad(reading, "a length of 0");
    return 0;
}

static int read_insert(const struct reading *reading, const struct ot_json *json, struct component *out)
{
    struct delta_piece *piece = &out->piece;

    if (ot_json_kind(json) == OT_JSON_OBJECT) {
        piece->kind = DELTA_EMBED;
        piece->n_units = 1;
        return value_from_json(json, &out->embed);
    }
    if (ot_json_kind(json) != OT_JSON_STRING)
        return bad(reading, "an insert must be a text or an object");
    piece->kind = DELTA_TEXT;
    piece->text = ot_json_string(json, &piece->n_bytes);
    piece->n_units = utf8_count(piece->text, piece->n_bytes) + utf8_count_astral(piece->text, piece->n_bytes);
    if (!piece->n_units && reading->form == OP_STRICT)
        return bad(reading, "an empty text");
    return 0;
}

/* What every JavaScript object has: clients that look such a name up find it where it is not. */
static bool is_inherited(const char *name, size_t n_bytes)
{
    static const char *const names[] = {
        "__proto__",   "__defineGetter__", "__defineSetter__", "__lookupGetter__",     "__lookupSetter__",
        "constructor", "hasOwnProperty",   "isPrototypeOf",    "propertyIsEnumerable", "toLocaleString",
        "toString",    "valueOf",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == n_bytes && memcmp(names[i], name, n_bytes) == 0)
            return true;
    }
    return false;
}

static int read_attributes(const struct reading *reading, const struct ot_json *json, struct component *out)
{
    if (ot_json_kind(json) != OT_JSON_OBJECT)
        return bad(reading, "attributes must be an object");
    for (size_t i = 0; i < ot_json_count(json); i++) {
        size_t n_bytes;
        const char *name = ot_json_key_at(json, i, &n_bytes);

        if (is_inherited(name, n_bytes))
            return bad(reading, "an attribute has a name that every JavaScript object has");
    }
    return ot_json_count(json) ? value_from_json(json, &out->attributes) : 0;
}

static int read_action(const struct reading *reading, const struct ot_json *json, struct component *out)
{
    const struct ot_json *insert = ot_json_get(json, "insert", 6), *retain = ot_json_get(json, "retain", 6),
                         *deletion = ot_json_get(json, "delete", 6);

    if (!!insert + !!retain + !!deletion != 1)
        return bad(reading, "must be one of insert, retain and delete");
    if (insert)
        return read_insert(reading, insert, out);
    return read_length(reading, retain ? retain : deletion, retain ? DELTA_RETAIN : DELTA_DELETE, out);
}

int delta_check_depth(const struct value *attributes, const struct value *embed, const struct ot_limits *limits,
                      struct ot_error *error)
{
    size_t of_attributes = value_depth(attributes), of_embed = value_depth(embed);
    size_t depth = 3 + (of_attributes > of_embed ? of_attributes : of_embed); /* {"ops":[{ */

    return depth > limits->max_depth ? ot_fail(error, OT_LIMIT, "nested too deeply") : 0;
}

static int read_component(const struct reading *reading, const struct ot_json *json, struct component *out)
{
    const struct ot_json *attributes = ot_json_get(json, "attributes", 10);
    int r;

    if (ot_json_kind(json) != OT_JSON_OBJECT)
        return bad(reading, "must be an object");
    r = read_action(reading, json, out);
    if (r)
        return r;
    if (ot_json_count(json) != (attributes ? 2 : 1) || (attributes && out->piece.kind == DELTA_DELETE))
        return bad(reading, "has a member that it can't have");
    if (attributes)
        r = read_attributes(reading, attributes, out);
    return r ? r : delta_check_depth(&out->attributes, &out->embed, reading->limits, reading->error);
}

/* Reads a component into the builder. */
static int add_component(const struct reading *reading, const struct ot_json *json, struct delta_builder *builder,
                         uint64_t *n_units)
{
    struct component component = { .attributes = delta_none, .embed = delta_none };
    int r;

    component.piece.attributes = &component.attributes;
    component.piece.embed = &component.embed;
    r = read_component(reading, json, &component);
    *n_units += component.piece.n_units;
    if (!r && *n_units > (uint64_t)NUMBER_MAX_INTEGER)
        r = ot_fail(reading->error, OT_LIMIT, "lengths add up to more than 2^53-1");
    if (!r && reading->form == OP_STRICT)
        (void)delta_builder_append(builder, &component.piece);
    else if (!r)
        (void)delta_builder_push(builder, &component.piece);
    delta_release(&component.attributes);
    delta_release(&component.embed);
    return r;
}

/* Lengths add up to 2^53-1 at most, so sums of two operations' never wrap. */
static int read_components(struct reading *reading, const struct ot_json *json, struct delta_builder *builder)
{
    uint64_t n_units = 0;
    int r = 0;

    for (reading->i = 0; !r && reading->i < ot_json_count(json); reading->i++)
        r = add_component(reading, ot_json_at(json, reading->i), builder, &n_units);
    return r;
}

/* The list of components, bare or in an object. */
static const struct ot_json *components_of(const struct ot_json *json)
{
    const struct ot_json *ops = ot_json_kind(json) == OT_JSON_OBJECT ? ot_json_get(json, "ops", 3) : json;

    return ops && ot_json_kind(ops) == OT_JSON_ARRAY ? ops : NULL;
}

static int parse(struct reading *reading, const struct ot_json *json, struct ot_op **out)
{
    const struct ot_json *components = components_of(json);
    struct delta_builder builder;
    int r;

    if (!components)
        return ot_fail(reading->error, OT_BAD_OP, "a delta must be a list of components, or {\"ops\":[...]}");
    if (ot_json_count(components) > reading->limits->max_components)
        return ot_fail(reading->error, OT_LIMIT, "more than %zu components", reading->limits->max_components);
    delta_builder_init(&builder, reading->limits->max_components);
    r = read_components(reading, components, &builder);
    if (r) {
        delta_builder_discard(&builder);
        return r;
    }
    return delta_builder_finish(&builder, out, reading->error);
}

int delta_op_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                   struct ot_error *error)
{
    struct reading reading = { .form = form, .limits = limits, .error = error };

    return parse(&reading, json, out);
}

int delta_op_parse_content(const struct ot_json *json, const struct ot_limits *limits, struct ot_op **out,
                           struct ot_error *error)
{
    struct ot_limits as_long = *limits;
    struct reading reading = { .form = OP_LENIENT, .is_content = true, .limits = &as_long, .error = error };

    as_long.max_components = UINT32_MAX;
    return parse(&reading, json, out);
}

/* ---- to JSON ----------------------------------------------------------------------------------------------------- */

static const char *name_of(enum delta_kind kind)
{
    if (delta_is_insert(kind))
        return "{\"insert\":";
    return kind == DELTA_RETAIN ? "{\"retain\":" : "{\"delete\":";
}

static void write_attributes(struct writer *writer, const struct value *attributes)
{
    if (attributes->kind == VALUE_OBJECT) {
        writer_literal(writer, ",\"attributes\":");
        value_write(writer, attributes);
    }
    writer_byte(writer, '}');
}

static void write_piece(struct writer *writer, const struct delta_piece *piece)
{
    writer_literal(writer, name_of(piece->kind));
    if (piece->kind == DELTA_TEXT)
        writer_string(writer, piece->text, piece->n_bytes);
    else if (piece->kind == DELTA_EMBED)
        value_write(writer, piece->embed);
    else
        writer_integer(writer, piece->n_units);
    write_attributes(writer, piece->attributes);
}

int delta_op_write(const struct ot_op *op, ot_write_fn *write, void *arg)
{
    struct delta_cursor cursor;
    struct delta_piece piece;
    struct writer writer;
    bool is_first = true;

    writer_init(&writer, write, arg);
    delta_cursor_init(&cursor, delta_op_of(op));
    writer_literal(&writer, "{\"ops\":[");
    for (; delta_cursor_next(&cursor, &piece); is_first = false) {
        if (!is_first)
            writer_byte(&writer, ',');
        write_piece(&writer, &piece);
    }
    writer_literal(&writer, "]}");
    return writer_finish(&writer);
}

/* ---- documents to JSON ------------------------------------------------------------------------------------------- */

static void write_text(struct writer *writer, struct delta_reader *reader, uint64_t n_units)
{
    const char *at;
    size_t n_bytes;

    writer_byte(writer, '"');
    while ((n_bytes = delta_reader_read(reader, &n_units, &at)) > 0)
        writer_escaped(writer, at, n_bytes);
    writer_byte(writer, '"');
}

static void write_run(struct writer *writer, struct delta_reader *reader, const struct delta_run *run)
{
    writer_literal(writer, name_of(DELTA_TEXT));
    if (run->embed.kind == VALUE_NONE) {
        write_text(writer, reader, run->n_units);
    } else {
        delta_reader_skip(reader, 1);
        value_write(writer, &run->embed);
    }
    write_attributes(writer, &run->attributes);
}

int delta_document_write(const struct delta_document *document, ot_write_fn *write, void *arg)
{
    const struct delta_run *run;
    struct delta_reader reader;
    struct tree_cursor cursor;
    struct writer writer;
    bool is_first = true;
    size_t at = 0;

    writer_init(&writer, write, arg);
    delta_reader_init(&reader, &document->rope, 0);
    tree_cursor_init(&cursor, &delta_run_kind, document->runs.root, &at);
    writer_literal(&writer, "{\"ops\":[");
    for (; (run = tree_cursor_next(&cursor)); is_first = false) {
        if (!is_first)
            writer_byte(&writer, ',');
        write_run(&writer, &reader, run);
    }
    writer_literal(&writer, "]}");
    return writer_finish(&writer);
}
