/* Power cuts: a workload runs under the recorder; then the power is cut at a thousand moments of what was recorded, and
 * each time the store must open and hold everything that was acknowledged by then.
 *
 *     test_powercut RECORDER WORKLOAD [SEED]      PILCROW_LONG=1: ten times as much
 *
 * And the test of the test: without syncs, the same must be caught within a few cuts. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/faults/powercut_check.h"
#include "tests/faults/powercut_disk.h"

#define N_BIRTHS 100 /* cuts while the store is being created, which is over after a few events */

static const char *recorder, *workload;
static char directory[PATH_MAX];
static unsigned n_tests;

struct cuts {
    size_t n_done, n_failed, n_uncertain, n_compacting, n_backing_up, n_backups;
    struct coverage coverage;
};

/* What the marks have said so far: of the store, and of the copy beside it. */
struct history {
    struct expectation store, copy;
    enum { COPY_IS_NOTHING, COPY_IS_BEING_WRITTEN, COPY_IS_WHOLE } state;
};

static void history_mark(struct history *history, const struct mark *mark)
{
    expectation_mark(&history->store, mark);
    if (mark->kind == MARK_BACKING_UP) {
        history->copy = history->store;
        history->state = COPY_IS_BEING_WRITTEN;
    } else if (mark->kind == MARK_BACKED_UP) {
        expectation_allow(&history->copy, &history->store);
        history->state = COPY_IS_WHOLE;
    }
}

static void tap(bool ok, const char *what)
{
    printf("%sok %u - %s\n", ok ? "" : "not ", ++n_tests, what);
    (void)fflush(stdout);
}

static void path_of(char out[PATH_MAX], const char *file)
{
    if (snprintf(out, PATH_MAX, "%s/%s", directory, file) >= PATH_MAX)
        abort();
}

static void remove_files(void)
{
    static const char *const files[] = { "data.mdb",      "new.mdb",         "compact.mdb", "lock.mdb",
                                         "backup.mdb",    "writer.lock",     "recording",   "copy/data.mdb",
                                         "copy/lock.mdb", "copy/writer.lock" };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        path_of(path, files[i]);
        (void)unlink(path);
    }
}

/* ---- recording --------------------------------------------------------------------------------------------------- */

static void workload_exec(enum powercut_sabotage sabotage, uint64_t seed, size_t n_appends)
{
    char log[PATH_MAX], numbers[3][32];

    path_of(log, "recording");
    (void)snprintf(numbers[0], 32, "%d", (int)sabotage);
    (void)snprintf(numbers[1], 32, "%llu", (unsigned long long)seed);
    (void)snprintf(numbers[2], 32, "%zu", n_appends);
    (void)setenv(POWERCUT_DIRECTORY, directory, 1);
    (void)setenv(POWERCUT_LOG, log, 1);
    (void)setenv(POWERCUT_SABOTAGE, numbers[0], 1);
    (void)setenv("LD_PRELOAD", recorder, 1);
    (void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1); /* in builds with it, the recorder comes first */
    (void)execl(workload, workload, directory, numbers[1], numbers[2], (char *)NULL);
    perror(workload);
    _exit(127);
}

static bool record_workload(enum powercut_sabotage sabotage, uint64_t seed, size_t n_appends, struct recording *out)
{
    char path[PATH_MAX];
    int status;
    pid_t child;

    remove_files();
    child = fork();
    if (child == 0)
        workload_exec(sabotage, seed, n_appends);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return false;
    path_of(path, "recording");
    recording_load(out, path);
    remove_files();
    return out->n_events > 0;
}

/* ---- cutting ----------------------------------------------------------------------------------------------------- */

static int check_copy(struct expectation *expectation, enum check_mode mode, struct coverage *coverage)
{
    char copy[PATH_MAX], from[PATH_MAX], to[PATH_MAX];

    path_of(copy, "copy");
    path_of(from, "backup.mdb");
    path_of(to, "copy/data.mdb");
    if ((mkdir(copy, 0700) && errno != EEXIST) || rename(from, to)) {
        perror(to);
        return 1;
    }
    return check_store(copy, expectation, mode, coverage);
}

/* In a process of its own, which may die of what it finds. Its status: 0, it holds. */
static int examine(struct history *history, enum check_mode mode, bool with_copy, bool is_quiet,
                   struct coverage *coverage)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (is_quiet && !freopen("/dev/null", "w", stderr))
            _exit(2);
        (void)alarm(60);
        _exit(check_store(directory, &history->store, mode, coverage) ||
              (with_copy && check_copy(&history->copy, mode, coverage)));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

static int compare_positions(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;

    return (a > b) - (a < b);
}

static bool is_swap(const struct recording *recording, size_t k)
{
    const struct powercut_event *event = &recording->events[k];

    return event->kind == POWERCUT_RENAME && event->file == POWERCUT_COMPACT;
}

