#include "ot/error.h"
#include "ot/json0/json0.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The memory that operations are worked out in, and how they leave it. */

/* What transforming two long operations may cost: a fraction of a second. */
#define MAX_STEPS   ((size_t)4 << 20)
#define MAX_BYTES   ((size_t)256 << 20)
#define CHUNK_BYTES 8192

struct json0_chunk {
    struct json0_chunk *next;
    alignas(16) char bytes[];
};

struct json0_owned {
    struct json0_owned *next;
    struct value value;
};

void json0_work_init(struct json0_work *work, struct ot_error *error)
{
    work->r = 0;
    work->error = error;
    work->n_steps_left = MAX_STEPS;
    work->n_bytes_left = MAX_BYTES;
    work->at = work->first;
    work->end = work->first + sizeof(work->first);
    work->chunks = NULL;
    work->owned = NULL;
    work->number = 0;
}

void json0_work_end(struct json0_work *work)
{
    for (struct json0_owned *owned = work->owned; owned; owned = owned->next)
        value_release(&owned->value);
    while (work->chunks) {
        struct json0_chunk *next = work->chunks->next;

        free(work->chunks);
        work->chunks = next;
    }
}

static void fail_for_size(struct json0_work *work)
{
    if (!work->r)
        work->r = ot_fail(work->error, OT_LIMIT, "too many components meet each other");
}

void json0_spend(struct json0_work *work, size_t n_steps)
{
    if (n_steps > work->n_steps_left)
        fail_for_size(work);
    else
        work->n_steps_left -= n_steps;
}

void json0_fail(struct json0_work *work, int code, const char *what)
{
    if (!work->r)
        work->r = ot_fail(work->error, code, "component %u: %s", work->number, what);
}

static void *take_chunk(struct json0_work *work, size_t n_bytes)
{
    size_t size = n_bytes > CHUNK_BYTES / 4 ? n_bytes : CHUNK_BYTES;
    struct json0_chunk *chunk;

    if (size > work->n_bytes_left) {
        fail_for_size(work);
        return NULL;
    }
    chunk = malloc(sizeof(*chunk) + size);
    if (!chunk) {
        work->r = work->r ? work->r : -ENOMEM;
        return NULL;
    }
    work->n_bytes_left -= size;
    chunk->next = work->chunks;
    work->chunks = chunk;
    if (size > n_bytes) {
        work->at = chunk->bytes + n_bytes;
        work->end = chunk->bytes + size;
    }
    return chunk->bytes;
}

void *json0_take(struct json0_work *work, size_t n_bytes)
{
    char *at = work->at;

    if (work->r)
        return NULL;
    n_bytes = (n_bytes + 15) & ~(size_t)15;
    if (n_bytes > (size_t)(work->end - at))
        return take_chunk(work, n_bytes);
    work->at += n_bytes;
    return at;
}

void json0_own(struct json0_work *work, struct value *value)
{
    struct json0_owned *owned;

    if (value->kind < VALUE_TEXT)
        return;
    owned = json0_take(work, sizeof(*owned));
    if (!owned) {
        value_release(value);
        return;
    }
    owned->value = *value;
    owned->next = work->owned;
    work->owned = owned;
}

void *json0_list_add(struct json0_work *work, struct json0_list *list, size_t item_bytes)
{
    if (list->n >= list->capacity) {
        uint32_t capacity = list->n < 2 ? 4 : list->n * 2;
        char *items = json0_take(work, capacity * item_bytes);

        if (!items)
            return NULL;
        if (list->n)
            memcpy(items, list->items, list->n * item_bytes);
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + item_bytes * list->n++;
}

static bool is_same_index(const struct value *a, const struct value *b)
{
    double i, j;

    return json0_index(a, &i) && json0_index(b, &j) && i == j;
}

/* Nearly all elements are numbers and short names. Long ones count as more than one step. */
static bool is_same_element(struct json0_work *work, const struct value *a, const struct value *b)
{
    if (a->kind != b->kind)
        return is_same_index(a, b);
    if (a->kind == VALUE_NUMBER)
        return a->number == b->number;
    if (a->kind == VALUE_SHORT)
        return a->n_short == b->n_short && memcmp(a->short_text, b->short_text, a->n_short) == 0;
    json0_spend(work, value_text_sums(a).n_bytes / 256);
    return value_equal(a, b);
}

bool json0_is_same_path(struct json0_work *work, const struct value *a, const struct value *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_same_element(work, &a[i], &b[i]))
            return false;
    }
    return true;
}

/* ---- out of the work --------------------------------------------------------------------------------------------- */

static struct value shared(const struct value *value)
{
    return value->kind < VALUE_TEXT ? *value : value_share(value);
}

struct totals {
    uint32_t n_path, n_parts;
    size_t n_bytes;
};

