#include "ot/structures/value_document.h"

#include "ot/error.h"

#include <errno.h>
#include <stdlib.h>

static const struct value_document *in(const struct ot_snapshot *snapshot)
{
    return (const struct value_document *)(const void *)snapshot;
}

const struct value *value_document_root(const struct ot_snapshot *snapshot)
{
    return &in(snapshot)->root;
}

static struct value_document *create(const struct ot_type *type)
{
    struct value_document *document = malloc(sizeof(*document));

    if (!document)
        return NULL;
    document->base.type = type;
    document->root = value_of_kind(VALUE_NULL);
    document->n_bytes = 0;
    return document;
}

static int check(const struct value_document *document, const struct ot_limits *limits, struct ot_error *error)
{
    if (document->n_bytes > limits->max_document_bytes)
        return ot_fail(error, OT_LIMIT, "a document of more than %zu bytes", limits->max_document_bytes);
    if (value_depth(&document->root) > limits->max_depth)
        return ot_fail(error, OT_LIMIT, "a document that is nested too deeply");
    return 0;
}

int value_document_create(const struct ot_type *type, const struct ot_json *data, const struct ot_limits *limits,
                          struct ot_snapshot **out, struct ot_error *error)
{
    struct value_document *document = create(type);
    int r = 0;

    if (!document)
        return -ENOMEM;
    if (data)
        r = value_from_json(data, &document->root);
    if (!r) {
        document->n_bytes = value_json_bytes(&document->root);
        r = check(document, limits, error);
    }
    if (r)
        value_document_destroy(&document->base);
    else
        *out = &document->base;
    return r;
}

int value_document_share(const struct ot_snapshot *snapshot, struct ot_snapshot **out)
{
    struct value_document *share = create(snapshot->type);

    if (!share)
        return -ENOMEM;
    share->root = value_share(&in(snapshot)->root);
    share->n_bytes = in(snapshot)->n_bytes;
    *out = &share->base;
    return 0;
}

void value_document_destroy(struct ot_snapshot *snapshot)
{
    value_release(&value_document_of(snapshot)->root);
    free(snapshot);
}

size_t value_document_size(const struct ot_snapshot *snapshot)
{
    return in(snapshot)->n_bytes;
}

int value_document_write_json(const struct ot_snapshot *snapshot, ot_write_fn *write, void *arg)
{
    struct writer writer;

    writer_init(&writer, write, arg);
    value_write(&writer, &in(snapshot)->root);
    return writer_finish(&writer);
}
