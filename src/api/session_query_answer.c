#include "api/session_query.h"

void query_write_value(struct bytes id, struct bytes snapshot, struct buffer *into)
{
    int r;

    (void)buffer_append_string(into, "{\"d\":");
    r = ot_json_write_string(id.at, id.n_bytes, buffer_write, into);
    (void)r; /* stays in the buffer */
    (void)buffer_append_string(into, ",");
    (void)buffer_append(into, (const char *)snapshot.at + 1, snapshot.n_bytes - 1);
}

static void write_value(const struct query_entry *entry, struct buffer *into)
{
    query_write_value(query_entry_id(entry), buffer_bytes(&entry->draft->snapshot), into);
}

static void write_list(const struct query_list *list, struct buffer *into)
{
    (void)buffer_append_string(into, "[");
    for (size_t i = 0; i < list->n; i++) {
        if (!list->entries[i]->exists)
            continue;
        if (into->n_bytes > 1)
            (void)buffer_append_string(into, ",");
        write_value(list->entries[i], into);
    }
    (void)buffer_append_string(into, "]");
}

/* Nothing when no document was asked for. */
static void write_asked(const struct query_list *list, struct buffer *into)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct query_entry *entry = list->entries[i];
        int r;

        if (!entry->draft->is_asked)
            continue;
        (void)buffer_append_string(into, into->n_bytes ? "," : "{");
        r = ot_json_write_string(entry->id, entry->n_id, buffer_write, into);
        (void)r; /* stays in the buffer */
        (void)buffer_append_string(into, ":");
        (void)buffer_append(into, entry->draft->snapshot.at, entry->draft->snapshot.n_bytes);
    }
    if (into->n_bytes)
        (void)buffer_append_string(into, "}");
}

static void send_difference(struct query *query)
{
    struct query_reading *reading = query->reading;
    struct buffer difference;

    buffer_init(&difference, FRAME_MAX_BYTES);
    query_list_difference(&query->list, reading->known, reading->n_known, write_value, &difference);
    if (difference.error)
        session_send(query->session, NULL);
    else if (difference.n_bytes)
        session_send(query->session, frame_query_difference(query->id, buffer_bytes(&difference)));
    buffer_finish(&difference);
}

void query_answer(struct query *query)
{
    const struct ot_json *frame = query->request->frame;
    struct buffer data;

    buffer_init(&data, FRAME_MAX_BYTES);
    if (query->known) {
        send_difference(query);
        write_asked(&query->list, &data);
    } else {
        write_list(&query->list, &data);
    }
    session_send(query->session, data.error ? NULL : frame_reply(frame, buffer_bytes(&data)));
    buffer_finish(&data);
}
