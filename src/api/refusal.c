#include "api/refusal.h"

#include <assert.h>

const struct refusal refusal_badly_formed = { "ERR_MESSAGE_BADLY_FORMED", "The message is badly formed" };
const struct refusal refusal_op_badly_formed = { "ERR_OT_OP_BADLY_FORMED", "The operation is badly formed" };
const struct refusal refusal_limit = { "ERR_LIMIT_EXCEEDED", "A limit of this server is exceeded" };
const struct refusal refusal_not_allowed = { "ERR_NOT_ALLOWED", "You may not do this here" };
const struct refusal refusal_src_not_owned = { "ERR_OP_SRC_NOT_OWNED", "The src belongs to somebody else" };
const struct refusal refusal_seq_overflow = { "ERR_CONNECTION_SEQ_INTEGER_OVERFLOW",
                                              "The seq is too large, open a new connection" };
const struct refusal refusal_no_presence = { "ERR_TYPE_DOES_NOT_SUPPORT_PRESENCE",
                                             "Documents of this type show no presence" };
const struct refusal refusal_presence_transform = { "ERR_PRESENCE_TRANSFORM_FAILED",
                                                    "The presence could not be moved along with the operations" };

const struct refusal refusal_no_adapter = { "ERR_DATABASE_ADAPTER_NOT_FOUND", "There is one database, without a name" };
const struct refusal refusal_query = { "ERR_QUERY_NOT_SUPPORTED",
                                       "The one query is for all documents of a collection: {}" };

static const struct refusal of_document[] = {
    [DOCUMENT_VERSION_AHEAD] = { "ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT",
                                 "The version lies above the document's" },
    [DOCUMENT_EXISTS] = { "ERR_DOC_ALREADY_CREATED", "The document exists already" },
    [DOCUMENT_MISSING] = { "ERR_DOC_DOES_NOT_EXIST", "There is no such document" },
    [DOCUMENT_WAS_DELETED] = { "ERR_DOC_WAS_DELETED", "The document was deleted" },
    [DOCUMENT_TYPE_UNKNOWN] = { "ERR_DOC_TYPE_NOT_RECOGNIZED", "This server has no documents of that type" },
    [DOCUMENT_BAD_OP] = { "ERR_OT_OP_BADLY_FORMED", "The operation is badly formed" },
    [DOCUMENT_NOT_APPLIED] = { "ERR_OT_OP_NOT_APPLIED", "The operation does not fit the document" },
    [DOCUMENT_OP_CONFLICT] = { "ERR_OT_TRANSFORM_CONFLICT", "Another operation has written to the same place" },
    [DOCUMENT_LIMIT] = { "ERR_LIMIT_EXCEEDED", "A limit of this server is exceeded" },
    [DOCUMENT_SEQ_TOO_OLD] = { "ERR_OP_SEQ_TOO_OLD", "The seq is too old to tell whether it was submitted before" },
    [DOCUMENT_OPS_GONE] = { "ERR_SUBMIT_TRANSFORM_OPS_NOT_FOUND",
                            "Operations since that version are not kept any more" },
    [DOCUMENT_CHANGED] = { "ERR_DOC_CHANGED", "The document has changed since that version" },
    [DOCUMENT_ID_REUSED] = { "ERR_IDEMPOTENCY_KEY_REUSED", "Another request was made with this key" },
};

const struct refusal *refusal_of_document(int error)
{
    assert(error > 0 && (size_t)error < sizeof(of_document) / sizeof(of_document[0]));
    return &of_document[error];
}

int refusal_write(const struct refusal *refusal, const char *message, struct buffer *into)
{
    int r;

    if (!message || !*message)
        message = refusal->message;
    (void)buffer_printf(into, "{\"code\":\"%s\",\"message\":", refusal->code);
    r = ot_json_write_string(message, strlen(message), buffer_write, into);
    return r ? r : buffer_append_string(into, "}");
}
