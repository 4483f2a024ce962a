#include "ot/rich/delta.h"

/* How a document's text is divided by attributes and embeds. */

#define RUN_BYTES        14 /* {"insert":""}, */
#define ATTRIBUTES_BYTES 14 /* ,"attributes": */

static size_t run_weight(const void *entry)
{
    return ((const struct delta_run *)entry)->n_units;
}

static void run_hold(const void *entry)
{
    const struct delta_run *run = entry;

    (void)delta_share(&run->attributes);
    (void)delta_share(&run->embed);
}

static void run_release(void *entry)
{
    struct delta_run *run = entry;

    delta_release(&run->attributes);
    delta_release(&run->embed);
}

const struct tree_kind delta_run_kind = {
    .entry_bytes = sizeof(struct delta_run), .weight = run_weight, .hold = run_hold, .release = run_release
};

static void run_count(struct delta_run *run)
{
    run->n_bytes = RUN_BYTES + value_json_bytes(&run->embed);
    if (run->attributes.kind == VALUE_OBJECT)
        run->n_bytes += ATTRIBUTES_BYTES + value_json_bytes(&run->attributes);
}

/* The run in which a position lies, and its start. NULL at the end. */
static const struct delta_run *run_at(const struct delta_runs *runs, uint64_t at_unit, uint64_t *start)
{
    size_t offset = at_unit;
    const struct delta_run *run = tree_at(&delta_run_kind, runs->root, &offset);

    *start = at_unit - offset;
    return run;
}

/* ---- single changes ---------------------------------------------------------------------------------------------- */

static int add(struct delta_runs *runs, uint64_t at_unit, struct delta_run *run)
{
    int r = tree_insert(&delta_run_kind, &runs->root, at_unit, run);

    if (r)
        run_release(run);
    else
        runs->n_bytes += run->n_bytes;
    return r;
}

static int drop(struct delta_runs *runs, uint64_t start)
{
    struct delta_run run;
    int r = tree_remove(&delta_run_kind, &runs->root, start, &run);

    if (r)
        return r;
    runs->n_bytes -= run.n_bytes;
    run_release(&run);
    return 0;
}

/* What the run holds stays where it is. */
static int resize(struct delta_runs *runs, uint64_t start, const struct delta_run *run, uint64_t n_units)
{
    struct delta_run resized = *run, old;

    resized.n_units = n_units;
    return tree_replace(&delta_run_kind, &runs->root, start, &resized, &old);
}

/* Makes a run begin at a position. */
static int split(struct delta_runs *runs, uint64_t at_unit)
{
    uint64_t start;
    const struct delta_run *run = run_at(runs, at_unit, &start);
    struct delta_run right;
    int r;

    if (!run || start == at_unit)
        return 0;
    right = *run;
    run_hold(&right);
    right.n_units = run->n_units - (at_unit - start);
    r = resize(runs, start, run, at_unit - start);
    if (r) {
        run_release(&right);
        return r;
    }
    return add(runs, at_unit, &right);
}

static bool is_alike(const struct delta_run *a, const struct value *attributes)
{
    return a->embed.kind == VALUE_NONE && delta_attributes_equal(&a->attributes, attributes);
}

/* Makes one of the two runs that meet at a position, if they are alike. */
static int merge(struct delta_runs *runs, uint64_t at_unit)
{
    const struct delta_run *left, *right;
    uint64_t start, middle, n_units;
    int r;

    if (!at_unit)
        return 0;
    left = run_at(runs, at_unit - 1, &start);
    right = run_at(runs, at_unit, &middle);
    if (!right || middle != at_unit || right->embed.kind != VALUE_NONE || !is_alike(left, &right->attributes))
        return 0;
    n_units = left->n_units + right->n_units;
    r = drop(runs, at_unit);
    return r ? r : resize(runs, start, run_at(runs, start, &start), n_units);
}

/* ---- insert ------------------------------------------------------------------------------------------------------ */