/* Parts of a text count as components. */
static bool count(const struct json0_list *components, size_t max_components, struct totals *totals)
{
    size_t n = components->n, n_path = 0, n_parts = 0;

    totals->n_bytes = 0;
    for (uint32_t i = 0; i < components->n; i++) {
        const struct json0_component *component = &json0_components(components)[i];

        n_path += component->n_path;
        if (component->kind != JSON0_TEXT)
            continue;
        n_parts += component->parts.n;
        for (uint32_t k = 0; k < component->parts.n; k++)
            totals->n_bytes += json0_parts(&component->parts)[k].n_bytes;
        n += component->parts.n - (component->parts.n > 0);
    }
    totals->n_path = (uint32_t)n_path;
    totals->n_parts = (uint32_t)n_parts;
    return n <= max_components && n_path <= UINT32_MAX && n_parts <= UINT32_MAX;
}

/* Where the next of each goes in the block. */
struct block {
    struct value *path;
    struct json0_part *part;
    char *text;
};

static void place_parts(struct block *block, struct json0_list *parts)
{
    const struct json0_part *from = json0_parts(parts);

    *parts = (struct json0_list){ .items = block->part, .n = parts->n };
    for (uint32_t i = 0; i < parts->n; i++, block->part++) {
        *block->part = from[i];
        block->part->text = block->text;
        block->part->capacity = 0;
        if (from[i].n_bytes)
            memcpy(block->text, from[i].text, from[i].n_bytes);
        block->text += from[i].n_bytes;
    }
}

static void place(struct block *block, struct json0_component *component)
{
    const struct value *path = component->path;

    component->path = block->path;
    for (uint32_t i = 0; i < component->n_path; i++)
        *block->path++ = shared(&path[i]);
    if (component->kind == JSON0_TEXT) {
        place_parts(block, &component->parts);
    } else if (component->kind == JSON0_LIST || component->kind == JSON0_OBJECT) {
        component->put = shared(&component->put);
        component->taken = shared(&component->taken);
    }
}

static size_t block_bytes(size_t n_components, const struct totals *totals)
{
    return sizeof(struct json0_op) + n_components * sizeof(struct json0_component) +
           totals->n_path * sizeof(struct value) + totals->n_parts * sizeof(struct json0_part) + totals->n_bytes;
}

static bool has_digits(const struct json0_component *component)
{
    double index;

    for (uint32_t i = 0; i < json0_n_way(component); i++) {
        if (component->path[i].kind == VALUE_SHORT && json0_index(&component->path[i], &index))
            return true;
    }
    return false;
}

static struct json0_op *op_of(const struct json0_list *components, const struct totals *totals)
{
    struct json0_op *op = malloc(block_bytes(components->n, totals));
    struct block block;

    if (!op)
        return NULL;
    op->base = (struct ot_op){ .type = &json0, .n_references = 1 };
    op->n_components = components->n;
    op->n_path = totals->n_path;
    op->n_parts = totals->n_parts;
    op->n_bytes = totals->n_bytes;
    op->has_digits = false;
    block.path = (struct value *)(void *)(op->components + op->n_components);
    block.part = (struct json0_part *)(void *)(block.path + op->n_path);
    block.text = (char *)(block.part + op->n_parts);
    for (uint32_t i = 0; i < op->n_components; i++) {
        op->components[i] = json0_components(components)[i];
        op->components[i].number = i;
        op->has_digits |= has_digits(&op->components[i]);
        place(&block, &op->components[i]);
    }
    return op;
}

int json0_finish(struct json0_work *work, const struct json0_list *components, const struct ot_limits *limits,
                 struct ot_op **out)
{
    struct totals totals;
    struct json0_op *op = NULL;

    if (!work->r && !count(components, limits->max_components, &totals))
        work->r = ot_fail(work->error, OT_LIMIT, "more than %zu components", limits->max_components);
    if (!work->r) {
        op = op_of(components, &totals);
        if (op)
            *out = &op->base;
        else
            work->r = -ENOMEM;
    }
    json0_work_end(work);
    return work->r;
}

/* ---- the end of an operation ------------------------------------------------------------------------------------- */

static void release(const struct value *value)
{
    struct value own = *value;

    if (own.kind >= VALUE_TEXT)
        value_release(&own);
}

void json0_op_destroy(struct ot_op *op)
{
    struct json0_op *own = (struct json0_op *)(void *)op;

    for (uint32_t i = 0; i < own->n_components; i++) {
        const struct json0_component *component = &own->components[i];

        for (uint32_t k = 0; k < component->n_path; k++)
            release(&component->path[k]);
        if (component->kind == JSON0_LIST || component->kind == JSON0_OBJECT) {
            release(&component->put);
            release(&component->taken);
        }
    }
    free(own);
}

/* Long values count by what their JSON takes. */
size_t json0_op_size(const struct ot_op *op)
{
    const struct json0_op *own = json0_op_of(op);
    struct totals totals = { own->n_path, own->n_parts, own->n_bytes };
    size_t n_bytes = block_bytes(own->n_components, &totals);

    for (uint32_t i = 0; i < own->n_components; i++) {
        const struct json0_component *component = &own->components[i];

        if (component->kind == JSON0_LIST || component->kind == JSON0_OBJECT)
            n_bytes += value_json_bytes(&component->put) + value_json_bytes(&component->taken);
    }
    return n_bytes;
}
