/* Durable appends, many documents, and a copy that is made meanwhile. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/world.h"
#include "cli/save.h"
#include "tests/bench/storage_bench.h"

#define RECORD_BYTES  100
#define RECORDS_MAX   4096
#define TURN_SECONDS  0.5
#define N_LOGS        16
#define LIST_LIMIT    100
#define N_LOOKS       200
#define COPY_BODY_MAX 65536

/* ---- appends ----------------------------------------------------------------------------------------------------- */

struct appending {
    struct bench *bench;
    struct store_log *logs[N_LOGS];
    uint64_t heads[N_LOGS], seq;
    struct record records[RECORDS_MAX];
    char bodies[RECORDS_MAX][RECORD_BYTES];
    int r;
};

/* What an editor sends: a position, some letters. */
static void bodies_fill(struct appending *appending, size_t n)
{
    static const char letters[] = "etaoin shrdlu cmfwyp vbgkjq xz";

    for (size_t i = 0; i < n; i++) {
        char *body = appending->bodies[i];
        int at = snprintf(body, RECORD_BYTES, "{\"op\":[%llu,\"", (unsigned long long)(appending->seq % 9973));

        while (at < RECORD_BYTES - 3)
            body[at++] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        memcpy(body + at, "\"]}", 3);
        appending->records[i] = (struct record){ .id = { bytes_of_string("PwR2xTq0c9Wm"), ++appending->seq },
                                                 .time_ms = world_now_ms(&world_real),
                                                 .author = bytes_of_string("ink"),
                                                 .body = bytes_of(body, RECORD_BYTES) };
    }
}

static void on_append(void *arg, int r, uint64_t head)
{
    struct appending *appending = arg;

    (void)head;
    appending->r = r;
    appending->bench->n_waiting--;
}

static void append(struct appending *appending, size_t n)
{
    static unsigned turn;
    unsigned i = turn++ % N_LOGS;
    const struct store_state after = { true, bytes_of_string("text-unicode"), 1000 };

    bodies_fill(appending, n);
    appending->bench->n_waiting++;
    must(store_append(appending->logs[i], appending->heads[i], appending->records, n, &after, on_append, appending) ==
             0,
         "no appending");
    bench_wait(appending->bench);
    must(appending->r == 0, "an append failed");
    appending->heads[i] += n;
}

static void appending_begin(struct appending *appending, struct bench *bench)
{
    char id[32];

    appending->bench = bench;
    for (unsigned i = 0; i < N_LOGS; i++) {
        (void)snprintf(id, sizeof(id), "append-%u", i);
        appending->logs[i] = bench_log(bench, "bench", id);
        appending->heads[i] = bench->info.head;
    }
}

static void appending_end(struct appending *appending)
{
    for (unsigned i = 0; i < N_LOGS; i++)
        store_log_close(appending->logs[i]);
}

/* What the disk can do: the same bytes, one write and one sync. */
static void write_bare(struct appending *appending, int fd, size_t n)
{
    bodies_fill(appending, n);
    must(write(fd, appending->bodies, n * RECORD_BYTES) == (ssize_t)(n * RECORD_BYTES), "a file can't be written");
    must(fdatasync(fd) == 0, "a file can't be synced");
}

