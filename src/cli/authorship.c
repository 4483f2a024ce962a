#include "cli/authorship.h"

#include <stdlib.h>

#define BLOCK_LINES 512

struct line {
    uint64_t n_cps; /* with its newline, which only the last has not */
    size_t change;
};

struct authorship_block {
    size_t n;
    struct line lines[BLOCK_LINES];
};

/* A line, and how far in it. */
struct place {
    size_t block, line;
    uint64_t at_cp;
};

uint64_t text_code_points(struct bytes text)
{
    const unsigned char *at = text.at;
    uint64_t n = 0;

    for (size_t i = 0; i < text.n_bytes; i++)
        n += (at[i] & 0xc0) != 0x80;
    return n;
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

static bool block_add(struct authorship *own, size_t i)
{
    struct authorship_block *block = malloc(sizeof(*block));
    size_t capacity = own->capacity ? 2 * own->capacity : 16;

    if (block && own->n_blocks == own->capacity) {
        struct authorship_block **blocks = realloc(own->blocks, capacity * sizeof(struct authorship_block *));
        uint64_t *n_cps = realloc(own->n_cps, capacity * sizeof(*n_cps));

        own->blocks = blocks ? blocks : own->blocks;
        own->n_cps = n_cps ? n_cps : own->n_cps;
        if (blocks && n_cps)
            own->capacity = capacity;
    }
    if (!block || own->n_blocks == own->capacity) {
        free(block);
        own->is_broken = true;
        return false;
    }
    memmove(own->blocks + i + 1, own->blocks + i, (own->n_blocks - i) * sizeof(struct authorship_block *));
    memmove(own->n_cps + i + 1, own->n_cps + i, (own->n_blocks - i) * sizeof(*own->n_cps));
    block->n = 0;
    own->blocks[i] = block;
    own->n_cps[i] = 0;
    own->n_blocks++;
    return true;
}

static void block_remove(struct authorship *own, size_t i)
{
    free(own->blocks[i]);
    own->n_blocks--;
    memmove(own->blocks + i, own->blocks + i + 1, (own->n_blocks - i) * sizeof(struct authorship_block *));
    memmove(own->n_cps + i, own->n_cps + i + 1, (own->n_blocks - i) * sizeof(*own->n_cps));
}

/* Halves a full block; *place goes with its line. */
static bool block_split(struct authorship *own, struct place *place)
{
    struct authorship_block *old = own->blocks[place->block], *new;
    size_t half = old->n / 2;

    if (!block_add(own, place->block + 1))
        return false;
    new = own->blocks[place->block + 1];
    new->n = old->n - half;
    memcpy(new->lines, old->lines + half, new->n * sizeof(struct line));
    old->n = half;
    for (size_t i = 0; i < new->n; i++)
        own->n_cps[place->block + 1] += new->lines[i].n_cps;
    own->n_cps[place->block] -= own->n_cps[place->block + 1];
    if (place->line >= half) {
        place->block++;
        place->line -= half;
    }
    return true;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static struct line *line_at(const struct authorship *own, const struct place *place)
{
    return &own->blocks[place->block]->lines[place->line];
}

static bool is_last(const struct authorship *own, const struct place *place)
{
    return place->block + 1 == own->n_blocks && place->line + 1 == own->blocks[place->block]->n;
}

/* Without its newline. */
static uint64_t content_of(const struct authorship *own, const struct place *place)
{
    return line_at(own, place)->n_cps - !is_last(own, place);
}

static void line_set(struct authorship *own, const struct place *place, struct line line)
{
    own->n_cps[place->block] += line.n_cps - line_at(own, place)->n_cps;
    *line_at(own, place) = line;
}

/* Before the line at *place, which moves on with it. */
static void line_add(struct authorship *own, struct place *place, struct line line)
{
    struct authorship_block *block;

    if (own->is_broken || (own->blocks[place->block]->n == BLOCK_LINES && !block_split(own, place)))
        return;
    block = own->blocks[place->block];
    memmove(block->lines + place->line + 1, block->lines + place->line, (block->n - place->line) * sizeof(struct line));
    block->lines[place->line] = line;
    block->n++;
    own->n_cps[place->block] += line.n_cps;
    place->line++;
}

/* The line behind comes to its place. */
static void line_remove(struct authorship *own, struct place *place)
{
    struct authorship_block *block = own->blocks[place->block];

    own->n_cps[place->block] -= block->lines[place->line].n_cps;
    block->n--;
    memmove(block->lines + place->line, block->lines + place->line + 1, (block->n - place->line) * sizeof(struct line));
    if (!block->n) {
        block_remove(own, place->block);
    } else if (place->line == block->n) {
        place->block++;
        place->line = 0;
    }
}

/* The place of a position: at the beginning of a line rather than behind the newline before it. */
static bool find(struct authorship *own, uint64_t at_cp, struct place *out)
{
    *out = (struct place){ .at_cp = at_cp };
    if (own->is_broken)
        return false;
    while (out->block + 1 < own->n_blocks && out->at_cp >= own->n_cps[out->block])
        out->at_cp -= own->n_cps[out->block++];
    while (out->line + 1 < own->blocks[out->block]->n && out->at_cp >= line_at(own, out)->n_cps)
        out->at_cp -= line_at(own, out)->n_cps, out->line++;
    if (out->at_cp > line_at(own, out)->n_cps)
        own->is_broken = true;
    return !own->is_broken;
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

void authorship_init(struct authorship *authorship, size_t change)
{
    *authorship = (struct authorship){ 0 };
    if (!block_add(authorship, 0))
        return;
    authorship->blocks[0]->n = 1;
    authorship->blocks[0]->lines[0] = (struct line){ 0, change };
}

void authorship_finish(struct authorship *authorship)
{
    for (size_t i = 0; i < authorship->n_blocks; i++)
        free(authorship->blocks[i]);
    free(authorship->blocks);
    free(authorship->n_cps);
    *authorship = (struct authorship){ 0 };
}

/* A text of several lines: the first ends the line it was put into, the last begins what was behind. */
static void insert_lines(struct authorship *own, struct place *place, struct bytes text, size_t change)
{
    struct line line = *line_at(own, place);
    uint64_t n_behind = line.n_cps - place->at_cp, n_content_behind = content_of(own, place) - place->at_cp;
    uint64_t n_before = place->at_cp;
    const char *at = text.at, *end = at + text.n_bytes, *stop;

    for (; (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1) {
        uint64_t n = text_code_points(bytes_of(at, (size_t)(stop - at)));

        line_add(own, place, (struct line){ n_before + n + 1, n_before && !n ? line.change : change });
        n_before = 0;
    }
    if (own->is_broken)
        return;
    line_set(own, place,
             (struct line){ text_code_points(bytes_of(at, (size_t)(end - at))) + n_behind,
                            at == end && n_content_behind ? line.change : change });
}

void authorship_insert(struct authorship *authorship, uint64_t at_cp, struct bytes text, size_t change)
{
    struct place place;

    if (!text.n_bytes || !find(authorship, at_cp, &place))
        return;
    if (memchr(text.at, '\n', text.n_bytes))
        insert_lines(authorship, &place, text, change);
    else
        line_set(authorship, &place,
                 (struct line){ line_at(authorship, &place)->n_cps + text_code_points(text), change });
}

/* Of a line and what is left of one behind it. */
static size_t change_of_joined(const struct authorship *own, const struct place *first, const struct place *last,
                               size_t change)
{
    if (first->at_cp == 0 && last->at_cp == 0)
        return line_at(own, last)->change; /* whole lines went */
    if (first->at_cp == content_of(own, first) && last->at_cp == content_of(own, last))
        return line_at(own, first)->change; /* the same, from the end of the line before */
    return change;
}

void authorship_delete(struct authorship *authorship, uint64_t at_cp, uint64_t n_cps, size_t change)
{
    struct place first, last;
    uint64_t n_removed;
    struct line joined;

    if (!n_cps || !find(authorship, at_cp, &first) || !find(authorship, at_cp + n_cps, &last))
        return;
    if (first.block == last.block && first.line == last.line) {
        joined = (struct line){ line_at(authorship, &first)->n_cps - n_cps, change };
        line_set(authorship, &first, joined);
        return;
    }
    joined.n_cps = first.at_cp + line_at(authorship, &last)->n_cps - last.at_cp;
    joined.change = change_of_joined(authorship, &first, &last, change);
    n_removed = first.at_cp + n_cps - last.at_cp;
    while (n_removed) { /* the lines before the last, whole */
        n_removed -= line_at(authorship, &first)->n_cps;
        line_remove(authorship, &first);
    }
    line_set(authorship, &first, joined);
}

void authorship_each(const struct authorship *authorship, void (*each)(void *arg, uint64_t n_cps, size_t change),
                     void *arg)
{
    for (size_t i = 0; i < authorship->n_blocks; i++)
        for (size_t k = 0; k < authorship->blocks[i]->n; k++)
            each(arg, authorship->blocks[i]->lines[k].n_cps, authorship->blocks[i]->lines[k].change);
}
