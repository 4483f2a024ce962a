#include "cli/incremental.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/import.h"
#include "cli/logs.h"
#include "cli/ops.h"
#include "cli/progress.h"

#define NAMES_BYTES 256

/* What DEST has, one log after the other. */
struct kept_logs {
    struct intake *intake;
    bool is_found;
    char names[NAMES_BYTES];
    struct store_name name;
    struct store_info info;
};

struct catching_up {
    struct cli *cli;
    struct intake *intake;
    struct progress progress;
    uint64_t n_kept, n_shared;
    uint64_t n_operations, n_new, n_continued, n_replaced, n_removed, n_same, n_different;

    /* The log at hand. */
    struct store_name name;
    uint64_t head; /* of DEST */
    struct record last;
};

typedef int visit_fn(struct catching_up *up, const struct log_row *source, const struct kept_logs *kept);

/* ---- both listings ----------------------------------------------------------------------------------------------- */

static int on_entry(void *arg, const struct store_entry *entry)
{
    struct kept_logs *kept = arg;

    memcpy(kept->names, entry->collection.at, entry->collection.n_bytes);
    memcpy(kept->names + entry->collection.n_bytes, entry->id.at, entry->id.n_bytes);
    kept->name = (struct store_name){ bytes_of(kept->names, entry->collection.n_bytes),
                                      bytes_of(kept->names + entry->collection.n_bytes, entry->id.n_bytes) };
    kept->info = entry->info;
    kept->info.state.type = bytes_of("", 0);
    kept->is_found = true;
    return 0;
}

static int kept_next(struct kept_logs *kept)
{
    char names[NAMES_BYTES];
    struct store_list_query query = { .limit = 1, .deleted = true, .all = true };
    bool more;
    int r;

    memcpy(names, kept->names, sizeof(names));
    query.collection = bytes_of(names, kept->name.collection.n_bytes);
    query.after = bytes_of(names + query.collection.n_bytes, kept->name.id.n_bytes);
    kept->is_found = false;
    r = intake_list(kept->intake, &query, on_entry, kept, &more);
    return r ? import_trouble(r) : CLI_OK;
}

/* Every name that one of the two has. */
static int walk(struct catching_up *up, visit_fn *visit)
{
    struct kept_logs kept = { .intake = up->intake };
    struct logs source;
    bool found = false;
    int status;

    logs_init(&source, up->cli, bytes_of("", 0));
    status = logs_next(&source, &found);
    if (!status)
        status = kept_next(&kept);
    while (!status && (found || kept.is_found)) {
        int order = !found ? 1 : !kept.is_found ? -1 : name_compare(source.row.name, kept.name);

        status = visit(up, order <= 0 ? &source.row : NULL, order >= 0 ? &kept : NULL);
        if (!status && order <= 0)
            status = logs_next(&source, &found);
        if (!status && order >= 0)
            status = kept_next(&kept);
    }
    logs_finish(&source);
    return status;
}

static int count(struct catching_up *up, const struct log_row *source, const struct kept_logs *kept)
{
    up->n_kept += kept != NULL;
    up->n_shared += kept && source;
    return CLI_OK;
}

/* ---- one log ----------------------------------------------------------------------------------------------------- */

#define LEFT_ALONE (CLI_DAMAGED + 1) /* within this file: said and counted; on with the next */

static int leave(struct catching_up *up, const char *why)
{
    (void)cli_say(0, "%.*s/%.*s is left as it is: %s", (int)up->name.collection.n_bytes,
                  (const char *)up->name.collection.at, (int)up->name.id.n_bytes, (const char *)up->name.id.at, why);
    up->n_different++;
    return LEFT_ALONE;
}

static bool is_same(const struct record *a, const struct record *b)
{
    return a->id.seq == b->id.seq && a->time_ms == b->time_ms && bytes_equal(a->id.src, b->id.src) &&
           bytes_equal(a->body, b->body);
}

/* The record in front of DEST's head proves that both have one history. */
static int on_record(void *arg, uint64_t version, const struct record *record)
{
    struct catching_up *up = arg;
    int r;

    if (version < up->head) {
        if (record->n_merged)
            return leave(up, "the source has merged what came next; make a new backup");
        return is_same(&up->last, record) ? CLI_OK : leave(up, "the source has another history");
    }
    progress_show(&up->progress, ++up->n_operations, 0);
    r = intake_record(up->intake, version, record);
    return r > 0 ? leave(up, intake_why(up->intake)) : r ? import_trouble(r) : CLI_OK;
}

static int gone(struct catching_up *up, int status)
{
    return status == OPS_GONE ? leave(up, "the source has purged or merged what came next") : status;
}

/* All that the source has, into a log that holds nothing. */
static int bring(struct catching_up *up, const struct log_row *source)
{
    uint64_t at;
    int r = intake_from(up->intake, source->first);

    if (r)
        return r > 0 ? leave(up, intake_why(up->intake)) : import_trouble(r);
    up->head = source->first;
    return gone(up, ops_read(up->cli, source->name, source->first, source->version, on_record, up, &at));
}

