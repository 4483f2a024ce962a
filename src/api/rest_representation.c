/* As what a document can be read. */
#include <inttypes.h>

#include "api/rest_inside.h"

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

static const struct representation of_text[] = {
    { MEDIA_TEXT, MEDIA_TEXT "; charset=utf-8", "", write_text },
    { MEDIA_JSON, MEDIA_JSON, "-json", write_json },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", write_snapshot },
};

static const struct representation of_json[] = {
    { MEDIA_JSON, MEDIA_JSON, "", write_json },
    { MEDIA_SNAPSHOT, MEDIA_SNAPSHOT, "-snapshot", write_snapshot },
};

#define REPRESENTATIONS_MAX 3

bool type_is_text(const struct ot_type *type)
{
    return strcmp(ot_type_name(type), "text-unicode") == 0;
}

const struct representation *representation_choose(struct bytes accept, const struct ot_type *type)
{
    bool is_text = type_is_text(type);
    const struct representation *all = is_text ? of_text : of_json;
    size_t n = is_text ? sizeof(of_text) / sizeof(of_text[0]) : sizeof(of_json) / sizeof(of_json[0]);
    const char *offers[REPRESENTATIONS_MAX];
    int chosen;

    for (size_t i = 0; i < n; i++)
        offers[i] = all[i].media;
    chosen = accept_choose(accept, offers, n);
    return chosen < 0 ? NULL : &all[chosen];
}
