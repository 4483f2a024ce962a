/* A part of a body, for who goes on where he was cut off; RFC 9110, 14. One range; of several the whole is sent, which
 * is allowed. */
#include "api/rest_inside.h"

enum asked { ASKED_WHOLE, ASKED_PART, ASKED_BEYOND };

struct range {
    uint64_t from, to; /* half-open */
};

/* Digits at the start of the text, which they are taken off. False: there are none, or too many. */
static bool take_number(struct bytes *text, uint64_t *out)
{
    const char *at = text->at;
    size_t n = 0;

    *out = 0;
    while (n < text->n_bytes && at[n] >= '0' && at[n] <= '9' && n < 18)
        *out = *out * 10 + (uint64_t)(at[n++] - '0');
    *text = bytes_of(at + n, text->n_bytes - n);
    return n > 0;
}

static bool take(struct bytes *text, const char *what)
{
    size_t n = strlen(what);

    if (text->n_bytes < n || memcmp(text->at, what, n) != 0)
        return false;
    *text = bytes_of((const char *)text->at + n, text->n_bytes - n);
    return true;
}

/* "bytes=0-99", "bytes=100-", "bytes=-100". What is no such thing counts as if it had not been said. */
static enum asked range_read(struct bytes text, uint64_t n_bytes, struct range *out)
{
    uint64_t first, last = UINT64_MAX, n_last;
    bool has_first, has_last;

    if (!take(&text, "bytes="))
        return ASKED_WHOLE;
    has_first = take_number(&text, &first);
    if (!take(&text, "-"))
        return ASKED_WHOLE;
    has_last = take_number(&text, &n_last);
    if (text.n_bytes || (!has_first && !has_last))
        return ASKED_WHOLE;
    if (has_first && has_last)
        last = n_last;
    if (has_first && last < first)
        return ASKED_WHOLE;
    if (!has_first)
        first = n_last < n_bytes ? n_bytes - n_last : 0;
    *out = (struct range){ first, last < n_bytes ? last + 1 : n_bytes };
    return out->from < out->to ? ASKED_PART : ASKED_BEYOND;
}

/* What he has a part of is what there is now. A time is never said here, so one that he sends is another's. */
static bool is_same(struct bytes if_range, const char *etag)
{
    size_t n = strlen(etag);
    const char *at = if_range.at;

    return !at || (if_range.n_bytes == n + 2 && at[0] == '"' && at[n + 1] == '"' && memcmp(at + 1, etag, n) == 0);
}

static void reply_part(struct rest_reply *reply, struct range range)
{
    struct frame *whole = reply->response.body;
    struct frame *part = frame_create(bytes_of(whole->content + range.from, range.to - range.from));

    if (!part)
        return; /* the whole is right, too */
    reply_header(reply, "content-range", "bytes %llu-%llu/%zu", (unsigned long long)range.from,
                 (unsigned long long)range.to - 1, whole->n_bytes);
    reply->response.status = 206;
    reply->response.body = part;
    frame_unref(whole);
}

static void reply_beyond(struct rest_reply *reply)
{
    size_t n_bytes = reply->response.body->n_bytes;

    frame_unref(reply->response.body);
    reply_problem(reply, 416, "ERR_RANGE_NOT_SATISFIABLE", "The document is not so long.");
    reply_header(reply, "content-range", "bytes */%zu", n_bytes);
}

void reply_range(struct rest_reply *reply, const struct rest_request *request, const char *etag)
{
    struct bytes asked = call_header(request, "range");
    struct range range;

    reply_header_constant(reply, "accept-ranges", "bytes");
    if (!asked.at || strcmp(request->method, "GET") != 0 || !is_same(call_header(request, "if-range"), etag))
        return;
    switch (range_read(asked, reply->response.body->n_bytes, &range)) {
    case ASKED_WHOLE: break;
    case ASKED_PART: reply_part(reply, range); break;
    case ASKED_BEYOND: reply_beyond(reply); break;
    }
}
