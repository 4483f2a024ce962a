/* A store on a disk that lies: bits flip, sectors become zero, pages change places, the end is missing. Whatever is
 * then answered otherwise than before, or not at all, must have been noticed:
 *
 *     an answer that differs without an error    never, but for what docs/store-format.md says can't be seen
 *     any answer that differs or fails           verify_store finds damage, and names the document if it can
 *     a document that is not touched             verify_salvage gives it back, every byte
 *
 * LMDB does not survive everything, so each damage is read in a process of its own, which may die.
 *
 *     test_damage [SEED [DAMAGES]]        PILCROW_LONG: many more, and single bytes of a small store */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/crc32c.h"
#include "storage/lmdb/pages.h"
#include "storage/lmdb/verify.h"
#include "tests/sim/random.h"
#include "tests/unit/storage/place.h"

#define N_LOGS      64 /* of a large store */
#define N_SMALL     12
#define N_REMOVED   3 /* the last ones */
#define N_OF_LOG    8 /* answers */
#define N_ANSWERS   (N_LOGS * N_OF_LOG + 5)
#define PAGE_BYTES  4096
#define TOGETHER    6
#define LARGE_BYTES 50000
#define STRIDE      11   /* of bytes that are changed one by one */
#define KEPT_BYTES  9000 /* of the largest snapshots */

static uint64_t seed = 1, n_damages = 70;
static size_t n_logs = N_LOGS;

/* ---- the store --------------------------------------------------------------------------------------------------- */

static const char *const collections[] = { "notes", "sheets", "tasks" };
static const char *const types[] = { "text-unicode", "json0", "json1", "rich-text" };

static struct store_name name_of(size_t i, char id[96])
{
    (void)snprintf(id, 96, "document %02zu, whose name is long so that few of them fit into a page, or two", i);
    return (struct store_name){ bytes_of_string(collections[i % 3]), bytes_of_string(id) };
}

static uint64_t base_of(size_t i)
{
    return i % 8 == 3 ? 20 + i : 0;
}

/* Versions that are written first, and those that are left in the inbox. */
static uint64_t n_folded_of(size_t i)
{
    return i % 16 == 5 ? 126 : 4 + i % 9;
}

static void fill(struct sim_random *random, char *at, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        at[i] = (char)('a' + sim_random_below(random, 26));
}

static size_t body_size(struct sim_random *random, size_t i, uint64_t version)
{
    return i == 7 && version == 3 ? LARGE_BYTES : 10 + sim_random_below(random, 60);
}

/* A few at a time: each append is synced. In some logs one record of each append stands for three. */
static uint64_t write_records(struct store_loop *loop, struct sim_random *random, struct store_log *log, size_t i,
                              uint64_t from, uint64_t to)
{
    static char bodies[TOGETHER][LARGE_BYTES], srcs[TOGETHER][32];
    struct store_state after = { .type = bytes_of_string(types[i % 4]), .exists = i % 10 != 9 };
    struct record records[TOGETHER] = { 0 };
    uint64_t v = from;
    size_t n = 0;

    for (; n < TOGETHER && v < to; v = record_end(v, &records[n++])) {
        int n_src = snprintf(srcs[n], sizeof(srcs[n]), "source %d", (int)(v % (2 + i % 3)));

        records[n] = (struct record){ { bytes_of(srcs[n], (size_t)n_src), v + 1 },
                                      1000 * i + v,
                                      bytes_of_string(v % 2 ? "ink" : "paper"),
                                      bytes_of(bodies[n], body_size(random, i, v)),
                                      i % 8 == 4 && n == 1 && v + 3 <= to ? 2 : 0 };
        fill(random, bodies[n], records[n].body.n_bytes);
        after.n_bytes = records[n].body.n_bytes;
    }
    assert_int_equal(loop_append_records(loop, log, from, records, n, &after), 0);
    return v;
}

/* Alike from version to version, so that it is packed as what differs. */
static struct bytes content_of(size_t i, uint64_t version, char content[KEPT_BYTES])
{
    struct sim_random common = { 1000 + i }, own = { version };
    size_t n_bytes = i % 4 ? 300 : KEPT_BYTES;

    fill(&common, content, n_bytes);
    fill(&own, content + version * 97 % (n_bytes - 20), 20);
    return bytes_of(content, n_bytes);
}

