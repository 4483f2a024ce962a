/* What `export` wrote, into a store or, without history, into a server.
 *
 *     a log that the store does not have, or has the beginning of: appended; that it has: skipped; another one: named
 *     a line that is wrong: named, and so is how far its document came; the others go on */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/import.h"
#include "cli/progress.h"

struct reading {
    struct import import;
    FILE *file;
    struct progress progress;
    struct archive_counts counts; /* of what was read */
    bool has_begun, is_over;

    /* The log whose records are being read. */
    bool is_open, is_refused, was_there;
    char names[2 * 128];
    struct store_name name;
    uint64_t end;
};

/* ---- words ------------------------------------------------------------------------------------------------------- */

void import_complain(const struct import *import, struct store_name name, const char *why)
{
    bool has_name = name.id.n_bytes > 0;

    (void)cli_say(0, "%s:%" PRIu64 ": %.*s%s%.*s%s%s", import->path, import->reader.n_lines,
                  (int)name.collection.n_bytes, (const char *)name.collection.at, has_name ? "/" : "",
                  (int)name.id.n_bytes, (const char *)name.id.at, has_name ? ": " : "", why);
}

int import_trouble(int r)
{
    if (r == -EBADMSG)
        return cli_say(CLI_DAMAGED, "the store is damaged; see pilcrow help check");
    return cli_say(r == -ENOSPC ? CLI_UNAVAILABLE : CLI_FAILED, "the store: %s", strerror(-r));
}

/* The document at hand is refused, as INTAKE_DIFFERS or for what is wrong with it. */
static int refuse(struct reading *reading, int r, const char *why)
{
    static const struct store_name nobody = { { "", 0 }, { "", 0 } };

    if (r < 0)
        return import_trouble(r);
    import_complain(&reading->import, reading->is_open ? reading->name : nobody, why);
    if (r == INTAKE_DIFFERS)
        reading->import.n_different++;
    else
        reading->import.n_refused++;
    reading->is_refused = true;
    return CLI_OK;
}

/* ---- logs -------------------------------------------------------------------------------------------------------- */

static void note_name(struct reading *reading, struct store_name name)
{
    char *at = reading->names;

    memcpy(at, name.collection.at, name.collection.n_bytes);
    memcpy(at + name.collection.n_bytes, name.id.at, name.id.n_bytes);
    reading->name = (struct store_name){ bytes_of(at, name.collection.n_bytes),
                                         bytes_of(at + name.collection.n_bytes, name.id.n_bytes) };
}

static int log_begin(struct reading *reading, const struct archive_log *log)
{
    struct intake *intake = reading->import.intake;
    struct store_info info = { 0 };
    int r;

    note_name(reading, log->name);
    reading->is_open = true;
    reading->is_refused = false;
    reading->end = log->version;
    r = intake_begin(intake, reading->name, &info);
    if (!r)
        r = intake_from(intake, log->first);
    reading->was_there = info.first < info.head;
    return r ? refuse(reading, r, intake_why(intake)) : CLI_OK;
}

static int log_record(struct reading *reading, uint64_t version, const struct record *record)
{
    struct intake *intake = reading->import.intake;
    char why[400];
    int r;

    progress_show(&reading->progress, ++reading->counts.n_records, 0);
    if (reading->is_refused)
        return CLI_OK; /* said once */
    if (!reading->is_open)
        return refuse(reading, INTAKE_BAD, "this record belongs to no log");
    r = intake_record(intake, version, record);
    if (r != INTAKE_BAD)
        return r ? refuse(reading, r, intake_why(intake)) : CLI_OK;
    (void)snprintf(why, sizeof(why), "%s; imported up to version %" PRIu64, intake_why(intake), intake_at(intake));
    return refuse(reading, r, why);
}

static void log_count(struct import *import, bool was_there, bool is_new)
{
    if (!was_there)
        import->n_imported++;
    else if (is_new)
        import->n_continued++;
    else
        import->n_same++;
}

