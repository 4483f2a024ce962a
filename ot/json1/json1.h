/* Operations on JSON documents as trees, in memory. Internal to ot/json1/.
 *
 *     [["a",{"p":0}],["b",2,{"d":0,"es":["x"]}]]
 *
 *     root --> "a" pick 0
 *          `-> "b" --> 2 drop 0, edit
 *
 * A node stands for a place in the document. What is picked or removed (p, r) counts places before the operation; what
 * is dropped, inserted or edited (d, i, es...) counts them after it, so that one key can mean two places. Between the
 * two lies the *middle*: all picks are out, no drop is in.
 *
 *     before - picks before it = middle        middle + drops before it = after
 *
 * An operation is one block of such nodes and never changes; parents stand before their children. A builder makes new
 * ones out of nodes of the same kind, which can still be changed. Children are in order: indexes, then texts by UTF-16
 * units. Nodes that carry nothing, and nothing below, are allowed in a builder only. */
#ifndef OT_JSON1_H
#define OT_JSON1_H

#include "ot/structures/value.h"
#include "ot/type.h"

#define JSON1_MAX_INDEX INT32_MAX
#define JSON1_NO_SLOT   UINT32_MAX

enum json1_flag {
    JSON1_PICK = 1,   /* p */
    JSON1_REMOVE = 2, /* r; never with p */
    JSON1_DROP = 4,   /* d */
    JSON1_INSERT = 8, /* i; never with d */
    JSON1_EDIT = 16,
    JSON1_PICKS_BELOW = 32, /* here or below there is a p or r; of finished operations only */
    JSON1_DROPS_BELOW = 64, /* here or below there is a d, an i or an edit */
};

#define JSON1_ANY_PICK  (JSON1_PICK | JSON1_REMOVE)
#define JSON1_ANY_DROP  (JSON1_DROP | JSON1_INSERT)
#define JSON1_COMPONENT (JSON1_ANY_PICK | JSON1_ANY_DROP | JSON1_EDIT)

/* An edit: a number that is added (op NULL), or an operation of another type or of this one. */
struct json1_edit {
    struct ot_op *op;
    double added;
};

struct json1_node {
    struct value key; /* a text, or a number: an index. The root's: NONE */
    uint8_t flags;
    uint8_t seen; /* the flags when json1_mark_seen passed by; SEEN_NODE is one of them */
    uint32_t pick_slot, drop_slot;
    struct value removed, inserted;
    struct json1_edit edit;
    struct json1_node *parent, *first, *next;
    struct json1_node *last_met; /* of a builder: the child where the next search begins */
};

struct json1_op {
    struct ot_op base;
    uint32_t n_nodes, n_slots; /* no nodes: the operation that does nothing */
    struct json1_node nodes[]; /* the root is the first */
};

static inline const struct json1_op *json1_op_of(const struct ot_op *op)
{
    return (const struct json1_op *)(const void *)op;
}

/* NULL: the operation does nothing. */
static inline const struct json1_node *json1_root(const struct json1_op *op)
{
    return op->n_nodes ? op->nodes : NULL;
}

static inline size_t json1_index_in(const struct json1_op *op, const struct json1_node *node)
{
    return (size_t)(node - op->nodes);
}

/* ---- looking at nodes; NULL is a place that the operation does not mention --------------------------------------- */

static inline bool json1_has(const struct json1_node *node, unsigned flags)
{
    return node && (node->flags & flags);
}

static inline bool json1_is_index(const struct value *key)
{
    return key->kind == VALUE_NUMBER;
}

static inline int64_t json1_index(const struct json1_node *node)
{
    return (int64_t)node->key.number;
}

static inline struct value json1_index_key(int64_t index)
{
    struct value key = value_of_kind(VALUE_NUMBER);

    key.number = (double)index;
    return key;
}

/* Indexes first, then texts by UTF-16 units. */
int json1_other_key_compare(const struct value *a, const struct value *b);

static inline int json1_key_compare(const struct value *a, const struct value *b)
{
    if (a->kind_and_zeros == b->kind_and_zeros && a->items == b->items)
        return 0; /* all 16 bytes: one index, one short text, shares of one long text */
    if (json1_is_index(a) && json1_is_index(b))
        return (a->number > b->number) - (a->number < b->number);
    return json1_other_key_compare(a, b);
}

/* Follows a path in step with the children of a node, in ascending order of keys. An index may be one of another
 * system than the children's own. */
