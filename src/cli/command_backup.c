/* A copy of the whole store in a directory, which is a data directory from then on.
 *
 *     DEST/new.mdb   written, synced, looked at, and then renamed: DEST/data.mdb is whole, or not there
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/incremental.h"
#include "cli/progress.h"
#include "cli/save.h"
#include "cli/shown.h"
#include "storage/lmdb/directory.h"
#include "storage/lmdb/store_lmdb.h"

struct copy {
    struct progress progress;
    uint64_t n_total; /* about; 0: not known */
    struct save save;
    int r; /* why no more was taken */
};

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static int on_piece(void *arg, struct bytes piece)
{
    struct copy *copy = arg;

    copy->r = save_write(&copy->save, piece);
    progress_show(&copy->progress, copy->save.n_bytes, copy->n_total);
    return copy->r;
}

/* How large it will be about, where the server says so; it is only for the eye. */
static uint64_t ask_total(struct cli *cli)
{
    struct exchange exchange;
    char why[256];
    uint64_t n_bytes = 0;

    exchange_init(&exchange, "GET");
    (void)buffer_append_string(&exchange.target, "/v1/store");
    if (cli->transport->perform(cli->transport, &exchange, why, sizeof(why)) == 0 && exchange.status == 200) {
        json_t *sizes = json_loadb(exchange.answer.at, exchange.answer.n_bytes, 0, NULL);

        n_bytes = (uint64_t)json_integer_value(json_object_get(sizes, "file_bytes"));
        json_decref(sizes);
    }
    exchange_finish(&exchange);
    return n_bytes;
}

/* Returns an exit status, and has said why if it isn't CLI_OK. name: what is written to. */
static int receive(struct cli *cli, struct copy *copy, const char *name)
{
    struct exchange exchange;
    char why[512] = "out of memory";
    int r, status;

    progress_begin(&copy->progress, "copying");
    if (copy->progress.is_shown)
        copy->n_total = ask_total(cli);
    exchange_init(&exchange, "GET");
    (void)buffer_append_string(&exchange.target, "/v1/backup");
    exchange.sink = on_piece;
    exchange.sink_arg = copy;
    r = cli->transport->perform(cli->transport, &exchange, why, sizeof(why));
    progress_end(&copy->progress);
    if (copy->r)
        status = cli_say(CLI_FAILED, "%s: %s", name, strerror(-copy->r));
    else if (r)
        status = cli_say(CLI_UNAVAILABLE, "%s; nothing was kept", why);
    else
        status = cli_judge(cli, &exchange);
    exchange_finish(&exchange);
    return status;
}

/* ---- to a directory ---------------------------------------------------------------------------------------------- */

/* Leavings of a backup or a start that was interrupted are nothing. */
static bool is_something(const char *name)
{
    static const char *const nothing[] = { ".", "..", "new.mdb", "new.mdb-lock", "lock.mdb", "writer.lock" };

    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        if (strcmp(name, nothing[i]) == 0)
            return false;
    return true;
}

static int directory_check(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    int status = CLI_OK;

    if (!directory)
        return cli_say(CLI_FAILED, "%s: %s", path, strerror(errno));
    while (status == CLI_OK && (entry = readdir(directory)))
        if (is_something(entry->d_name))
            status =
                strcmp(entry->d_name, "data.mdb") == 0
                    ? cli_say(
                          CLI_CONFLICT,
                          "%s holds a store already; name another directory, or bring it up to date with --incremental",
                          path)
                    : cli_say(CLI_CONFLICT, "%s is not empty; name another directory", path);
    (void)closedir(directory);
    return status;
}

/* Writes, syncs, looks. */
static int copy_make(struct cli *cli, const char *path, struct copy *copy)
{
    char why[512] = "";
    int r = save_open(path, &copy->save), status;

    if (r)
        return cli_say(CLI_FAILED, "%s: %s", path, strerror(-r));
    status = receive(cli, copy, path);
    r = save_finish(&copy->save);
    if (!status && r)
        status = cli_say(CLI_FAILED, "%s: %s", path, strerror(-r));
    if (!status && store_lmdb_check_file(path, why, sizeof(why)))
        status = cli_say(CLI_DAMAGED, "what was copied is no store: %s", why);
    return status;
}

