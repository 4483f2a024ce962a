/* A document that is one value: what json0 and json1 have in common. Internal to ot/. */
#ifndef OT_VALUE_DOCUMENT_H
#define OT_VALUE_DOCUMENT_H

#include "ot/structures/value.h"
#include "ot/type.h"

struct value_document {
    struct ot_snapshot base;
    struct value root; /* not NONE */
    size_t n_bytes;    /* of its JSON, as value_json_bytes counts */
};

static inline struct value_document *value_document_of(struct ot_snapshot *snapshot)
{
    return (struct value_document *)(void *)snapshot;
}

/* data NULL: null. */
int value_document_create(const struct ot_type *type, const struct ot_json *data, const struct ot_limits *limits,
                          struct ot_snapshot **out, struct ot_error *error);

/* As the rows of the types have them. */
int value_document_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out);
void value_document_destroy(struct ot_snapshot *snapshot);
size_t value_document_size(const struct ot_snapshot *snapshot);
int value_document_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg);
const struct value *value_document_root(const struct ot_snapshot *snapshot);

#endif
