#include <errno.h>

#include "api/gzip.h"
#include "api/rest_read.h"

static void read_reply(struct rest_read *read, struct rest_body body)
{
    struct rest_call *call = &read->call;
    struct rest_reply reply;

    reply_whole(&reply, &call->request, &read->choice, body);
    call_reply(call, &reply);
}

static void answer_one(struct rest_read *read, int r, struct rest_body body)
{
    if (r)
        call_fail(&read->call, r);
    else
        read_reply(read, body);
}

/* The same to all who have joined: r, or the body. */
static void answer_all(struct rest_read *read, int r, struct rest_body body)
{
    struct rest_read **at = &read->call.context->asides, *next;

    while (*at && *at != read)
        at = &(*at)->next;
    if (*at)
        *at = read->next;
    read->next = NULL;
    for (struct rest_read *joined = read->joined; joined; joined = next) {
        next = joined->next;
        answer_one(joined, r, body);
    }
    answer_one(read, r, body); /* whose body it is */
}

/* Unless there is a newer version by now; perhaps it was purged since. */
static void keep(struct rest_read *read, bool takes_gzip, struct rest_body body)
{
    struct rest_form form = { read->choice.representation, takes_gzip };

    if (read->what == READ_PRESENT && read->choice.version == document_head(read->call.document))
        rest_cache_keep(read->call.context->cache, read->call.document, read->choice.version, form, body);
}

static struct rest_body kept(const struct rest_read *read, bool takes_gzip)
{
    struct rest_form form = { read->choice.representation, takes_gzip };
    struct rest_body nothing = { 0 };

    return read->what != READ_PRESENT
               ? nothing
               : rest_cache_find(read->call.context->cache, read->call.document, read->choice.version, form);
}

static void compress(struct errand *errand)
{
    struct rest_read *read = LIST_ENTRY(errand, struct rest_read, errand);

    read->compressed = gzip_frame(bytes_of(read->plain->content, read->plain->n_bytes));
}

static void on_compressed(struct errand *errand)
{
    struct rest_read *read = LIST_ENTRY(errand, struct rest_read, errand);
    struct rest_body body = { read->compressed ? read->compressed : read->plain, read->compressed };

    keep(read, true, body);
    answer_all(read, 0, body);
}

static void on_compressed_aside(struct errand *errand)
{
    LIST_ENTRY(errand, struct rest_read, errand)->call.context->is_compressing = false;
    on_compressed(errand);
}

/* Large ones go one at a time; who comes meanwhile gets it as it is, rather than that all wait, or do the same again.
 */
static void read_compress(struct rest_read *read)
{
    struct rest_context *context = read->call.context;
    bool is_large = read->plain->n_bytes > GZIP_ASIDE_BYTES;

    if (is_large && context->is_compressing) {
        answer_all(read, 0, (struct rest_body){ read->plain });
        return;
    }
    context->is_compressing = context->is_compressing || is_large;
    read->errand.work = compress;
    read->errand.done = is_large ? on_compressed_aside : on_compressed;
    helper_do(is_large ? hub_helper(context->hub) : NULL, &read->errand);
}

/* The body as it is, kept in read->plain; or r. */
static int read_write(struct rest_read *read, const struct document_view *view)
{
    struct buffer body;
    int r;

    buffer_init(&body, FRAME_MAX_BYTES);
    r = read->choice.representation->write(&read->call, view, &body);
    if (!r)
        read->plain = frame_of_buffer(&body);
    if (!r && !read->plain)
        r = body.error ? body.error : -ENOMEM;
    buffer_finish(&body);
    return r > 0 ? -EBADMSG : r;
}

static void reply_written(struct rest_read *read, int r)
{
    struct rest_body body = { read->plain };
    bool takes_gzip = read->choice.takes_gzip;

    if (!r && (!takes_gzip || read->plain->n_bytes > GZIP_ASIDE_BYTES))
        keep(read, false, body); /* also for those who come while it is being compressed */
    if (!r && takes_gzip)
        read_compress(read);
    else
        answer_all(read, r, body);
}

static void write_aside(struct errand *errand)
{
    struct rest_read *read = LIST_ENTRY(errand, struct rest_read, errand);

    read->r = read_write(read, &read->view);
}

static void on_written_aside(struct errand *errand)
{
    struct rest_read *read = LIST_ENTRY(errand, struct rest_read, errand);

    reply_written(read, read->r);
}

/* Somebody has asked for the same a moment ago, as all do who have waited for one operation. */
static bool read_join(struct rest_read *read)
{
    struct rest_read *first = read->call.context->asides;

    while (first && (first->call.document != read->call.document || first->choice.version != read->choice.version ||
                     first->choice.representation != read->choice.representation ||
                     first->choice.takes_gzip != read->choice.takes_gzip))
        first = first->next;
    if (!first)
        return false;
    read->next = first->joined;
    first->joined = read;
    return true;
}

/* What takes long holds nobody else up. */
static void read_write_aside(struct rest_read *read, const struct document_view *view)
{
    struct rest_context *context = read->call.context;
    int r;

    if (read_join(read))
        return;
    r = ot_snapshot_share(view->snapshot, &read->snapshot);
    if (r) {
        call_fail(&read->call, r);
        return;
    }
    read->view = *view;
    read->view.snapshot = read->snapshot;
    read->errand.work = write_aside;
    read->errand.done = on_written_aside;
    read->next = context->asides;
    context->asides = read;
    helper_do(hub_helper(context->hub), &read->errand);
}

void read_give(struct rest_read *read, const struct document_view *view)
{
    struct rest_body same = kept(read, read->choice.takes_gzip), plain = kept(read, false);

    if (same.frame) {
        read_reply(read, same);
    } else if (plain.frame) {
        read->plain = frame_ref(plain.frame);
        reply_written(read, 0);
    } else if (read->choice.representation->is_slow && ot_snapshot_size(view->snapshot) >= HELPER_WORTH_BYTES) {
        read_write_aside(read, view);
    } else {
        reply_written(read, read_write(read, view));
    }
}
