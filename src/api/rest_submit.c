/* Operations as they are: POST on ops, PATCH with an operation (rest_patch.c). The body is {v, op | create | del, src,
 * seq}. */
#include "api/refusal.h"
#include "api/rest_inside.h"

#define SEQ_MAX ((1ull << 53) - 2)

static struct ot_json *member(const struct ot_json *body, const char *key)
{
    return ot_json_get(body, key, strlen(key));
}

static bool is_absent(const struct ot_json *value)
{
    return !value || ot_json_kind(value) == OT_JSON_NULL;
}

void write_reply_operation(struct rest_write *write)
{
    struct rest_reply reply;
    struct buffer body;

    buffer_init(&body, 64);
    (void)buffer_append_string(&body, "{\"v\":");
    (void)buffer_append_u64(&body, write->version);
    (void)buffer_append_string(&body, "}\n");
    if (write->kind == STEP_DELETE)
        write->time_ms = 0; /* nothing is left that an ETag could be of */
    reply_init(&reply, 200);
    reply_body(&reply, MEDIA_JSON, &body);
    write_reply_version(&reply, write);
    buffer_finish(&body);
    call_reply(&write->call, &reply);
}

/* ---- reading the body -------------------------------------------------------------------------------------------- */

static const struct refusal *read_who(struct rest_write *write, const struct ot_json *body)
{
    const struct ot_json *src = member(body, "src"), *seq = member(body, "seq");
    struct bytes text;

    if (write->is_sole)
        return is_absent(src) && is_absent(seq) ? NULL : &refusal_badly_formed;
    write->seq = 1;
    if (!is_absent(seq) && !ot_json_integer(seq, &write->seq))
        return &refusal_badly_formed;
    if (write->seq > SEQ_MAX)
        return &refusal_seq_overflow;
    if (is_absent(src))
        return NULL;
    if (ot_json_kind(src) != OT_JSON_STRING || is_absent(seq))
        return &refusal_op_badly_formed;
    text.at = ot_json_string(src, &text.n_bytes);
    if (!name_is_allowed(text, SRC_BYTES))
        return &refusal_op_badly_formed;
    who_src(principal_name(&write->call.request.principal), text, write->src);
    write->is_identified = true;
    return NULL;
}

static const struct refusal *read_create(struct ot_json *create, struct submission *what)
{
    const struct ot_json *type = member(create, "type");

    if (!type || ot_json_kind(type) != OT_JSON_STRING)
        return &refusal_op_badly_formed;
    what->kind = STEP_CREATE;
    what->type.at = ot_json_string(type, &what->type.n_bytes);
    what->data = member(create, "data");
    return NULL;
}

static const struct refusal *read_what(const struct ot_json *body, struct submission *what)
{
    struct ot_json *op = member(body, "op"), *create = member(body, "create"), *del = member(body, "del");
    const struct ot_json *version = member(body, "v");

    if ((op != NULL) + (create != NULL) + (del != NULL) != 1)
        return &refusal_badly_formed;
    what->version = DOCUMENT_NOW;
    if (!is_absent(version) && !ot_json_integer(version, &what->version))
        return &refusal_badly_formed;
    if (create)
        return read_create(create, what);
    if (del && ot_json_kind(del) != OT_JSON_TRUE)
        return &refusal_op_badly_formed;
    what->kind = del ? STEP_DELETE : STEP_EDIT;
    what->data = op;
    return NULL;
}

static void refuse(struct rest_call *call, const struct refusal *refusal)
{
    call_refuse(call, 400, refusal->code, refusal->message);
}

bool write_read_who(struct rest_write *write, const struct ot_json *body)
{
    const struct refusal *refusal = read_who(write, body);

    if (refusal)
        refuse(&write->call, refusal);
    return !refusal;
}

/* ---- submitting -------------------------------------------------------------------------------------------------- */

/* Under If-Match nothing may have come since the version that it was made for. */
static void on_not_submitted(struct rest_write *write, int r)
{
    if (r == DOCUMENT_CHANGED)
        write_refuse_precondition(write);
    else
        write_refuse(write, r);
}

static void submit_on_view(struct fetch *fetch, int r, const struct document_view *view)
{
    struct rest_write *write = write_of_fetch(fetch);
    struct submission *what = &((struct rest_submit *)write)->what;

    if (r) {
        call_fail(&write->call, r);
    } else if (write_conditions(write, view)) {
        what->only_now = write_is_strict(write);
        if (what->only_now && what->version == DOCUMENT_NOW)
            what->version = view->version;
        write_submit(write, what);
    }
}

static void submit_on_parsed(struct rest_write *write)
{
    struct submission *what = &((struct rest_submit *)write)->what;
    const struct ot_json *body = write->parse.json;
    struct rest_call *call = &write->call;
    const struct refusal *refusal =
        ot_json_kind(body) != OT_JSON_OBJECT ? &refusal_badly_formed : read_what(body, what);

    if (!refusal)
        refusal = read_who(write, body);
    if (refusal) {
        refuse(call, refusal);
        return;
    }
    if (!call_open(call))
        return;
    what->is_large = write->parse.is_large;
    write->on_written = write_reply_operation;
    write->on_refused = on_not_submitted;
    if (call_has_conditions(call))
        write_look(write, submit_on_view);
    else
        write_submit(write, what);
}

static void submit_begin(struct rest_call *call, struct bytes body)
{
    struct rest_write *write = (struct rest_write *)call;

    if (call_may_write(call) && call_may_take(call, body) && write_read_key(write, body))
        write_parse(write, &(struct rest_parse){ .body = body, .on_parsed = submit_on_parsed });
}

const struct rest_action rest_submit = { submit_begin, sizeof(struct rest_submit), write_finish };
