#include "cli/archive.h"

#include <errno.h>
#include <inttypes.h>

#include "base/name.h"
#include "base/timestamp.h"
#include "cli/spans.h"

#define READ_BYTES  ((size_t)256 << 10)
#define TAIL_BYTES  512 /* where the last line of a whole file begins, at the latest */
#define SRC_BYTES   64
#define LABEL_BYTES 4096 /* of an author; far more than anybody has */

/* ---- writing ----------------------------------------------------------------------------------------------------- */

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

/* ---- what a line says -------------------------------------------------------------------------------------------- */

#define MEMBERS(X)                                                                                                     \
    X(A, "a")                                                                                                          \
    X(C, "c")                                                                                                          \
    X(D, "d")                                                                                                          \
    X(PILCROW, "pilcrow")                                                                                              \
    X(FORMAT, "format")                                                                                                \
    X(HISTORY, "history")                                                                                              \
    X(COLLECTION, "collection")                                                                                        \
    X(ID, "id")                                                                                                        \
    X(TYPE, "type")                                                                                                    \
    X(EXISTS, "exists")                                                                                                \
    X(FIRST, "first")                                                                                                  \
    X(VERSION, "version")                                                                                              \
    X(V, "v")                                                                                                          \
    X(SRC, "src")                                                                                                      \
    X(SEQ, "seq")                                                                                                      \
    X(TIME, "time")                                                                                                    \
    X(AUTHOR, "author")                                                                                                \
    X(MERGED, "merged")                                                                                                \
    X(OP, "op")                                                                                                        \
    X(CREATE, "create")                                                                                                \
    X(DEL, "del")                                                                                                      \
    X(DATA, "data")                                                                                                    \
    X(CREATED, "created")                                                                                              \
    X(MODIFIED, "modified")                                                                                            \
    X(LOGS, "logs")                                                                                                    \
    X(RECORDS, "records")                                                                                              \
    X(DOCUMENTS, "documents")

enum member {
#define X(id, name) M_##id,
    MEMBERS(X)
#undef X
        N_MEMBERS
};

static const char *const member_names[N_MEMBERS] = {
#define X(id, name) [M_##id] = (name),
    MEMBERS(X)
#undef X
};

/* A line on its way into its struct: what was not asked for in the end should not have been there. */
struct parsing {
    struct bytes members[N_MEMBERS]; /* at NULL: there is none */
    struct archive_line *line;
    char *why; /* "": nothing is wrong yet */
};

__attribute__((format(printf, 2, 3))) static void complain(struct parsing *parsing, const char *format, ...)
{
    va_list arguments;

    if (*parsing->why)
        return;
    va_start(arguments, format);
    (void)vsnprintf(parsing->why, ARCHIVE_WHY_BYTES, format, arguments);
    va_end(arguments);
}

static bool has(const struct parsing *parsing, enum member member)
{
    return parsing->members[member].at != NULL;
}

static struct bytes take(struct parsing *parsing, enum member member)
{
    struct bytes span = parsing->members[member];

    parsing->members[member] = bytes_of(NULL, 0);
    if (!span.at)
        complain(parsing, "\"%s\" is missing", member_names[member]);
    return span;
}

static uint64_t take_number(struct parsing *parsing, enum member member)
{
    struct bytes span = take(parsing, member);
    uint64_t number = 0;

    if (span.at && !span_number(span, &number))
        complain(parsing, "\"%s\" is no version or count", member_names[member]);
    return number;
}

static bool take_boolean(struct parsing *parsing, enum member member)
{
    struct bytes span = take(parsing, member);

    if (span.at && !span_is(span, "true") && !span_is(span, "false"))
        complain(parsing, "\"%s\" is neither true nor false", member_names[member]);
    return span_is(span, "true");
}

/* A string that has escapes is the line's own afterwards. */
static struct bytes take_text(struct parsing *parsing, enum member member, size_t max_bytes)
{
    struct archive_line *line = parsing->line;
    struct bytes span = take(parsing, member), text = { "", 0 };
    struct ot_json *owned = NULL;

