/* Rich text: the texts are compared as texts, an embed being U+FFFC in them, and the edit that comes out is walked
 * along both documents: what stays is retained, with the attributes that differ; what enters has its own.
 *
 *     before    | The ink {}   | is dry |          edit of the texts   4 stay, "blue " enters, 10 stay
 *     after     | The | blue {b} | ink {i} | ...
 */
#include <errno.h>

#include "api/difference.h"

#define EDIT_MAX_BYTES ((size_t)256 << 20)
#define EMBED_TEXT     "\xef\xbf\xbc" /* U+FFFC */

/* Some of a document: text with one set of attributes, or an embed. */
struct run {
    struct bytes text;                        /* of an embed EMBED_TEXT */
    const struct ot_json *embed, *attributes; /* NULL: none */
    uint64_t n_cps, n_units;
};

/* A document, read from its beginning. */
struct side {
    const struct ot_json *ops;
    size_t i, at; /* the insert at hand, and how many bytes of it were read */
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static const struct ot_json *ops_of(const struct ot_json *delta)
{
    return ot_json_kind(delta) == OT_JSON_OBJECT ? ot_json_get(delta, "ops", 3) : delta;
}

static struct bytes text_of(const struct ot_json *op)
{
    const struct ot_json *insert = ot_json_get(op, "insert", 6);
    struct bytes text = bytes_of(EMBED_TEXT, 3);

    if (ot_json_kind(insert) == OT_JSON_STRING)
        text.at = ot_json_string(insert, &text.n_bytes);
    return text;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The next n_cps at most, without taking them; the side is not at its end. */
static struct run look(const struct side *side, uint64_t n_cps)
{
    const struct ot_json *op = ot_json_at(side->ops, side->i), *insert = ot_json_get(op, "insert", 6);
    struct bytes text = text_of(op);
    const char *at = (const char *)text.at + side->at, *end = (const char *)text.at + text.n_bytes;
    struct run run = { .text = bytes_of(at, 0),
                       .embed = ot_json_kind(insert) == OT_JSON_STRING ? NULL : insert,
                       .attributes = ot_json_get(op, "attributes", 10) };

    while (at < end && (run.n_cps < n_cps || continues(*at))) {
        run.n_cps += !continues(*at);
        run.n_units += continues(*at) ? 0 : (unsigned char)*at >= 0xf0 ? 2 : 1;
        at++;
    }
    run.text.n_bytes = (size_t)(at - (const char *)run.text.at);
    return run;
}

static struct run take(struct side *side, uint64_t n_cps)
{
    struct run run = look(side, n_cps);