static bool is_write_of_backup(const struct recording *recording, size_t k)
{
    const struct powercut_event *event = &recording->events[k];

    return event->kind == POWERCUT_WRITE && event->file == POWERCUT_BACKUP;
}

/* The i-th such event, and then over again; 0: there is none. */
static size_t event_at(const struct recording *recording, bool (*is_such)(const struct recording *, size_t), size_t i)
{
    for (size_t n = 0;; n = 0) {
        for (size_t k = 0; k < recording->n_events; k++)
            if (is_such(recording, k) && n++ == i)
                return k;
        if (n == 0)
            return 0;
        i %= n;
    }
}

/* Many around the swap of a compaction, most of these soon after it, some within backups, and at the beginning. */
static size_t *choose_positions(const struct recording *recording, size_t n, struct sim_random *random)
{
    size_t *positions = calloc(n + 1, sizeof(*positions));

    if (!positions)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (n > 100 && i < N_BIRTHS)
            positions[i] = 1 + i / 5;
        else if (i % 8 == 0)
            positions[i] = event_at(recording, is_swap, i / 8) + 1 + sim_random_below(random, 4);
        else if (i % 8 == 4)
            positions[i] = event_at(recording, is_swap, i / 8) + 6 - sim_random_below(random, 12);
        else if (i % 16 == 2)
            positions[i] = event_at(recording, is_write_of_backup, i / 16) + sim_random_below(random, 2);
        else
            positions[i] = 1 + sim_random_below(random, recording->n_events);
        if (positions[i] > recording->n_events)
            positions[i] = recording->n_events;
    }
    qsort(positions, n, sizeof(*positions), compare_positions);
    return positions;
}

static enum check_mode choose_mode(struct sim_random *random)
{
    static const enum check_mode modes[] = { CHECK_READ_ONLY, CHECK_READ_ONLY, CHECK_READ_ONLY,
                                             CHECK_GO_ON,     CHECK_GO_ON,     CHECK_VERIFY };

    return modes[sim_random_below(random, sizeof(modes) / sizeof(modes[0]))];
}

static void cut_here(const struct disk *disk, size_t number, struct history *history, bool is_quiet,
                     struct sim_random *random, struct cuts *cuts)
{
    enum loss loss = (enum loss)sim_random_below(random, N_LOSSES);
    enum check_mode mode = choose_mode(random);
    bool with_copy = history->state == COPY_IS_WHOLE && sim_random_below(random, 8) == 0;
    int status;