/* The run that text with these attributes at this position belongs to: around it, before it or behind it. */
static const struct delta_run *run_taking(const struct delta_runs *runs, uint64_t at_unit,
                                          const struct value *attributes, uint64_t *start)
{
    const struct delta_run *run = at_unit ? run_at(runs, at_unit - 1, start) : NULL;

    if (run && is_alike(run, attributes))
        return run;
    run = run_at(runs, at_unit, start);
    return run && *start == at_unit && is_alike(run, attributes) ? run : NULL;
}

/* run is moved. */
static int insert_run(struct delta_runs *runs, uint64_t at_unit, struct delta_run *run)
{
    int r = split(runs, at_unit);

    if (r) {
        run_release(run);
        return r;
    }
    run_count(run);
    return add(runs, at_unit, run);
}

int delta_runs_insert(struct delta_runs *runs, uint64_t at_unit, const struct delta_piece *piece)
{
    struct delta_run run = { .n_units = piece->n_units, .embed = delta_none };
    const struct delta_run *around = NULL;
    uint64_t start;
    int r = delta_attributes_without_nulls(piece->attributes, &run.attributes);

    if (r)
        return r;
    if (piece->kind == DELTA_TEXT)
        around = run_taking(runs, at_unit, &run.attributes, &start);
    if (around) {
        run_release(&run);
        return resize(runs, start, around, around->n_units + piece->n_units);
    }
    run.embed = delta_share(piece->embed);
    return insert_run(runs, at_unit, &run);
}

/* ---- delete, format ---------------------------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int delta_runs_delete(struct delta_runs *runs, uint64_t at_unit, uint64_t n_units)
{
    int r = 0;

    while (!r && n_units) {
        uint64_t start, n;
        const struct delta_run *run = run_at(runs, at_unit, &start);

        n = least(n_units, start + run->n_units - at_unit);
        r = n == run->n_units ? drop(runs, start) : resize(runs, start, run, run->n_units - n);
        n_units -= n;
    }
    return r ? r : merge(runs, at_unit);
}

/* Gives n_units of one run other attributes, which are moved. */
static int reformat(struct delta_runs *runs, uint64_t at_unit, uint64_t n_units, struct value *attributes)
{
    struct delta_run run, old;
    uint64_t start;
    int r = split(runs, at_unit);

    if (!r)
        r = split(runs, at_unit + n_units);
    if (r) {
        delta_release(attributes);
        return r;
    }
    run = *run_at(runs, at_unit, &start);
    run.attributes = *attributes;
    run_count(&run);
    r = tree_replace(&delta_run_kind, &runs->root, start, &run, &old);
    if (r) {
        delta_release(attributes);
        return r;
    }
    runs->n_bytes += run.n_bytes - old.n_bytes;
    delta_release(&old.attributes); /* the embed has moved */
    return 0;
}

/* One run, or what of it lies in n_units; *n_done says how much that was. */
static int format_run(struct delta_runs *runs, uint64_t at_unit, uint64_t n_units, const struct value *attributes,
                      uint64_t *n_done)
{
    uint64_t start;
    const struct delta_run *run = run_at(runs, at_unit, &start);
    struct value composed;
    int r = delta_attributes_compose(&run->attributes, attributes, false, &composed);

    if (r)
        return r;
    *n_done = least(n_units, start + run->n_units - at_unit);
    if (delta_attributes_equal(&run->attributes, &composed))
        delta_release(&composed);
    else
        r = reformat(runs, at_unit, *n_done, &composed);
    return r ? r : merge(runs, at_unit);
}

int delta_runs_format(struct delta_runs *runs, uint64_t at_unit, uint64_t n_units, const struct value *attributes)
{
    uint64_t n_done = 0;
    int r = 0;

    for (; !r && n_units; n_units -= n_done) {
        r = format_run(runs, at_unit, n_units, attributes, &n_done);
        at_unit += n_done;
    }
    return r ? r : merge(runs, at_unit);
}