static void write_log(struct store_loop *loop, struct sim_random *random, struct store_log *log, size_t i, uint64_t to)
{
    char content[KEPT_BYTES];

    for (uint64_t v = loop->info.head; v < to;) {
        v = write_records(loop, random, log, i, v, to);
        if (i % 2)
            assert_int_equal(loop_snapshot_put(loop, log, v, content_of(i, v, content)), 0);
    }
}

/* Most of what lies between the first record and the last, so that snapshots within are hidden or go. */
static void merge_log(struct store_loop *loop, struct store_log *log, size_t i)
{
    const struct record merged[] = {
        { { bytes_of_string("source 1"), 31 }, 1000 * i + 30, bytes_of_string("ink"), bytes_of_string("one"), 28 },
        { { bytes_of_string("source 0"), 61 }, 1000 * i + 60, bytes_of_string("paper"), bytes_of_string("two"), 29 },
    };

    assert_int_equal(loop_merge(loop, log, 1, merged, 2), 0);
}

/* First with folds, merged and compacted; then without: the newest records stay in the inbox. */
static void write_store(struct place *place)
{
    struct store_lmdb_tuning tuning = place_tiny_tuning;
    struct sim_random random = { 42 };
    struct store_loop loop;
    char id[96];

    tuning.chunk_bytes = 2000;
    tuning.piece_bytes = 9000;
    tuning.segment_bytes = 1500;
    tuning.segment_payload_bytes = 3000;
    tuning.fold_batches = 20;
    tuning.inbox_batches = 60;
    for (int round = 0; round < 2; round++) {
        loop_init(&loop);
        loop.store = place_open(place, &loop, round ? &store_lmdb_tuning_default : &tuning);
        for (size_t i = round ? 8 : 0, end = round && n_logs > 24 ? 24 : n_logs; i < end; i++) {
            struct store_log *log = loop_open_name(&loop, name_of(i, id), NULL);

            if (!round && base_of(i)) {
                assert_int_equal(loop_begin_at(&loop, log, base_of(i)), 0);
                loop.info.head = base_of(i);
            }
            if (!round || i < n_logs - N_REMOVED)
                write_log(&loop, &random, log, i, base_of(i) + n_folded_of(i) + (round ? 4 : 0));
            if (!round && i % 16 == 5)
                merge_log(&loop, log, i);
            if (!round && i >= n_logs - N_REMOVED)
                assert_int_equal(loop_remove(&loop, log), 0);
            store_log_close(log);
        }
        if (!round)
            assert_int_equal(loop_compact(&loop), 0);
        assert_int_equal(loop_meta_put(&loop, "key", bytes_of_string("a small value of the server")), 0);
        store_close(loop.store);
        loop_finish(&loop);
    }
}

/* ---- what it answers --------------------------------------------------------------------------------------------- */

enum answered { NOT_ANSWERED, ANSWERED, REFUSED };

struct answer {
    enum answered answered;
    uint32_t crc;
    uint64_t version; /* of a snapshot: an older one serves as well, the log is the truth */
};

struct answers {
    struct answer of[N_ANSWERS];
    size_t n_damage, n_file, n_harmless, n_wrong; /* snapshots that were saved and are not what they were */
    int verify_r;
    bool is_named[N_LOGS], is_saved[N_LOGS]; /* saved: as it was */
    bool knows_saved;
    uint32_t saved[N_LOGS];
};

static struct answers *shared; /* with the processes that look */

static void add(uint32_t *crc, const void *at, size_t n_bytes)
{
    *crc = crc32c(*crc, &n_bytes, sizeof(n_bytes));
    *crc = crc32c(*crc, at, n_bytes);
}

static void add_record(uint32_t *crc, const struct record *record)
{
    add(crc, &record->id.seq, sizeof(record->id.seq));
    add(crc, record->id.src.at, record->id.src.n_bytes);
    add(crc, &record->time_ms, sizeof(record->time_ms));
    add(crc, &record->n_merged, sizeof(record->n_merged));
    add(crc, record->author.at, record->author.n_bytes);
    add(crc, record->body.at, record->body.n_bytes);
}

static void add_info(uint32_t *crc, const struct store_info *info)
{
    const uint64_t numbers[] = { info->first,       info->head,          info->created_ms,
                                 info->modified_ms, info->state.n_bytes, info->state.exists };

    add(crc, numbers, sizeof(numbers));
    add(crc, info->state.type.at, info->state.type.n_bytes);
}

