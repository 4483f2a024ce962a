/* libpilcrow-ot: operational transform for collaborative documents.
 *
 *     snapshot  --apply a-->   x          TP1: both ways round the square end in the same document,
 *        |                     |               apply(apply(s, a), transform(b, a, RIGHT))
 *     apply b          apply b over a       == apply(apply(s, b), transform(a, b, LEFT))
 *        v                     v
 *        y  --apply a over b-> same        LEFT is always the operation that is not yet committed.
 *
 * Four kinds of value. A JSON value, an operation: immutable, counted, shared freely. A type: a constant. A snapshot:
 * the document at a version; ot_snapshot_apply changes it in place, ot_snapshot_share makes an O(1) copy that keeps the
 * old state, and both share what they have in common (copy on write).
 *
 * Pure functions: no input or output, no clock, no globals, no threads; libc only. Reference counts are not atomic: a
 * value and everything shared with it belongs to one thread. Another thread may *read* a snapshot (ot_snapshot_write_*)
 * as long as its owner neither applies to it nor destroys it meanwhile; the owner may go on applying to a share of it.
 *
 * Results: 0 is success; -ENOMEM; a positive enum ot_code says that the input is at fault, and `error`, when given,
 * says where. Out-parameters are untouched on failure. What comes out through `out` is the caller's to unref or
 * destroy. Lengths in bytes are n_bytes; text is UTF-8 and need not be terminated.
 *
 * The judges of what operations mean are the npm packages ot-text-unicode, rich-text, ot-json0 and ot-json1, because
 * browsers compute the same transforms. docs/ot.md has the laws and where we are stricter. */
#ifndef PILCROW_OT_H
#define PILCROW_OT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OT_MUST_CHECK __attribute__((warn_unused_result))

#pragma GCC visibility push(default)

enum ot_code {
    OT_BAD_JSON = 1, /* not JSON, or not UTF-8 */
    OT_BAD_OP,       /* no operation of this type, or no document of it */
    OT_NOT_APPLIED,  /* an operation, but it does not fit the document */
    OT_CONFLICT,     /* json1: both operations write to one place */
    OT_LIMIT,        /* deeper, longer or larger than the ceilings */
    OT_UNSUPPORTED,  /* the type does not have this function */
};

/* The stable name of a code, as `pilcrow ot` prints it: "bad_json", "bad_op", "not_applied", "conflict", "limit",
 * "unsupported". */
const char *ot_code_name(int code);

struct ot_error {
    char message[160]; /* a sentence for people; names the place, never quotes more than a few characters of content */
};

/* Whatever max_depth says: what writes and compares values recurses so deep, and no deeper. */
#define OT_DEPTH_CEILING 1000

struct ot_limits {
    size_t max_depth;          /* of nested lists and objects */
    size_t max_components;     /* of one operation */
    size_t max_document_bytes; /* as UTF-8 or JSON */
};

/* 200, 100,000, 64 MiB; what NULL stands for wherever limits are asked for. */
extern const struct ot_limits ot_limits_default;

/* Takes n_bytes more of an output. Returns 0, or a negative errno that stops the writing and is passed up unchanged. */
typedef int ot_write_fn(void *arg, const char *at, size_t n_bytes);

/* ---- JSON ---------------------------------------------------------------------------------------------------------
 *
 * A value knows whether it is *sound*. Text that is JSON, but holds something no document may hold, still parses, so
 * that the rest of a message can be read and answered: the smallest value around the flaw becomes OT_JSON_FLAW, and
 * every value around that is not sound. Flaws: lone surrogates in strings or keys, U+0000 in keys, the key __proto__,
 * numbers beyond double (OT_NOT_APPLIED); nesting beyond max_depth, or beyond 1,000 whatever max_depth says (OT_LIMIT).
 * Of duplicate keys the last counts. -0 becomes 0. Text of more than 2 GiB is OT_LIMIT. A reference to a part of a
 * value keeps all of what was parsed with it. */

struct ot_json;

enum ot_json_kind {
    OT_JSON_FLAW,
    OT_JSON_NULL,
    OT_JSON_FALSE,
    OT_JSON_TRUE,
    OT_JSON_NUMBER,
    OT_JSON_STRING,
    OT_JSON_ARRAY,
    OT_JSON_OBJECT,
};

/* The whole of the text must be one value, with white space around it. Nothing recurses on input. */
OT_MUST_CHECK int ot_json_parse(const char *utf8, size_t n_bytes, const struct ot_limits *limits, struct ot_json **out,
                                struct ot_error *error);

/* The start of a text that was cut: an object of those members of the outermost object that lie wholly in it. */
OT_MUST_CHECK int ot_json_parse_prefix(const char *utf8, size_t n_bytes, const struct ot_limits *limits,
                                       struct ot_json **out, struct ot_error *error);

/* A string value of valid UTF-8, copied. OT_BAD_JSON when it is not valid. */
OT_MUST_CHECK int ot_json_from_text(const char *utf8, size_t n_bytes, struct ot_json **out);
OT_MUST_CHECK int ot_json_from_number(double number, struct ot_json **out); /* finite */

