/* What others may see of a value: struct ot_part is one. */
#include "ot/structures/value_document.h"

static const struct value *in(const struct ot_part *part)
{
    return (const struct value *)(const void *)part;
}

static const struct ot_part *out_of(const struct value *value)
{
    return (const struct ot_part *)(const void *)value;
}

const struct ot_part *ot_snapshot_part(const struct ot_snapshot *snapshot)
{
    bool is_value = snapshot->type == &json0 || snapshot->type == &json1;

    return is_value ? out_of(value_document_root(snapshot)) : NULL;
}

enum ot_json_kind ot_part_kind(const struct ot_part *part)
{
    static const enum ot_json_kind kinds[] = {
        [VALUE_NONE] = OT_JSON_FLAW,   [VALUE_NULL] = OT_JSON_NULL,     [VALUE_FALSE] = OT_JSON_FALSE,
        [VALUE_TRUE] = OT_JSON_TRUE,   [VALUE_NUMBER] = OT_JSON_NUMBER, [VALUE_SHORT] = OT_JSON_STRING,
        [VALUE_TEXT] = OT_JSON_STRING, [VALUE_LIST] = OT_JSON_ARRAY,    [VALUE_OBJECT] = OT_JSON_OBJECT,
    };

    return kinds[in(part)->kind];
}

size_t ot_part_count(const struct ot_part *part)
{
    return value_is_container(in(part)) ? value_count(in(part)) : 0;
}

const struct ot_part *ot_part_at(const struct ot_part *part, size_t i)
{
    return out_of(value_at(in(part), i));
}

int ot_part_get(const struct ot_part *part, const char *key, size_t n_bytes, const struct ot_part **out)
{
    struct value name;
    int r;

    *out = NULL;
    if (in(part)->kind != VALUE_OBJECT)
        return 0;
    r = value_text(key, n_bytes, &name);
    if (r)
        return r;
    *out = out_of(value_get(in(part), &name));
    value_release(&name);
    return 0;
}

int ot_part_write_json(const struct ot_part *part, ot_write_fn *write, void *arg)
{
    struct writer writer;

    writer_init(&writer, write, arg);
    value_write(&writer, in(part));
    return writer_finish(&writer);
}