static void note(size_t i, int r, uint32_t crc)
{
    if (r > 0)
        add(&crc, &r, sizeof(r));
    shared->of[i].answered = r < 0 ? REFUSED : ANSWERED;
    shared->of[i].crc = crc;
}

static int ask_records(struct store_loop *loop, struct store_log *log, uint64_t from, uint64_t head, uint32_t *crc)
{
    int r = 0;

    for (uint64_t v = from; !r && v < head;) {
        r = loop_read(loop, log, v, STORE_NEWEST, 30000);
        if (!r && !loop->n_records)
            return -EBADMSG;
        for (size_t k = 0; !r && k < loop->n_records; k++) {
            add_record(crc, &loop->records[k]);
            v = record_end(v, &loop->records[k]);
        }
    }
    return r;
}

/* A snapshot, and what came since. */
static void ask_snapshot(struct store_loop *loop, struct store_log *log, size_t at, uint64_t at_most, uint64_t head)
{
    uint32_t crc = 0;
    int r = loop_snapshot_get(loop, log, at_most);

    if (!r) {
        shared->of[at].version = loop->version;
        add(&crc, loop->bytes.at, loop->bytes.n_bytes);
        if (loop->version)
            r = ask_records(loop, log, loop->version, head, &crc);
    }
    note(at, r, crc);
}

static void ask_beside(struct store_loop *loop, struct store_log *log, size_t i, uint64_t head)
{
    size_t at = i * N_OF_LOG;
    uint32_t crc = 0;
    int r;

    ask_snapshot(loop, log, at + 2, STORE_NEWEST, head);
    ask_snapshot(loop, log, at + 3, head - head / 4, head);
    ask_snapshot(loop, log, at + 4, head / 2, head);
    r = loop_find(loop, log, "source 1", 2);
    if (loop->has_source)
        add(&crc, &loop->source, sizeof(loop->source));
    add(&crc, &loop->version, r ? 0 : sizeof(loop->version));
    note(at + 5, r, crc);
    r = loop_find(loop, log, "nobody", 2);
    note(at + 6, r, 0);
    r = loop_version_at(loop, log, 1000 * i + 3);
    note(at + 7, r, (uint32_t)loop->version);
}

static void ask_log(struct store_loop *loop, size_t i)
{
    struct store_log *log;
    uint64_t head;
    uint32_t crc = 0;
    char id[96];
    int r;

    log = loop_open_name(loop, name_of(i, id), &r);
    if (!r)
        add_info(&crc, &loop->info);
    note(i * N_OF_LOG, r, crc);
    if (r) {
        for (size_t k = 1; k < N_OF_LOG; k++)
            note(i * N_OF_LOG + k, r, 0);
        return;
    }
    crc = 0;
    head = loop->info.head;
    r = ask_records(loop, log, loop->info.first, head, &crc);
    note(i * N_OF_LOG + 1, r, crc);
    ask_beside(loop, log, i, head);
    store_log_close(log);
}

static void ask_list(struct store_loop *loop, size_t at, const struct store_list_query *query)
{
    uint32_t crc = 0;
    int r = loop_list(loop, query);

    for (size_t k = 0; !r && k < loop->n_entries; k++) {
        add(&crc, loop->entries[k].id.at, loop->entries[k].id.n_bytes);
        add_info(&crc, &loop->entries[k].info);
    }
    note(at, r, crc);
}

static void ask_lists(struct store_loop *loop)
{
    uint32_t crc = 0;
    int r;

    for (size_t i = 0; i < 3; i++)
        ask_list(loop, N_LOGS * N_OF_LOG + i,
                 &(struct store_list_query){ .collection = bytes_of_string(collections[i]), .limit = 1000 });
    ask_list(loop, N_LOGS * N_OF_LOG + 3, &(struct store_list_query){ .limit = 1000, .all = true, .deleted = true });
    r = loop_collections(loop);
    for (size_t k = 0; !r && k < loop->n_collections; k++) {
        add(&crc, loop->collections[k].name.at, loop->collections[k].name.n_bytes);
        add(&crc, &loop->collections[k].n_documents, sizeof(uint64_t));
    }
    note(N_LOGS * N_OF_LOG + 4, r, crc);
}

