#include <errno.h>
#include <inttypes.h>

#include "base/timestamp.h"
#include "cli/archive.h"

void archive_writer_init(struct archive_writer *writer, FILE *file)
{
    *writer = (struct archive_writer){ .file = file };
    buffer_init(&writer->line, ARCHIVE_LINE_MAX);
}

void archive_writer_finish(struct archive_writer *writer)
{
    buffer_finish(&writer->line);
}

static void add(struct archive_writer *writer, const char *before, struct bytes text)
{
    int r;

    (void)buffer_append_string(&writer->line, before);
    r = ot_json_write_string(text.at, text.n_bytes, buffer_write, &writer->line);
    (void)r; /* stays in the buffer */
}

static void add_number(struct archive_writer *writer, const char *before, uint64_t number)
{
    (void)buffer_append_string(&writer->line, before);
    (void)buffer_append_u64(&writer->line, number);
}

static void add_time(struct archive_writer *writer, const char *before, uint64_t time_ms)
{
    char time[TIME_BYTES];

    time_write(time_ms, time);
    (void)buffer_printf(&writer->line, "%s\"%s\"", before, time);
}

static void add_name(struct archive_writer *writer, struct store_name name)
{
    add(writer, "{\"collection\":", name.collection);
    add(writer, ",\"id\":", name.id);
}

static void add_type(struct archive_writer *writer, struct bytes type)
{
    if (type.n_bytes)
        add(writer, ",\"type\":", type);
    else
        (void)buffer_append_string(&writer->line, ",\"type\":null");
}

static int put_line(struct archive_writer *writer)
{
    struct buffer *line = &writer->line;

    (void)buffer_append_string(line, "}\n");
    if (line->error || fwrite(line->at, 1, line->n_bytes, writer->file) == line->n_bytes)
        return line->error;
    return errno ? -errno : -EIO;
}

int archive_write_head(struct archive_writer *writer, bool has_history)
{
    buffer_reset(&writer->line);
    (void)buffer_printf(&writer->line, "{\"pilcrow\":\"export\",\"format\":%d,\"history\":%s", ARCHIVE_FORMAT,
                        has_history ? "true" : "false");
    return put_line(writer);
}

int archive_write_log(struct archive_writer *writer, const struct archive_log *log)
{
    buffer_reset(&writer->line);
    add_name(writer, log->name);
    add_type(writer, log->type);
    (void)buffer_printf(&writer->line, ",\"exists\":%s", log->exists ? "true" : "false");
    add_number(writer, ",\"first\":", log->first);
    add_number(writer, ",\"version\":", log->version);
    writer->counts.n_logs++;
    return put_line(writer);
}

int archive_write_record(struct archive_writer *writer, uint64_t version, const struct record *record)
{
    struct buffer *line = &writer->line;

    buffer_reset(line);
    add_number(writer, "{\"v\":", version);
    add(writer, ",\"src\":", record->id.src);
    add_number(writer, ",\"seq\":", record->id.seq);
    add_time(writer, ",\"time\":", record->time_ms);
    add(writer, ",\"author\":", record->author);
    if (record->n_merged)
        add_number(writer, ",\"merged\":", record->n_merged);
    if (record->body.n_bytes > 2) { /* the body is an object: its members, without its braces */
        (void)buffer_append_string(line, ",");
        (void)buffer_append(line, (const char *)record->body.at + 1, record->body.n_bytes - 2);
    }
    writer->counts.n_records++;
    return put_line(writer);
}

int archive_write_document(struct archive_writer *writer, const struct archive_document *document)
{
    buffer_reset(&writer->line);
    add_name(writer, document->name);
    add_type(writer, document->type);
    if (document->version)
        add_number(writer, ",\"version\":", document->version);
    (void)buffer_append_string(&writer->line, ",\"data\":");
    (void)buffer_append(&writer->line, document->data.at, document->data.n_bytes);
    add_time(writer, ",\"created\":", document->created_ms);
    add_time(writer, ",\"modified\":", document->modified_ms);
    writer->counts.n_documents++;
    return put_line(writer);
}

int archive_write_end(struct archive_writer *writer)
{
    buffer_reset(&writer->line);
    (void)buffer_printf(&writer->line,
                        "{\"pilcrow\":\"end\",\"logs\":%" PRIu64 ",\"records\":%" PRIu64 ",\"documents\":%" PRIu64,
                        writer->counts.n_logs, writer->counts.n_records, writer->counts.n_documents);
    return put_line(writer);
}