int bench_append(const char *path, unsigned long n_records, double seconds)
{
    struct appending *appending = calloc(1, sizeof(*appending));
    struct bench bench;
    char bare_path[PATH_MAX];
    uint64_t n_ours = 0, n_bare = 0;
    double ours = 0, bare = 0, began;
    int fd;

    must(appending && n_records > 0 && n_records <= RECORDS_MAX, "so many records can't be appended");
    bench_open(&bench, path);
    appending_begin(appending, &bench);
    (void)snprintf(bare_path, sizeof(bare_path), "%s/bare", path);
    fd = open(bare_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    must(fd >= 0, "a file can't be made");
    while (ours < seconds) {
        for (began = now(); now() - began < TURN_SECONDS; n_bare++)
            write_bare(appending, fd, n_records);
        bare += now() - began;
        for (began = now(); now() - began < TURN_SECONDS; n_ours++)
            append(appending, n_records);
        ours += now() - began;
    }
    (void)close(fd);
    (void)unlink(bare_path);
    appending_end(appending);
    (void)printf("{\"ours\":%.0f,\"bare\":%.0f}\n", (double)(n_ours * n_records) / ours,
                 (double)(n_bare * n_records) / bare);
    bench_close(&bench);
    free(appending);
    return 0;
}

/* ---- many documents ---------------------------------------------------------------------------------------------- */

struct making {
    struct bench *bench;
    struct store_log *log;
    struct record record;
    bool is_used;
};

static void on_made(void *arg, int r, uint64_t head)
{
    struct making *making = arg;

    (void)head;
    must(r == 0, "a document can't be made");
    store_log_close(making->log);
    making->is_used = false;
    making->bench->n_waiting--;
}

static void on_making_open(void *arg, int r, struct store_log *log, const struct store_info *info)
{
    static const struct store_state state = { true, { "text-unicode", 12 }, 5 };
    struct making *making = arg;

    must(r == 0, "a log does not open");
    making->log = log;
    making->record =
        (struct record){ .id = { bytes_of_string("PwR2xTq0c9Wm"), 1 },
                         .time_ms = 1700000000000,
                         .author = bytes_of_string("ink"),
                         .body = bytes_of_string(
                             "{\"create\":{\"type\":\"http://sharejs.org/types/text-unicode\",\"data\":\"hello\"}}") };
    must(store_append(log, info->head, &making->record, 1, &state, on_made, making) == 0, "no appending");
}

static void id_of(unsigned long i, char into[32])
{
    (void)snprintf(into, 32, "document-%07lu", i);
}

static void documents_make(struct bench *bench, unsigned long n)
{
    static struct making makings[1000];
    static char ids[1000][32];

    for (unsigned long i = 0; i < n;) {
        for (size_t k = 0; k < 1000 && i < n; k++) {
            struct store_name name = { bytes_of_string("many"), { 0 } };

            if (makings[k].is_used)
                continue;
            makings[k] = (struct making){ .bench = bench, .is_used = true };
            id_of(i++, ids[k]);
            name.id = bytes_of_string(ids[k]);
            bench->n_waiting++;
            must(store_log_open(bench->store, name, NULL, on_making_open, &makings[k]) == 0, "a log does not open");
        }
        bench_turn(bench);
    }
    bench_wait(bench);
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct bench *bench = arg;

    (void)entries, (void)more;
    bench->n_waiting--;
    bench->r = r;
    bench->n = n;
}

static double list_page(struct bench *bench, unsigned long n)
{
    char after[32];
    struct store_list_query query = { .collection = bytes_of_string("many"), .limit = LIST_LIMIT };
    double began = now();

    id_of((unsigned long)rand() % (n - LIST_LIMIT), after);
    query.after = bytes_of_string(after);
    bench->n_waiting++;
    must(store_list(bench->store, &query, on_list, bench) == 0, "no listing");
    bench_wait(bench);
    must(bench->r == 0 && bench->n == LIST_LIMIT, "a page is not full");
    return (now() - began) * 1e3;
}

static double open_one(struct bench *bench, unsigned long n)
{
    char id[32];
    double began = now();

    id_of((unsigned long)rand() % n, id);
    store_log_close(bench_log(bench, "many", id));
    must(bench->info.head == 1, "a document is not there");
    return (now() - began) * 1e3;
}

int bench_documents(const char *path, unsigned long n)
{
    struct times pages = { 0 }, openings = { 0 };
    struct bench bench;

    must(n > LIST_LIMIT, "that is too few");
    bench_open(&bench, path);
    documents_make(&bench, n);
    bench_close(&bench);
    bench_open(&bench, path);
    for (size_t i = 0; i < N_LOOKS; i++) {
        times_add(&pages, list_page(&bench, n));
        times_add(&openings, open_one(&bench, n));
    }
    bench_close(&bench);
    (void)printf("{\"page_ms\":%.4f,\"open_ms\":%.4f}\n", times_at(&pages, 0.5), times_at(&openings, 0.5));
    times_finish(&pages);
    times_finish(&openings);
    return 0;
}

/* ---- a copy ------------------------------------------------------------------------------------------------------ */

/* Bytes that do not pack. */
static void store_fill(struct bench *bench, unsigned long n_megabytes)
{
    static char body[COPY_BODY_MAX];
    struct appending appending = { .bench = bench };
    struct store_log *log = bench_log(bench, "bench", "large");
    const struct store_state after = { true, bytes_of_string("text-unicode"), 1000 };

    for (uint64_t i = 0; i < ((uint64_t)n_megabytes << 20) / COPY_BODY_MAX; i++) {
        struct record record = { .id = { bytes_of_string("s"), i },
                                 .time_ms = 1700000000000 + i,
                                 .body = bytes_of(body, sizeof(body)) };

        world_random(&world_real, body, sizeof(body));
        bench->n_waiting++;
        must(store_append(log, bench->info.head + i, &record, 1, &after, on_append, &appending) == 0, "no appending");
        bench_wait(bench);
        must(appending.r == 0, "an append failed");
    }
    store_log_close(log);
}

struct copying {
    bool is_over;
    int r;
};

static void on_copied(void *arg, int r)
{
    struct copying *copying = arg;

    copying->is_over = true;
    copying->r = r;
}

/* What it comes through, and who puts it into a file as `pilcrow backup` does. */
struct saving {
    pthread_t thread;
    struct save save;
    int from, to;
};

static void *saving_main(void *arg)
{
    static char piece[COPY_BODY_MAX];
    struct saving *saving = arg;
    ssize_t n;

    while ((n = read(saving->from, piece, sizeof(piece))) > 0)
        must(save_write(&saving->save, bytes_of(piece, (size_t)n)) == 0, "the copy can't be written");
    must(n == 0, "the copy can't be read");
    return NULL;
}

static void saving_begin(struct saving *saving, const char *path)
{
    int ends[2];

    must(save_open(path, &saving->save) == 0, "the copy can't be made");
    must(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    saving->from = ends[0];
    saving->to = ends[1];
    must(pthread_create(&saving->thread, NULL, saving_main, saving) == 0, "no thread");
}

static void saving_end(struct saving *saving)
{
    (void)close(saving->to);
    (void)pthread_join(saving->thread, NULL);
    (void)close(saving->from);
    must(save_finish(&saving->save) == 0, "the copy can't be synced");
}

/* Appends one record after the other until the copy is made, or for as long. Returns the seconds. */
static double write_on(struct appending *appending, const struct copying *copying, double seconds, struct times *times)
{
    double began = now();

    while (copying ? !copying->is_over : now() - began < seconds) {
        double sent = now();

        append(appending, 1);
        times_add(times, (now() - sent) * 1e3);
    }
    return now() - began;
}

int bench_backup(const char *path, const char *to, unsigned long n_megabytes)
{
    struct appending *appending = calloc(1, sizeof(*appending));
    struct copying copying = { false, 0 };
    struct times alone = { 0 }, beside = { 0 };
    struct bench bench;
    double seconds;
    struct saving saving;

    must(appending, "no memory");
    bench_open(&bench, path);
    store_fill(&bench, n_megabytes);
    appending_begin(appending, &bench);
    saving_begin(&saving, to);
    must(store_backup(bench.store, saving.to, on_copied, &copying) == 0, "the store does not copy itself");
    seconds = write_on(appending, &copying, 0, &beside);
    must(copying.r == 0, "the copy failed");
    saving_end(&saving);
    (void)write_on(appending, NULL, seconds, &alone);
    (void)printf("{\"seconds\":%.2f,\"alone_max_ms\":%.2f,\"alone_p99_ms\":%.2f,\"max_ms\":%.2f,\"p99_ms\":%.2f}\n",
                 seconds, times_at(&alone, 1), times_at(&alone, 0.99), times_at(&beside, 1), times_at(&beside, 0.99));
    appending_end(appending);
    bench_close(&bench);
    times_finish(&alone);
    times_finish(&beside);
    free(appending);
    return 0;
}
