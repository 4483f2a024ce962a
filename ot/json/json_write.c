#include "ot/json/json_node.h"
#include "ot/json/writer.h"

static void write_value(struct writer *writer, const struct ot_json *json);

static void write_elements(struct writer *writer, const struct ot_json *json)
{
    for (size_t i = 0; i < json->n; i++) {
        if (i)
            writer_byte(writer, ',');
        write_value(writer, ot_json_at(json, i));
    }
}

static void write_members(struct writer *writer, const struct ot_json *json)
{
    for (size_t i = 0; i < json->n; i++) {
        size_t n_bytes;
        const char *key = ot_json_key_at(json, i, &n_bytes);

        if (i)
            writer_byte(writer, ',');
        writer_string(writer, key, n_bytes);
        writer_byte(writer, ':');
        write_value(writer, ot_json_at(json, i));
    }
}

static void write_within(struct writer *writer, char open, const struct ot_json *json, char close,
                         void (*inside)(struct writer *, const struct ot_json *))
{
    writer_byte(writer, open);
    inside(writer, json);
    writer_byte(writer, close);
}

/* Recurses as deep as the value, which the parser keeps under OT_DEPTH_CEILING. */
static void write_value(struct writer *writer, const struct ot_json *json)
{
    switch ((enum ot_json_kind)json->kind) {
    case OT_JSON_TRUE: writer_literal(writer, "true"); break;
    case OT_JSON_FALSE: writer_literal(writer, "false"); break;
    case OT_JSON_NUMBER: writer_number(writer, json->number); break;
    case OT_JSON_STRING: writer_string(writer, json_byte(json_arena(json), json->at), json->n); break;
    case OT_JSON_ARRAY: write_within(writer, '[', json, ']', write_elements); break;
    case OT_JSON_OBJECT: write_within(writer, '{', json, '}', write_members); break;
    case OT_JSON_NULL:
    case OT_JSON_FLAW: writer_literal(writer, "null"); break;
    }
}

int ot_json_write(const struct ot_json *json, ot_write_fn *write, void *arg)
{
    struct writer writer;

    writer_init(&writer, write, arg);
    write_value(&writer, json);
    return writer_finish(&writer);
}

int ot_json_write_string(const char *utf8, size_t n_bytes, ot_write_fn *write, void *arg)
{
    struct writer writer;

    writer_init(&writer, write, arg);
    writer_string(&writer, utf8, n_bytes);
    return writer_finish(&writer);
}
