/* What is readable of a damaged store, as an export that `import` takes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/archive.h"
#include "cli/check_inside.h"
#include "cli/intake.h"
#include "cli/progress.h"
#include "cli/ward.h"
#include "doc/kept.h"

#define NAME_BYTES_MOST 128
#define LOST_COLLECTION "salvaged" /* of those whose names are lost */

struct rescue {
    FILE *to;
    struct archive_writer writer;
    const struct ot_type *type; /* of the document, as far as it has been looked at */
    uint64_t n_looked;          /* records of the log at hand */
    char id[NAME_BYTES_MOST];
};

static struct store_name name_of(struct rescue *rescue, const struct verify_log *log)
{
    if (log->name.id.n_bytes)
        return log->name;
    return (struct store_name){ bytes_of_string(LOST_COLLECTION),
                                bytes_of(rescue->id, (size_t)snprintf(rescue->id, sizeof(rescue->id), "log-%" PRIu64,
                                                                      log->number)) };
}

static void say(struct rescue *rescue, struct store_name name, const char *what, uint64_t reached, uint64_t head)
{
    struct verify_finding finding = { .severity = VERIFY_DAMAGE, .name = name, .what = what };
    json_t *line = check_finding(&finding);

    (void)json_object_set_new(line, "reached", json_integer((json_int_t)reached));
    (void)json_object_set_new(line, "head", json_integer((json_int_t)head));
    check_send(rescue->to, json_pack("{s:o}", "cut", line));
}

/* Type and existence follow from what the records do. */
static int on_look(void *arg, const struct verify_log *log, uint64_t version, const struct record *record)
{
    struct rescue *rescue = arg;
    struct step step = { .kind = STEP_NOTHING };
    enum step_kind kind = step_kind_of(record->body);
    int r;

    if (version == log->info.first) {
        rescue->type = NULL;
        rescue->n_looked = 0;
    }
    rescue->n_looked++;
    if (kind == STEP_DELETE)
        rescue->type = NULL;
    if (kind != STEP_CREATE)
        return 0;
    r = step_parse(record->body, NULL, &intake_limits, &step);
    rescue->type = r ? NULL : step.type;
    step_finish(&step);
    return r == -ENOMEM ? r : 0;
}

static int on_log(void *arg, const struct verify_log *log, uint64_t reached, const char *why)
{
    struct rescue *rescue = arg;
    struct archive_log line = { .name = name_of(rescue, log),
                                .first = log->info.first,
                                .version = reached,
                                .exists = rescue->type != NULL,
                                .type =
                                    rescue->type ? bytes_of_string(ot_type_name(rescue->type)) : bytes_of(NULL, 0) };

    check_send(rescue->to,
               json_pack("{s:s,s:I,s:I}", "step", "saving", "done", (json_int_t)log->number, "total", (json_int_t)0));
    if (why)
        say(rescue, line.name, why, reached, log->info.head);
    return reached > log->info.first ? archive_write_log(&rescue->writer, &line) : 0;
}

static int on_record(void *arg, uint64_t version, const struct record *record)
{
    struct rescue *rescue = arg;

    return archive_write_record(&rescue->writer, version, record);
}

/* Its id with the version behind it, in whole characters. */
static size_t salvaged_id(struct bytes id, uint64_t version, char out[NAME_BYTES_MOST])
{
    char suffix[32];
    size_t n_suffix = (size_t)snprintf(suffix, sizeof(suffix), ".salvaged-%" PRIu64, version), n = id.n_bytes;

    while (n + n_suffix > NAME_BYTES_MOST || (n < id.n_bytes && (((const char *)id.at)[n] & 0xc0) == 0x80))
        n--;
    memcpy(out, id.at, n);
    memcpy(out + n, suffix, n_suffix);
    return n + n_suffix;
}

/* Beside the document that was cut off. One that can't be understood, or was deleted then, is none. */
static int on_snapshot(void *arg, const struct verify_log *log, uint64_t version, struct bytes snapshot)
{
    struct rescue *rescue = arg;
    struct store_name name = name_of(rescue, log);
    struct archive_document document = { .version = version };
    const char *at = snapshot.at, *content;
    struct past past = { 0 };
    char id[NAME_BYTES_MOST];
    int r = kept_read(snapshot, &intake_limits, &past);

    if (!r && past.type) {
        content = (const char *)memchr(at, '\n', snapshot.n_bytes) + 1; /* as it is, byte for byte */
        document.name = (struct store_name){ name.collection, bytes_of(id, salvaged_id(name.id, version, id)) };
        document.type = bytes_of_string(ot_type_name(past.type));
        document.data = bytes_of(content, snapshot.n_bytes - (size_t)(content - at));
        document.created_ms = past.created_ms ? past.created_ms : log->info.created_ms;
        document.modified_ms = past.modified_ms ? past.modified_ms : log->info.modified_ms;
        say(rescue, document.name, "the content at that version is saved as a document of its own", version, version);
        r = archive_write_document(&rescue->writer, &document);
    }
    past_finish(&past);
    return r == -EBADMSG ? 0 : r;
}

struct errand {
    struct cli *cli;
    FILE *file;
    struct progress progress;
    json_t *cut, *counts;
    bool is_general; /* what leads to documents is damaged */
    char failed[512];
};

