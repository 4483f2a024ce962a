/* Why something was refused, in the words of the protocol: a stable code for programs and a sentence for people.
 * The same codes on the WebSocket and in HTTP's problems; docs/protocol.md. */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include "doc/document.h"

struct refusal {
    const char *code;    /* "ERR_..." */
    const char *message; /* what to say when nobody knows it more exactly */
};

/* Of a positive enum document_error. */
const struct refusal *refusal_of_document(int error);

extern const struct refusal refusal_badly_formed, refusal_op_badly_formed, refusal_limit, refusal_not_allowed,
    refusal_src_not_owned, refusal_seq_overflow, refusal_no_presence, refusal_presence_transform, refusal_no_adapter,
    refusal_query;

/* {"code":"...","message":"..."}; message NULL or empty: the refusal's own. */
int refusal_write(const struct refusal *refusal, const char *message, struct buffer *into);

#endif