static int go_on(struct catching_up *up, const struct log_row *source)
{
    bool found;
    uint64_t at;
    int r = intake_load(up->intake), status = OPS_GONE;

    if (!r)
        r = intake_last(up->intake, &up->last, &found);
    if (r)
        return import_trouble(r);
    if (found)
        status = ops_read(up->cli, source->name, up->head - 1, source->version, on_record, up, &at);
    if (status == OPS_GONE) /* merged, perhaps, up to just there */
        status = ops_read(up->cli, source->name, up->head, source->version, on_record, up, &at);
    return gone(up, status);
}

static int bring_new(struct catching_up *up, const struct log_row *source)
{
    int status = bring(up, source);

    up->n_new += status == CLI_OK;
    return status;
}

static int forget(struct catching_up *up)
{
    int r = intake_remove(up->intake);

    return r ? import_trouble(r) : CLI_OK;
}

static int replace(struct catching_up *up, const struct log_row *source)
{
    int status = forget(up);

    if (!status)
        status = bring(up, source);
    up->n_replaced += status == CLI_OK;
    return status;
}

static int update(struct catching_up *up, const struct log_row *source, const struct store_info *kept)
{
    int status;

    if (source->first > kept->first && source->first >= kept->head)
        return replace(up, source); /* purged, and begun anew */
    if (source->first != kept->first || source->version < kept->head)
        return leave(up, "it is ahead of the source, which must be an older copy");
    if (source->version == kept->head && source->modified_ms == kept->modified_ms) {
        up->n_same++;
        return CLI_OK;
    }
    status = go_on(up, source);
    up->n_continued += status == CLI_OK && intake_n_new(up->intake) > 0;
    return status;
}

static int visit(struct catching_up *up, const struct log_row *source, const struct kept_logs *kept)
{
    struct store_info info;
    int r, status;

    up->name = source ? source->name : kept->name;
    if (source && kept && source->first == kept->info.first && source->version == kept->info.head &&
        source->modified_ms == kept->info.modified_ms) {
        up->n_same++;
        return CLI_OK;
    }
    r = intake_begin(up->intake, up->name, &info);
    if (r)
        return import_trouble(r);
    up->head = info.head;
    if (!source) {
        status = forget(up);
        up->n_removed += status == CLI_OK;
    } else {
        status = kept ? update(up, source, &info) : bring_new(up, source);
    }
    r = intake_end(up->intake);
    if (r && (!status || status == LEFT_ALONE))
        return import_trouble(r);
    return status == LEFT_ALONE ? CLI_OK : status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static void print_counts(const struct catching_up *up)
{
    if (up->cli->json)
        (void)printf("{\"operations\":%" PRIu64 ",\"new\":%" PRIu64 ",\"continued\":%" PRIu64 ",\"replaced\":%" PRIu64
                     ",\"removed\":%" PRIu64 ",\"same\":%" PRIu64 ",\"different\":%" PRIu64 "}\n",
                     up->n_operations, up->n_new, up->n_continued, up->n_replaced, up->n_removed, up->n_same,
                     up->n_different);
    else
        (void)printf("%s%" PRIu64 " operations; documents: %" PRIu64 " new, %" PRIu64 " continued, %" PRIu64
                     " replaced, %" PRIu64 " removed, %" PRIu64 " the same, %" PRIu64 " left as they are\n",
                     up->cli->options[OPTION_DRY_RUN] ? "would bring " : "", up->n_operations, up->n_new,
                     up->n_continued, up->n_replaced, up->n_removed, up->n_same, up->n_different);
}

static int report(const struct catching_up *up)
{
    print_counts(up);
    if (up->n_removed && !up->cli->json && isatty(STDOUT_FILENO))
        (void)printf("Free pages may still hold pieces of what was removed: pilcrow --data DEST compact\n");
    return up->n_different ? CLI_CONFLICT : CLI_OK;
}

/* LMDB can't have a file open twice in one process. */
static bool is_one_store(const char *a, const char *b)
{
    char path[PATH_MAX];
    struct stat first, second;

    (void)snprintf(path, sizeof(path), "%s/data.mdb", a);
    if (stat(path, &first))
        return false;
    (void)snprintf(path, sizeof(path), "%s/data.mdb", b);
    return stat(path, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static int catch_up(struct catching_up *up, const char *directory)
{
    int status = walk(up, count), verdict;

    if (status)
        return status;
    if (up->n_kept && !up->n_shared)
        return cli_say(CLI_CONFLICT, "%s has none of the documents that are in the source: it is no backup of it",
                       directory);
    progress_begin(&up->progress, "operations");
    status = walk(up, visit);
    progress_end(&up->progress);
    verdict = report(up);
    return status ? status : verdict;
}

int backup_incremental(struct cli *cli, const char *directory)
{
    struct catching_up up = { .cli = cli };
    char why[512] = "out of memory";
    int r, status;

    if (!is_one_store(directory, directory))
        return cli_say(CLI_NOT_FOUND, "%s holds no store; make a whole backup first, without --incremental", directory);
    if (cli->data && is_one_store(cli->data, directory))
        return cli_say(CLI_USAGE, "%s is the store itself", directory);
    r = intake_open(directory, !cli->options[OPTION_DRY_RUN], &up.intake, why, sizeof(why));
    if (r)
        return cli_say(r == -EBUSY ? CLI_UNAVAILABLE : r == -EBADMSG ? CLI_DAMAGED : CLI_FAILED, "%s", why);
    status = catch_up(&up, directory);
    intake_close(up.intake);
    return status;
}