static void on_progress(void *arg, const char *what, uint64_t n_done, uint64_t n_total)
{
    check_send(arg, json_pack("{s:s,s:I,s:I}", "step", what, "done", (json_int_t)n_done, "total", (json_int_t)n_total));
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
    if (finding->severity == VERIFY_DAMAGE && !finding->name.id.n_bytes)
        check_send(arg, json_pack("{s:b}", "general", true));
}

static int rescue_run(void *arg, FILE *to)
{
    const struct errand *errand = arg;
    struct rescue rescue = { .to = to };
    const struct salvage salvage = { on_look, on_log, on_record, on_snapshot, &rescue };
    const struct verify_config config = { errand->cli->data, on_finding, on_progress, to };
    char why[512] = "";
    int r;

    archive_writer_init(&rescue.writer, errand->file);
    r = archive_write_head(&rescue.writer, true);
    if (!r)
        r = verify_salvage(&config, &salvage, why, sizeof(why));
    if (!r)
        r = archive_write_end(&rescue.writer);
    if (!r && fflush(errand->file))
        r = -errno;
    if (r)
        check_send(to, json_pack("{s:s}", "failed", why[0] ? why : strerror(-r)));
    check_send(to, json_pack("{s:I,s:I,s:I}", "logs", (json_int_t)rescue.writer.counts.n_logs, "records",
                             (json_int_t)rescue.writer.counts.n_records, "documents",
                             (json_int_t)rescue.writer.counts.n_documents));
    return 0;
}

/* ---- outside ----------------------------------------------------------------------------------------------------- */

static void on_line(void *arg, const json_t *line)
{
    struct errand *errand = arg;
    const char *failed = json_string_value(json_object_get(line, "failed"));
    json_t *cut = json_object_get(line, "cut");

    if (failed)
        (void)snprintf(errand->failed, sizeof(errand->failed), "%s", failed);
    if (cut)
        (void)json_array_append(errand->cut, cut);
    errand->is_general |= json_object_get(line, "general") != NULL;
    if (json_object_get(line, "logs"))
        errand->counts = json_deep_copy(line);
    progress_show(&errand->progress, (uint64_t)json_integer_value(json_object_get(line, "done")),
                  (uint64_t)json_integer_value(json_object_get(line, "total")));
}

/* On standard error: standard output may be the export. */
static void errand_say(const struct errand *errand)
{
    size_t i;
    json_t *cut;

    if (errand->cli->json && errand->file != stdout) {
        json_t *all =
            json_pack("{s:O,s:O,s:b}", "saved", errand->counts, "cut", errand->cut, "store", errand->is_general);

        (void)json_dumpf(all, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(all);
        return;
    }
    json_array_foreach(errand->cut, i, cut)
    {
        const char *name = json_string_value(json_object_get(cut, "document"));

        (void)fprintf(stderr, "%s: %s; saved up to version %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "\n",
                      name ? name : "?", json_string_value(json_object_get(cut, "what")),
                      json_integer_value(json_object_get(cut, "reached")),
                      json_integer_value(json_object_get(cut, "head")));
    }
    if (errand->is_general)
        (void)fprintf(stderr,
                      "what leads to documents is damaged, too (pilcrow check says where): some may be missing, "
                      "or be older than they were\n");
    (void)fprintf(stderr,
                  "saved %" JSON_INTEGER_FORMAT " documents with %" JSON_INTEGER_FORMAT
                  " operations%s. pilcrow --data NEW import takes it\n",
                  json_integer_value(json_object_get(errand->counts, "logs")) +
                      json_integer_value(json_object_get(errand->counts, "documents")),
                  json_integer_value(json_object_get(errand->counts, "records")),
                  json_array_size(errand->cut) || errand->is_general ? "; the lines above say what is missing" : "");
}

static int errand_run(struct errand *errand)
{
    const struct ward ward = { rescue_run, on_line, errand };
    enum ward_end end;
    int how = 0;

    progress_begin(&errand->progress, "saving");
    end = ward_run(&ward, &how);
    progress_end(&errand->progress);
    if (errand->failed[0])
        return cli_say(CLI_FAILED, "%s", errand->failed);
    if (end != WARD_ENDED || !errand->counts)
        return cli_say(CLI_FAILED, "saving ended too early (%s); what was written up to there is sound",
                       end == WARD_DIED ? ward_signal_name(how) : "it failed");
    errand_say(errand);
    return json_array_size(errand->cut) || errand->is_general ? CLI_DAMAGED : CLI_OK;
}

int check_salvage(struct cli *cli, const char *out)
{
    struct errand errand = { .cli = cli, .cut = json_array() };
    bool is_stdout = strcmp(out, "-") == 0;
    int status = check_is_there(cli);

    if (!status)
        errand.file = is_stdout ? stdout : fopen(out, "wxe");
    if (!status && !errand.file)
        status = cli_say(CLI_FAILED, "%s: %s", out, strerror(errno));
    if (!status)
        status = errand_run(&errand);
    if (errand.file && !is_stdout && fclose(errand.file) && !status)
        status = cli_say(CLI_FAILED, "%s: %s", out, strerror(errno));
    json_decref(errand.cut);
    json_decref(errand.counts);
    return status;
}
