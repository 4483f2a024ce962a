/* A committed operation: one step of a document's log, held by reference by everybody who shows it. */
#ifndef DOC_OP_H
#define DOC_OP_H

#include "base/frame.h"
#include "ot/ot.h"
#include "storage/store.h"

/*  what a step does, and its body in the log: the JSON object that is spliced into every message about it
 *      edit      {"op":[...]}
 *      create    {"create":{"type":"<uri>","data":...}}
 *      delete    {"del":true}
 *      nothing   {}                                        a version is counted, no more */
enum step_kind { STEP_EDIT, STEP_CREATE, STEP_DELETE, STEP_NOTHING };

struct committed_op {
    uint32_t n_references;
    uint64_t version; /* it led from version to version + 1 */
    uint64_t time_ms, seq;
    uint64_t n_merged;              /* 0; more: it stands for so many more, and leads so much further */
    struct bytes src, author, body; /* point behind this struct */
    struct frame *frame;            /* kept for whoever serialises it first; the floors above decide what it holds */
};

/* The version it leads to. */
static inline uint64_t committed_op_end(const struct committed_op *op)
{
    return op->version + 1 + op->n_merged;
}

/* A copy with one reference; NULL without memory. */
struct committed_op *committed_op_create(uint64_t version, const struct record *record);
struct committed_op *committed_op_ref(struct committed_op *op);
void committed_op_unref(struct committed_op *op);        /* NULL is fine */
size_t committed_op_size(const struct committed_op *op); /* bytes it occupies, its frame included */

/* A step in memory: what a body says, understood. */
struct step {
    enum step_kind kind;
    const struct ot_type *type; /* of an edit or a create */
    struct ot_op *op;           /* edit; owned */
    struct ot_json *data;       /* create, NULL: the type's empty document; owned */
    struct ot_snapshot *value;  /* create: what data makes, where that is made already; NULL: not yet; owned */
};

/* Reads a body from the log. type: the document's type before the step, NULL when it does not exist.
 * Returns 0, -ENOMEM, or -EBADMSG: the log holds what it never should. */
STORE_MUST_CHECK int step_parse(struct bytes body, const struct ot_type *type, const struct ot_limits *limits,
                                struct step *out);
STORE_MUST_CHECK int step_write(const struct step *step, struct buffer *into);
void step_finish(struct step *step);

/* What step kind a body is, without parsing it whole. */
enum step_kind step_kind_of(struct bytes body);

#endif