    side->at += run.text.n_bytes;
    if (side->at == text_of(ot_json_at(side->ops, side->i)).n_bytes) {
        side->i++;
        side->at = 0;
    }
    return run;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct script {
    struct buffer *into;
    uint64_t n_retained; /* units, not written yet */
    const char *separator;
    int r;
};

static void write_json(struct script *script, const char *before, const struct ot_json *value)
{
    (void)buffer_append_string(script->into, before);
    if (!script->r)
        script->r = ot_json_write(value, buffer_write, script->into);
}

static void write_count(struct script *script, const char *name, uint64_t n_units)
{
    (void)buffer_printf(script->into, "%s{\"%s\":%llu", script->separator, name, (unsigned long long)n_units);
    script->separator = ",";
}

static void flush(struct script *script)
{
    if (!script->n_retained)
        return;
    write_count(script, "retain", script->n_retained);
    (void)buffer_append_string(script->into, "}");
    script->n_retained = 0;
}

static void insert(struct script *script, const struct run *run)
{
    flush(script);
    (void)buffer_printf(script->into, "%s{\"insert\":", script->separator);
    script->separator = ",";
    if (run->embed)
        write_json(script, "", run->embed);
    else if (!script->r)
        script->r = ot_json_write_string(run->text.at, run->text.n_bytes, buffer_write, script->into);
    if (run->attributes)
        write_json(script, ",\"attributes\":", run->attributes);
    (void)buffer_append_string(script->into, "}");
}

static void delete_units(struct script *script, uint64_t n_units)
{
    flush(script);
    write_count(script, "delete", n_units);
    (void)buffer_append_string(script->into, "}");
}

static bool are_equal(const struct ot_json *a, const struct ot_json *b)
{
    return a && b ? ot_json_equal(a, b) : a == b;
}

/* The member of that name; attributes may be NULL. */
static const struct ot_json *get(const struct ot_json *attributes, struct bytes name)
{
    return attributes ? ot_json_get(attributes, name.at, name.n_bytes) : NULL;
}

/* Of `from`, the attributes that are others in `other`; what only `from` has is written as null when it leaves. */
static const char *write_attributes(struct script *script, const struct ot_json *from, const struct ot_json *other,
                                    bool leaves, const char *separator)
{
    for (size_t i = 0; from && i < ot_json_count(from); i++) {
        struct bytes name;
        const struct ot_json *value = ot_json_at(from, i), *there;

        name.at = ot_json_key_at(from, i, &name.n_bytes);
        there = get(other, name);
        if (leaves ? there != NULL : are_equal(value, there))
            continue;
        (void)buffer_append_string(script->into, separator);
        separator = ",";
        if (!script->r)
            script->r = ot_json_write_string(name.at, name.n_bytes, buffer_write, script->into);
        (void)buffer_append_string(script->into, leaves ? ":null" : ":");
        if (!leaves)
            write_json(script, "", value);
    }
    return separator;
}

static void retain(struct script *script, const struct run *before, const struct run *after)
{
    if (are_equal(before->attributes, after->attributes)) {
        script->n_retained += before->n_units;
        return;
    }
    flush(script);
    write_count(script, "retain", before->n_units);
    (void)buffer_append_string(script->into, ",\"attributes\":{");
    (void)write_attributes(script, before->attributes, after->attributes, true,
                           write_attributes(script, after->attributes, before->attributes, false, ""));
    (void)buffer_append_string(script->into, "}}");
}

/* ---- walking ----------------------------------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The texts are equal here; embeds may be others, or a U+FFFC that somebody has written. */
static void keep(struct script *script, struct side *before, struct side *after, uint64_t n_cps)
{
    while (n_cps) {
        uint64_t n = least(look(before, n_cps).n_cps, look(after, n_cps).n_cps);
        struct run old = take(before, n), new = take(after, n);

        if (are_equal(old.embed, new.embed)) {
            retain(script, &old, &new);
        } else {
            insert(script, &new);
            delete_units(script, old.n_units);
        }
        n_cps -= n;
    }
}

static void replace(struct script *script, struct side *side, bool is_insert, uint64_t n_cps)
{
    while (n_cps) {
        struct run run = take(side, n_cps);

        if (is_insert)
            insert(script, &run);
        else
            delete_units(script, run.n_units);
        n_cps -= run.n_cps;
    }
}

static uint64_t count_cps(const struct ot_json *text)
{
    uint64_t n = 0;
    size_t n_bytes;
    const char *at = ot_json_string(text, &n_bytes);

    for (size_t i = 0; i < n_bytes; i++)
        n += !continues(at[i]);
    return n;
}

static void walk(struct script *script, const struct ot_json *edit, struct side *before, struct side *after)
{
    for (size_t i = 0; i < ot_json_count(edit); i++) {
        const struct ot_json *part = ot_json_at(edit, i);
        uint64_t n = 0;

        if (ot_json_kind(part) == OT_JSON_STRING)
            replace(script, after, true, count_cps(part));
        else if (ot_json_integer(part, &n))
            keep(script, before, after, n);
        else if (ot_json_integer(ot_json_get(part, "d", 1), &n))
            replace(script, before, false, n);
    }
    while (before->i < ot_json_count(before->ops)) /* the edit leaves out what stays at the end */
        keep(script, before, after, look(before, UINT64_MAX).n_cps);
}

static int text_edit(const struct ot_json *before, const struct ot_json *after, struct ot_json **out)
{
    const struct ot_json *sides[2] = { before, after };
    struct buffer texts[2], edit;
    int r;

    buffer_init(&edit, EDIT_MAX_BYTES);
    for (size_t i = 0; i < 2; i++) {
        buffer_init(&texts[i], EDIT_MAX_BYTES);
        for (size_t k = 0; k < ot_json_count(sides[i]); k++) {
            struct bytes text = text_of(ot_json_at(sides[i], k));

            (void)buffer_append(&texts[i], text.at, text.n_bytes);
        }
    }
    r = texts[0].error ? texts[0].error : texts[1].error;
    if (!r) {
        difference_of_texts(buffer_bytes(&texts[0]), buffer_bytes(&texts[1]), &edit);
        r = edit.error;
    }
    if (!r)
        r = ot_json_parse(edit.at, edit.n_bytes, NULL, out, NULL);
    buffer_finish(&texts[0]);
    buffer_finish(&texts[1]);
    buffer_finish(&edit);
    return r;
}

int difference_of_deltas(const struct ot_json *before, const struct ot_json *after, struct buffer *into)
{
    struct side old = { .ops = ops_of(before) }, new = { .ops = ops_of(after) };
    struct script script = { .into = into, .separator = "" };
    struct ot_json *edit;
    int r = text_edit(old.ops, new.ops, &edit);

    if (r)
        return r;
    (void)buffer_append_string(into, "{\"ops\":[");
    walk(&script, edit, &old, &new);
    (void)buffer_append_string(into, "]}");
    ot_json_unref(edit);
    return script.r ? script.r : into->error;
}
