#include "tests/unit/ot/harness.h"

#include "ot/structures/tree.h"
#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The tree against the same entries in an array. Entries count how often they are held, so that a leak or a double
 * release is seen at the end. */

struct entry {
    size_t weight;
    size_t *n_holders;
};

static size_t n_holders[4096];

static size_t weight_of(const void *entry)
{
    return ((const struct entry *)entry)->weight;
}

static void hold(const void *entry)
{
    ++*((const struct entry *)entry)->n_holders;
}

static void release(void *entry)
{
    size_t *n = ((struct entry *)entry)->n_holders;

    assert_in_range(*n, 1, SIZE_MAX / 2);
    --*n;
}

static const struct tree_kind weighing = { sizeof(struct entry), weight_of, hold, release };
static const struct tree_kind counting = { sizeof(struct entry), NULL, hold, release };

struct flat {
    const struct tree_kind *kind;
    struct tree_node *root;
    struct entry entries[2000];
    size_t n, next_holder;
};

static size_t weigh(const struct flat *flat, size_t to)
{
    size_t weight = 0;

    for (size_t i = 0; i < to; i++)
        weight += flat->kind->weight ? flat->entries[i].weight : 1;
    return weight;
}

static struct entry new_entry(struct flat *flat, struct sim_random *random)
{
    struct entry entry = { 1 + sim_random_below(random, 9), &n_holders[flat->next_holder++ % 4096] };

    ++*entry.n_holders;
    return entry;
}

static void assert_same(const struct flat *flat, struct sim_random *random)
{
    size_t total = weigh(flat, flat->n), at = total ? sim_random_below(random, total) : 0, from = at;
    struct tree_cursor cursor;
    const struct entry *entry;
    size_t i = 0;

    assert_int_equal(tree_weight(flat->kind, flat->root), total);
    while (i < flat->n && weigh(flat, i + 1) <= from)
        i++;
    tree_cursor_init(&cursor, flat->kind, flat->root, &at);
    if (flat->n)
        assert_int_equal(at, from - weigh(flat, i));
    for (; (entry = tree_cursor_next(&cursor)); i++)
        assert_memory_equal(entry, &flat->entries[i], sizeof(*entry));
    assert_int_equal(i, flat->n);
}

static int flat_insert(struct flat *flat, size_t i, struct entry entry)
{
    int r = tree_insert(flat->kind, &flat->root, weigh(flat, i), &entry);

    if (r) {
        release(&entry);
        return r;
    }
    memmove(flat->entries + i + 1, flat->entries + i, (flat->n - i) * sizeof(entry));
    flat->entries[i] = entry;
    flat->n++;
    return 0;
}

static int flat_remove(struct flat *flat, size_t i)
{
    struct entry entry;
    int r = tree_remove(flat->kind, &flat->root, weigh(flat, i), &entry);

    if (r)
        return r;
    assert_memory_equal(&entry, &flat->entries[i], sizeof(entry));
    release(&entry);
    memmove(flat->entries + i, flat->entries + i + 1, (flat->n - i - 1) * sizeof(entry));
    flat->n--;
    return 0;
}

static int flat_replace(struct flat *flat, size_t i, struct entry entry)
{
    struct entry old;
    int r = tree_replace(flat->kind, &flat->root, weigh(flat, i), &entry, &old);

    if (r) {
        release(&entry);
        return r;
    }
    assert_memory_equal(&old, &flat->entries[i], sizeof(old));
    release(&old);
    flat->entries[i] = entry;
    return 0;
}

static int flat_look(struct flat *flat, size_t i)
{
    size_t weight = flat->kind->weight ? flat->entries[i].weight : 1, at = weigh(flat, i) + weight - 1, same = at;
    const struct entry *entry = tree_at(flat->kind, flat->root, &at), *owned;

    assert_memory_equal(entry, &flat->entries[i], sizeof(*entry));
    assert_int_equal(at, weight - 1);
    owned = tree_own(flat->kind, &flat->root, &same);
    if (!owned)
        return -ENOMEM;
    assert_memory_equal(owned, &flat->entries[i], sizeof(*owned));
    return 0;
}