    remove_files();
    cuts->n_uncertain += disk_cut(disk, loss, random, directory) > 0;
    cuts->n_compacting += disk_is_compacting(disk);
    cuts->n_backing_up += history->state == COPY_IS_BEING_WRITTEN;
    cuts->n_backups += with_copy;
    cuts->n_done++;
    status = examine(history, mode, with_copy, is_quiet, &cuts->coverage);
    if (status == 0)
        return;
    cuts->n_failed++;
    if (!is_quiet)
        printf("# cut %zu, before event %zu, loss %d, mode %d, %s copy: %s %d\n", number, disk->next, (int)loss,
               (int)mode, with_copy ? "with" : "without", WIFSIGNALED(status) ? "died of signal" : "said",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* enough: how many failures are. */
static void cut_power(const struct recording *recording, size_t n, size_t enough, struct sim_random *random,
                      struct cuts *cuts)
{
    size_t *positions = choose_positions(recording, n, random);
    struct history *history = calloc(1, sizeof(*history));
    const struct powercut_event *event;
    const char *content;
    struct disk disk;

    if (!history)
        abort();
    disk_init(&disk, recording);
    for (size_t i = 0; i < n && cuts->n_failed < enough; i++) {
        while (disk.next < positions[i] && (event = disk_step(&disk, &content)))
            if (event->kind == POWERCUT_MARK) {
                struct mark mark;

                memcpy(&mark, content, sizeof(mark));
                history_mark(history, &mark);
            }
        cut_here(&disk, i, history, enough == 1, random, cuts);
    }
    disk_finish(&disk);
    free(history);
    free(positions);
}

/* ---- the tests --------------------------------------------------------------------------------------------------- */

static struct cuts *shared_cuts(void)
{
    struct cuts *cuts = mmap(NULL, sizeof(*cuts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (cuts == MAP_FAILED)
        abort();
    memset(cuts, 0, sizeof(*cuts));
    return cuts;
}

static void report(uint64_t seed, size_t n_events, const struct cuts *cuts)
{
    const struct coverage *coverage = &cuts->coverage;

    printf("# seed %llu: %zu events, %zu cuts, %zu of them with writes that were not certain; %zu within a fold, %zu "
           "within a snapshot, %zu within a large append, %zu within a compaction, %zu within a backup\n",
           (unsigned long long)seed, n_events, cuts->n_done, cuts->n_uncertain, coverage->n_half_folded,
           coverage->n_half_snapshots, coverage->n_half_staged, cuts->n_compacting, cuts->n_backing_up);
    printf(
        "# compared: %zu records, %zu of them merged; %zu snapshots, %zu of them differences, %zu hidden; %zu backups "
        "opened; %zu times page by page\n",
        coverage->n_records, coverage->n_merged, coverage->n_snapshots, coverage->n_differences, coverage->n_hidden,
        cuts->n_backups, coverage->n_verified);
}

static bool is_covered(const struct cuts *cuts, size_t n_cuts)
{
    const struct coverage *coverage = &cuts->coverage;

    return coverage->n_half_folded > n_cuts / 50 && coverage->n_half_snapshots > n_cuts / 50 &&
           coverage->n_half_staged > n_cuts / 50 && cuts->n_compacting > n_cuts / 40 &&
           cuts->n_uncertain > n_cuts / 4 && cuts->n_backing_up > n_cuts / 50 && cuts->n_backups > n_cuts / 50 &&
           coverage->n_merged > n_cuts && coverage->n_snapshots > n_cuts && coverage->n_differences > n_cuts &&
           coverage->n_verified > n_cuts / 20;
}

static void nothing_is_missing(uint64_t seed, size_t n_appends, size_t n_cuts)
{
    struct cuts *cuts = shared_cuts();
    struct sim_random random = { seed };
    struct recording recording;

    if (!record_workload(SABOTAGE_NOTHING, seed, n_appends, &recording)) {
        tap(false, "the workload runs");
        return;
    }
    cut_power(&recording, n_cuts, 5, &random, cuts);
    report(seed, recording.n_events, cuts);
    tap(cuts->n_failed == 0 && cuts->n_done == n_cuts,
        "after every cut all that was acknowledged is there, once, in order");
    tap(is_covered(cuts, n_cuts), "the cuts fell into all kinds of work, and into unsynced writes");
    recording_free(&recording);
    (void)munmap(cuts, sizeof(*cuts));
}

static void sabotage_is_caught(enum powercut_sabotage sabotage, uint64_t seed, size_t n_cuts, const char *what)
{
    struct cuts *cuts = shared_cuts();
    struct sim_random random = { seed };
    struct recording recording;

    if (!record_workload(sabotage, seed, 400, &recording)) {
        tap(false, "the workload runs");
        return;
    }
    cut_power(&recording, n_cuts, 1, &random, cuts);
    tap(cuts->n_failed > 0, what);
    printf("# caught by cut %zu\n", cuts->n_done);
    recording_free(&recording);
    (void)munmap(cuts, sizeof(*cuts));
}

/* In memory if there is such a place: what counts here is what the recorder saw, not the disk beneath. */
static bool make_directory(void)
{
    const char *parents[] = { getenv("TMPDIR"), "/dev/shm", "/tmp" };

    for (size_t i = 0; i < 3; i++) {
        if (!parents[i] || snprintf(directory, sizeof(directory), "%s/pilcrow-cut-XXXXXX", parents[i]) >= PATH_MAX)
            continue;
        if (mkdtemp(directory)) {
            char resolved[PATH_MAX]; /* as the recorder sees it */

            if (!realpath(directory, resolved))
                return false;
            memcpy(directory, resolved, sizeof(directory));
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    const char *is_long = getenv("PILCROW_LONG");
    char copy[PATH_MAX];
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

    if (argc < 3 || !make_directory()) {
        printf("Bail out! usage: test_powercut RECORDER WORKLOAD [SEED]\n");
        return 1;
    }
    recorder = argv[1];
    workload = argv[2];
    printf("1..%d\n", is_long ? 10 * 2 + 5 : 2 + 5);
    for (uint64_t i = 0; i < (is_long ? 10 : 1); i++)
        nothing_is_missing(seed + i, 4000, 1000);
    sabotage_is_caught(SABOTAGE_EVERY_SYNC, seed, 20, "no syncs at all are caught within 20 cuts");
    sabotage_is_caught(SABOTAGE_DATA_SYNC, seed, 20, "a missing sync of the data is caught within 20 cuts");
    sabotage_is_caught(SABOTAGE_COPY_SYNC, seed, 80, "a missing sync of a compaction's copy is caught within 80 cuts");
    sabotage_is_caught(SABOTAGE_DIRECTORY_SYNC, seed, 20, "a missing sync of the directory is caught within 20 cuts");
    sabotage_is_caught(SABOTAGE_META_SYNC, seed, 80, "a missing sync of the meta page is caught within 80 cuts");
    remove_files();
    path_of(copy, "copy");
    (void)rmdir(copy);
    (void)rmdir(directory);
    return 0;
}