struct ot_json *ot_json_ref(struct ot_json *json);
void ot_json_unref(struct ot_json *json); /* NULL is fine */

enum ot_json_kind ot_json_kind(const struct ot_json *json);
int ot_json_flaw(const struct ot_json *json); /* 0: sound all through; else the enum ot_code of a flaw in it */
bool ot_json_equal(const struct ot_json *a, const struct ot_json *b); /* deeply; the order of keys does not matter */

double ot_json_number(const struct ot_json *json);
/* An integer from 0 to 2^53-1 into *out; false for every other value. 1.0 and 1e0 are integers. */
bool ot_json_integer(const struct ot_json *json, uint64_t *out);
const char *ot_json_string(const struct ot_json *json, size_t *n_bytes); /* borrowed; may hold U+0000 */

size_t ot_json_count(const struct ot_json *json);                 /* elements or members; 0 for scalars */
struct ot_json *ot_json_at(const struct ot_json *json, size_t i); /* borrowed */
const char *ot_json_key_at(const struct ot_json *json, size_t i, size_t *n_bytes);
/* The member of that name; NULL when there is none or json is no object. A literal needs no length. */
struct ot_json *ot_json_get(const struct ot_json *json, const char *key, size_t n_bytes);

/* Compact, keys in the order they came in, text unescaped where JSON allows, numbers as JavaScript prints them. A value
 * that is not sound must not be written. */
OT_MUST_CHECK int ot_json_write(const struct ot_json *json, ot_write_fn *write, void *arg);
OT_MUST_CHECK int ot_json_write_string(const char *utf8, size_t n_bytes, ot_write_fn *write, void *arg); /* quoted */
/* The same into memory, which has room for OT_JSON_QUOTED_BYTES(n_bytes). Returns how many it took. */
size_t ot_json_quote(const char *utf8, size_t n_bytes, char *into);
#define OT_JSON_QUOTED_BYTES(n_bytes) (6 * (n_bytes) + 2)

/* ---- types ------------------------------------------------------------------------------------------------------- */

struct ot_type;

/* By short name ("text-unicode") or URI; NULL when unknown. */
const struct ot_type *ot_type_find(const char *name, size_t n_bytes);
const char *ot_type_name(const struct ot_type *type);
const char *ot_type_uri(const struct ot_type *type);
bool ot_type_has_presence(const struct ot_type *type); /* ot_op_transform_presence does not answer OT_UNSUPPORTED */

/* ---- operations -------------------------------------------------------------------------------------------------- */

enum ot_side { OT_LEFT, OT_RIGHT };

struct ot_op;
struct ot_snapshot;

/* An operation out of what a client sent (NULL, too), checked and brought into normal form. json may go afterwards.
 * OT_BAD_OP; OT_LIMIT; where json is not sound, the code of its flaw. */
OT_MUST_CHECK int ot_op_parse(const struct ot_type *type, const struct ot_json *json, const struct ot_limits *limits,
                              struct ot_op **out, struct ot_error *error);

