/* LMDB does not write a page that one transaction took and gave back. Where those are the last ones, the file is
 * shorter than its first page says, and sound; with one page less that is in use, it is cut off. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/lmdb/environment.h"
#include "storage/lmdb/verify.h"
#include "tests/unit/storage/place.h"

#define MANY 400

static void write_store(struct place *place)
{
    struct store_loop loop;
    struct store_log *log;

    loop_init(&loop);
    loop.store = place_open(place, &loop, &store_lmdb_tuning_default);
    log = loop_open_log(&loop, "notes", "a", NULL);
    assert_int_equal(loop_append(&loop, log, 0, "first"), 0);
    store_log_close(log);
    store_close(loop.store);
    loop_finish(&loop);
}

/* ---- what LMDB does ---------------------------------------------------------------------------------------------- */

struct bare {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
};

static void bare_open(struct bare *bare, const struct place *place)
{
    assert_int_equal(mdb_env_create(&bare->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(bare->env, 16), 0);
    assert_int_equal(mdb_env_open(bare->env, place->path, 0, 0600), 0);
}

static void bare_begin(struct bare *bare)
{
    assert_int_equal(mdb_txn_begin(bare->env, NULL, 0, &bare->txn), 0);
    assert_int_equal(mdb_dbi_open(bare->txn, environment_db_name(DB_REMOVED), 0, &bare->dbi), 0);
}

static void put_and_take_back(struct bare *bare, int n, bool puts, bool takes_back)
{
    char key[16], value[150] = "";
    MDB_val k = { sizeof(key), key }, v = { sizeof(value), value };

    for (int i = 0; i < n && puts; i++) {
        (void)snprintf(key, sizeof(key), "%015d", i);
        assert_int_equal(mdb_put(bare->txn, bare->dbi, &k, &v, 0), 0);
    }
    for (int i = n - 1; i >= 0 && takes_back; i--) {
        (void)snprintf(key, sizeof(key), "%015d", i);
        assert_int_equal(mdb_del(bare->txn, bare->dbi, &k, NULL), 0);
    }
}

static void bare_do(struct bare *bare, int n, bool puts, bool takes_back)
{
    bare_begin(bare);
    put_and_take_back(bare, n, puts, takes_back);
    assert_int_equal(mdb_txn_commit(bare->txn), 0);
}

static size_t pages_in_file(const struct place *place)
{
    struct stat stat_of;
    char file[128];

    (void)snprintf(file, sizeof(file), "%s/data.mdb", place->path);
    assert_int_equal(stat(file, &stat_of), 0);
    return (size_t)stat_of.st_size / (size_t)sysconf(_SC_PAGESIZE);
}

/* Some free pages to begin with, then more of them than those, which are taken and given back. */
static void shorten(const struct place *place)
{
    MDB_envinfo info;
    struct bare bare;

    bare_open(&bare, place);
    bare_do(&bare, MANY / 2, true, false);
    bare_do(&bare, MANY / 2, false, true);
    bare_do(&bare, 1, true, false);
    bare_do(&bare, 1, false, true);
    bare_do(&bare, MANY, true, true);
    assert_int_equal(mdb_env_info(bare.env, &info), 0);
    mdb_env_close(bare.env);
    assert_true(pages_in_file(place) <= info.me_last_pgno); /* else there is nothing to see here */
}

/* ---- what is said of it ------------------------------------------------------------------------------------------ */

static void on_finding(void *arg, const struct verify_finding *finding)
{
    if (finding->severity == VERIFY_DAMAGE)
        print_message("# %s\n", finding->what);
    *(int *)arg += finding->severity == VERIFY_DAMAGE;
}

static int count_damage(const struct place *place)
{
    int n = 0;
    struct verify_config config = { .path = place->path, .on_finding = on_finding, .arg = &n };
    char why[256] = "";

    if (verify_store(&config, why, sizeof(why)))
        fail_msg("%s", why);
    return n;
}

static void free_pages_that_were_never_written_are_no_damage(void **state)
{
    static const enum store_mode modes[] = { STORE_READ_ONLY, STORE_READ_WRITE };
    struct place *place = place_create();
    struct store_loop loop;
    char why[256] = "";

    (void)state;
    write_store(place);
    shorten(place);
    assert_int_equal(count_damage(place), 0);
    for (size_t i = 0; i < 2; i++) {
        loop_init(&loop);
        if (place_try_open(place, &loop, modes[i], &loop.store, why))
            fail_msg("%s", why);
        store_log_close(loop_open_log(&loop, "notes", "a", NULL));
        assert_int_equal(loop.info.head, 1);
        store_close(loop.store);
        loop_finish(&loop);
    }
    place_destroy(place);
}

static void a_page_in_use_that_is_cut_off_is_damage(void **state)
{
    struct place *place = place_create();
    struct store_loop loop;
    char file[128], why[256] = "";

    (void)state;
    write_store(place);
    shorten(place);
    (void)snprintf(file, sizeof(file), "%s/data.mdb", place->path);
    assert_int_equal(truncate(file, 4 * sysconf(_SC_PAGESIZE)), 0);
    assert_true(count_damage(place) > 0);
    loop_init(&loop);
    assert_int_equal(place_try_open(place, &loop, STORE_READ_WRITE, &loop.store, why), STORE_DAMAGED);
    assert_non_null(strstr(why, "is cut off"));
    loop_finish(&loop);
    place_destroy(place);
}

static void more_pages_than_there_can_be_are_damage(void **state)
{
    static const off_t metas[] = { 0, 4096 };
    const off_t last_page = 136; /* in a meta page */
    const uint64_t n_pages = (uint64_t)1 << 40;
    struct place *place = place_create();
    struct store_loop loop;
    char file[128], why[256] = "";
    int fd;

    (void)state;
    write_store(place);
    (void)snprintf(file, sizeof(file), "%s/data.mdb", place->path);
    fd = open(file, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pwrite(fd, &n_pages, sizeof(n_pages), metas[i] + last_page), sizeof(n_pages));
    assert_int_equal(close(fd), 0);
    assert_true(count_damage(place) > 0);
    loop_init(&loop);
    assert_int_equal(place_try_open(place, &loop, STORE_READ_WRITE, &loop.store, why), STORE_DAMAGED);
    loop_finish(&loop);
    place_destroy(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_pages_that_were_never_written_are_no_damage),
        cmocka_unit_test(a_page_in_use_that_is_cut_off_is_damage),
        cmocka_unit_test(more_pages_than_there_can_be_are_damage),
    };

    return cmocka_run_group_tests_name("a file that is too short", tests, NULL, NULL);
}
