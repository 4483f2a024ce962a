#include "ot/json/writer.h"
#include "ot/json0/json0.h"

/* Operations of json0 as JSON. */

static void write_member(struct writer *writer, const char *name, const struct value *value)
{
    if (!json0_has(value))
        return;
    writer_literal(writer, name);
    value_write(writer, value);
}

static void write_path(struct writer *writer, const struct json0_component *component)
{
    const char *before = "";

    writer_literal(writer, "{\"p\":[");
    for (uint32_t i = 0; i < component->n_path; i++, before = ",") {
        writer_literal(writer, before);
        value_write(writer, &component->path[i]);
    }
    if (component->is_legacy) {
        writer_literal(writer, before);
        writer_integer(writer, json0_parts(&component->parts)->at);
    }
    writer_byte(writer, ']');
}

static void write_part(struct writer *writer, const struct json0_part *part)
{
    writer_literal(writer, "{\"p\":");
    writer_integer(writer, part->at);
    writer_literal(writer, part->is_insert ? ",\"i\":" : ",\"d\":");
    writer_string(writer, part->text, part->n_bytes);
    writer_byte(writer, '}');
}

static void write_text(struct writer *writer, const struct json0_component *component)
{
    const struct json0_part *parts = json0_parts(&component->parts);

    if (component->is_legacy) {
        writer_literal(writer, parts->is_insert ? ",\"si\":" : ",\"sd\":");
        writer_string(writer, parts->text, parts->n_bytes);
        return;
    }
    writer_literal(writer, ",\"t\":\"text0\",\"o\":[");
    for (uint32_t i = 0; i < component->parts.n; i++) {
        if (i)
            writer_byte(writer, ',');
        write_part(writer, &parts[i]);
    }
    writer_byte(writer, ']');
}

static void write_component(struct writer *writer, const struct json0_component *component)
{
    write_path(writer, component);
    switch ((enum json0_kind)component->kind) {
    case JSON0_TEXT: write_text(writer, component); break;
    case JSON0_ADD:
        writer_literal(writer, ",\"na\":");
        writer_number(writer, component->addend);
        break;
    case JSON0_MOVE:
        writer_literal(writer, ",\"lm\":");
        writer_number(writer, component->to);
        break;
    case JSON0_LIST:
        write_member(writer, ",\"ld\":", &component->taken);
        write_member(writer, ",\"li\":", &component->put);
        break;
    case JSON0_OBJECT:
        write_member(writer, ",\"od\":", &component->taken);
        write_member(writer, ",\"oi\":", &component->put);
        break;
    }
    writer_byte(writer, '}');
}

int json0_op_write(const struct ot_op *op, ot_write_fn *write, void *arg)
{
    const struct json0_op *own = json0_op_of(op);
    struct writer writer;

    writer_init(&writer, write, arg);
    writer_byte(&writer, '[');
    for (uint32_t i = 0; i < own->n_components; i++) {
        if (i)
            writer_byte(&writer, ',');
        write_component(&writer, &own->components[i]);
    }
    writer_byte(&writer, ']');
    return writer_finish(&writer);
}
