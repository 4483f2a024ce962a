#include "ot/json/utf8.h"
#include "ot/json0/json0.h"

#include <string.h>

/* The text type inside json0, text0: parts insert or delete a text at an offset, one after the other. */

/* ---- texts in UTF-16 units --------------------------------------------------------------------------------------- */

/* Where in the part's text a unit lies. Fails inside a surrogate pair. */
static size_t byte_at(struct json0_work *work, const struct json0_part *part, uint64_t at_unit)
{
    size_t i = 0, unit = 0;

    if (part->n_bytes == part->n_units || at_unit >= part->n_units)
        return at_unit >= part->n_units ? part->n_bytes : at_unit;
    json0_spend(work, part->n_bytes / 256);
    while (unit < at_unit) {
        bool is_astral = (unsigned char)part->text[i] >= 0xf0;

        unit += is_astral ? 2 : 1;
        for (i++; i < part->n_bytes && !utf8_is_start(part->text[i]);)
            i++;
    }
    if (unit > at_unit)
        json0_fail(work, OT_NOT_APPLIED, "the other cuts a surrogate pair of its text");
    return i;
}

static void set_text(struct json0_part *part, const char *text, size_t n_bytes)
{
    part->text = text;
    part->n_bytes = (uint32_t)n_bytes;
    part->n_units = (uint32_t)(utf8_count(text, n_bytes) + utf8_count_astral(text, n_bytes));
    part->capacity = 0;
}

/* Both halves keep the offset. */
static void split(struct json0_work *work, const struct json0_part *part, uint64_t at_unit, struct json0_part *head,
                  struct json0_part *tail)
{
    size_t at = byte_at(work, part, at_unit);

    *head = *tail = *part;
    head->capacity = tail->capacity = 0;
    head->n_bytes = (uint32_t)at;
    head->n_units = at_unit < part->n_units ? (uint32_t)at_unit : part->n_units;
    tail->text = part->text + at;
    tail->n_bytes = part->n_bytes - head->n_bytes;
    tail->n_units = part->n_units - head->n_units;
}

/* Puts added's text into the part's. The last part of a list grows in place. */
static void splice(struct json0_work *work, struct json0_part *part, size_t at_byte, const struct json0_part *added)
{
    size_t n_bytes = (size_t)part->n_bytes + added->n_bytes;
    char *text = (char *)(uintptr_t)part->text;

    if (n_bytes > INT32_MAX) {
        json0_fail(work, OT_LIMIT, "a text of more than 2 GiB");
        return;
    }
    json0_spend(work, (part->n_bytes - at_byte) / 256);
    if (n_bytes > part->capacity) {
        text = json0_take(work, n_bytes * 2);
        if (!text)
            return;
        memcpy(text, part->text, part->n_bytes);
        part->text = text;
        part->capacity = (uint32_t)n_bytes * 2;
    }
    memmove(text + at_byte + added->n_bytes, text + at_byte, part->n_bytes - at_byte);
    if (added->n_bytes)
        memcpy(text + at_byte, added->text, added->n_bytes);
    part->n_bytes = (uint32_t)n_bytes;
    part->n_units += added->n_units;
}

/* ---- gathering --------------------------------------------------------------------------------------------------- */

static bool joins_insert(const struct json0_part *last, const struct json0_part *part)
{
    return last->is_insert && part->is_insert && last->at <= part->at && part->at <= last->at + last->n_units;
}

/* The part's text lies around what the last one deleted. */
static bool joins_delete(const struct json0_part *last, const struct json0_part *part)
{
    return !last->is_insert && !part->is_insert && part->at <= last->at && last->at <= part->at + part->n_units;
}

void json0_append_part(struct json0_work *work, struct json0_list *list, const struct json0_part *part)
{
    struct json0_part *last = list->n ? &json0_parts(list)[list->n - 1] : NULL, head, tail, *added;

    if (!part->n_units || work->r)
        return;
    if (last && joins_insert(last, part)) {
        splice(work, last, byte_at(work, last, part->at - last->at), part);
    } else if (last && joins_delete(last, part)) {
        split(work, part, last->at - part->at, &head, &tail);
        splice(work, last, last->n_bytes, &tail);
        splice(work, last, 0, &head);
        last->at = part->at;
    } else {
        struct json0_part copy = *part;

        added = json0_list_add(work, list, sizeof(copy));
        if (!added)
            return;
        *added = copy;
        added->capacity = 0;
    }
}