static int change(struct flat *flat, struct sim_random *random, size_t wanted)
{
    size_t i = sim_random_below(random, flat->n + 1);

    if (sim_random_chance(random, 100))
        i = flat->n;
    if (!flat->n || sim_random_below(random, 2 * wanted) > flat->n)
        return flat_insert(flat, i, new_entry(flat, random));
    i = i < flat->n ? i : flat->n - 1;
    switch (sim_random_below(random, 4)) {
    case 0: return flat_replace(flat, i, new_entry(flat, random));
    case 1: return flat_look(flat, i);
    default: return flat_remove(flat, i);
    }
}

static void assert_nothing_held(void)
{
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(n_holders[i], 0);
}

/* With a copy of every hundredth state kept, which must not change. */
static void changes_like_an_array(const struct tree_kind *kind, size_t wanted, int n_changes)
{
    struct sim_random random = { wanted };
    struct flat flat = { .kind = kind }, old = { .kind = kind };

    for (int i = 0; i < n_changes; i++) {
        assert_int_equal(change(&flat, &random, wanted), 0);
        if (i % 100 == 0) {
            assert_same(&old, &random);
            tree_release(kind, old.root);
            old = flat;
            (void)tree_share(old.root);
        }
        if (i % 10 == 0)
            assert_same(&flat, &random);
    }
    assert_same(&old, &random);
    tree_release(kind, old.root);
    while (flat.n)
        assert_int_equal(flat_remove(&flat, sim_random_below(&random, flat.n)), 0);
    assert_null(flat.root);
    assert_nothing_held();
}

static void small_trees(void **state)
{
    (void)state;
    for (size_t wanted = 1; wanted < 40; wanted++) {
        changes_like_an_array(&weighing, wanted, 600);
        changes_like_an_array(&counting, wanted, 600);
    }
}

static void tall_trees(void **state)
{
    (void)state;
    changes_like_an_array(&weighing, 900, 8000);
    changes_like_an_array(&counting, 900, 8000);
}

/* Without memory a change answers so, and everything is as it was. */
static void memory_fails(void **state)
{
    struct sim_random random = { 7 };
    struct flat flat = { .kind = &weighing };
    struct tree_node *share = NULL;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        int r;

        if (i % 3 == 0) {
            tree_release(&weighing, share);
            share = tree_share(flat.root);
        }
        alloc_fault_arm(sim_random_below(&random, 4), ALLOC_FAULT_FROM_THEN_ON);
        r = change(&flat, &random, 600);
        (void)alloc_fault_disarm();
        if (r)
            assert_int_equal(r, -ENOMEM);
        if (i % 50 == 0)
            assert_same(&flat, &random);
    }
    tree_release(&weighing, share);
    tree_release(&weighing, flat.root);
    assert_nothing_held();
}

static int compare_weight(const void *key, const void *entry)
{
    size_t a = *(const size_t *)key, b = ((const struct entry *)entry)->weight;

    return (a > b) - (a < b);
}

static void sorted_trees_are_searched(void **state)
{
    struct sim_random random = { 3 };
    struct flat flat = { .kind = &counting };

    (void)state;
    for (int i = 0; i < 1500; i++) {
        struct entry entry = { 2 * sim_random_below(&random, 5000), &n_holders[i] };
        size_t at, expected = 0;

        while (expected < flat.n && flat.entries[expected].weight < entry.weight)
            expected++;
        if (tree_search(&counting, flat.root, compare_weight, &entry.weight, &at)) {
            assert_int_equal(flat.entries[at].weight, entry.weight);
            continue;
        }
        assert_int_equal(at, expected);
        ++*entry.n_holders;
        assert_int_equal(flat_insert(&flat, at, entry), 0);
    }
    tree_release(&counting, flat.root);
    assert_nothing_held();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_trees),
        cmocka_unit_test(tall_trees),
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(sorted_trees_are_searched),
    };

    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
