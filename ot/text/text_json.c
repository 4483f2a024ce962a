#include "ot/error.h"
#include "ot/json/json_node.h"
#include "ot/json/number.h"
#include "ot/json/utf8.h"
#include "ot/json/writer.h"
#include "ot/text/text_op.h"

/* Operations on text to and from JSON: [3,"insert",{"d":2},{"d":"deleted"}]. */

/* ---- from JSON --------------------------------------------------------------------------------------------------- */

struct reading {
    enum op_form form;
    size_t i; /* of the component being read */
    struct ot_error *error;
};

static int bad(const struct reading *reading, const char *what)
{
    return ot_fail(reading->error, OT_BAD_OP, "component %zu: %s", reading->i, what);
}

static int read_number(const struct reading *reading, const struct ot_json *json, enum text_kind kind,
                       struct text_piece *out)
{
    *out = (struct text_piece){ .kind = kind };
    if (!ot_json_integer(json, &out->n_cps))
        return bad(reading, "a length must be an integer from 1 to 2^53-1");
    if (!out->n_cps && reading->form == OP_STRICT)
        return bad(reading, "a length of 0");
    return 0;
}

static int read_text(const struct reading *reading, const struct ot_json *json, enum text_kind kind,
                     struct text_piece *out)
{
    *out = (struct text_piece){ .kind = kind };
    out->text = json_string(json, &out->n_bytes);
    out->n_cps = utf8_count(out->text, out->n_bytes);
    if (!out->n_cps && reading->form == OP_STRICT)
        return bad(reading, "an empty text");
    return 0;
}

static int read_delete(const struct reading *reading, const struct ot_json *json, struct text_piece *out)
{
    const struct ot_json *deleted = ot_json_get(json, "d", 1);

    if (!deleted || json_count(json) != 1)
        return bad(reading, "an object must be a delete, {\"d\":length or text}");
    if (deleted->kind == OT_JSON_STRING)
        return read_text(reading, deleted, TEXT_DELETE, out);
    return read_number(reading, deleted, TEXT_DELETE, out);
}

static int read_component(const struct reading *reading, const struct ot_json *json, struct text_piece *out)
{
    switch ((enum ot_json_kind)json->kind) {
    case OT_JSON_NUMBER: return read_number(reading, json, TEXT_SKIP, out);
    case OT_JSON_STRING: return read_text(reading, json, TEXT_INSERT, out);
    case OT_JSON_OBJECT: return read_delete(reading, json, out);
    default: return bad(reading, "neither a number, a text nor a delete");
    }
}

/* What merging would hide: skips in a row, or one at the end, mean that the sender's own normal form is broken. */
static int check_place(const struct reading *reading, const struct ot_json *json, enum text_kind kind)
{
    if (reading->form == OP_LENIENT || kind != TEXT_SKIP)
        return 0;
    if (reading->i + 1 == json_count(json))
        return bad(reading, "a skip at the end");
    if (reading->i && json_at(json, reading->i - 1)->kind == OT_JSON_NUMBER)
        return bad(reading, "two skips in a row");
    return 0;
}

/* Reads all components into the builder. Lengths add up to 2^53-1 at most, so sums of two operations' never wrap. */
static int read_components(struct reading *reading, const struct ot_json *json, struct text_builder *builder)
{
    uint64_t n_cps = 0;

    for (reading->i = 0; reading->i < json_count(json); reading->i++) {
        struct text_piece piece = { .n_cps = 0 };
        int r = read_component(reading, json_at(json, reading->i), &piece);

        if (!r)
            r = check_place(reading, json, piece.kind);
        if (r)
            return r;
        n_cps += piece.n_cps;
        if (n_cps > (uint64_t)NUMBER_MAX_INTEGER)
            return ot_fail(reading->error, OT_LIMIT, "lengths add up to more than 2^53-1");
        text_builder_add(builder, &piece);
    }
    return 0;
}

int text_op_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                  struct ot_error *error)
{
    struct reading reading = { .form = form, .error = error };
    struct text_builder builder;
    int r;

    if (json->kind != OT_JSON_ARRAY)
        return ot_fail(error, OT_BAD_OP, "an operation must be a list");
    if (json_count(json) > limits->max_components)
        return ot_fail(error, OT_LIMIT, "more than %zu components", limits->max_components);
    text_builder_init(&builder, limits->max_components);
    r = read_components(&reading, json, &builder);
    if (r) {
        text_builder_discard(&builder);
        return r;
    }
    return text_builder_finish(&builder, out, error);
}

/* ---- to JSON ----------------------------------------------------------------------------------------------------- */

static void write_part(struct writer *writer, const struct text_piece *piece)
{
    if (piece->kind == TEXT_DELETE)
        writer_literal(writer, "{\"d\":");
    if (piece->n_bytes)
        writer_string(writer, piece->text, piece->n_bytes);
    else
        writer_integer(writer, piece->n_cps);
    if (piece->kind == TEXT_DELETE)
        writer_byte(writer, '}');
}

int text_op_write(const struct ot_op *op, ot_write_fn *write, void *arg)
{
    struct text_cursor cursor;
    struct text_piece piece;
    struct writer writer;
    char before = '[';

    writer_init(&writer, write, arg);
    text_cursor_init(&cursor, text_op_of(op));
    while (text_cursor_next(&cursor, &piece)) {
        writer_byte(&writer, before);
        before = ',';
        write_part(&writer, &piece);
    }
    writer_literal(&writer, before == '[' ? "[]" : "]");
    return writer_finish(&writer);
}