static void append_item(struct json0_work *work, struct json0_list *list, const void *item)
{
    json0_append_part(work, list, item);
}

/* ---- one part over another --------------------------------------------------------------------------------------- */

/* Where an offset lies afterwards. goes_behind: what is inserted just there. */
static uint64_t shifted(uint64_t at, const struct json0_part *over, bool goes_behind)
{
    if (over->is_insert)
        return over->at < at || (over->at == at && goes_behind) ? at + over->n_units : at;
    if (at <= over->at)
        return at;
    return at <= over->at + over->n_units ? over->at : at - over->n_units;
}

/* A delete spares what was inserted into the text that it deletes. */
static void delete_over_insert(struct json0_work *work, struct json0_list *list, const struct json0_part *part,
                               const struct json0_part *over)
{
    struct json0_part head, tail = *part;

    if (part->at < over->at) {
        split(work, part, over->at - part->at, &head, &tail);
        json0_append_part(work, list, &head);
    }
    tail.at = part->at + over->n_units;
    json0_append_part(work, list, &tail);
}

/* What both delete must be the same text. */
static bool deletes_same(struct json0_work *work, const struct json0_part *part, const struct json0_part *over)
{
    const struct json0_part *late = part->at > over->at ? part : over, *early = part->at > over->at ? over : part;
    struct json0_part head, tail;
    size_t n;

    split(work, early, late->at - early->at, &head, &tail);
    if (work->r)
        return false;
    n = tail.n_bytes < late->n_bytes ? tail.n_bytes : late->n_bytes;
    json0_spend(work, n / 256);
    return memcmp(tail.text, late->text, n) == 0;
}

/* The text of the part that the other leaves to it. */
static void keep_outside(struct json0_work *work, struct json0_part *part, const struct json0_part *over)
{
    struct json0_part head = { .text = part->text }, tail = { .text = part->text }, unused;
    uint64_t end = over->at + over->n_units;
    char *text;

    if (part->at < over->at)
        split(work, part, over->at - part->at, &head, &unused);
    if (part->at + part->n_units > end)
        split(work, part, end - part->at, &unused, &tail);
    if (!head.n_bytes || !tail.n_bytes) {
        const struct json0_part *rest = head.n_bytes ? &head : &tail;

        set_text(part, rest->text, rest->n_bytes);
        return;
    }
    text = json0_take(work, (size_t)head.n_bytes + tail.n_bytes);
    if (!text)
        return;
    memcpy(text, head.text, head.n_bytes);
    memcpy(text + head.n_bytes, tail.text, tail.n_bytes);
    set_text(part, text, (size_t)head.n_bytes + tail.n_bytes);
}

static void delete_over_delete(struct json0_work *work, struct json0_list *list, const struct json0_part *part,
                               const struct json0_part *over)
{
    struct json0_part rest = *part;

    if (part->at >= over->at + over->n_units) {
        rest.at = part->at - over->n_units;
    } else if (part->at + part->n_units > over->at) {
        if (!deletes_same(work, part, over))
            json0_fail(work, OT_NOT_APPLIED, "the two delete different texts in one place");
        keep_outside(work, &rest, over);
        rest.at = shifted(part->at, over, false);
    }
    json0_append_part(work, list, &rest);
}

static void transform_item(struct json0_work *work, struct json0_list *list, const void *item, const void *other,
                           enum ot_side side)
{
    const struct json0_part *part = item, *over = other;
    struct json0_part moved = *part;

    json0_spend(work, 1);
    if (part->is_insert) {
        moved.at = shifted(part->at, over, side == OT_RIGHT);
        json0_append_part(work, list, &moved);
    } else if (over->is_insert) {
        delete_over_insert(work, list, part, over);
    } else {
        delete_over_delete(work, list, part, over);
    }
}

const struct json0_scheme json0_part_scheme = {
    .item_bytes = sizeof(struct json0_part),
    .append = append_item,
    .transform = transform_item,
};
