/* A store on a disk that lies: bits flip, sectors become zero, pages change places, the end is missing. Whatever is
 * then answered otherwise than before, or not at all, must have been noticed:
 *
 *     an answer that differs without an error    never, but for what docs/store-format.md says can't be seen
 *     any answer that differs or fails           verify_store finds damage, and names the document if it can
 *     a document that is not touched             verify_salvage gives it back, every byte
 *
 * LMDB does not survive everything, so each damage is read in a process of its own, which may die.
 *
 *     test_damage [SEED [DAMAGES]]        PILCROW_LONG: many more, and each byte of a small store */
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

#include "storage/lmdb/pages.h"
#include "tests/faults/damage.h"
#include "tests/sim/random.h"

#define N_SMALL      12
#define PAGE_BYTES   4096
#define NODE_IS_TREE 2

static uint64_t seed = 1, n_damages = 70;

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

/* Byte k of the key of entry i, of a branch or of a database's record. False: it has no such byte. */
static bool change_key(char *page, size_t i, size_t k)
{
    uint16_t lower, offset, flags, n_key;

    memcpy(&lower, page + 12, sizeof(lower));
    if (!(page_flags(page) & (PAGE_BRANCH | PAGE_LEAF)) || lower > PAGE_BYTES ||
        i >= (size_t)(lower - PAGE_HEAD_BYTES) / 2)
        return false;
    memcpy(&offset, page + PAGE_HEAD_BYTES + 2 * i, sizeof(offset));
    memcpy(&flags, page + offset + 4, sizeof(flags));
    memcpy(&n_key, page + offset + 6, sizeof(n_key));
    if ((page_flags(page) == PAGE_LEAF && !(flags & NODE_IS_TREE)) || k >= n_key)
        return false;
    page[offset + 8 + k] ^= 1;
    return true;
}

/* Nor are the keys in branches sealed, which tell the way, and the names of the databases. */
static void a_key_that_leads_elsewhere_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct image *image = &fixture->image;
    struct tally tally = { 0 };
    size_t n = 0;
    char what[80];

    memcpy(image->at, image->sound, image->n_bytes);
    for (size_t at = 0; at < image->n_bytes; at += PAGE_BYTES)
        for (size_t i = page_flags(image->at + at) == PAGE_BRANCH; change_key(image->at + at, i, 0); i++) {
            (void)change_key(image->at + at, i, 0);
            for (size_t k = 0; change_key(image->at + at, i, k); k += 3, n++) {
                image_write(image, image->at, image->n_bytes);
                (void)snprintf(what, sizeof(what), "page %zu, byte %zu of the key of entry %zu", at / PAGE_BYTES, k, i);
                judge(fixture->place, what, &tally);
                (void)change_key(image->at + at, i, k);
            }
        }
    image_write(image, image->sound, image->n_bytes);
    report("keys", n, &tally);
    assert_true(n > 0);
    assert_int_equal(tally.n_missed + tally.n_unnamed + tally.n_unsaved + tally.n_wrong + tally.n_unseen, 0);
}

/* Each byte of a small store: a quarter of an hour. */
static void any_byte_that_changes_an_answer_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct image *image = &fixture->image;
    struct tally tally = { 0 };
    size_t n = 0;
    char what[80];

    memcpy(image->at, image->sound, image->n_bytes);
    for (size_t i = 0; i < image->n_bytes; i++) {
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
        cmocka_unit_test(a_key_that_leads_elsewhere_is_found),
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