static void ask_store(struct place *place)
{
    struct store_loop loop;
    char why[256];

    loop_init(&loop);
    if (place_try_open(place, &loop, STORE_READ_ONLY, &loop.store, why)) {
        for (size_t i = 0; i < N_ANSWERS; i++)
            note(i, -EBADMSG, 0);
        return;
    }
    ask_lists(&loop);
    for (size_t i = 0; i < n_logs; i++)
        ask_log(&loop, i);
    store_close(loop.store);
    loop_finish(&loop);
}

/* ---- what is found and saved ------------------------------------------------------------------------------------- */

static size_t log_of_name(struct store_name name)
{
    char id[96];

    for (size_t i = 0; i < n_logs; i++)
        if (bytes_equal(name_of(i, id).id, name.id) && bytes_equal(name_of(i, id).collection, name.collection))
            return i;
    return n_logs;
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
    size_t i = log_of_name(finding->name);

    if (*(const bool *)arg)
        print_message("#   %s %s log %llu [%llu, %llu) %.*s: %s\n", finding->severity ? "damage" : "harmless",
                      finding->database, (unsigned long long)finding->number, (unsigned long long)finding->from,
                      (unsigned long long)finding->to, (int)finding->name.id.n_bytes,
                      finding->name.id.at ? (const char *)finding->name.id.at : "", finding->what);
    if (finding->severity == VERIFY_LEFTOVER)
        shared->n_harmless++;
    else if (strcmp(finding->database, "file") == 0)
        shared->n_file++;
    else
        shared->n_damage++;
    if (finding->severity == VERIFY_DAMAGE && i < n_logs)
        shared->is_named[i] = true;
}

struct saving {
    size_t log;
    uint32_t crc;
};

static int on_look(void *arg, const struct verify_log *log, uint64_t version, const struct record *record)
{
    struct saving *saving = arg;

    if (version == log->info.first)
        *saving = (struct saving){ .log = log_of_name(log->name) };
    add(&saving->crc, &version, sizeof(version));
    add_record(&saving->crc, record);
    return 0;
}

static int on_log(void *arg, const struct verify_log *log, uint64_t reached, const char *why)
{
    const struct saving *saving = arg;

    if (saving->log == n_logs)
        return 0;
    if (shared->knows_saved)
        shared->is_saved[saving->log] |= saving->crc == shared->saved[saving->log];
    else
        shared->saved[saving->log] = saving->crc;
    return 0;
}

static int on_record(void *arg, uint64_t version, const struct record *record)
{
    return 0;
}

static int on_snapshot(void *arg, const struct verify_log *log, uint64_t version, struct bytes snapshot)
{
    char content[KEPT_BYTES];
    size_t i = log_of_name(log->name);

    shared->n_wrong += i < n_logs && !bytes_equal(snapshot, content_of(i, version, content));
    return 0;
}

static void verify(struct place *place, bool prints)
{
    struct verify_config config = { place->path, on_finding, NULL, &prints };
    struct saving saving = { .log = n_logs };
    const struct salvage salvage = { on_look, on_log, on_record, on_snapshot, &saving };
    char why[256] = "";

    shared->verify_r = verify_store(&config, why, sizeof(why));
    if (shared->verify_r && prints)
        print_message("#   %s\n", why);
    config.on_finding = NULL;
    if (verify_salvage(&config, &salvage, why, sizeof(why)) && prints)
        print_message("#   %s\n", why);
}

/* ---- processes --------------------------------------------------------------------------------------------------- */

/* Whether it came to its end. */
static bool in_child(void (*work)(struct place *place), struct place *place)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        static const int deaths[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };

        for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
            (void)signal(deaths[i], SIG_DFL);
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        assert_non_null(freopen("/dev/null", "w", stderr));
        (void)alarm(20); /* a loop of pages: LMDB walks it for ever */
        work(place);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void verify_quietly(struct place *place)
{
    verify(place, false);
}

