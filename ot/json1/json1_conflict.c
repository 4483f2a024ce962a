#include "ot/json1/json1.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>

/* Conflicts: refused by transform, and resolved by transform_resolving, which takes back what loses. */

#define MAX_ROUNDS 50

void json1_conflict_release(struct json1_conflict *conflict)
{
    free(conflict->are_mine);
    free(conflict->are_theirs);
    *conflict = (struct json1_conflict){ .kind = CONFLICT_NONE };
}

static int refuse(const struct json1_conflict *conflict, struct ot_error *error)
{
    static const char *const sentences[] = { [CONFLICT_NONE] = "a conflict",
                                             [CONFLICT_REMOVED] = "content removed unexpectedly",
                                             [CONFLICT_COLLISION] = "two drops at one place",
                                             [CONFLICT_CYCLE] = "moves into each other" };
    char place[JSON1_PLACE_BYTES];

    return ot_fail(error, OT_CONFLICT, "%s, at %s", sentences[conflict->kind],
                   json1_place(conflict->mine ? conflict->mine : conflict->theirs, place));
}

int json1_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                    const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct json1_conflict conflict = { .kind = CONFLICT_NONE };
    int r = json1_try_transform(json1_op_of(op), json1_op_of(other), side, limits, &conflict, out, error);

    if (r == OT_CONFLICT && conflict.kind)
        r = refuse(&conflict, error);
    json1_conflict_release(&conflict);
    return r;
}

/* ---- resolving --------------------------------------------------------------------------------------------------- */

static struct json1_node *down_to(struct json1_builder *builder, struct json1_node *root,
                                  const struct json1_node *place)
{
    if (!place->parent)
        return root;
    return json1_down(builder, down_to(builder, root, place->parent), &place->key);
}

/* The operation, made after op, that removes what op writes at one place, or at the marked ones. */
static int make_removes(const struct json1_op *op, const struct json1_node *place, const bool *are_places,
                        struct ot_op **out, struct ot_error *error)
{
    struct json1_builder builder;
    struct json1_node *root;

    json1_builder_init(&builder);
    root = json1_new_tree(&builder);
    if (!are_places)
        json1_write_remove_true(&builder, down_to(&builder, root, place));
    for (size_t i = 0; are_places && i < op->n_nodes; i++) {
        if (are_places[i])
            json1_write_remove_true(&builder, down_to(&builder, root, &op->nodes[i]));
    }
    return json1_finish(&builder, root, NULL, out, error);
}

struct resolving {
    struct ot_op *op, *other;
    struct ot_op *taken_back; /* what was composed onto other so far */
    const struct ot_limits *limits;
    struct ot_error *error;
};

/* *op becomes what it and then another do. */
static int compose_onto(const struct resolving *resolving, struct ot_op **op, const struct ot_op *second)
{
    struct ot_op *composed = NULL;
    int r = json1_compose(*op, second, resolving->limits, &composed, resolving->error);

    if (r)
        return r;
    ot_op_unref(*op);
    *op = composed;
    return 0;
}

static int normalize_in_place(struct ot_op **op, struct ot_error *error)
{
    struct ot_op *normal = NULL;
    int r = json1_normalized(*op, &normal, error);

    if (r)
        return r;
    ot_op_unref(*op);
    *op = normal;
    return 0;
}

static int take_back_mine(struct resolving *resolving, const struct json1_conflict *conflict)
{
    struct ot_op *removes = NULL;
    int r = make_removes(json1_op_of(resolving->op), conflict->mine, conflict->are_mine, &removes, resolving->error);

    if (!r)
        r = normalize_in_place(&resolving->op, resolving->error);
    if (!r)
        r = compose_onto(resolving, &resolving->op, removes);
    ot_op_unref(removes);
    return r;
}

static int take_back_theirs(struct resolving *resolving, const struct json1_conflict *conflict)
{
    struct ot_op *removes = NULL;
    int r =
        make_removes(json1_op_of(resolving->other), conflict->theirs, conflict->are_theirs, &removes, resolving->error);

    if (!r)
        r = normalize_in_place(&resolving->other, resolving->error);
    if (!r)
        r = compose_onto(resolving, &resolving->other, removes);
    if (!r && !resolving->taken_back)
        resolving->taken_back = ot_op_ref(removes);
    else if (!r)
        r = compose_onto(resolving, &resolving->taken_back, removes);
    ot_op_unref(removes);
    return r;
}

static int resolve(struct resolving *resolving, const struct json1_conflict *conflict, enum ot_side side)
{
    bool is_mine = conflict->kind == CONFLICT_COLLISION ? side == OT_RIGHT : conflict->mine != NULL;
    bool is_theirs = conflict->kind == CONFLICT_CYCLE || !is_mine;
    int r = is_mine ? take_back_mine(resolving, conflict) : 0;

    return r || !is_theirs ? r : take_back_theirs(resolving, conflict);
}

static int finish_resolving(const struct resolving *resolving, struct ot_op *result, struct ot_op **out)
{
    int r = 0;

    if (resolving->taken_back) {
        r = json1_compose(resolving->taken_back, result, resolving->limits, out, resolving->error);
        ot_op_unref(result);
    } else {
        *out = result;
    }
    return r;
}

/* One round. OT_CONFLICT: there was one that is resolved now. */
static int try_round(struct resolving *resolving, enum ot_side side, struct ot_op **out)
{
    struct json1_conflict conflict = { .kind = CONFLICT_NONE };
    struct ot_op *result = NULL;
    int r = json1_try_transform(json1_op_of(resolving->op), json1_op_of(resolving->other), side, resolving->limits,
                                &conflict, &result, resolving->error);

    if (r == OT_CONFLICT) {
        r = resolve(resolving, &conflict, side);
        r = r ? r : OT_CONFLICT;
    } else if (!r) {
        r = finish_resolving(resolving, result, out);
    }
    json1_conflict_release(&conflict);
    return r;
}

static int resolve_one_side(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                            const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct resolving resolving = { .op = ot_op_ref((struct ot_op *)(uintptr_t)op),
                                   .other = ot_op_ref((struct ot_op *)(uintptr_t)other),
                                   .limits = limits,
                                   .error = error };
    int r = OT_CONFLICT;

    for (size_t i = 0; r == OT_CONFLICT && i < MAX_ROUNDS; i++)
        r = try_round(&resolving, side, out);
    if (r == OT_CONFLICT)
        (void)ot_fail(error, r, "conflicts that are not resolved after %d rounds", MAX_ROUNDS);
    ot_op_unref(resolving.op);
    ot_op_unref(resolving.other);
    ot_op_unref(resolving.taken_back);
    return r;
}

/* The other side resolves, too: an answer that would not meet its answer is none. */
int json1_transform_resolving(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                              const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    struct ot_op *mine = NULL, *theirs = NULL;
    int r = resolve_one_side(op, other, side, limits, &mine, error);

    if (!r)
        r = resolve_one_side(other, op, side == OT_LEFT ? OT_RIGHT : OT_LEFT, limits, &theirs, error);
    if (!r)
        r = json1_check_convergence(op, mine, other, theirs, limits, error);
    ot_op_unref(theirs);
    if (r)
        ot_op_unref(mine);
    else
        *out = mine;
    return r;
}
