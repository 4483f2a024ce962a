#include "ot/structures/value.h"

#include "ot/json/utf8.h"

#include <string.h>

/* ---- what lists and objects are made of -------------------------------------------------------------------------- */

static void element_hold(const void *entry)
{
    (void)value_share(entry);
}

static void element_release(void *entry)
{
    value_release(entry);
}

static void member_hold(const void *entry)
{
    const struct value_member *member = entry;

    (void)value_share(&member->key);
    (void)value_share(&member->value);
}

static void member_release(void *entry)
{
    struct value_member *member = entry;

    value_release(&member->key);
    value_release(&member->value);
}

static const struct tree_kind elements = { .entry_bytes = sizeof(struct value),
                                           .hold = element_hold,
                                           .release = element_release };
static const struct tree_kind members = { .entry_bytes = sizeof(struct value_member),
                                          .hold = member_hold,
                                          .release = member_release };

static const struct tree_kind *kind_of(const struct value *container)
{
    return container->kind == VALUE_LIST ? &elements : &members;
}

/* ---- making and letting go --------------------------------------------------------------------------------------- */

static struct value short_text(const char *utf8, size_t n_bytes)
{
    struct value value = value_of_kind(VALUE_SHORT);

    value.n_short = (uint8_t)n_bytes;
    if (n_bytes)
        memcpy(value.short_text, utf8, n_bytes);
    return value;
}

int value_text(const char *utf8, size_t n_bytes, struct value *out)
{
    struct rope rope;
    int r;

    if (n_bytes <= VALUE_SHORT_BYTES) {
        *out = short_text(utf8, n_bytes);
        return 0;
    }
    rope_init(&rope);
    r = rope_insert(&rope, 0, utf8, n_bytes);
    if (r)
        return r;
    *out = value_of_kind(VALUE_TEXT);
    out->text = rope.root;
    return 0;
}

/* Constant as the value may be, what it holds is counted. */
void value_hold(const struct value *value)
{
    struct rope rope;

    if (value->kind == VALUE_TEXT)
        rope_share(&(struct rope){ .root = value->text }, &rope);
    else
        (void)tree_share(value->items);
}

