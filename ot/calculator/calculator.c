#include "ot/error.h"
#include "ot/json/writer.h"
#include "ot/type.h"

#include <errno.h>
#include <string.h>

/* Operational transform by hand: one row for each function of the reference packages. */

struct call {
    const struct ot_type *type;
    const struct ot_json *arguments[3];
    struct ot_error error;
    /* What comes out: one of them, or none where the answer is a plain true. */
    struct ot_op *op;
    struct ot_snapshot *snapshot;
    struct ot_json *json;
};

#define BAD_REQUEST 1000 /* beside enum ot_code */

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static int take_op(struct call *call, size_t i, struct ot_op **out)
{
    return ot_op_parse(call->type, call->arguments[i], NULL, out, &call->error);
}

static int take_document(struct call *call, size_t i, struct ot_snapshot **out)
{
    return ot_snapshot_create(call->type, call->arguments[i], NULL, out, &call->error);
}

static bool is_string(const struct ot_json *json, const char *text)
{
    size_t n_bytes;
    const char *string = json ? ot_json_string(json, &n_bytes) : NULL;

    return string && ot_json_kind(json) == OT_JSON_STRING && n_bytes == strlen(text) &&
           memcmp(string, text, n_bytes) == 0;
}

static int take_side(struct call *call, size_t i, enum ot_side *out)
{
    bool is_left = is_string(call->arguments[i], "left");

    if (!is_left && !is_string(call->arguments[i], "right"))
        return ot_fail(&call->error, BAD_REQUEST, "the side must be \"left\" or \"right\"");
    *out = is_left ? OT_LEFT : OT_RIGHT;
    return 0;
}

/* ---- functions --------------------------------------------------------------------------------------------------- */

static int do_create(struct call *call)
{
    return take_document(call, 0, &call->snapshot);
}

static int do_apply(struct call *call)
{
    struct ot_op *op = NULL;
    int r = take_document(call, 0, &call->snapshot);

    if (!r)
        r = take_op(call, 1, &op);
    if (!r)
        r = ot_snapshot_apply(call->snapshot, op, NULL, &call->error);
    ot_op_unref(op);
    return r;
}

static int transform_by(struct call *call,
                        int (*function)(const struct ot_op *, const struct ot_op *, enum ot_side,
                                        const struct ot_limits *, struct ot_op **, struct ot_error *))
{
    struct ot_op *op = NULL, *other = NULL;
    enum ot_side side = OT_LEFT;
    int r = take_side(call, 2, &side);

    if (!r)
        r = take_op(call, 0, &op);
    if (!r)
        r = take_op(call, 1, &other);
    if (!r)
        r = function(op, other, side, NULL, &call->op, &call->error);
    ot_op_unref(op);
    ot_op_unref(other);
    return r;
}

static int do_transform(struct call *call)
{
    return transform_by(call, ot_op_transform);
}

static int do_transform_resolving(struct call *call)
{
    return transform_by(call, ot_op_transform_resolving);
}

static int do_compose(struct call *call)
{
    struct ot_op *first = NULL, *second = NULL;
    int r = take_op(call, 0, &first);

    if (!r)
        r = take_op(call, 1, &second);
    if (!r)
        r = ot_op_compose(first, second, NULL, &call->op, &call->error);
    ot_op_unref(first);
    ot_op_unref(second);
    return r;
}

static int do_invert(struct call *call)
{
    struct ot_op *op = NULL;
    int r = take_op(call, 0, &op);

    if (!r)
        r = ot_op_invert(op, &call->op, &call->error);
    ot_op_unref(op);
    return r;
}

/* (op, document) */
static int do_with_document(struct call *call, int (*function)(const struct ot_op *, const struct ot_snapshot *,
                                                               struct ot_op **, struct ot_error *))
{
    struct ot_op *op = NULL;
    int r = take_op(call, 0, &op);

    if (!r)
        r = take_document(call, 1, &call->snapshot);
    if (!r)
        r = function(op, call->snapshot, &call->op, &call->error);
    ot_op_unref(op);
    return r;
}

static int do_invert_with(struct call *call)
{
    return do_with_document(call, ot_op_invert_with);
}

static int do_make_invertible(struct call *call)
{
    return do_with_document(call, ot_op_make_invertible);
}

static int do_normalize(struct call *call)
{
    return ot_op_normalize(call->type, call->arguments[0], NULL, &call->op, &call->error);
}

static int do_transform_position(struct call *call)
{
    struct ot_op *op = NULL;
    int r = take_op(call, 1, &op);

    if (!r)
        r = ot_op_transform_position(op, call->arguments[0], &call->json, &call->error);
    ot_op_unref(op);
    return r;
}

static int do_transform_presence(struct call *call)
{
    enum ot_json_kind is_own = ot_json_kind(call->arguments[2]);
    struct ot_op *op = NULL;
    int r = 0;

    if (is_own != OT_JSON_TRUE && is_own != OT_JSON_FALSE)
        r = ot_fail(&call->error, BAD_REQUEST, "whether the operation is one's own must be true or false");
    if (!r)
        r = take_op(call, 1, &op);
    if (!r)
        r = ot_op_transform_presence(op, call->arguments[0], is_own == OT_JSON_TRUE, &call->json, &call->error);
    ot_op_unref(op);
    return r;
}