/* The same for what the reference's `normalize` takes: empty parts, neighbours not merged, a skip at the end. */
OT_MUST_CHECK int ot_op_normalize(const struct ot_type *type, const struct ot_json *json,
                                  const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

struct ot_op *ot_op_ref(struct ot_op *op);
void ot_op_unref(struct ot_op *op); /* NULL is fine */

const struct ot_type *ot_op_type(const struct ot_op *op);
bool ot_op_is_noop(const struct ot_op *op); /* it changes no document */
size_t ot_op_size(const struct ot_op *op);  /* bytes it occupies, about */

/* How much an operation puts in and takes out, for people who read a history. In text-unicode code points, in rich-text
 * UTF-16 units, an embed being one. In the JSON types values, each one whatever it holds, and characters where the text
 * of a string is edited; a number that is added to is one out and one in. What moves or is formatted counts nothing. */
struct ot_amount {
    uint64_t n_inserted, n_deleted;
};
struct ot_amount ot_op_amount(const struct ot_op *op);

OT_MUST_CHECK int ot_op_write(const struct ot_op *op, ot_write_fn *write, void *arg); /* as JSON */

/* op for the document after other, both made for the same document. OT_CONFLICT; OT_LIMIT. The time it takes depends on
 * the sizes of the two, not on the numbers in them. */
OT_MUST_CHECK int ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                                  const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

/* One operation that does what first and then second do. OT_NOT_APPLIED: second can't follow first; OT_LIMIT. */
OT_MUST_CHECK int ot_op_compose(const struct ot_op *first, const struct ot_op *second, const struct ot_limits *limits,
                                struct ot_op **out, struct ot_error *error);

/* The operation that takes op back. OT_BAD_OP: op does not hold what it deletes. */
OT_MUST_CHECK int ot_op_invert(const struct ot_op *op, struct ot_op **out, struct ot_error *error);

/* The same for every op; before: the document that op applies to. OT_NOT_APPLIED: it does not. */
OT_MUST_CHECK int ot_op_invert_with(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                                    struct ot_error *error);

/* op, holding what it deletes. before and OT_NOT_APPLIED as above. */
OT_MUST_CHECK int ot_op_make_invertible(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                                        struct ot_error *error);

/* op as the document before understands it, for all who read it without that document: in json0 a list position named
 * by a string, ["items","2"], becomes a number. It may be op itself. OT_NOT_APPLIED as above. */
OT_MUST_CHECK int ot_op_settle(const struct ot_op *op, const struct ot_snapshot *before, struct ot_op **out,
                               struct ot_error *error);

/* Where a caret stands after op. In text-unicode a position is a number of code points, and text inserted at the caret
 * goes after it. In json1 it is a path, and null when op removes what it leads to. OT_BAD_OP: position is none. */
OT_MUST_CHECK int ot_op_transform_position(const struct ot_op *op, const struct ot_json *position, struct ot_json **out,
                                           struct ot_error *error);

/* Where a selection stands after op. In rich-text {"index":..., "length":...} in UTF-16 units, or null. In
 * text-unicode, where the reference has none, the same in code points, a number, or a list of numbers. What else an
 * object holds is kept. is_own: op was made by the one whose selection it is, and carries it along. OT_BAD_OP. */
OT_MUST_CHECK int ot_op_transform_presence(const struct ot_op *op, const struct ot_json *range, bool is_own,
                                           struct ot_json **out, struct ot_error *error);

/* transform that answers where that says OT_CONFLICT: what loses is taken back. json1 only (the reference calls it
 * transformNoConflict). OT_CONFLICT: not settled after 50 rounds, or the two sides' answers would lead to different
 * documents. Not what clients compute when they submit. */
OT_MUST_CHECK int ot_op_transform_resolving(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                                            const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

/* ---- documents --------------------------------------------------------------------------------------------------- */

/* data NULL: the type's empty document. */
OT_MUST_CHECK int ot_snapshot_create(const struct ot_type *type, const struct ot_json *data,
                                     const struct ot_limits *limits, struct ot_snapshot **out, struct ot_error *error);

/* Another handle on the same state, in O(1). Each is destroyed by itself. */
OT_MUST_CHECK int ot_snapshot_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out);
void ot_snapshot_destroy(struct ot_snapshot *snapshot); /* NULL is fine */

const struct ot_type *ot_snapshot_type(const struct ot_snapshot *snapshot);
/* Bytes of its text, or about the bytes of its JSON; O(1). */
size_t ot_snapshot_size(const struct ot_snapshot *snapshot);
/* What an operation that made it out of nothing would count as inserted, see ot_op_amount; O(1). */
uint64_t ot_snapshot_length(const struct ot_snapshot *snapshot);

/* All or nothing: on failure the snapshot is as it was. */
OT_MUST_CHECK int ot_snapshot_apply(struct ot_snapshot *snapshot, const struct ot_op *op,
                                    const struct ot_limits *limits, struct ot_error *error);

OT_MUST_CHECK int ot_snapshot_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg);
/* Text types only; the others answer OT_UNSUPPORTED. */
OT_MUST_CHECK int ot_snapshot_write_text(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg);

/* ---- parts --------------------------------------------------------------------------------------------------------
 *
 * What lies in a document of json0 or json1, looked at without copying it. Borrowed, until the snapshot is applied to
 * or destroyed. */

struct ot_part;

const struct ot_part *ot_snapshot_part(const struct ot_snapshot *snapshot); /* all of it; NULL: of another type */
enum ot_json_kind ot_part_kind(const struct ot_part *part);
size_t ot_part_count(const struct ot_part *part);                       /* elements or members; 0 for scalars */
const struct ot_part *ot_part_at(const struct ot_part *part, size_t i); /* an element, or a member's value */
/* The member of that name; NULL in *out when there is none, or part is no object. */
OT_MUST_CHECK int ot_part_get(const struct ot_part *part, const char *key, size_t n_bytes, const struct ot_part **out);
OT_MUST_CHECK int ot_part_write_json(const struct ot_part *part, ot_write_fn *write, void *arg);

/* ---- calculator --------------------------------------------------------------------------------------------------
 *
 * Operational transform by hand, and for the tests against the reference packages.
 *
 *     {"type":"text-unicode","fn":"transform","args":[[1,"a"],[1,"b"],"left"]}   ->   {"ok":[1,"a"]}
 *
 * fn: create(data), apply(doc, op), transform(op, other, side), transformNoConflict(op, other, side), compose(op, op),
 * invert(op), invertWithDoc(op, doc), makeInvertible(op, doc), normalize(op), transformPosition(position, op),
 * transformPresence(range, op, isOwn), checkOp(op). */

/* Writes one JSON object: {"ok":...}, or {"error":sentence,"code":name} with ot_code_name's names or "bad_request".
 * Returns 0 when it did; -ENOMEM, or what write returned. */
OT_MUST_CHECK int ot_calculate(const struct ot_json *request, ot_write_fn *write, void *arg);

/* The same for a request as text. Writes one line. */
OT_MUST_CHECK int ot_calculate_line(const char *utf8, size_t n_bytes, ot_write_fn *write, void *arg);

#pragma GCC visibility pop

#endif