static void verify_aloud(struct place *place)
{
    verify(place, true);
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

struct image {
    char path[128];
    char *sound, *at;
    size_t n_bytes;
};

static void image_load(struct image *image, const struct place *place)
{
    struct stat stat;
    int fd;

    (void)snprintf(image->path, sizeof(image->path), "%s/data.mdb", place->path);
    fd = open(image->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    image->n_bytes = (size_t)stat.st_size;
    image->at = malloc(image->n_bytes);
    image->sound = malloc(image->n_bytes);
    assert_non_null(image->at);
    assert_non_null(image->sound);
    assert_int_equal(read(fd, image->sound, image->n_bytes), image->n_bytes);
    assert_int_equal(close(fd), 0);
}

static void image_write(const struct image *image, const char *bytes, size_t n_bytes)
{
    int fd = open(image->path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n_bytes, 0), n_bytes);
    assert_int_equal(ftruncate(fd, (off_t)n_bytes), 0);
    assert_int_equal(close(fd), 0);
}

static size_t damage_anyhow(struct image *image, struct sim_random *random, char *what, size_t n_what)
{
    size_t n_pages = image->n_bytes / PAGE_BYTES, at = sim_random_below(random, image->n_bytes), n = image->n_bytes;

    memcpy(image->at, image->sound, n);
    switch (sim_random_below(random, 10)) {
    case 0:
        at = at / 512 * 512, memset(image->at + at, 0, 512),
        (void)snprintf(what, n_what, "a sector of zeroes at %zu", at);
        break;
    case 1: {
        char page[PAGE_BYTES];
        size_t from = sim_random_below(random, n_pages) * PAGE_BYTES,
               to = sim_random_below(random, n_pages) * PAGE_BYTES;

        memcpy(page, image->at + from, PAGE_BYTES);
        memcpy(image->at + from, image->at + to, PAGE_BYTES);
        memcpy(image->at + to, page, PAGE_BYTES);
        (void)snprintf(what, n_what, "pages %zu and %zu changed", from / PAGE_BYTES, to / PAGE_BYTES);
        break;
    }
    case 2: n -= sim_random_below(random, n / 4), (void)snprintf(what, n_what, "cut off at %zu", n); break;
    case 3:
    case 4:
        image->at[at] = (char)sim_random_u64(random), (void)snprintf(what, n_what, "another byte at %zu", at);
        break;
    default: /* where there is much to break: heads and nodes */
        if (sim_random_below(random, 2))
            at = at / PAGE_BYTES * PAGE_BYTES + sim_random_below(random, 64);
        image->at[at] = (char)(image->at[at] ^ 1 << sim_random_below(random, 8));
        (void)snprintf(what, n_what, "a bit at %zu", at);
        break;
    }
    return n;
}

/* ---- the verdict ------------------------------------------------------------------------------------------------- */

struct tally {
    size_t n_right, n_refused, n_died, n_unseen /* an answer changed without an error */, n_missed, n_unnamed,
        n_unsaved, n_wrong;
};

static struct answers *kept;
static const struct answers *sound; /* the same, to be read */

static void judge(struct place *place, const char *what, struct tally *tally)
{
    bool differs = false, unseen = false, asked, fine = true;
    size_t first = 0, n_touched = 0; /* a batch that can't be read touches them all */

    memset(shared, 0, sizeof(*shared));
    memcpy(shared->saved, sound->saved, sizeof(shared->saved));
    shared->knows_saved = true;
    asked = in_child(ask_store, place);
    if (!in_child(verify_quietly, place))
        fail_msg("seed %llu, %s: verification died", (unsigned long long)seed, what);
    for (size_t i = N_ANSWERS; i-- > 0;)
        if (memcmp(&shared->of[i], &sound->of[i], sizeof(sound->of[i])) != 0) {
            differs = true;
            first = i;
            if (shared->of[i].answered == ANSWERED && shared->of[i].version >= sound->of[i].version)
                unseen = true,
                print_message("# %s: answer %zu of log %zu changed, and no error\n", what, i % N_OF_LOG, i / N_OF_LOG);
        }
    tally->n_wrong += shared->n_wrong;
    tally->n_right += !differs;
    tally->n_died += !asked;
    tally->n_refused += differs && asked && !unseen;
    tally->n_unseen += unseen;
    if (differs && !shared->n_damage && !shared->n_file && !shared->verify_r) {
        print_message("# %s: answer %zu of log %zu is %d, and verification found nothing\n", what, first % N_OF_LOG,
                      first / N_OF_LOG, shared->of[first].answered);
        tally->n_missed++;
        fine = false;
    }
    for (size_t i = 0; i < n_logs - N_REMOVED; i++)
        n_touched += memcmp(&shared->of[i * N_OF_LOG], &sound->of[i * N_OF_LOG], 2 * sizeof(sound->of[0])) != 0;
    for (size_t i = 0; i < n_logs - N_REMOVED; i++) {
        bool touched = false;

        for (size_t k = 0; k < 2; k++) /* its row, its records */
            touched |= memcmp(&shared->of[i * N_OF_LOG + k], &sound->of[i * N_OF_LOG + k], sizeof(sound->of[0])) != 0;
        if (touched && asked && !shared->n_file && !shared->verify_r && !shared->is_named[i] && n_touched < 4) {
            print_message("# %s: log %zu is not named\n", what, i);
            tally->n_unnamed++;
            fine = false;
        }
        if (!touched && !shared->is_saved[i]) {
            print_message("# %s: log %zu is not touched, and not saved\n", what, i);
            tally->n_unsaved++;
            fine = false;
        }
    }
    if (!fine || unseen)
        (void)in_child(verify_aloud, place);
}

static void report(const char *what, size_t n, const struct tally *tally)
{
    print_message(
        "# %s, %zu damages: %zu changed nothing, %zu refused, LMDB died of %zu; unseen by reading %zu, missed "
        "%zu, unnamed %zu, unsaved %zu, saved wrong %zu\n",
        what, n, tally->n_right, tally->n_refused, tally->n_died, tally->n_unseen, tally->n_missed, tally->n_unnamed,
        tally->n_unsaved, tally->n_wrong);
}

struct fixture {
    struct place *place;
    struct image image;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    kept = malloc(sizeof(*kept));
    assert_non_null(fixture);
    assert_non_null(kept);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    fixture->place = place_create();
    write_store(fixture->place);
    image_load(&fixture->image, fixture->place);
    assert_true(in_child(ask_store, fixture->place));
    assert_true(in_child(verify_aloud, fixture->place));
    *kept = *shared;
    sound = kept;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->image.at);
    free(fixture->image.sound);
    place_destroy(fixture->place);
    free(fixture);
    free(kept);
    return munmap(shared, sizeof(*shared));
}