struct json1_follower {
    const struct json1_node *child;
    unsigned counted; /* flags of the children that n_passed counts: list elements only */
    bool by_middle;   /* keys that are asked for are middle ones, and a counted child has none */
    bool only_seen;   /* see json1_mark_seen */
    int64_t n_passed;
};

enum json1_following {
    FOLLOW_RAW,          /* by the node's own indexes, counting nothing */
    FOLLOW_RAW_PICKS,    /* the same, and counts the picks before */
    FOLLOW_MIDDLE_PICKS, /* from the middle to before */
    FOLLOW_MIDDLE_DROPS, /* from the middle to after */
};

static inline struct json1_follower json1_follow(const struct json1_node *parent, enum json1_following following)
{
    static const uint8_t counted[] = { 0, JSON1_ANY_PICK, JSON1_ANY_PICK, JSON1_ANY_DROP };

    return (struct json1_follower){ .child = parent ? parent->first : NULL,
                                    .counted = counted[following],
                                    .by_middle = following >= FOLLOW_MIDDLE_PICKS };
}

const struct json1_node *json1_follow_on(struct json1_follower *follower, const struct value *key);

/* Mostly there is nothing to follow. */
static inline const struct json1_node *json1_follow_key(struct json1_follower *follower, const struct value *key)
{
    return follower->child ? json1_follow_on(follower, key) : NULL;
}

static inline const struct json1_node *json1_follow_index(struct json1_follower *follower, int64_t index)
{
    struct value key;

    if (!follower->child)
        return NULL;
    key = json1_index_key(index);
    return json1_follow_on(follower, &key);
}

/* The place of a node for people, such as /items/3/title; cut when it is long. */
#define JSON1_PLACE_BYTES 64
const char *json1_place(const struct json1_node *node, char into[JSON1_PLACE_BYTES]);

/* Lets go of what the node holds. */
static inline void json1_node_release(struct json1_node *node)
{
    if (node->key.kind > VALUE_SHORT)
        value_release(&node->key);
    if (node->removed.kind > VALUE_SHORT)
        value_release(&node->removed);
    if (node->inserted.kind > VALUE_SHORT)
        value_release(&node->inserted);
    if (node->edit.op)
        ot_op_unref(node->edit.op);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Where a container holds a key, an index shifted so much. False: it does not, or is none that takes such a key. */
bool json1_find(const struct value *container, const struct value *key, int64_t shift, size_t *i);
/* A share of what lies there, with *i as above; or NONE. */
struct value json1_part(const struct value *container, const struct value *key, int64_t shift, size_t *i);
/* Moves part to place i of a container; NONE: takes out what is there. */
int json1_replace_part(struct value *container, size_t i, struct value *part);

/* ---- building ---------------------------------------------------------------------------------------------------- */

struct json1_chunk;

/* Holds any number of trees, to be freed together. After the first failure (-ENOMEM, or OT_NOT_APPLIED when two
 * things were written to one place) new nodes are NULL, and writing to NULL does nothing. */
struct json1_builder {
    int r;
    struct json1_chunk *chunks;
    struct json1_node *next, *end; /* free ones of the newest chunk */
    struct json1_node first_nodes[16];
};

void json1_builder_init(struct json1_builder *builder);
void json1_builder_finish(struct json1_builder *builder); /* frees all nodes */

struct json1_node *json1_new_tree(struct json1_builder *builder);
/* The child of that key, made when there is none. */
struct json1_node *json1_down(struct json1_builder *builder, struct json1_node *parent, const struct value *key);
struct json1_node *json1_down_index(struct json1_builder *builder, struct json1_node *parent, int64_t index);

void json1_write_pick(struct json1_builder *builder, struct json1_node *node, uint32_t slot);
void json1_write_drop(struct json1_builder *builder, struct json1_node *node, uint32_t slot);
void json1_write_remove(struct json1_builder *builder, struct json1_node *node, const struct value *removed);
void json1_write_remove_true(struct json1_builder *builder, struct json1_node *node);
void json1_write_insert(struct json1_builder *builder, struct json1_node *node, const struct value *inserted);
/* A copy; edits of text that do nothing are left out. */
void json1_write_edit(struct json1_builder *builder, struct json1_node *node, const struct json1_edit *edit);
void json1_write_edit_even_empty(struct json1_builder *builder, struct json1_node *node, const struct json1_edit *edit);

/* Writes all that a tree of the same builder, or of an operation, says at and below its root at and below node. */
void json1_merge(struct json1_builder *builder, struct json1_node *node, const struct json1_node *tree);

/* Whether a tree says anything. */
bool json1_is_live(const struct json1_node *tree);

/* Notes what a tree says now, so that it can be walked as it was while it is written to: followers with only_seen meet
 * the nodes that were live, and those flags that were not 0 then. */
#define JSON1_SEEN_NODE      1
#define JSON1_SEEN_COMPONENT 2
void json1_mark_seen(struct json1_node *tree);
unsigned json1_seen_flags(const struct json1_node *node);

/* The tree as an operation; what it holds moves there. OT_LIMIT; OT_NOT_APPLIED: the tree is no operation, because
 * what it was made of did not fit together. limits NULL: only what keeps recursion safe. Frees the builder either way.
 */
int json1_finish(struct json1_builder *builder, struct json1_node *tree, const struct ot_limits *limits,
                 struct ot_op **out, struct ot_error *error);

/* ---- edits ------------------------------------------------------------------------------------------------------- */

bool json1_edit_is_empty(const struct json1_edit *edit); /* of text, and does nothing */
/* Out-edits hold a reference of their own, let go by json1_edit_release. OT_NOT_APPLIED: of two types. */
int json1_edit_transform(const struct json1_edit *edit, const struct json1_edit *other, enum ot_side side,
                         const struct ot_limits *limits, struct json1_edit *out, struct ot_error *error);
int json1_edit_compose(const struct json1_edit *first, const struct json1_edit *second, const struct ot_limits *limits,
                       struct json1_edit *out, struct ot_error *error);
int json1_edit_invert(const struct json1_edit *edit, struct json1_edit *out, struct ot_error *error);
/* before may be NULL: there is no value. OT_NOT_APPLIED: the value is of another type, or the edit does not fit. */
int json1_edit_make_invertible(const struct json1_edit *edit, const struct value *before, struct json1_edit *out,
                               struct ot_error *error);
/* All or nothing. */
int json1_edit_apply(const struct json1_edit *edit, struct value *value, const struct ot_limits *limits,
                     struct ot_error *error);
void json1_edit_release(struct json1_edit *edit);

/* ---- functions of the type, by file ------------------------------------------------------------------------------ */

int json1_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                struct ot_error *error);
int json1_write(const struct ot_op *op, ot_write_fn *write, void *arg);

