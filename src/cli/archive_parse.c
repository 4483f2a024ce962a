/* What a line says: its members are found as spans, then the kind of line takes those that belong to it. What is left
 * is one too many. */
#include <errno.h>
#include <inttypes.h>

#include "base/name.h"
#include "base/timestamp.h"
#include "cli/archive.h"
#include "cli/spans.h"

#define SRC_BYTES   64
#define LABEL_BYTES 4096 /* of an author; far more than anybody has */

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