static void a_sound_store_is_sound(void **state)
{
    const struct fixture *fixture = *state;

    print_message("# a store of %zu pages\n", fixture->image.n_bytes / PAGE_BYTES);
    assert_int_equal(sound->verify_r, 0);
    assert_int_equal(sound->n_damage + sound->n_file + sound->n_harmless, 0);
    for (size_t i = 0; i < n_logs * N_OF_LOG; i++)
        assert_int_equal(sound->of[i].answered, ANSWERED);
}

static void what_changes_an_answer_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct sim_random random = { seed };
    struct tally tally = { 0 };
    char what[80];

    for (uint64_t i = 0; i < n_damages; i++) {
        size_t n = damage_anyhow(&fixture->image, &random, what, sizeof(what));

        image_write(&fixture->image, fixture->image.at, n);
        judge(fixture->place, what, &tally);
    }
    image_write(&fixture->image, fixture->image.sound, fixture->image.n_bytes);
    report("anything", n_damages, &tally);
    assert_int_equal(tally.n_missed + tally.n_unnamed + tally.n_unsaved + tally.n_wrong + tally.n_unseen, 0);
}

/* Entry i of a page of a tree, LMDB's places of nodes closed up behind it: everything that is left is sealed and in
 * order. False: it has none. */
static bool forget_entry(char *page, size_t i)
{
    uint16_t lower, n;

    memcpy(&lower, page + 12, sizeof(lower));
    n = (uint16_t)((lower - PAGE_HEAD_BYTES) / 2);
    if (!(page_flags(page) & (PAGE_BRANCH | PAGE_LEAF)) || lower > PAGE_BYTES || i >= n)
        return false;
    memmove(page + PAGE_HEAD_BYTES + 2 * i, page + PAGE_HEAD_BYTES + 2 * (i + 1), 2 * (n - i - 1));
    lower -= 2;
    memcpy(page + 12, &lower, sizeof(lower));
    return true;
}

/* What a seal can't tell: of each page the first, the middle and the last entry. */
static void an_entry_that_a_page_forgets_is_missed(void **state)
{
    struct fixture *fixture = *state;
    struct image *image = &fixture->image;
    struct tally tally = { 0 };
    size_t n = 0;
    char what[80];

    for (size_t at = 0; at < image->n_bytes; at += PAGE_BYTES) {
        size_t n_entries = 0;

        memcpy(image->at, image->sound, image->n_bytes);
        while (forget_entry(image->at + at, 0))
            n_entries++;
        for (size_t k = 0; k < 3 && k < n_entries; k++) {
            size_t i = k == 2 ? 0 : k ? n_entries / 2 : n_entries - 1;

            memcpy(image->at, image->sound, image->n_bytes);
            (void)forget_entry(image->at + at, i);
            image_write(image, image->at, image->n_bytes);
            (void)snprintf(what, sizeof(what), "page %zu without its entry %zu", at / PAGE_BYTES, i);
            judge(fixture->place, what, &tally);
            n++;
        }
    }
    image_write(image, image->sound, image->n_bytes);
    report("forgotten", n, &tally);
    assert_int_equal(tally.n_missed + tally.n_unnamed + tally.n_unsaved + tally.n_wrong + tally.n_unseen, 0);
}

