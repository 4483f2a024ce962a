#include "api/rich_lines.h"

#define LANGUAGE_MAX_BYTES 32

const struct ot_json *rich_member(const struct ot_json *object, const char *name)
{
    return object ? ot_json_get(object, name, strlen(name)) : NULL;
}

struct bytes rich_string(const struct ot_json *json)
{
    struct bytes text = { NULL, 0 };

    if (json && ot_json_kind(json) == OT_JSON_STRING)
        text.at = ot_json_string(json, &text.n_bytes);
    return text;
}

bool rich_is(const struct ot_json *json, const char *text)
{
    return bytes_equal(rich_string(json), bytes_of_string(text));
}

bool rich_is_on(const struct ot_json *json)
{
    return json && ot_json_kind(json) != OT_JSON_NULL && ot_json_kind(json) != OT_JSON_FALSE;
}

/* 0: it is no number from 1 to max. */
static unsigned small_number(const struct ot_json *json, unsigned max)
{
    uint64_t number;

    return json && ot_json_integer(json, &number) && number <= max ? (unsigned)number : 0;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

void rich_reader_init(struct rich_reader *reader, const struct ot_json *delta)
{
    reader->ops = ot_json_kind(delta) == OT_JSON_OBJECT ? ot_json_get(delta, "ops", 3) : delta;
    reader->at = (struct rich_place){ 0, 0 };
}

static const char *align_of(const struct ot_json *json)
{
    static const char *const names[] = { "center", "right", "justify" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (rich_is(json, names[i]))
            return names[i];
    }
    return NULL;
}

static enum rich_list list_of(const struct ot_json *json)
{
    return rich_is(json, "ordered")     ? RICH_ORDERED
           : rich_is(json, "checked")   ? RICH_CHECKED
           : rich_is(json, "unchecked") ? RICH_UNCHECKED
                                        : RICH_BULLET;
}

/* What can stand behind ``` and in a class. */
static struct bytes language_of(const struct ot_json *json)
{
    struct bytes text = rich_string(json);
    const char *at = text.at;

    for (size_t i = 0; i < text.n_bytes; i++) {
        char c = at[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("+-_#.", c))))
            text.n_bytes = 0;
    }
    return text.n_bytes <= LANGUAGE_MAX_BYTES ? text : bytes_of(NULL, 0);
}

static void formats_read(const struct ot_json *attributes, struct rich_line *out)
{
    const struct ot_json *code = rich_member(attributes, "code-block"), *list = rich_member(attributes, "list");

    out->level = small_number(rich_member(attributes, "header"), 6);
    out->block = rich_is_on(code)                                    ? RICH_CODE
                 : rich_is_on(list)                                  ? RICH_ITEM
                 : out->level                                        ? RICH_HEADER
                 : rich_is_on(rich_member(attributes, "blockquote")) ? RICH_QUOTE
                                                                     : RICH_PARAGRAPH;
    out->indent = small_number(rich_member(attributes, "indent"), RICH_INDENT_MAX);
    out->list = list_of(list);
    out->language = language_of(code);
    out->align = align_of(rich_member(attributes, "align"));
    out->is_rtl = rich_is(rich_member(attributes, "direction"), "rtl");
}

static struct bytes text_behind(const struct ot_json *op, size_t at)
{
    struct bytes text = rich_string(rich_member(op, "insert"));

    return text.at ? bytes_of((const char *)text.at + at, text.n_bytes - at) : text;
}

bool rich_line_next(struct rich_reader *reader, struct rich_line *out)
{
    size_t n_ops = ot_json_count(reader->ops);

    if (reader->at.i == n_ops)
        return false;
    *out = (struct rich_line){ .ops = reader->ops, .at = reader->at };
    for (; reader->at.i < n_ops; reader->at = (struct rich_place){ reader->at.i + 1, 0 }) {
        const struct ot_json *op = ot_json_at(reader->ops, reader->at.i);
        struct bytes text = text_behind(op, reader->at.at);
        const char *stop = text.at ? memchr(text.at, '\n', text.n_bytes) : NULL;

        if (!stop)
            continue;
        out->end = (struct rich_place){ reader->at.i, reader->at.at + (size_t)(stop - (const char *)text.at) };
        formats_read(rich_member(op, "attributes"), out);
        reader->at.at = out->end.at + 1;
        if (text_behind(op, reader->at.at).n_bytes == 0)
            reader->at = (struct rich_place){ reader->at.i + 1, 0 };
        return true;
    }
    out->end = reader->at;
    return true;
}

bool rich_line_is_read(const struct rich_line *line)
{
    return line->at.i == line->end.i && line->at.at == line->end.at;
}

bool rich_run_next(struct rich_line *line, struct rich_run *out)
{
    while (!rich_line_is_read(line)) {
        const struct ot_json *op = ot_json_at(line->ops, line->at.i), *insert = rich_member(op, "insert");
        bool is_text = insert && ot_json_kind(insert) == OT_JSON_STRING;

        *out =
            (struct rich_run){ text_behind(op, line->at.at), is_text ? NULL : insert, rich_member(op, "attributes") };
        if (line->at.i == line->end.i) {
            out->text.n_bytes = line->end.at - line->at.at;
            line->at = line->end;
        } else {
            line->at = (struct rich_place){ line->at.i + 1, 0 };
        }
        if (out->embed || out->text.n_bytes)
            return true;
    }
    return false;
}
