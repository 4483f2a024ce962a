#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "storage/crc32c.h"
#include "storage/lmdb/verify.h"
#include "tests/faults/damage.h"

struct answers *shared;

/* ---- what it answers --------------------------------------------------------------------------------------------- */

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
                 &(struct store_list_query){ .collection = collection_of(i), .limit = 1000 });
    ask_list(loop, N_LOGS * N_OF_LOG + 3, &(struct store_list_query){ .limit = 1000, .all = true, .deleted = true });
    r = loop_collections(loop);
    for (size_t k = 0; !r && k < loop->n_collections; k++) {
        add(&crc, loop->collections[k].name.at, loop->collections[k].name.n_bytes);
        add(&crc, &loop->collections[k].n_documents, sizeof(uint64_t));
    }
    note(N_LOGS * N_OF_LOG + 4, r, crc);
}

void ask_store(struct place *place)
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

void verify(struct place *place, bool prints)
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
