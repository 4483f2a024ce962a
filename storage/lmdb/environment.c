#include "storage/lmdb/environment.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/crc32c.h"
#include "storage/lmdb/absence.h"
#include "storage/lmdb/code.h"
#include "storage/lmdb/directory.h"
#include "storage/lmdb/guard.h"
#include "storage/lmdb/trees.h"

#define MAP_BYTES_DEFAULT ((uint64_t)1 << 40)
#define MAP_BYTES_LEAST   ((uint64_t)1 << 20)
#define FORMAT_MAGIC      "pilcrow store\n\0"
#define MAGIC_BYTES       16

static const char *const db_names[N_DBS] = {
    [DB_META] = "meta",           [DB_INBOX] = "inbox",   [DB_LOG] = "log",
    [DB_DOCS] = "docs",           [DB_NAMES] = "names",   [DB_SOURCES] = "sources",
    [DB_SNAPSHOTS] = "snapshots", [DB_CHUNKS] = "chunks", [DB_COLLECTIONS] = "collections",
    [DB_REMOVED] = "removed",     [DB_LARGE] = "large",
};

const char *environment_db_name(enum db db)
{
    return db_names[db];
}

int environment_errno(int code)
{
    switch (code) {
    case 0: return 0;
    case MDB_NOTFOUND: return -ENOENT;
    case MDB_MAP_FULL: return -ENOSPC;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID: return -EBADMSG;
    case MDB_READERS_FULL: return -EAGAIN;
    case MDB_TXN_FULL: return -EFBIG;
    default: return code > 0 ? -code : -EIO;
    }
}

/* ---- sealed values ----------------------------------------------------------------------------------------------- */

uint32_t seal_of(enum db db, struct bytes key, struct bytes value)
{
    unsigned char number = (unsigned char)db;
    uint32_t crc = crc32c(0, &number, 1);

    crc = crc32c(crc, key.at, key.n_bytes);
    return crc32c(crc, value.at, value.n_bytes);
}

int unseal(enum db db, struct bytes key, struct bytes sealed, struct bytes *out)
{
    struct bytes value;

    if (sealed.n_bytes < SEAL_BYTES)
        return -EBADMSG;
    value = bytes_of((const char *)sealed.at + SEAL_BYTES, sealed.n_bytes - SEAL_BYTES);
    if (get_le32(sealed.at) != seal_of(db, key, value))
        return -EBADMSG;
    *out = value;
    return 0;
}

int environment_get(const struct environment *environment, MDB_txn *txn, enum db db, struct bytes key,
                    struct bytes *out)
{
    MDB_val k = val_of(key), value;
    int r = environment_errno(mdb_get(txn, environment->dbs[db], &k, &value));

    if (r == -ENOENT)
        return absence_prove(environment, txn, db, key);
    return r ? r : unseal(db, key, bytes_of_val(value), out);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static int refuse(int r, char *why, size_t n_why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, n_why, format, args);
    va_end(args);
    return r;
}

static int data_open(const struct store_lmdb_config *config, const char *path, unsigned flags, MDB_env **out)
{
    uint64_t map_bytes = config->max_bytes ? config->max_bytes : MAP_BYTES_DEFAULT;
    MDB_env *env;
    int r = mdb_env_create(&env);

    if (r)
        return r;
    guard_asserts(env);
    r = mdb_env_set_maxdbs(env, N_DBS);
    if (!r)
        r = mdb_env_set_mapsize(env, map_bytes < MAP_BYTES_LEAST ? MAP_BYTES_LEAST : map_bytes);
    if (!r)
        r = mdb_env_open(env, path, MDB_NOTLS | flags, 0600);
    if (r)
        mdb_env_close(env);
    else
        *out = env;
    return r;
}

static int refuse_data(int code, const char *path, char *why, size_t n_why)
{
    switch (code) {
    case MDB_VERSION_MISMATCH:
        return refuse(STORE_FOREIGN, why, n_why,
                      "%s/data.mdb was written by another version of LMDB; open it with the version that wrote it, or "
                      "choose another directory",
                      path);
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case EINVAL:
        return refuse(STORE_DAMAGED, why, n_why,
                      "the first page of %s/data.mdb can't be read: restore it from a backup, or choose another "
                      "directory if it is not a store",
                      path);
    case ENOENT: return refuse(-ENOENT, why, n_why, "there is no store in %s", path);
    default: return refuse(environment_errno(code), why, n_why, "can't open %s: %s", path, mdb_strerror(code));
    }
}

