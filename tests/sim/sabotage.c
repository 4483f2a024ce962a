/* The test of the test: a server that breaks its promises, by the linker's --wrap; product code has no hooks. */
#include "api/session_inside.h"
#include "doc/inside.h"
#include "tests/sim/run.h"

static bool is_ending;

/* ---- the server, and only the server, transforms with the sides exchanged ---------------------------------------- */

int __real_ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                           const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);
int __wrap_ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                           const struct ot_limits *limits, struct ot_op **out, struct ot_error *error);

int __wrap_ot_op_transform(const struct ot_op *op, const struct ot_op *other, enum ot_side side,
                           const struct ot_limits *limits, struct ot_op **out, struct ot_error *error)
{
    /* The model clients pass the library's own limits, the server those of its hub. */
    if (sim_sabotage == SABOTAGE_SIDES && limits != &ot_limits_default)
        side = side == OT_LEFT ? OT_RIGHT : OT_LEFT;
    return __real_ot_op_transform(op, other, side, limits, out, error);
}

/* ---- a resend is applied a second time --------------------------------------------------------------------------- */

enum identity __real_submission_identify(struct submission *submission, uint64_t *version);
enum identity __wrap_submission_identify(struct submission *submission, uint64_t *version);

enum identity __wrap_submission_identify(struct submission *submission, uint64_t *version)
{
    enum identity identity = __real_submission_identify(submission, version);

    return sim_sabotage == SABOTAGE_TWICE && identity == IDENTITY_KNOWN ? IDENTITY_NEW : identity;
}

/* ---- a snapshot is shown at the tip, which is not durable yet -----------------------------------------------------
 */

void __real_document_enqueue(struct document *document, struct waiter *waiter);
void __wrap_document_enqueue(struct document *document, struct waiter *waiter);

void __wrap_document_enqueue(struct document *document, struct waiter *waiter)
{
    if (sim_sabotage == SABOTAGE_TIP && waiter->begin == fetch_begin)
        document_release(waiter, waiter->r);
    else
        __real_document_enqueue(document, waiter);
}

/* ---- the end of a line takes back no presence -------------------------------------------------------------------- */

void __real_presence_end(struct session *session);
void __wrap_presence_end(struct session *session);
struct frame *__real_frame_presence(const struct presence_frame *presence);
struct frame *__wrap_frame_presence(const struct presence_frame *presence);

void __wrap_presence_end(struct session *session)
{
    is_ending = sim_sabotage == SABOTAGE_GHOSTS;
    __real_presence_end(session);
    is_ending = false;
}

struct frame *__wrap_frame_presence(const struct presence_frame *presence)
{
    return is_ending ? NULL : __real_frame_presence(presence);
}