/* Changes *root, which the caller holds a second reference to when it must not change on failure. n_bytes: of its JSON;
 * follows. */
int json1_apply(const struct json1_op *op, struct value *root, size_t *n_bytes, const struct ot_limits *limits,
                struct ot_error *error);

int json1_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                  struct ot_op **out, struct ot_error *error);
int json1_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                    const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
int json1_transform_resolving(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                              const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
/* Slots numbered in the order in which they are met, empty edits of text left out: what the reference's normalize
 * makes. */
int json1_normalized(const struct ot_op *op, struct ot_op **out, struct ot_error *error);
int json1_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error);
int json1_make_invertible_on(const struct ot_op *op, const struct value *document, struct ot_op **out,
                             struct ot_error *error);
int json1_transform_position(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                             struct ot_error *error);

/* ---- conflicts --------------------------------------------------------------------------------------------------- */

enum json1_conflict_kind {
    CONFLICT_NONE,
    CONFLICT_REMOVED,   /* one writes to what the other removes */
    CONFLICT_COLLISION, /* two drops at one place */
    CONFLICT_CYCLE,     /* each moves the other's place into what it moves itself */
};

/* Where each side writes what it can't have: nodes of the operations, with d, i or an edit. NULL: that side removes. */
struct json1_conflict {
    enum json1_conflict_kind kind;
    const struct json1_node *mine, *theirs;
    /* CONFLICT_CYCLE: many; by index of the node in its operation. Allocated. */
    bool *are_mine, *are_theirs;
};

void json1_conflict_release(struct json1_conflict *conflict);

/* Whether op and then other_after do what other and then op_after do. OT_CONFLICT: they don't. */
int json1_check_convergence(const struct ot_op *op, const struct ot_op *op_after, const struct ot_op *other,
                            const struct ot_op *other_after, const struct ot_limits *limits, struct ot_error *error);

/* transform; a conflict goes into *conflict, and the answer is OT_CONFLICT without a sentence. */
int json1_try_transform(const struct json1_op *op, const struct json1_op *other, enum ot_side side,
                        const struct ot_limits *limits, struct json1_conflict *conflict, struct ot_op **out,
                        struct ot_error *error);

#endif