/* ---- format ------------------------------------------------------------------------------------------------------ */

static int format_check(const struct environment *environment, MDB_txn *txn, const char *path, uint32_t *out, char *why,
                        size_t n_why)
{
    struct bytes record = { 0 };
    uint32_t version;

    if (environment_get(environment, txn, DB_META, bytes_of_string(FORMAT_KEY), &record) ||
        record.n_bytes != MAGIC_BYTES + 4 || memcmp(record.at, FORMAT_MAGIC, MAGIC_BYTES) != 0)
        return refuse(
            STORE_DAMAGED, why, n_why,
            "the format record of %s can't be read: run pilcrow --data %s check, or restore the store from a backup",
            path, path);
    version = get_le32((const char *)record.at + MAGIC_BYTES);
    *out = version;
    if (version == 0 || version > FORMAT_VERSION)
        return refuse(STORE_FOREIGN, why, n_why,
                      "%s has store format %u, this version knows %u: use the version that wrote it, or choose another "
                      "directory",
                      path, version, FORMAT_VERSION);
    if (version > 1 && !environment->has_large)
        return refuse(STORE_DAMAGED, why, n_why, "a database is missing in %s: restore the store from a backup", path);
    return 0;
}

static int format_put(const struct environment *environment, MDB_txn *txn)
{
    char record[SEAL_BYTES + MAGIC_BYTES + 4];
    struct bytes key = bytes_of_string(FORMAT_KEY);
    MDB_val k = val_of(key), value = { sizeof(record), record };

    memcpy(record + SEAL_BYTES, FORMAT_MAGIC, MAGIC_BYTES);
    put_le32(record + SEAL_BYTES + MAGIC_BYTES, FORMAT_VERSION);
    put_le32(record, seal_of(DB_META, key, bytes_of(record + SEAL_BYTES, sizeof(record) - SEAL_BYTES)));
    return mdb_put(txn, environment->dbs[DB_META], &k, &value, 0);
}

static int databases_open(struct environment *environment, MDB_txn *txn, unsigned flags)
{
    int r = mdb_dbi_open(txn, NULL, 0, &environment->main);

    for (size_t i = 0; !r && i < DB_LARGE; i++)
        r = mdb_dbi_open(txn, db_names[i], flags, &environment->dbs[i]);
    if (r)
        return r;
    r = mdb_dbi_open(txn, db_names[DB_LARGE], flags, &environment->dbs[DB_LARGE]);
    environment->has_large = !r;
    return r == MDB_NOTFOUND ? 0 : r;
}

/* A store of a former version gets what it lacks. */
static int format_renew(struct environment *environment, MDB_txn *txn, uint32_t version, const char *path, char *why,
                        size_t n_why)
{
    int code = 0;

    if (version < FORMAT_VERSION) {
        code = databases_open(environment, txn, MDB_CREATE);
        if (!code)
            code = format_put(environment, txn);
    }
    return code ? refuse(environment_errno(code), why, n_why, "can't renew the store in %s: %s", path,
                         mdb_strerror(code))
                : 0;
}

/* Looks whether they are ours. */
static int databases_look(const struct store_lmdb_config *config, struct environment *environment, char *why,
                          size_t n_why)
{
    MDB_txn *txn = NULL;
    uint32_t version = 0;
    int code = mdb_txn_begin(environment->env, NULL, config->mode == STORE_READ_ONLY ? MDB_RDONLY : 0, &txn), r;

    if (!code)
        code = databases_open(environment, txn, 0);
    if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE)
        r = refuse(STORE_FOREIGN, why, n_why,
                   "%s holds an LMDB environment of something else: choose another directory", config->path);
    else if (environment_errno(code) == -EBADMSG)
        r = refuse(
            STORE_DAMAGED, why, n_why,
            "a page of %s/data.mdb that all others are found by can't be read (%s): run pilcrow --data %s check, "
            "or restore it from a backup",
            config->path, mdb_strerror(code), config->path);
    else if (code)
        r = refuse(environment_errno(code), why, n_why, "can't open %s: %s", config->path, mdb_strerror(code));
    else
        r = format_check(environment, txn, config->path, &version, why, n_why);
    if (!r && config->mode != STORE_READ_ONLY)
        r = format_renew(environment, txn, version, config->path, why, n_why);
    if (r) {
        mdb_txn_abort(txn);
        return r;
    }
    code = mdb_txn_commit(txn); /* the handles are valid for everybody from here on */
    return code ? refuse(environment_errno(code), why, n_why, "can't open %s: %s", config->path, mdb_strerror(code))
                : 0;
}

