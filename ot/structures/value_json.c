#include "ot/structures/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Values from JSON and to it. */

/* ---- from -------------------------------------------------------------------------------------------------------- */

static int list_from_json(const struct ot_json *json, struct value *out)
{
    struct value list = value_of_kind(VALUE_LIST), element;
    int r = value_reserve(&list, ot_json_count(json));

    for (size_t i = 0; !r && i < ot_json_count(json); i++) {
        r = value_from_json(ot_json_at(json, i), &element);
        if (!r) {
            r = value_insert(&list, i, element);
            if (r)
                value_release(&element);
        }
    }
    if (r)
        value_release(&list);
    else
        *out = list;
    return r;
}

static int add_member(struct value *object, const struct ot_json *json, size_t i)
{
    struct value key, value = value_of_kind(VALUE_NONE);
    size_t n_bytes;
    const char *name = ot_json_key_at(json, i, &n_bytes);
    int r = value_text(name, n_bytes, &key);

    if (r)
        return r;
    r = value_from_json(ot_json_at(json, i), &value);
    if (!r)
        r = value_set(object, key, value);
    if (r) {
        value_release(&key);
        value_release(&value);
    }
    return r;
}

static int object_from_json(const struct ot_json *json, struct value *out)
{
    struct value object = value_of_kind(VALUE_OBJECT);
    int r = value_reserve(&object, ot_json_count(json));

    for (size_t i = 0; !r && i < ot_json_count(json); i++)
        r = add_member(&object, json, i);
    if (r)
        value_release(&object);
    else
        *out = object;
    return r;
}

int value_from_json(const struct ot_json *json, struct value *out)
{
    const char *text;
    size_t n_bytes;

    switch (ot_json_kind(json)) {
    case OT_JSON_FALSE: *out = value_of_kind(VALUE_FALSE); return 0;
    case OT_JSON_TRUE: *out = value_of_kind(VALUE_TRUE); return 0;
    case OT_JSON_NUMBER: *out = value_number(ot_json_number(json)); return 0;
    case OT_JSON_STRING: text = ot_json_string(json, &n_bytes); return value_text(text, n_bytes, out);
    case OT_JSON_ARRAY: return list_from_json(json, out);
    case OT_JSON_OBJECT: return object_from_json(json, out);
    default: *out = value_of_kind(VALUE_NULL); return 0;
    }
}

/* ---- to ---------------------------------------------------------------------------------------------------------- */

static void write_text(struct writer *writer, const struct value *text)
{
    struct value_reader reader;
    const char *at;
    size_t n;

    writer_byte(writer, '"');
    value_reader_init(&reader, text, 0);
    while ((n = value_reader_read(&reader, SIZE_MAX, &at)) > 0)
        writer_escaped(writer, at, n);
    writer_byte(writer, '"');
}

static void write_list(struct writer *writer, const struct value *list)
{
    struct value_walk walk;
    const struct value *element;
    char before = '[';

    value_walk_init(&walk, list);
    for (; (element = value_walk_next(&walk, NULL)); before = ',') {
        writer_byte(writer, before);
        value_write(writer, element);
    }
    if (before == '[')
        writer_byte(writer, '[');
    writer_byte(writer, ']');
}

static void write_object(struct writer *writer, const struct value *object)
{
    struct value_walk walk;
    const struct value *key, *value;
    char before = '{';

    value_walk_init(&walk, object);
    for (; (value = value_walk_next(&walk, &key)); before = ',') {
        writer_byte(writer, before);
        write_text(writer, key);
        writer_byte(writer, ':');
        value_write(writer, value);
    }
    if (before == '{')
        writer_byte(writer, '{');
    writer_byte(writer, '}');
}

void value_write(struct writer *writer, const struct value *value)
{
    switch ((enum value_kind)value->kind) {
    case VALUE_NONE:
    case VALUE_NULL: writer_literal(writer, "null"); break;
    case VALUE_FALSE: writer_literal(writer, "false"); break;
    case VALUE_TRUE: writer_literal(writer, "true"); break;
    case VALUE_NUMBER: writer_number(writer, value->number); break;
    case VALUE_SHORT:
    case VALUE_TEXT: write_text(writer, value); break;
    case VALUE_LIST: write_list(writer, value); break;
    case VALUE_OBJECT: write_object(writer, value); break;
    }
}

struct bytes {
    char *at;
    size_t n_bytes;
};

static int gather(void *arg, const char *at, size_t n_bytes)
{
    struct bytes *bytes = arg;
    char *grown = realloc(bytes->at, bytes->n_bytes + n_bytes);

    if (!grown)
        return -ENOMEM;
    memcpy(grown + bytes->n_bytes, at, n_bytes);
    bytes->at = grown;
    bytes->n_bytes += n_bytes;
    return 0;
}

int value_to_json(const struct value *value, struct ot_json **out)
{
    struct bytes bytes = { NULL, 0 };
    struct writer writer;
    int r;

    writer_init(&writer, gather, &bytes);
    value_write(&writer, value);
    r = writer_finish(&writer);
    if (!r)
        r = ot_json_parse(bytes.at, bytes.n_bytes, NULL, out, NULL);
    free(bytes.at);
    return r;
}

/* ---- how much ---------------------------------------------------------------------------------------------------- */

#define NUMBER_BYTES 4 /* about; to count digits would cost more than the answer is worth */

size_t value_json_bytes(const struct value *value)
{
    struct value_walk walk;
    const struct value *key, *inner;
    size_t n_bytes = 2;

    switch ((enum value_kind)value->kind) {
    case VALUE_NONE: return 0;
    case VALUE_NULL:
    case VALUE_TRUE: return 4;
    case VALUE_FALSE: return 5;
    case VALUE_NUMBER: return NUMBER_BYTES;
    case VALUE_SHORT:
    case VALUE_TEXT: return 2 + value_text_sums(value).n_bytes;
    default: break;
    }
    value_walk_init(&walk, value);
    while ((inner = value_walk_next(&walk, &key))) {
        n_bytes += value_json_bytes(inner) + 1;
        if (key)
            n_bytes += value_text_sums(key).n_bytes + 3;
    }
    return n_bytes;
}

size_t value_depth(const struct value *value)
{
    struct value_walk walk;
    const struct value *inner;
    size_t depth = 0;

    if (!value_is_container(value))
        return 0;
    value_walk_init(&walk, value);
    while ((inner = value_walk_next(&walk, NULL))) {
        size_t below = value_depth(inner);

        depth = below > depth ? below : depth;
    }
    return depth + 1;
}