/* Byte k of the key of entry i of a branch. False: it has no such byte. */
static bool change_key(char *page, size_t i, size_t k)
{
    uint16_t lower, offset, n_key;

    memcpy(&lower, page + 12, sizeof(lower));
    if (page_flags(page) != PAGE_BRANCH || lower > PAGE_BYTES || i >= (size_t)(lower - PAGE_HEAD_BYTES) / 2)
        return false;
    memcpy(&offset, page + PAGE_HEAD_BYTES + 2 * i, sizeof(offset));
    memcpy(&n_key, page + offset + 6, sizeof(n_key));
    if (k >= n_key)
        return false;
    page[offset + 8 + k] ^= 1;
    return true;
}

/* Nor are the keys in branches sealed, which tell the way. */
static void a_key_that_changes_in_a_branch_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct image *image = &fixture->image;
    struct tally tally = { 0 };
    size_t n = 0;
    char what[80];

    memcpy(image->at, image->sound, image->n_bytes);
    for (size_t at = 0; at < image->n_bytes; at += PAGE_BYTES)
        for (size_t i = 1; change_key(image->at + at, i, 0); i++) {
            (void)change_key(image->at + at, i, 0);
            for (size_t k = 0; change_key(image->at + at, i, k); k += 3, n++) {
                image_write(image, image->at, image->n_bytes);
                (void)snprintf(what, sizeof(what), "page %zu, byte %zu of the key of entry %zu", at / PAGE_BYTES, k, i);
                judge(fixture->place, what, &tally);
                (void)change_key(image->at + at, i, k);
            }
        }
    image_write(image, image->sound, image->n_bytes);
    report("keys of branches", n, &tally);
    assert_true(n > 0);
    assert_int_equal(tally.n_missed + tally.n_unnamed + tally.n_unsaved + tally.n_wrong + tally.n_unseen, 0);
}

/* Each byte of the pages that lead to all others, and every eleventh of the rest, of a small store: other ones with
 * another seed. Minutes. */
static void any_byte_that_changes_an_answer_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct image *image = &fixture->image;
    struct tally tally = { 0 };
    size_t n = 0;
    char what[80];

    memcpy(image->at, image->sound, image->n_bytes);
    for (size_t i = 0; i < image->n_bytes; i++) {
        if (i >= (size_t)2 * PAGE_BYTES && i % STRIDE != seed % STRIDE)
            continue;
        image->at[i] = (char)(image->at[i] ^ (1 << i % 7) ^ 0x80);
        image_write(image, image->at, image->n_bytes);
        (void)snprintf(what, sizeof(what), "byte %zu", i);
        judge(fixture->place, what, &tally);
        n++;
        image->at[i] = image->sound[i];
    }
    image_write(image, image->sound, image->n_bytes);
    report("bytes", n, &tally);
    assert_int_equal(tally.n_missed + tally.n_unnamed + tally.n_unsaved + tally.n_wrong + tally.n_unseen, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_is_sound),
        cmocka_unit_test(what_changes_an_answer_is_found),
        cmocka_unit_test(an_entry_that_a_page_forgets_is_missed),
        cmocka_unit_test(a_key_that_changes_in_a_branch_is_found),
    };
    const struct CMUnitTest long_tests[] = { cmocka_unit_test(any_byte_that_changes_an_answer_is_found) };
    bool is_long = getenv("PILCROW_LONG") != NULL;
    int r;

    if (is_long)
        n_damages = 1000;
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        n_damages = strtoull(argv[2], NULL, 10);
    r = cmocka_run_group_tests_name("a disk that lies", tests, set_up, tear_down);
    n_logs = N_SMALL;
    return is_long && !r ? cmocka_run_group_tests_name("a disk that lies anywhere", long_tests, set_up, tear_down) : r;
}