static int databases_check(const struct store_lmdb_config *config, struct environment *environment, char *why,
                           size_t n_why)
{
    int r;

    guard_enter("opening it");
    r = databases_look(config, environment, why, n_why);
    guard_leave();
    return r;
}

/* ---- creating ---------------------------------------------------------------------------------------------------- */

int environment_create(const struct store_lmdb_config *config, const char *path, struct environment *out)
{
    struct environment environment = { .lock_fd = -1 };
    MDB_txn *txn;
    int code = unlink(path) && errno != ENOENT ? errno : 0;

    if (!code)
        code = data_open(config, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, &environment.env);
    if (!code)
        code = mdb_txn_begin(environment.env, NULL, 0, &txn);
    if (!code) {
        code = databases_open(&environment, txn, MDB_CREATE);
        if (code)
            mdb_txn_abort(txn);
        else
            code = mdb_txn_commit(txn);
    }
    if (code)
        environment_close(&environment);
    else
        *out = environment;
    return environment_errno(code);
}

static int format_write(struct environment *environment)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(environment->env, NULL, 0, &txn);

    if (code)
        return environment_errno(code);
    code = format_put(environment, txn);
    if (code)
        mdb_txn_abort(txn);
    else
        code = mdb_txn_commit(txn);
    return environment_errno(code ? code : mdb_env_sync(environment->env, 1));
}

/* Beside its place, and then moved there whole: LMDB's own first pages are not proof against a power cut. */
static int data_create(const struct store_lmdb_config *config)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    struct environment environment = { .lock_fd = -1 };
    struct stat stat_of_data;
    int r = directory_path(path, config->path, "data.mdb");

    if (!r)
        r = directory_path(fresh, config->path, "new.mdb");
    if (r)
        return r;
    if (stat(path, &stat_of_data) == 0 && stat_of_data.st_size > 0)
        return directory_sync(config->path); /* who moved it there may have been killed before he came to that */
    r = environment_create(config, fresh, &environment);
    if (!r)
        r = format_write(&environment);
    environment_close(&environment);
    if (!r && rename(fresh, path))
        r = -errno;
    return r ? r : directory_sync(config->path);
}

/* ---- written anew ------------------------------------------------------------------------------------------------ */