    if (span.at && (!span_text(span, &owned, &text) || text.n_bytes > max_bytes))
        complain(parsing, "\"%s\" is no text of at most %zu bytes", member_names[member], max_bytes);
    if (owned)
        line->texts[line->n_texts++] = owned;
    return text;
}

static uint64_t take_time(struct parsing *parsing, enum member member)
{
    struct bytes text = take_text(parsing, member, TIME_BYTES);
    uint64_t time_ms = 0;

    if (!*parsing->why && time_parse(text, &time_ms))
        complain(parsing, "\"%s\" is no time", member_names[member]);
    return time_ms;
}

static struct store_name take_name(struct parsing *parsing)
{
    struct store_name name = { take_text(parsing, M_COLLECTION, NAME_MAX_BYTES),
                               take_text(parsing, M_ID, NAME_MAX_BYTES) };

    if (!*parsing->why && !name_is_allowed(name.collection, NAME_MAX_BYTES))
        complain(parsing, "no collection may have that name");
    if (!*parsing->why && !name_is_allowed(name.id, NAME_MAX_BYTES))
        complain(parsing, "no document may have that id");
    return name;
}

/* ---- the five kinds ---------------------------------------------------------------------------------------------- */

static void parse_head(struct parsing *parsing)
{
    uint64_t format = take_number(parsing, M_FORMAT);

    if (!span_is(take(parsing, M_PILCROW), "\"export\""))
        complain(parsing, "this is no export");
    if (format != ARCHIVE_FORMAT)
        complain(parsing, "format %" PRIu64 " is not known here, only %d; a newer pilcrow reads it", format,
                 ARCHIVE_FORMAT);
    parsing->line->kind = ARCHIVE_HEAD;
    parsing->line->has_history = take_boolean(parsing, M_HISTORY);
}

static void parse_end(struct parsing *parsing)
{
    (void)take(parsing, M_PILCROW);
    parsing->line->kind = ARCHIVE_END;
    parsing->line->counts = (struct archive_counts){ .n_logs = take_number(parsing, M_LOGS),
                                                     .n_records = take_number(parsing, M_RECORDS),
                                                     .n_documents = take_number(parsing, M_DOCUMENTS) };
}

static void parse_log(struct parsing *parsing)
{
    struct archive_log *log = &parsing->line->log;

    parsing->line->kind = ARCHIVE_LOG;
    *log = (struct archive_log){ .name = take_name(parsing), .exists = take_boolean(parsing, M_EXISTS) };
    if (span_is(parsing->members[M_TYPE], "null"))
        (void)take(parsing, M_TYPE);
    else
        log->type = take_text(parsing, M_TYPE, SRC_BYTES);
    log->first = take_number(parsing, M_FIRST);
    log->version = take_number(parsing, M_VERSION);
    if (log->first >= log->version)
        complain(parsing, "a log has at least one version");
}

static void parse_document(struct parsing *parsing)
{
    struct archive_document *document = &parsing->line->document;

    parsing->line->kind = ARCHIVE_DOCUMENT;
    *document = (struct archive_document){ .name = take_name(parsing),
                                           .type = take_text(parsing, M_TYPE, SRC_BYTES),
                                           .version = has(parsing, M_VERSION) ? take_number(parsing, M_VERSION) : 0,
                                           .data = take(parsing, M_DATA),
                                           .created_ms = take_time(parsing, M_CREATED),
                                           .modified_ms = take_time(parsing, M_MODIFIED) };
}