/* Its records are over. */
static int log_end(struct reading *reading)
{
    struct intake *intake = reading->import.intake;
    char why[200];
    int r, status = CLI_OK;

    if (reading->is_open) {
        bool is_new = intake_n_new(intake) > 0;
        uint64_t at = intake_at(intake);

        r = intake_end(intake);
        (void)snprintf(why, sizeof(why), "its records end at version %" PRIu64 ", not at %" PRIu64, at, reading->end);
        if (r)
            status = import_trouble(r);
        else if (!reading->is_refused && at != reading->end)
            status = refuse(reading, INTAKE_BAD, why);
        else if (!reading->is_refused)
            log_count(&reading->import, reading->was_there, is_new);
    }
    reading->is_open = reading->is_refused = false;
    return status;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static int on_head(struct reading *reading, bool has_history)
{
    if (reading->has_begun)
        return cli_say(CLI_FAILED, "%s:%" PRIu64 ": another export begins here", reading->import.path,
                       reading->import.reader.n_lines);
    reading->has_begun = true;
    if (has_history && !reading->import.intake)
        return cli_say(CLI_USAGE,
                       "a server takes documents, not histories: import into a store that no server has open, with "
                       "--data DIR, or export with --no-history");
    return CLI_OK;
}

static int on_end(struct reading *reading, const struct archive_counts *counts)
{
    const struct archive_counts *own = &reading->counts;
    int status = log_end(reading);

    reading->is_over = true;
    if (!status && (counts->n_logs != own->n_logs || counts->n_records != own->n_records ||
                    counts->n_documents != own->n_documents))
        status = refuse(reading, INTAKE_BAD, "the file has lost lines: there are not as many as its last one says");
    return status;
}

static int on_line(struct reading *reading)
{
    const struct archive_line *line = &reading->import.reader.line;
    int status = CLI_OK;

    if (!reading->has_begun && line->kind != ARCHIVE_HEAD)
        return cli_say(CLI_FAILED, "%s is no export", reading->import.path);
    switch (line->kind) {
    case ARCHIVE_HEAD: return on_head(reading, line->has_history);
    case ARCHIVE_RECORD: return log_record(reading, line->version, &line->record);
    case ARCHIVE_END: return on_end(reading, &line->counts);
    case ARCHIVE_LOG:
        reading->counts.n_logs++;
        status = log_end(reading);
        return status ? status : log_begin(reading, &line->log);
    case ARCHIVE_DOCUMENT:
        reading->counts.n_documents++;
        status = log_end(reading);
        return status ? status : import_document(&reading->import, &line->document);
    }
    return status;
}

/* A line that can't be understood: its document is not gone on with. */
static int on_bad_line(struct reading *reading)
{
    const struct archive_reader *reader = &reading->import.reader;

    if (!reading->has_begun)
        return cli_say(CLI_FAILED, "%s is no export: %s", reading->import.path, reader->why);
    return reading->is_refused ? CLI_OK : refuse(reading, INTAKE_BAD, reader->why);
}

static int read_lines(struct reading *reading)
{
    struct archive_reader *reader = &reading->import.reader;
    int status = CLI_OK, r = 0;

    while (!status && !reading->is_over && (r = archive_read(reader)) >= 0 && r != ARCHIVE_OVER)
        status = r ? on_bad_line(reading) : on_line(reading);
    if (r < 0)
        status = cli_say(CLI_FAILED, "%s: %s", reading->import.path, strerror(-r));
    if (r == ARCHIVE_OVER) {
        status = log_end(reading);
        if (!status)
            status = refuse(reading, INTAKE_BAD, "the file is cut off here; what came before is imported");
    }
    if (reading->is_open && log_end(reading))
        status = status ? status : CLI_FAILED;
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int target_open(struct import *import)
{
    struct cli *cli = import->cli;
    char why[512] = "out of memory";
    int r;

    if (!cli->data)
        r = transport_http_open(cli->server, cli->token, cli->options[OPTION_CACERT], &cli->transport);
    else
        r = intake_open(cli->data, !import->is_dry, &import->intake, why, sizeof(why));
    return r ? cli_say(r == -EBUSY ? CLI_UNAVAILABLE : r == -EBADMSG ? CLI_DAMAGED : CLI_FAILED, "%s", why) : CLI_OK;
}

static int file_open(struct reading *reading)
{
    const char *path = reading->import.path;

    reading->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!reading->file)
        return cli_say(CLI_FAILED, "%s: %s", path, strerror(errno));
    if (archive_is_whole(reading->file) == ARCHIVE_BAD)
        return cli_say(
            CLI_FAILED,
            "%s does not end as an export does: it is none, or cut off. Nothing was imported; what there is can "
            "be had with: cat FILE | pilcrow import -",
            path);
    return CLI_OK;
}

static int report(const struct import *import)
{
    if (import->cli->json)
        (void)printf("{\"imported\":%" PRIu64 ",\"continued\":%" PRIu64 ",\"same\":%" PRIu64 ",\"different\":%" PRIu64
                     ",\"refused\":%" PRIu64 "}\n",
                     import->n_imported, import->n_continued, import->n_same, import->n_different, import->n_refused);
    else
        (void)printf("%sdocuments: %" PRIu64 " imported, %" PRIu64 " continued, %" PRIu64 " already there, %" PRIu64
                     " different, %" PRIu64 " refused\n",
                     import->cli->options[OPTION_DRY_RUN] ? "without --dry-run, " : "", import->n_imported,
                     import->n_continued, import->n_same, import->n_different, import->n_refused);
    if (import->n_refused)
        return CLI_FAILED;
    return import->n_different ? CLI_CONFLICT : CLI_OK;
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct reading reading = { .import = { .cli = cli, .path = words[0], .is_dry = cli->options[OPTION_DRY_RUN] } };
    int status;

    if (n_words != 1)
        return cli_usage(&command_import);
    status = file_open(&reading);
    if (!status)
        status = target_open(&reading.import);
    if (!status) {
        archive_reader_init(&reading.import.reader, reading.file);
        progress_begin(&reading.progress, "operations");
        status = read_lines(&reading);
        progress_end(&reading.progress);
        archive_reader_finish(&reading.import.reader);
        if (reading.has_begun && status != CLI_USAGE) {
            int verdict = report(&reading.import);

            status = status ? status : verdict;
        }
    }
    intake_close(reading.import.intake);
    if (reading.file && reading.file != stdin)
        (void)fclose(reading.file);
    return status;
}

const struct command command_import = {
    "import",
    "FILE|-",
    "what export wrote, into a store or a server",
    "    pilcrow --data new-data import all.ndjson\n"
    "    gunzip <all.ndjson.gz | pilcrow --data new-data import -\n"
    "    pilcrow import documents.ndjson\n\n"
    "Histories go into a store that no server has open (--data, which is made if there is none), documents without\n"
    "history into a server, too. Each operation is tried on its document, so that nothing gets in that could not be "
    "opened\n"
    "later. What is there already is continued where it is the beginning of what is in the file, skipped where it is "
    "the\n"
    "same, and otherwise left alone and named (exit status 4). What is wrong with the file is named with its line "
    "(1).\n",
    ACCESS_LINE,
    run,
    OPTIONS(OPTION_DRY_RUN),
    .group = GROUP_ADMINISTRATION,
};
