/* As what a document can be read. */
#include <inttypes.h>

#include "api/rest_inside.h"
#include "api/rich_write.h"

/* For a page that comes from a document: nothing in it runs, whoever wrote it, and pictures are all that it loads. */
#define PAGE_POLICY                                                                                                    \
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"

static int write_text(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    return ot_snapshot_write_text(view->snapshot, buffer_write, into);
}

static int write_json(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    return ot_snapshot_write_json(view->snapshot, buffer_write, into);
}

int envelope_write(struct store_name name, const struct document_view *view, struct buffer *into)
{
    char created[TIME_BYTES], modified[TIME_BYTES];
    int r;

    time_write(view->created_ms, created);
    time_write(view->modified_ms, modified);
    write_member(into, "{\"collection\":", name.collection);
    write_member(into, ",\"id\":", name.id);
    if (!view->type)
        return buffer_printf(into,
                             ",\"type\":null,\"version\":%" PRIu64 ",\"data\":null,\"created\":null,\"modified\":null}",
                             view->version);
    write_member(into, ",\"type\":", bytes_of_string(ot_type_name(view->type)));
    (void)buffer_append_string(into, ",\"version\":");
    (void)buffer_append_u64(into, view->version);
    (void)buffer_append_string(into, ",\"data\":");
    r = ot_snapshot_write_json(view->snapshot, buffer_write, into);
    return r ? r : buffer_printf(into, ",\"created\":\"%s\",\"modified\":\"%s\"}", created, modified);
}

static int write_snapshot(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    return envelope_write(call->name, view, into);
}

/* A document of the greatest depth may come out of the log whatever the limits are now. */
static const struct ot_limits read_limits = { .max_depth = OT_DEPTH_CEILING,
                                              .max_components = 100000,
                                              .max_document_bytes = FRAME_MAX_BYTES };

static int read_delta(const struct document_view *view, struct ot_json **out)
{
    struct buffer text;
    int r;

    buffer_init(&text, FRAME_MAX_BYTES);
    r = ot_snapshot_write_json(view->snapshot, buffer_write, &text);
    if (!r)
        r = ot_json_parse(text.at, text.n_bytes, &read_limits, out, NULL);
    buffer_finish(&text);
    return r;
}

static int write_html(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    struct ot_json *delta;
    int r = read_delta(view, &delta);

    if (r)
        return r;
    rich_write_html(delta, call->name.id, into);
    ot_json_unref(delta);
    return into->error;
}

static int write_markdown(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    struct ot_json *delta;
    int r = read_delta(view, &delta);

    if (r)
        return r;
    rich_write_markdown(delta, into);
    ot_json_unref(delta);
    return into->error;
}

static int write_plain(const struct rest_call *call, const struct document_view *view, struct buffer *into)
{
    struct ot_json *delta;
    int r = read_delta(view, &delta);

    if (r)
        return r;
    rich_write_text(delta, into);
    ot_json_unref(delta);
    return into->error;
}

/* The usual one first. */
static const struct representation of_text[] = {
    { MEDIA_TEXT, MEDIA_TEXT "; charset=utf-8", "", NULL, false, write_text },
    { MEDIA_JSON, MEDIA_JSON, "-json", NULL, false, write_json },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", NULL, false, write_snapshot },
};

static const struct representation of_json[] = {
    { MEDIA_JSON, MEDIA_JSON, "", NULL, false, write_json },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", NULL, false, write_snapshot },
};

static const struct representation of_rich_text[] = {
    { MEDIA_DELTA, MEDIA_DELTA, "", NULL, false, write_json },
    { MEDIA_JSON, MEDIA_JSON, "-json", NULL, false, write_json },
    { MEDIA_HTML, MEDIA_HTML "; charset=utf-8", "-html", PAGE_POLICY, true, write_html },
    { MEDIA_MARKDOWN, MEDIA_MARKDOWN "; charset=utf-8", "-markdown", NULL, true, write_markdown },
    { MEDIA_TEXT, MEDIA_TEXT "; charset=utf-8", "-text", NULL, true, write_plain },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", NULL, false, write_snapshot },
};

#define COUNT(array)        (sizeof(array) / sizeof((array)[0]))
#define REPRESENTATIONS_MAX 6

static const struct choice {
    const char *type;
    const struct representation *all;
    size_t n;
} choices[] = {
    { "text-unicode", of_text, COUNT(of_text) },
    { "rich-text", of_rich_text, COUNT(of_rich_text) },
    { "json0", of_json, COUNT(of_json) },
    { "json1", of_json, COUNT(of_json) },
};

bool type_is_text(const struct ot_type *type)
{
    return strcmp(ot_type_name(type), "text-unicode") == 0;
}

const struct representation *representation_choose(struct bytes accept, const struct ot_type *type)
{
    const struct choice *choice = choices;
    const char *offers[REPRESENTATIONS_MAX];
    int chosen;

    while (strcmp(choice->type, ot_type_name(type)) != 0)
        choice++;
    for (size_t i = 0; i < choice->n; i++)
        offers[i] = choice->all[i].media;
    chosen = accept_choose(accept, offers, choice->n);
    return chosen < 0 ? NULL : &choice->all[chosen];
}
