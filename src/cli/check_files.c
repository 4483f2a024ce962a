/* The files of a store, looked at from outside: children do it and may die of what they read; here it is counted, and
 * said in the end what is to be done. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/check_inside.h"
#include "cli/progress.h"
#include "cli/ward.h"

#define DEATHS_MAX 10
#define NAMED_MAX  1000 /* damaged documents that are named once more at the end */

struct files {
    struct cli *cli;
    struct progress progress;
    uint64_t n_documents, n_operations, n_damage, n_leftover;
    json_t *damaged; /* names of documents, as keys */
    bool is_general; /* something that is no document's is damaged */

    /* What the child is at. */
    json_t *at;
    uint64_t after;
    bool has_more;
    char failed[512];

    char foreign[512]; /* why nothing can be said of the store */
};

/* ---- findings ---------------------------------------------------------------------------------------------------- */

/* "notes/a, versions 3 to 9, in log: records are missing" */
static void finding_print(const json_t *finding)
{
    const char *document = json_string_value(json_object_get(finding, "document"));
    const char *database = json_string_value(json_object_get(finding, "database"));
    const json_t *log = json_object_get(finding, "log"), *from = json_object_get(finding, "from");
    json_int_t first = json_integer_value(from), to = json_integer_value(json_object_get(finding, "to"));

    if (document)
        (void)printf("%s", document);
    else if (log)
        (void)printf("log %" JSON_INTEGER_FORMAT " (its name is lost)", json_integer_value(log));
    else
        (void)printf("%s", database ? database : "the store");
    if (from && to - first > 1)
        (void)printf(", versions %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT, first, to - 1);
    else if (from)
        (void)printf(", version %" JSON_INTEGER_FORMAT, first);
    if (database && (document || log))
        (void)printf(" (%s)", database);
    (void)printf(": %s\n", json_string_value(json_object_get(finding, "what")));
}

static void finding_take(struct files *files, const json_t *finding)
{
    const char *document = json_string_value(json_object_get(finding, "document"));
    const char *severity = json_string_value(json_object_get(finding, "severity"));
    bool is_damage = severity && strcmp(severity, "damage") == 0;

    progress_end(&files->progress);
    files->n_damage += is_damage;
    files->n_leftover += !is_damage;
    if (is_damage && !document)
        files->is_general = true;
    if (is_damage && document && json_object_size(files->damaged) < NAMED_MAX)
        (void)json_object_set_new(files->damaged, document, json_true());
    if (files->cli->json) {
        (void)json_dumpf(finding, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else if (is_damage) {
        finding_print(finding);
    }
    (void)fflush(stdout);
    progress_begin(&files->progress, "checking");
}

/* What a child has died of is found here. */
static void finding_make(struct files *files, const char *what)
{
    json_t *finding = json_pack("{s:s}", "severity", "damage");

    if (files->at) {
        (void)json_object_set(finding, "document", json_object_get(files->at, "document"));
        (void)json_object_set(finding, "log", json_object_get(files->at, "log"));
    }
    (void)json_object_set_new(finding, "what", json_string(what));
    finding_take(files, finding);
    json_decref(finding);
}

static void on_line(void *arg, const json_t *line)
{
    struct files *files = arg;
    json_t *finding = json_object_get(line, "finding"), *at = json_object_get(line, "at");
    const char *failed = json_string_value(json_object_get(line, "failed"));

    if (finding)
        finding_take(files, finding);
    if (at) {
        json_decref(files->at);
        files->at = json_incref(at);
        files->after = (uint64_t)json_integer_value(json_object_get(at, "log"));
        files->n_documents++;
    }
    files->n_operations += (uint64_t)json_integer_value(json_object_get(line, "played"));
    if (json_object_get(line, "foreign"))
        (void)snprintf(files->foreign, sizeof(files->foreign), "%s",
                       json_string_value(json_object_get(line, "foreign")));
    if (json_object_get(line, "more"))
        files->has_more = true;
    if (failed)
        (void)snprintf(files->failed, sizeof(files->failed), "%s", failed);
    if (json_object_get(line, "step"))
        progress_show(&files->progress, (uint64_t)json_integer_value(json_object_get(line, "done")),
                      (uint64_t)json_integer_value(json_object_get(line, "total")));
    else
        progress_show(&files->progress, files->n_documents, 0);
}

/* ---- children ---------------------------------------------------------------------------------------------------- */

static int look(void *arg, FILE *to)
{
    return check_look(((struct files *)arg)->cli->data, to);
}

static int play(void *arg, FILE *to)
{
    struct files *files = arg;

    return check_play(files->cli->data, files->after, to);
}

/* 0: it came to its end. */
static int ward_judge(struct files *files, int (*work)(void *arg, FILE *to), const char *name)
{
    const struct ward ward = { work, on_line, files };
    char what[640];
    int how = 0;
    enum ward_end end;

    files->failed[0] = 0;
    end = ward_run(&ward, &how);
    if (end == WARD_ENDED && !files->failed[0])
        return 0;
    if (end == WARD_DIED)
        (void)snprintf(what, sizeof(what), "%s ended with %s: a page that it needs is damaged", name,
                       ward_signal_name(how));
    else if (end == WARD_HUNG)
        (void)snprintf(what, sizeof(what),
                       "%s did not come to an end within %d s: pages lead in a circle, or the disk hangs", name,
                       WARD_SILENCE_SECONDS);
    else if (files->failed[0])
        (void)snprintf(what, sizeof(what), "%s", files->failed);
    else
        (void)snprintf(what, sizeof(what), "%s failed: %s", name, how < 0 ? strerror(-how) : "out of memory?");
    finding_make(files, what);
    return -1;
}

/* Each child begins behind the document that the one before it was at, so it ends. */
static void play_all(struct files *files)
{
    unsigned n_deaths = 0; /* one behind the other, at the first document of each */
    uint64_t before;
    int r;

    do {
        uint64_t n_before = files->n_documents;

        before = files->after;
        files->has_more = false;
        json_decref(files->at);
        files->at = NULL;
        r = ward_judge(files, play, "reading it");
        n_deaths = r && files->n_documents <= n_before + 1 ? n_deaths + 1 : 0;
    } while ((files->has_more || r) && files->after > before && n_deaths < DEATHS_MAX);
    json_decref(files->at);
    files->at = NULL;
    if (n_deaths == DEATHS_MAX)
        finding_make(files,
                     "reading ended so often that the documents behind were not played: what all need is damaged");
}

/* ---- what is to be done ------------------------------------------------------------------------------------------ */

static void advise(const struct files *files)
{
    const char *data = files->cli->data, *name;
    json_t *value;

    if (!files->n_damage) {
        (void)printf("Nothing is damaged.\n");
        return;
    }
    if (!files->is_general) {
        (void)printf("\nDamaged documents: %zu. All others are sound, and it is safe to go on serving them.\n",
                     json_object_size(files->damaged));
    } else {
        (void)printf("\nThe store itself is damaged: do not start a server on it, the next writes may do more harm.\n");
        if (json_object_size(files->damaged))
            (void)printf("Documents that are known to be damaged: %zu.\n", json_object_size(files->damaged));
    }
    json_object_foreach(files->damaged, name, value)(void) printf("    %s\n", name);
    (void)printf(
        "What to do:\n"
        "  1. Keep %s as it is: stop the server, and copy the folder to another disk before anything else.\n"
        "  2. If there is a backup: pilcrow --data BACKUP check; then put it in the place of the store, or take\n"
        "     the damaged documents out of it (pilcrow --data BACKUP cat DOC).\n"
        "  3. pilcrow --data %s check --salvage saved.ndjson   writes what is still readable, newest work\n"
        "     too; pilcrow --data NEW import saved.ndjson   makes a store of it.\n"
        "  4. Something damaged it: look at the disk (dmesg, smartctl -a) and at the memory (memtest86+).\n",
        data, data);
}

static void summarise(const struct files *files)
{
    json_t *names = json_array(), *value;
    const char *name;

    if (!files->cli->json) {
        if (files->n_documents || !files->n_damage)
            (void)printf("%" PRIu64 " documents, %" PRIu64 " operations, %zu damaged\n", files->n_documents,
                         files->n_operations, json_object_size(files->damaged));
        else
            (void)printf("no document could be played again\n");
        if (files->n_leftover)
            (void)printf("%" PRIu64 " harmless leftovers: room, no more (--json names them)\n", files->n_leftover);
        advise(files);
        json_decref(names);
        return;
    }
    json_object_foreach(files->damaged, name, value)(void) json_array_append_new(names, json_string(name));
    value = json_pack("{s:I,s:I,s:I,s:I,s:I,s:b,s:o}", "documents", (json_int_t)files->n_documents, "operations",
                      (json_int_t)files->n_operations, "damaged", (json_int_t)json_object_size(files->damaged),
                      "findings", (json_int_t)files->n_damage, "leftovers", (json_int_t)files->n_leftover, "store",
                      files->is_general, "documents_damaged", names);
    (void)json_dumpf(value, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(value);
}

int check_is_there(const struct cli *cli)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/data.mdb", cli->data);
    if (access(path, R_OK) == 0)
        return CLI_OK;
    return errno == ENOENT ? cli_say(CLI_FAILED, "there is no store in %s", cli->data)
                           : cli_say(CLI_FAILED, "%s: %s", path, strerror(errno));
}

int check_files(struct cli *cli)
{
    struct files files = { .cli = cli, .damaged = json_object() };
    int status = check_is_there(cli);

    if (!status && files.damaged) {
        progress_begin(&files.progress, "checking");
        (void)ward_judge(&files, look, "looking at the pages");
        if (!files.foreign[0])
            play_all(&files);
        progress_end(&files.progress);
        if (files.foreign[0]) {
            status = cli_say(CLI_FAILED, "%s", files.foreign);
        } else {
            summarise(&files);
            status = files.n_damage ? CLI_DAMAGED : CLI_OK;
        }
    }
    json_decref(files.at);
    json_decref(files.damaged);
    return status;
}
