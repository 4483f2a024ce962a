/* Everything out, as archive.h has it: over HTTP as well as from a store, a page of operations at a time. Each document
 * is what it was when it was listed. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "cli/list.h"
#include "cli/logs.h"
#include "cli/name.h"
#include "cli/ops.h"
#include "cli/progress.h"
#include "cli/spans.h"

struct export
{
    struct cli *cli;
    struct archive_writer writer;
    struct progress progress;
    const struct log_row *row; /* being read */
    uint64_t n_shown;
    size_t n_damaged;
};

/* r: of a write. */
static int written(int r)
{
    return r ? cli_say(CLI_FAILED, "standard output: %s", strerror(-r)) : CLI_OK;
}

static void show(struct export *export)
{
    progress_show(&export->progress, ++export->n_shown, 0);
}

/* ---- with history ------------------------------------------------------------------------------------------------ */

/* The log's own line stands in front of its first record: not before it is known that there is one. */
static int on_record(void *arg, uint64_t version, const struct record *record)
{
    struct export *export = arg;
    const struct log_row *row = export->row;
    int r = 0;

    if (version == row->first)
        r = archive_write_log(&export->writer,
                              &(struct archive_log){ row->name, row->type, row->exists, row->first, row->version });
    if (!r)
        r = archive_write_record(&export->writer, version, record);
    show(export);
    return written(r);
}

static int export_log(struct export *export, const struct log_row *row)
{
    uint64_t at;
    int status;

    export->row = row;
    status = ops_read(export->cli, row->name, row->first, row->version, on_record, export, &at);
    if (status == CLI_DAMAGED && at == row->first) {
        export->n_damaged++;
        return cli_say(CLI_OK, "%.*s/%.*s is damaged and left out; see pilcrow help check",
                       (int)row->name.collection.n_bytes, (const char *)row->name.collection.at,
                       (int)row->name.id.n_bytes, (const char *)row->name.id.at);
    }
    if (status == OPS_GONE && at == row->first)
        return CLI_OK; /* purged since it was listed */
    if (status == OPS_GONE || (!status && at != row->version))
        return cli_say(CLI_FAILED, "the history of %.*s/%.*s was purged or merged while it was read; export again",
                       (int)row->name.collection.n_bytes, (const char *)row->name.collection.at,
                       (int)row->name.id.n_bytes, (const char *)row->name.id.at);
    return status;
}

static int export_logs(struct export *export, struct bytes collection)
{
    struct logs logs;
    bool found = false;
    int status;

    logs_init(&logs, export->cli, collection);
    status = logs_next(&logs, &found);
    if (!status) /* who is refused leaves an empty file */
        status = written(archive_write_head(&export->writer, true));
    while (!status && found) {
        status = export_log(export, &logs.row);
        if (!status)
            status = logs_next(&logs, &found);
    }
    logs_finish(&logs);
    return status;
}

/* ---- without ----------------------------------------------------------------------------------------------------- */

static struct bytes text_of(struct bytes envelope, const char *key, struct ot_json **owned)
{
    struct bytes text = { "", 0 };

    return span_text(span_of_member(envelope, key), owned, &text) ? text : bytes_of("", 0);
}

/* The content goes from one line into the other as it is. */
static int write_document(struct export *export, struct store_name name, struct bytes envelope)
{
    struct ot_json *owned[3] = { NULL, NULL, NULL };
    struct archive_document document = { .name = name,
                                         .type = text_of(envelope, "type", &owned[0]),
                                         .data = span_of_member(envelope, "data") };
    int r = 0;

    if (!span_number(span_of_member(envelope, "version"), &document.version) || !document.data.at ||
        time_parse(text_of(envelope, "created", &owned[1]), &document.created_ms) ||
        time_parse(text_of(envelope, "modified", &owned[2]), &document.modified_ms))
        r = -EPROTO;
    if (!r)
        r = archive_write_document(&export->writer, &document);
    for (size_t i = 0; i < 3; i++)
        ot_json_unref(owned[i]);
    return r == -EPROTO ? cli_say(CLI_FAILED, "the server's answer is not understood") : written(r);
}

static int on_document(void *arg, const char *collection, const json_t *listed)
{
    struct export *export = arg;
    const json_t *id = json_object_get(listed, "id");
    struct store_name name = { bytes_of_string(collection), bytes_of(json_string_value(id), json_string_length(id)) };
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "GET");
    name_target(name, "", &exchange);
    exchange_header(&exchange, "accept", "application/vnd.pilcrow.snapshot+json");
    status = cli_perform(export->cli, &exchange);
    if (!status && exchange.status != 404) /* deleted since it was listed */
        status = cli_judge(export->cli, &exchange);
    if (!status && exchange.status == 200)
        status = write_document(export, name, buffer_bytes(&exchange.answer));
    if (status == CLI_DAMAGED) {
        export->n_damaged++;
        status = cli_say(CLI_OK, "%s/%.*s is left out", collection, (int)name.id.n_bytes, (const char *)name.id.at);
    }
    exchange_finish(&exchange);
    show(export);
    return status;
}

static int export_documents(struct export *export, struct bytes collection)
{
    json_t *collections = NULL;
    int status = written(archive_write_head(&export->writer, false));

    if (status)
        return status;
    if (collection.n_bytes)
        return list_documents(export->cli, collection, bytes_of("", 0), on_document, export);
    status = list_collections(export->cli, &collections);
    for (size_t i = 0; !status && i < json_array_size(collections); i++) {
        const json_t *name = json_object_get(json_array_get(collections, i), "collection");

        status = list_documents(export->cli, bytes_of(json_string_value(name), json_string_length(name)),
                                bytes_of("", 0), on_document, export);
    }
    json_decref(collections);
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int run(struct cli *cli, int n_words, char **words)
{
    struct export export = { .cli = cli };
    bool has_history = !cli->options[OPTION_NO_HISTORY];
    struct bytes collection = bytes_of_string(n_words ? words[0] : "");
    int status;

    if (n_words > 1)
        return cli_usage(&command_export);
    archive_writer_init(&export.writer, stdout);
    progress_begin(&export.progress, has_history ? "operations" : "documents");
    export.progress.is_shown = export.progress.is_shown && !isatty(STDOUT_FILENO);
    status = has_history ? export_logs(&export, collection) : export_documents(&export, collection);
    progress_end(&export.progress);
    if (!status)
        status = written(archive_write_end(&export.writer));
    archive_writer_finish(&export.writer);
    return status ? status : export.n_damaged ? CLI_DAMAGED : CLI_OK;
}

const struct command command_export = {
    "export",
    "[COLLECTION]",
    "everything as lines of JSON, with history",
    "    pilcrow export >all.ndjson\n"
    "    pilcrow export notes --no-history | jq .id\n"
    "    pilcrow --data pilcrow-data export | gzip >all.ndjson.gz\n\n"
    "All documents and their histories, deleted ones too, as lines of JSON on standard output; `import` reads them. "
    "People\n"
    "may go on writing: each document is as it was when it was read. With history it needs the right admin.\n",
    ACCESS_READ,
    run,
    OPTIONS(OPTION_NO_HISTORY),
    .group = GROUP_ADMINISTRATION,
};