void value_let_go(struct value *value)
{
    if (value->kind == VALUE_TEXT)
        rope_finish(&(struct rope){ .root = value->text });
    else
        tree_release(kind_of(value), value->items);
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

struct rope_sums value_text_sums(const struct value *text)
{
    if (text->kind == VALUE_TEXT)
        return rope_of_root(text->text).sums;
    return (struct rope_sums){ .n_bytes = text->n_short,
                               .n_cps = (uint32_t)utf8_count(text->short_text, text->n_short),
                               .n_astral = (uint32_t)utf8_count_astral(text->short_text, text->n_short) };
}

void value_reader_init(struct value_reader *reader, const struct value *text, size_t at_cp)
{
    reader->is_rope = text->kind == VALUE_TEXT;
    if (reader->is_rope) {
        struct rope rope = rope_of_root(text->text);

        rope_cursor_init(&reader->cursor, &rope, at_cp);
    } else {
        size_t at = utf8_offset(text->short_text, text->n_short, at_cp);

        reader->at = text->short_text + at;
        reader->n_bytes = text->n_short - at;
    }
}

size_t value_reader_read(struct value_reader *reader, size_t max_bytes, const char **out)
{
    size_t n;

    if (reader->is_rope)
        return rope_cursor_read(&reader->cursor, max_bytes, out);
    n = reader->n_bytes < max_bytes ? reader->n_bytes : max_bytes;
    *out = reader->at;
    reader->at += n;
    reader->n_bytes -= n;
    return n;
}

bool value_text_is(const struct value *value, const char *utf8, size_t n_bytes)
{
    struct value_reader reader;
    const char *at;
    size_t n;

    if (!value_is_text(value))
        return false;
    if (value->kind == VALUE_SHORT)
        return value->n_short == n_bytes && memcmp(value->short_text, utf8, n_bytes) == 0;
    value_reader_init(&reader, value, 0);
    while ((n = value_reader_read(&reader, SIZE_MAX, &at)) > 0) {
        if (n > n_bytes || memcmp(at, utf8, n) != 0)
            return false;
        utf8 += n;
        n_bytes -= n;
    }
    return n_bytes == 0;
}

/* The first bytes in which two texts differ, -1 for the end of one. False: there are none. */
static bool first_difference(const struct value *a, const struct value *b, int *of_a, int *of_b)
{
    struct value_reader readers[2];
    const char *at[2] = { "", "" };
    size_t n[2] = { 0, 0 };

    value_reader_init(&readers[0], a, 0);
    value_reader_init(&readers[1], b, 0);
    for (;;) {
        size_t i = 0, both;

        for (size_t k = 0; k < 2; k++)
            n[k] = n[k] ? n[k] : value_reader_read(&readers[k], SIZE_MAX, &at[k]);
        both = n[0] < n[1] ? n[0] : n[1];
        while (i < both && at[0][i] == at[1][i])
            i++;
        if (i < both || !both) {
            *of_a = n[0] ? (unsigned char)at[0][i] : -1;
            *of_b = n[1] ? (unsigned char)at[1][i] : -1;
            return *of_a != *of_b;
        }
        for (size_t k = 0; k < 2; k++) {
            at[k] += both;
            n[k] -= both;
        }
    }
}

int value_text_compare(const struct value *a, const struct value *b)
{
    int of_a, of_b;

    if (a->kind == VALUE_SHORT && b->kind == VALUE_SHORT) {
        size_t both = a->n_short < b->n_short ? a->n_short : b->n_short;
        int c = memcmp(a->short_text, b->short_text, both);

        return c ? c : a->n_short - b->n_short;
    }
    return first_difference(a, b, &of_a, &of_b) ? of_a - of_b : 0;
}

/* Characters beyond the BMP (which begin with 0xf0 and more) stand as surrogates before U+E000 to U+FFFF (0xee, 0xef).
 */
int value_text_compare_utf16(const struct value *a, const struct value *b)
{
    int of_a, of_b;

    if (a->kind == VALUE_SHORT && b->kind == VALUE_SHORT && a->n_short == b->n_short &&
        memcmp(a->short_text, b->short_text, a->n_short) == 0)
        return 0; /* mostly */
    if (!first_difference(a, b, &of_a, &of_b))
        return 0;
    if ((of_a >= 0xf0) != (of_b >= 0xf0) && of_a >= 0xee && of_b >= 0xee)
        return of_b - of_a;
    return of_a - of_b;
}

int value_take_rope(struct value *text, struct rope *out)
{
    if (text->kind == VALUE_TEXT) {
        *out = rope_of_root(text->text);
    } else {
        struct rope rope;
        int r;

        rope_init(&rope);
        r = rope_insert(&rope, 0, text->short_text, text->n_short);
        if (r)
            return r;
        *out = rope;
    }
    *text = value_of_kind(VALUE_NONE);
    return 0;
}

void value_put_rope(struct value *text, struct rope *rope)
{
    if (rope->sums.n_bytes > VALUE_SHORT_BYTES) {
        *text = value_of_kind(VALUE_TEXT);
        text->text = rope->root;
    } else {
        char bytes[VALUE_SHORT_BYTES];
        struct rope_cursor cursor;
        const char *at;
        size_t n_bytes = 0, n;

        rope_cursor_init(&cursor, rope, 0);
        while ((n = rope_cursor_read(&cursor, SIZE_MAX, &at)) > 0) {
            memcpy(bytes + n_bytes, at, n);
            n_bytes += n;
        }
        *text = short_text(bytes, n_bytes);
        rope_finish(rope);
    }
    rope_init(rope);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static bool elements_are_equal(const struct value *a, const struct value *b)
{
    size_t at_a = 0, at_b = 0;
    struct tree_cursor of_a, of_b;
    const struct value *element;

    tree_cursor_init(&of_a, &elements, a->items, &at_a);
    tree_cursor_init(&of_b, &elements, b->items, &at_b);
    while ((element = tree_cursor_next(&of_a))) {
        if (!value_equal(element, tree_cursor_next(&of_b)))
            return false;
    }
    return true;
}

/* Both are in one order. */
static bool members_are_equal(const struct value *a, const struct value *b)
{
    size_t at_a = 0, at_b = 0;
    struct tree_cursor of_a, of_b;
    const struct value_member *member;

    tree_cursor_init(&of_a, &members, a->items, &at_a);
    tree_cursor_init(&of_b, &members, b->items, &at_b);
    while ((member = tree_cursor_next(&of_a))) {
        const struct value_member *other = tree_cursor_next(&of_b);

        if (!value_equal(&member->key, &other->key) || !value_equal(&member->value, &other->value))
            return false;
    }
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return false;
    switch ((enum value_kind)a->kind) {
    case VALUE_NUMBER: return a->number == b->number;
    case VALUE_SHORT:
    case VALUE_TEXT: return value_text_compare(a, b) == 0;
    case VALUE_LIST: return a->items == b->items || (value_count(a) == value_count(b) && elements_are_equal(a, b));
    case VALUE_OBJECT: return a->items == b->items || (value_count(a) == value_count(b) && members_are_equal(a, b));
    default: return true;
    }
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

size_t value_count(const struct value *container)
{
    return tree_weight(kind_of(container), container->items);
}

const struct value *value_at(const struct value *container, size_t i)
{
    const void *entry = tree_at(kind_of(container), container->items, &i);

    return container->kind == VALUE_LIST ? entry : &((const struct value_member *)entry)->value;
}

const struct value *value_key_at(const struct value *object, size_t i)
{
    return &((const struct value_member *)tree_at(&members, object->items, &i))->key;
}

static int compare_key(const void *key, const void *entry)
{
    return value_text_compare(key, &((const struct value_member *)entry)->key);
}

bool value_find(const struct value *object, const struct value *key, size_t *i)
{
    return tree_search(&members, object->items, compare_key, key, i);
}

const struct value *value_get(const struct value *object, const struct value *key)
{
    size_t i;

    return value_find(object, key, &i) ? value_at(object, i) : NULL;
}

void value_walk_init(struct value_walk *walk, const struct value *container)
{
    size_t at = 0;

    walk->is_object = container->kind == VALUE_OBJECT;
    tree_cursor_init(&walk->cursor, kind_of(container), container->items, &at);
}

const struct value *value_walk_next(struct value_walk *walk, const struct value **key)
{
    const void *entry = tree_cursor_next(&walk->cursor);
    const struct value_member *member = walk->is_object ? entry : NULL;

    if (key)
        *key = member ? &member->key : NULL;
    return member ? &member->value : entry;
}

struct value *value_own(struct value *container, size_t i)
{
    void *entry = tree_own(kind_of(container), &container->items, &i);

    return container->kind == VALUE_LIST || !entry ? entry : &((struct value_member *)entry)->value;
}

int value_reserve(struct value *container, size_t n)
{
    return n ? tree_reserve(kind_of(container), &container->items, n) : 0;
}

int value_insert(struct value *list, size_t i, struct value element)
{
    return tree_insert(&elements, &list->items, i, &element);
}

int value_append(struct value *list, struct value element)
{
    return value_insert(list, value_count(list), element);
}

int value_remove(struct value *container, size_t i, struct value *out)
{
    struct value_member member;
    int r;

    if (container->kind == VALUE_LIST)
        return tree_remove(&elements, &container->items, i, out);
    r = tree_remove(&members, &container->items, i, &member);
    if (r)
        return r;
    value_release(&member.key);
    *out = member.value;
    return 0;
}

int value_set(struct value *object, struct value key, struct value value)
{
    struct value_member member = { key, value }, old;
    size_t i;
    int r;

    if (!value_find(object, &key, &i))
        return tree_insert(&members, &object->items, i, &member);
    r = tree_replace(&members, &object->items, i, &member, &old);
    if (!r)
        member_release(&old);
    return r;
}