int environment_forget_rewritten(const struct store_lmdb_config *config)
{
    char path[PATH_MAX];
    int r = directory_path(path, config->path, COMPACT_FILE);

    return !r && unlink(path) && errno != ENOENT ? -errno : r;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int directory_claim(const struct store_lmdb_config *config, struct environment *environment, char *why,
                           size_t n_why)
{
    int r = directory_create(config->path);

    if (r)
        return refuse(r, why, n_why, "can't create the data directory %s: %s", config->path, strerror(-r));
    r = directory_lock(config->path, &environment->lock_fd);
    if (r == -EBUSY)
        return refuse(r, why, n_why, "%s is in use by another process: one at a time may write", config->path);
    if (r)
        return refuse(r, why, n_why, "can't lock %s/writer.lock: %s", config->path, strerror(-r));
    r = data_create(config);
    if (!r)
        r = environment_forget_rewritten(config); /* of a compaction that was cut off */
    if (r)
        return refuse(r, why, n_why, "can't create a store in %s: %s", config->path, strerror(-r));
    return 0;
}

static int directory_visit(const struct store_lmdb_config *config, struct environment *environment, char *why,
                           size_t n_why)
{
    int r = directory_share(config->path, &environment->lock_fd);

    if (r == -ENOENT)
        return refuse(r, why, n_why, "there is no store in %s", config->path);
    return r ? refuse(r, why, n_why, "can't lock %s: %s", config->path, strerror(-r)) : 0;
}

/* What LMDB does not look at. What can't be opened at all is its to speak of. */
static int data_judge(const struct store_lmdb_config *config, char *why, size_t n_why)
{
    char damage[PATH_MAX + 160];
    int r = trees_judge(config->path, damage, sizeof(damage));

    if (r == -EBADMSG)
        return refuse(STORE_DAMAGED, why, n_why, "%s: run pilcrow --data %s check, or restore it from a backup", damage,
                      config->path);
    if (r && r != -ENOENT && r != -EACCES)
        return refuse(r, why, n_why, "can't look at %s/data.mdb: %s", config->path, strerror(-r));
    return 0;
}

int environment_open(const struct store_lmdb_config *config, struct environment *out, char *why, size_t n_why)
{
    bool reads_only = config->mode == STORE_READ_ONLY;
    struct environment environment = { .lock_fd = -1 };
    int r, code, n_dead = 0;

    r = reads_only ? directory_visit(config, &environment, why, n_why)
                   : directory_claim(config, &environment, why, n_why);
    if (!r)
        r = data_judge(config, why, n_why);
    if (r)
        goto out;
    code = data_open(config, config->path, reads_only ? MDB_RDONLY : 0, &environment.env);
    if (code) {
        r = refuse_data(code, config->path, why, n_why);
        goto out;
    }
    /* Slots of processes that were killed would pin old pages for ever. */
    if (mdb_reader_check(environment.env, &n_dead) == 0 && n_dead > 0)
        log_info("store", "%d stale readers cleared", n_dead);
    r = databases_check(config, &environment, why, n_why);
    if (r)
        goto out;

    *out = environment;
    environment = (struct environment){ .lock_fd = -1 };
out:
    environment_close(&environment);
    return r;
}

/* Nobody else has it, so it is not locked; a lock would leave a file of its own beside it. */
int store_lmdb_check_file(const char *file, char *why, size_t n_why)
{
    const struct store_lmdb_config config = { .path = file, .mode = STORE_READ_ONLY };
    struct environment environment = { .lock_fd = -1 };
    int code = data_open(&config, file, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, &environment.env), r;

    if (code)
        return refuse_data(code, file, why, n_why);
    r = databases_check(&config, &environment, why, n_why);
    environment_close(&environment);
    return r;
}

static void data_close(struct environment *environment)
{
    if (environment->env)
        mdb_env_close(environment->env);
    environment->env = NULL;
}

int environment_renew(const struct store_lmdb_config *config, struct environment *environment)
{
    char why[512];
    int r;

    data_close(environment);
    r = directory_sync(config->path); /* which file data.mdb is must be certain before anything is written to it */
    if (!r)
        r = environment_errno(data_open(config, config->path, 0, &environment->env));
    if (r)
        return r;
    r = databases_check(config, environment, why, sizeof(why));
    if (r)
        data_close(environment);
    return r > 0 ? -EBADMSG : r;
}

void environment_close(struct environment *environment)
{
    data_close(environment);
    if (environment->lock_fd >= 0)
        (void)close(environment->lock_fd);
    environment->lock_fd = -1;
}

/* LMDB's lock file speaks of the pages of one data file, so each has its own. Nobody else has either of them open. */
int environment_replace(const struct store_lmdb_config *config, struct environment *environment)
{
    char data[PATH_MAX], lock[PATH_MAX], fresh[PATH_MAX];
    int alone, renewed, r = directory_path(data, config->path, "data.mdb");

    if (!r)
        r = directory_path(lock, config->path, "lock.mdb");
    if (!r)
        r = directory_path(fresh, config->path, COMPACT_FILE);
    if (!r)
        r = directory_lock_alone(config->path, &alone);
    if (r)
        return r;
    data_close(environment);
    if (unlink(lock) && errno != ENOENT)
        r = -errno;
    if (!r && rename(fresh, data))
        r = -errno;
    renewed = environment_renew(config, environment);
    (void)close(alone);
    return r ? r : renewed;
}
