/* What `pilcrow export` writes and `import` reads: NDJSON, a line each, in this order:
 *
 *     {"pilcrow":"export","format":1,"history":true}
 *     {"collection":"notes","id":"diary","type":"text-unicode","exists":true,"first":0,"version":2}        a log, then
 *     {"v":0,"src":"...","seq":1,"time":"2026-11-01T12:00:00.000Z","author":"ink","create":{...}}    its records
 *     {"v":1,"src":"...","seq":2,"time":"2026-11-01T12:00:00.250Z","author":"ink","op":[...]}
 *     {"collection":"notes","id":"old","type":"json0","version":7,"data":...,"created":...,"modified":...}  a document
 *     {"pilcrow":"end","logs":1,"records":2,"documents":1}
 *
 * A record stands for `"merged":N` more than one version where it has that member, in front of what it does; it does
 * nothing when it has none of op, create and del. Bodies and content are kept byte for byte, and so are times, as long
 * as they are of years before 10000. A log has `version` - `first` versions; its type and whether it exists follow from
 * its records, and stand there for people. Without history ("history":false) there are documents only, with it both may
 * be there: a document whose history can't be had any more is one without.
 *
 * Errors: -errno, from writing or reading; a positive enum archive_error, when what is read is at fault. */
#ifndef CLI_ARCHIVE_H
#define CLI_ARCHIVE_H

#include <stdio.h>

#include "base/buffer.h"
#include "ot/ot.h"
#include "storage/store.h"

#define ARCHIVE_FORMAT   1
#define ARCHIVE_LINE_MAX ((size_t)272 << 20) /* a document of the largest size, escaped, and what is around it */

enum archive_error {
    ARCHIVE_BAD = 1, /* the line is none of these, and `why` says so */
    ARCHIVE_OVER,    /* there is no further line */
};

struct archive_log {
    struct store_name name;
    struct bytes type; /* short name; empty: there is no document now */
    bool exists;
    uint64_t first, version; /* of its first record; where its last one leads */
};

struct archive_document {
    struct store_name name;
    struct bytes type; /* short name */
    uint64_t version;  /* 0: not said */
    struct bytes data; /* JSON */
    uint64_t created_ms, modified_ms;
};

struct archive_counts {
    uint64_t n_logs, n_records, n_documents;
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct archive_writer {
    FILE *file;
    struct archive_counts counts;
    struct buffer line;
};

void archive_writer_init(struct archive_writer *writer, FILE *file);
void archive_writer_finish(struct archive_writer *writer); /* the file is the caller's */

STORE_MUST_CHECK int archive_write_head(struct archive_writer *writer, bool has_history);
STORE_MUST_CHECK int archive_write_log(struct archive_writer *writer, const struct archive_log *log);
STORE_MUST_CHECK int archive_write_record(struct archive_writer *writer, uint64_t version, const struct record *record);
STORE_MUST_CHECK int archive_write_document(struct archive_writer *writer, const struct archive_document *document);
/* What makes it whole. It is not flushed. */
STORE_MUST_CHECK int archive_write_end(struct archive_writer *writer);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum archive_kind { ARCHIVE_HEAD, ARCHIVE_LOG, ARCHIVE_RECORD, ARCHIVE_DOCUMENT, ARCHIVE_END };

struct archive_line {
    enum archive_kind kind;
    bool has_history; /* HEAD */
    struct archive_log log;
    uint64_t version; /* RECORD */
    struct record record;
    struct archive_document document;
    struct archive_counts counts; /* END */

    struct ot_json *texts[8]; /* its own: strings that have escapes */
    size_t n_texts;
    struct buffer body; /* its own: of the record, as the log has it */
};

#define ARCHIVE_WHY_BYTES 160

void archive_line_init(struct archive_line *line);
void archive_line_finish(struct archive_line *line);

/* What one line says. It borrows from the text, and from what `out` held before it is freed. */
STORE_MUST_CHECK int archive_parse(struct bytes text, struct archive_line *out, char why[ARCHIVE_WHY_BYTES]);

/* The same for an operation as GET .../ops has it, which says its document in "c" and "d", too. */
STORE_MUST_CHECK int archive_parse_op(struct bytes op, struct archive_line *out, char why[ARCHIVE_WHY_BYTES]);

struct archive_reader {
    FILE *file;
    uint64_t n_lines;    /* read so far; the number of the last */
    struct buffer bytes; /* of the file; [start, n_bytes) is not read yet, and has no end of line below looked */
    size_t start, looked;
    bool is_over;
    struct archive_line line;
    char why[ARCHIVE_WHY_BYTES];
};

void archive_reader_init(struct archive_reader *reader, FILE *file);
void archive_reader_finish(struct archive_reader *reader);

/* The next line into reader->line, valid until the next call. What may follow what is for the caller to judge. */
STORE_MUST_CHECK int archive_read(struct archive_reader *reader);

/* Whether the file ends as it should: 0, ARCHIVE_BAD, or -ESPIPE when that can't be told before it has been read. It
 * stands where it stood. */
STORE_MUST_CHECK int archive_is_whole(FILE *file);

#endif