/* As step_write has it, so that the log gets back what it had. */
static void parse_body(struct parsing *parsing)
{
    static const enum member kinds[] = { M_OP, M_CREATE, M_DEL };
    struct buffer *body = &parsing->line->body;

    buffer_reset(body);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct bytes span;

        if (!has(parsing, kinds[i]) || body->n_bytes)
            continue; /* a second one is left over */
        span = take(parsing, kinds[i]);
        if (kinds[i] == M_DEL && !span_is(span, "true"))
            complain(parsing, "\"del\" is not true");
        (void)buffer_printf(body, "{\"%s\":", member_names[kinds[i]]);
        (void)buffer_append(body, span.at, span.n_bytes);
        (void)buffer_append_string(body, "}");
    }
    if (!body->n_bytes)
        (void)buffer_append_string(body, "{}");
    if (body->error == -E2BIG)
        complain(parsing, "the operation is larger than %d bytes", STORE_RECORD_MAX_BYTES);
}

static void parse_record(struct parsing *parsing)
{
    struct record *record = &parsing->line->record;

    parsing->line->kind = ARCHIVE_RECORD;
    parsing->line->version = take_number(parsing, M_V);
    *record = (struct record){ .id = { .src = take_text(parsing, M_SRC, SRC_BYTES) },
                               .time_ms = take_time(parsing, M_TIME),
                               .author = take_text(parsing, M_AUTHOR, LABEL_BYTES),
                               .n_merged = has(parsing, M_MERGED) ? take_number(parsing, M_MERGED) : 0 };
    record->id.seq = take_number(parsing, M_SEQ);
    parse_body(parsing);
    record->body = buffer_bytes(&parsing->line->body);
}

static void parse_kind(struct parsing *parsing)
{
    if (has(parsing, M_V))
        parse_record(parsing);
    else if (has(parsing, M_DATA))
        parse_document(parsing);
    else if (has(parsing, M_COLLECTION))
        parse_log(parsing);
    else if (!has(parsing, M_PILCROW))
        complain(parsing, "this is no line of an export");
    else if (span_is(parsing->members[M_PILCROW], "\"end\""))
        parse_end(parsing);
    else
        parse_head(parsing);
}

static enum member member_of(struct bytes key)
{
    size_t i;

    for (i = 0; i < N_MEMBERS && !span_is(key, member_names[i]); i++)
        ;
    return (enum member)i;
}

static void forget_texts(struct archive_line *line)
{
    while (line->n_texts)
        ot_json_unref(line->texts[--line->n_texts]);
}

static void parse_members(struct parsing *parsing, struct bytes text)
{
    struct spans spans = spans_of(text, '{');
    struct bytes key, value;

    *parsing->why = '\0';
    forget_texts(parsing->line);
    while (spans_member(&spans, &key, &value)) {
        enum member member = member_of(key);

        if (member == N_MEMBERS || has(parsing, member))
            complain(parsing, "\"%.*s\" is not known, or there twice", key.n_bytes < 40 ? (int)key.n_bytes : 40,
                     (const char *)key.at);
        else
            parsing->members[member] = value;
    }
    if (!spans.is_finished)
        complain(parsing, "this is no JSON object");
}

static int parse_finish(struct parsing *parsing)
{
    for (enum member i = 0; i < N_MEMBERS; i++)
        if (has(parsing, i))
            complain(parsing, "\"%s\" does not belong here", member_names[i]);
    return parsing->line->body.error == -ENOMEM ? -ENOMEM : *parsing->why ? ARCHIVE_BAD : 0;
}

int archive_parse(struct bytes text, struct archive_line *out, char why[ARCHIVE_WHY_BYTES])
{
    struct parsing parsing = { .line = out, .why = why };

    parse_members(&parsing, text);
    parse_kind(&parsing);
    return parse_finish(&parsing);
}

int archive_parse_op(struct bytes op, struct archive_line *out, char why[ARCHIVE_WHY_BYTES])
{
    struct parsing parsing = { .line = out, .why = why };

    parse_members(&parsing, op);
    (void)take(&parsing, M_A);
    (void)take(&parsing, M_C);
    (void)take(&parsing, M_D);
    parse_record(&parsing);
    return parse_finish(&parsing);
}