static int do_check(struct call *call)
{
    struct ot_op *op = NULL;
    int r = take_op(call, 0, &op);

    ot_op_unref(op);
    return r;
}

static int do_unsupported(struct call *call)
{
    return ot_fail(&call->error, OT_UNSUPPORTED, "%s has no such function", ot_type_name(call->type));
}

static const struct function {
    const char *name;
    size_t n_arguments;
    int (*call)(struct call *call);
} functions[] = {
    { "create", 1, do_create },
    { "apply", 2, do_apply },
    { "transform", 3, do_transform },
    { "compose", 2, do_compose },
    { "invert", 1, do_invert },
    { "invertWithDoc", 2, do_invert_with },
    { "makeInvertible", 2, do_make_invertible },
    { "normalize", 1, do_normalize },
    { "transformPosition", 2, do_transform_position },
    { "checkOp", 1, do_check },
    { "transformNoConflict", 3, do_transform_resolving },
    { "transformPresence", 3, do_transform_presence },
};

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static const struct function *find_function(const struct ot_json *name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (is_string(name, functions[i].name))
            return &functions[i];
    }
    return NULL;
}

static int find_type(const struct ot_json *name, struct call *call)
{
    size_t n_bytes;
    const char *string;

    if (!name || ot_json_kind(name) != OT_JSON_STRING)
        return ot_fail(&call->error, BAD_REQUEST, "\"type\" must be the name of a type");
    string = ot_json_string(name, &n_bytes);
    call->type = ot_type_find(string, n_bytes);
    return call->type ? 0 : ot_fail(&call->error, OT_UNSUPPORTED, "no such type");
}

/* Reads the request and calls its function. */
static int calculate(const struct ot_json *request, struct call *call)
{
    const struct ot_json *name = ot_json_get(request, "fn", 2), *arguments = ot_json_get(request, "args", 4);
    const struct function *function;
    int r;

    if (ot_json_kind(request) != OT_JSON_OBJECT || !name || ot_json_kind(name) != OT_JSON_STRING)
        return ot_fail(&call->error, BAD_REQUEST, "a request is {\"type\":...,\"fn\":...,\"args\":[...]}");
    r = find_type(ot_json_get(request, "type", 4), call);
    if (r)
        return r;
    function = find_function(name);
    if (!function)
        return do_unsupported(call);
    if (!arguments || ot_json_kind(arguments) != OT_JSON_ARRAY || ot_json_count(arguments) < function->n_arguments)
        return ot_fail(&call->error, BAD_REQUEST, "%s takes %zu arguments", function->name, function->n_arguments);
    for (size_t i = 0; i < function->n_arguments; i++)
        call->arguments[i] = ot_json_at(arguments, i);
    return function->call(call);
}

static int write_result(const struct call *call, ot_write_fn *write, void *arg)
{
    int r = write(arg, "{\"ok\":", 6);

    if (r)
        return r;
    if (call->op)
        r = ot_op_write(call->op, write, arg);
    else if (call->json)
        r = ot_json_write(call->json, write, arg);
    else if (call->snapshot)
        r = ot_snapshot_write_json(call->snapshot, write, arg);
    else
        r = write(arg, "true", 4);
    return r ? r : write(arg, "}", 1);
}

static int write_error(int code, const struct ot_error *error, ot_write_fn *write, void *arg)
{
    const char *name = code == BAD_REQUEST ? "bad_request" : ot_code_name(code);
    struct writer writer;

    writer_init(&writer, write, arg);
    writer_literal(&writer, "{\"error\":");
    writer_string(&writer, error->message, strlen(error->message));
    writer_literal(&writer, ",\"code\":");
    writer_string(&writer, name, strlen(name));
    writer_byte(&writer, '}');
    return writer_finish(&writer);
}

int ot_calculate(const struct ot_json *request, ot_write_fn *write, void *arg)
{
    struct call call = { .type = NULL };
    int r = calculate(request, &call);

    if (r == 0)
        r = write_result(&call, write, arg);
    else if (r > 0)
        r = write_error(r, &call.error, write, arg);
    ot_op_unref(call.op);
    ot_snapshot_destroy(call.snapshot);
    ot_json_unref(call.json);
    return r;
}

int ot_calculate_line(const char *utf8, size_t n_bytes, ot_write_fn *write, void *arg)
{
    struct ot_json *request = NULL;
    struct ot_error error;
    int r = ot_json_parse(utf8, n_bytes, NULL, &request, &error);

    if (r == 0)
        r = ot_calculate(request, write, arg);
    else if (r > 0)
        r = write_error(r, &error, write, arg);
    ot_json_unref(request);
    return r ? r : write(arg, "\n", 1);
}
