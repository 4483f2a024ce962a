/* Bodies, read as what they say. A large one is kept and read beside the loop; what is done about it goes on when it
 * has been read, so that its size holds up nobody else. */
#include <errno.h>

#include "api/rest_inside.h"

/* So many may wait for the helper. Behind that a body is read where it came, and its sender, who may have gone and come
 * again with another, waits with all others. */
#define AHEAD_MAX 16

static struct rest_parse *parse_of(struct errand *errand)
{
    return LIST_ENTRY(errand, struct rest_parse, errand);
}

static int make_content(struct rest_parse *parse)
{
    int r = ot_json_flaw(parse->json)
                ? DOCUMENT_BAD_OP
                : ot_snapshot_create(parse->type, parse->json, parse->limits, &parse->content, NULL);

    ot_json_unref(parse->json);
    parse->json = NULL;
    return r > 0 ? DOCUMENT_BAD_OP : r;
}

static void work(struct errand *errand)
{
    struct rest_parse *parse = parse_of(errand);
    struct bytes body = parse->body;

    parse->r = parse->is_text ? ot_json_from_text(body.at, body.n_bytes, &parse->json)
                              : ot_json_parse(body.at, body.n_bytes, parse->limits, &parse->json, &parse->error);
    buffer_finish(&parse->kept);
    if (!parse->r && parse->makes_content)
        parse->content_r = make_content(parse);
}

static void done(struct errand *errand)
{
    struct rest_parse *parse = parse_of(errand);
    struct rest_write *write = LIST_ENTRY(parse, struct rest_write, parse);
    struct rest_call *call = &write->call;

    if (parse->r < 0)
        call_fail(call, parse->r);
    else if (parse->r)
        call_refuse(call, 400, "ERR_MESSAGE_BADLY_FORMED", parse->refusal ? parse->refusal : parse->error.message);
    else if (parse->content_r)
        call_fail(call, parse->content_r);
    else
        parse->on_parsed(write);
}

void parse_finish(struct rest_parse *parse)
{
    ot_json_unref(parse->json);
    ot_snapshot_destroy(parse->content);
    buffer_finish(&parse->kept);
}

void write_parse(struct rest_write *write, const struct rest_parse *how)
{
    bool is_large = how->body.n_bytes >= HELPER_WORTH_BYTES;
    struct hub *hub = write->call.context->hub;
    struct helper *helper = is_large ? hub_helper(hub) : NULL;
    struct rest_parse *parse = &write->parse;

    if (helper_n_errands(helper) >= AHEAD_MAX)
        helper = NULL;
    parse_finish(parse); /* of the last time, if it is parsed again */
    *parse = *how;
    parse->is_large = is_large;
    parse->limits = hub_limits(hub);
    parse->errand = (struct errand){ .work = work, .done = done };
    if (helper && !how->is_kept) {
        if (call_keep_body(&write->call, how->body, &parse->kept)) {
            call_fail(&write->call, -ENOMEM);
            return;
        }
        parse->body = buffer_bytes(&parse->kept);
    }
    helper_do(helper, &parse->errand);
}