static int copy_place(const char *directory, const char *fresh, const char *path)
{
    int r = rename(fresh, path) ? -errno : directory_sync(directory);

    return r ? cli_say(CLI_FAILED, "%s: %s", path, strerror(-r)) : CLI_OK;
}

static void report(const struct cli *cli, const char *directory, uint64_t n_bytes)
{
    char size[SHOWN_SIZE_BYTES];

    if (!cli->json && isatty(STDOUT_FILENO))
        (void)printf("%s holds the whole store now, %s. Look whether it is sound: pilcrow --data %s check\n", directory,
                     shown_size(n_bytes, size), directory);
    else
        (void)printf(cli->json ? "{\"bytes\":%llu}\n" : "%llu bytes\n", (unsigned long long)n_bytes);
}

static int backup_whole(struct cli *cli, const char *directory)
{
    char fresh[PATH_MAX], path[PATH_MAX];
    bool is_new = access(directory, F_OK) != 0;
    struct copy copy = { 0 };
    int r = directory_create(directory), status;

    if (!r)
        r = directory_path(fresh, directory, "new.mdb");
    if (!r)
        r = directory_path(path, directory, "data.mdb");
    if (r)
        return cli_say(CLI_FAILED, "%s: %s", directory, strerror(-r));
    status = directory_check(directory);
    if (status)
        return status;
    status = copy_make(cli, fresh, &copy);
    if (!status)
        status = copy_place(directory, fresh, path);
    if (status) {
        (void)unlink(fresh);
        if (is_new)
            (void)rmdir(directory);
    } else {
        report(cli, directory, copy.save.n_bytes);
    }
    return status;
}

/* ---- to standard output ------------------------------------------------------------------------------------------ */

static int backup_stream(struct cli *cli)
{
    struct copy copy = { .save = { .fd = STDOUT_FILENO } };

    if (isatty(STDOUT_FILENO))
        return cli_say(CLI_USAGE, "a copy is nothing for a terminal; send it somewhere");
    return receive(cli, &copy, "standard output");
}

static int run(struct cli *cli, int n_words, char **words)
{
    if (n_words != 1)
        return cli_usage(&command_backup);
    if (cli->options[OPTION_INCREMENTAL])
        return backup_incremental(cli, words[0]);
    if (cli->options[OPTION_DRY_RUN])
        return cli_say(CLI_USAGE, "--dry-run goes with --incremental");
    return strcmp(words[0], "-") == 0 ? backup_stream(cli) : backup_whole(cli, words[0]);
}

const struct command command_backup = {
    "backup",
    "DEST|-",
    "a copy of the whole store, while everybody works",
    "    pilcrow backup /backups/monday\n"
    "    pilcrow --data pilcrow-data backup /backups/monday\n"
    "    pilcrow backup - | zstd >monday.mdb.zst\n"
    "    pilcrow backup /backups/monday --incremental\n\n"
    "DEST is created, or is empty, and is a data directory afterwards: pilcrowd --data DEST, pilcrow --data DEST "
    "check.\n"
    "The copy is the store as it was at one moment of the backup. Over HTTP it wants a token with the right admin. "
    "One\n"
    "that is interrupted leaves no data.mdb. - writes the bytes of data.mdb to standard output.\n\n"
    "--incremental fetches only what DEST, an older backup, does not have, and forgets in it what was purged. What "
    "can't\n"
    "be brought up to date is left as it is and named (exit status 4). Interrupted, it is completed by the next.\n",
    ACCESS_READ,
    run,
    OPTIONS(OPTION_INCREMENTAL, OPTION_DRY_RUN),
    .group = GROUP_ADMINISTRATION,
};