void archive_line_init(struct archive_line *line)
{
    *line = (struct archive_line){ 0 };
    buffer_init(&line->body, STORE_RECORD_MAX_BYTES);
}

void archive_line_finish(struct archive_line *line)
{
    forget_texts(line);
    buffer_finish(&line->body);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

void archive_reader_init(struct archive_reader *reader, FILE *file)
{
    *reader = (struct archive_reader){ .file = file };
    buffer_init(&reader->bytes, ARCHIVE_LINE_MAX + READ_BYTES);
    archive_line_init(&reader->line);
}

void archive_reader_finish(struct archive_reader *reader)
{
    archive_line_finish(&reader->line);
    buffer_finish(&reader->bytes);
}

/* *n: 0 at the end of the file. */
static int read_more(struct archive_reader *reader, size_t *n)
{
    struct buffer *bytes = &reader->bytes;
    size_t left = bytes->n_bytes - reader->start;
    char *room;

    if (reader->start && left)
        memmove(bytes->at, bytes->at + reader->start, left);
    bytes->n_bytes = left;
    reader->looked -= reader->start;
    reader->start = 0;
    room = buffer_room(bytes, READ_BYTES);
    if (!room)
        return bytes->error;
    *n = fread(room, 1, READ_BYTES, reader->file);
    buffer_grew(bytes, *n);
    return ferror(reader->file) ? errno ? -errno : -EIO : 0;
}

static int say(struct archive_reader *reader, const char *what)
{
    (void)snprintf(reader->why, sizeof(reader->why), "%s", what);
    return ARCHIVE_BAD;
}

int archive_read(struct archive_reader *reader)
{
    struct buffer *bytes = &reader->bytes;
    const char *start, *end = NULL;
    size_t n = 1;
    int r = 0;

    if (reader->is_over)
        return ARCHIVE_OVER;
    while (!r && n) {
        end = bytes->n_bytes > reader->looked
                  ? memchr(bytes->at + reader->looked, '\n', bytes->n_bytes - reader->looked)
                  : NULL;
        if (end)
            break;
        reader->looked = bytes->n_bytes;
        r = read_more(reader, &n);
    }
    reader->n_lines += r || end || bytes->n_bytes > reader->start;
    reader->is_over = !end;
    if (r)
        return r == -E2BIG ? say(reader, "the line is too long, and so nothing behind it is read") : r;
    if (!end)
        return bytes->n_bytes > reader->start ? say(reader, "the line is cut off") : ARCHIVE_OVER;
    start = bytes->at + reader->start;
    reader->start = reader->looked = (size_t)(end + 1 - bytes->at);
    return archive_parse(bytes_of(start, (size_t)(end - start)), &reader->line, reader->why);
}

static int check_tail(FILE *file, off_t size)
{
    char tail[TAIL_BYTES], why[ARCHIVE_WHY_BYTES];
    struct archive_line line;
    const char *start;
    size_t n;
    int r;

    if (fseeko(file, size > TAIL_BYTES ? size - TAIL_BYTES : 0, SEEK_SET))
        return -errno;
    n = fread(tail, 1, sizeof(tail), file);
    if (n == 0 || tail[n - 1] != '\n')
        return ferror(file) ? -EIO : ARCHIVE_BAD;
    start = memrchr(tail, '\n', n - 1);
    start = start ? start + 1 : tail;
    archive_line_init(&line);
    r = archive_parse(bytes_of(start, (size_t)(tail + n - 1 - start)), &line, why);
    if (!r && line.kind != ARCHIVE_END)
        r = ARCHIVE_BAD;
    archive_line_finish(&line);
    return r;
}

int archive_is_whole(FILE *file)
{
    off_t start = ftello(file), size;
    int r;

    if (start < 0 || fseeko(file, 0, SEEK_END))
        return -ESPIPE;
    size = ftello(file);
    r = check_tail(file, size);
    return fseeko(file, start, SEEK_SET) ? -errno : r;
}
