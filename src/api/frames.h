/* The frames of the protocol, written. Each function returns a frame with one reference, or NULL without memory.
 * Shapes: docs/protocol.md. */
#ifndef API_FRAMES_H
#define API_FRAMES_H

#include "api/refusal.h"
#include "auth/client_id.h"

#define FRAME_MAX_BYTES (256u << 20) /* of one that we write: a document of the largest size, escaped */

struct frame *frame_handshake(const char *action, const struct client_id *id);

struct frame *frame_make_of_op(struct committed_op *op, struct store_name name);

/* A streamed operation; made once and kept with the operation, which holds the reference that is returned borrowed. */
static inline struct frame *frame_of_op(struct committed_op *op, struct store_name name)
{
    return op->frame ? op->frame : frame_make_of_op(op, name);
}

struct frame *frame_acknowledgement(struct store_name name, uint64_t version, const struct op_id *id);

/* {"v":3,"data":...,"type":...} */
int snapshot_write(const struct document_view *view, struct buffer *into);

/* The reply to a request for a snapshot of the past; always names the type. -E2BIG: it has more than max_bytes. */
STORE_MUST_CHECK int frame_past(const struct ot_json *request, const struct document_view *view, size_t max_bytes,
                                struct frame **out);

/* The reply to a request: its action, what identifies it, and `data` when that is not empty. */
struct frame *frame_reply(const struct ot_json *request, struct bytes data);

/* The reply to, or the request for, something about a channel: action, channel, and seq when there is one. */
struct frame *frame_channel(const char *action, struct bytes channel, const struct ot_json *seq);

/* What somebody shows on a channel. */
struct presence_frame {
    struct bytes channel, src, id;
    const struct ot_json *value; /* NULL: it is taken back */
    uint64_t pv;
    bool is_of_document; /* then: */
    struct store_name document;
    uint64_t version;
    struct bytes type;
};

struct frame *frame_presence(const struct presence_frame *presence);

/* What has changed in a live query: a list of differences. */
struct frame *frame_query_difference(const struct ot_json *id, struct bytes difference);

/* A live query has ended, and why. */
struct frame *frame_query_error(const struct ot_json *id, const struct refusal *refusal, const char *message);

/* The request, as far as it is small, and why it is refused. */
struct frame *frame_refusal(const struct ot_json *request, const struct refusal *refusal, const char *message,
                            size_t echo_max_bytes);

/* {"error":...}, for what was no request. */
struct frame *frame_error(const struct refusal *refusal, const char *message);

#endif
