#include "doc/retain.h"

#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "doc/inside.h"

#define DAY_MS          (24ull * 3600 * 1000)
#define MARKS_MAX_BYTES 4096

static const char marks_key[] = "retention";

/* ---- how far earlier runs have come ------------------------------------------------------------------------------
 *
 *     marks    | before ms, 8 bytes, little-endian | length of the collection's name, 1 byte | name | ... */

static void marks_read(struct retain *retain, struct bytes marks)
{
    const unsigned char *at = marks.at, *end = at + marks.n_bytes;

    while (end - at > 9 && end - at >= 9 + at[8]) {
        const struct retain_rule *rule = retain_rules_find(&retain->rules, bytes_of(at + 9, at[8]));
        uint64_t before_ms = 0;

        for (size_t i = 8; i-- > 0;)
            before_ms = before_ms << 8 | at[i];
        if (rule)
            retain->done_before_ms[rule - retain->rules.rules] = before_ms;
        at += 9 + at[8];
    }
}

static void marks_write(struct retain *retain)
{
    buffer_reset(&retain->marks);
    for (size_t i = 0; i < retain->rules.n; i++) {
        const struct retain_name *name = &retain->rules.rules[i].collection;
        unsigned char head[9];

        for (size_t k = 0; k < 8; k++)
            head[k] = (unsigned char)(retain->done_before_ms[i] >> 8 * k);
        head[8] = (unsigned char)name->n_bytes;
        (void)buffer_append(&retain->marks, head, sizeof(head));
        (void)buffer_append(&retain->marks, name->at, name->n_bytes);
    }
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static void next_rule(struct retain *retain);
static void next_document(struct retain *retain);

static void finish(struct retain *retain, int r)
{
    retain->hub->retain = NULL;
    buffer_finish(&retain->marks);
    if (retain->n_merged)
        log_info("retain", "%" PRIu64 " old operations were merged, in %" PRIu64 " documents", retain->n_merged,
                 retain->n_documents);
    if (r && r != -ECANCELED)
        log_warning("retain", "old operations could not be merged: %s", strerror(-r));
    retain->on_done(retain, r);
}

static bool goes_on(struct retain *retain, int r)
{
    if (!r && !retain->is_stopped)
        return true;
    finish(retain, r ? r : -ECANCELED);
    return false;
}

static void pause_before(struct retain *retain)
{
    retain->is_paused = true;
    if (retain->on_pause)
        retain->on_pause(retain);
    else
        retain_go_on(retain);
}

void retain_go_on(struct retain *retain)
{
    if (!retain->is_paused)
        return;
    retain->is_paused = false;
    if (retain->is_in_log)
        retain_log_go_on(&retain->log);
    else
        next_document(retain);
}

void retain_stop(struct hub *hub)
{
    struct retain *retain = hub->retain;

    if (!retain)
        return;
    retain->is_stopped = true;
    if (retain->is_in_log)
        retain_log_stop(&retain->log);
    else
        retain_go_on(retain);
}

/* ---- one document ------------------------------------------------------------------------------------------------ */

static void on_log_pause(struct retain_log *log)
{
    pause_before(LIST_ENTRY(log, struct retain, log));
}

/* What is damaged is found again by whoever opens the document; the others are not to wait for it. */
static int judge(struct retain *retain, int r)
{
    const struct retain_name *collection = &retain->rules.rules[retain->rule].collection;
    const struct retain_name *id = &retain->page[retain->at].name;

    if (r == -EAGAIN)
        retain->is_partial = true;
    if (r == -EBADMSG)
        log_error("retain", "%.*s/%.*s: its log can't be replayed; it stays as it is", (int)collection->n_bytes,
                  collection->at, (int)id->n_bytes, id->at);
    if (!r && retain->log.n_wrong)
        log_error("retain", "%.*s/%.*s: %zu times the merged operations did not do what the single ones do; these stay",
                  (int)collection->n_bytes, collection->at, (int)id->n_bytes, id->at, retain->log.n_wrong);
    return r == -EAGAIN || r == -EBADMSG ? 0 : r;
}

static void on_log_done(struct retain_log *log, int r)
{
    struct retain *retain = LIST_ENTRY(log, struct retain, log);

    retain->is_in_log = retain->is_paused = false;
    retain->n_merged += log->n_merged;
    retain->n_documents += log->n_merged > 0;
    r = judge(retain, r);
    retain->at++;
    if (goes_on(retain, r))
        pause_before(retain);
}

static void begin_document(struct retain *retain)
{
    int r;

    retain->log = (struct retain_log){
        .hub = retain->hub,
        .name = { bytes_of_name(&retain->rules.rules[retain->rule].collection),
                  bytes_of_name(&retain->page[retain->at].name) },
        .before_ms = retain->before_ms,
        .since_ms = retain->page[retain->at].since_ms,
        .pause_ms = RETAIN_PAUSE_MS,
        .on_pause = retain->on_pause ? on_log_pause : NULL,
        .on_done = on_log_done,
    };
    retain->is_in_log = true;
    r = retain_log_begin(&retain->log);
    if (r) {
        retain->is_in_log = false;
        finish(retain, r);
    }
}

/* ---- all documents of a rule ------------------------------------------------------------------------------------- */

/* Under the name of one that came to be lately there may have been another; that one's operations wait until this one
 * is old enough, or for a run from the start. */
static bool has_work(const struct retain *retain, const struct store_info *info, uint64_t *since_ms)
{
    uint64_t done_ms = retain->done_before_ms[retain->rule];

    *since_ms = 0;
    if (retain->from_start)
        return true;
    if (info->created_ms < done_ms)
        *since_ms = done_ms;
    return info->created_ms < retain->before_ms && info->modified_ms >= done_ms;
}

static void on_list(void *arg, int r, const struct store_entry *entries, size_t n, bool more)
{
    struct retain *retain = arg;

    if (!goes_on(retain, r))
        return;
    retain->n_page = retain->at = 0;
    retain->has_more = more;
    for (size_t i = 0; i < n; i++) {
        if (has_work(retain, &entries[i].info, &retain->page[retain->n_page].since_ms))
            name_set(&retain->page[retain->n_page++].name, entries[i].id);
    }
    if (n)
        name_set(&retain->after, entries[n - 1].id);
    pause_before(retain);
}

static void list(struct retain *retain)
{
    struct store_list_query query = {
        .collection = bytes_of_name(&retain->rules.rules[retain->rule].collection),
        .after = bytes_of_name(&retain->after),
        .limit = RETAIN_PAGE,
        .deleted = true,
    };
    int r = store_list(retain->hub->config.store, &query, on_list, retain);

    if (r)
        finish(retain, r);
}

static void on_marks_kept(void *arg, int r)
{
    struct retain *retain = arg;

    if (goes_on(retain, r))
        next_rule(retain);
}

static void rule_done(struct retain *retain)
{
    int r;

    if (!retain->is_partial)
        retain->done_before_ms[retain->rule] = retain->before_ms;
    retain->rule++;
    marks_write(retain);
    r = retain->marks.error;
    if (!r)
        r = store_meta_put(retain->hub->config.store, bytes_of_string(marks_key), buffer_bytes(&retain->marks),
                           on_marks_kept, retain);
    if (r)
        finish(retain, r);
}

static void next_document(struct retain *retain)
{
    if (!goes_on(retain, 0))
        return;
    if (retain->at < retain->n_page)
        begin_document(retain);
    else if (retain->has_more)
        list(retain);
    else
        rule_done(retain);
}

static void next_rule(struct retain *retain)
{
    uint64_t now_ms = world_now_ms(retain->hub->config.world), kept_ms;

    if (retain->rule == retain->rules.n) {
        finish(retain, 0);
        return;
    }
    kept_ms = retain->rules.rules[retain->rule].days * DAY_MS;
    retain->before_ms = now_ms > kept_ms ? now_ms - kept_ms : 1;
    retain->is_partial = false;
    retain->after.n_bytes = 0;
    list(retain);
}

static void on_marks(void *arg, int r, struct bytes value)
{
    struct retain *retain = arg;

    if (!goes_on(retain, r == STORE_NOT_FOUND ? 0 : r))
        return;
    if (!r)
        marks_read(retain, value);
    next_rule(retain);
}

int retain_all(struct retain *retain)
{
    struct hub *hub = retain->hub;
    int r = hub->retain ? -EBUSY : 0;

    retain->n_documents = retain->n_merged = 0;
    retain->rule = 0;
    memset(retain->done_before_ms, 0, sizeof(retain->done_before_ms));
    retain->is_stopped = retain->is_paused = retain->is_in_log = false;
    buffer_init(&retain->marks, MARKS_MAX_BYTES);
    if (!r)
        r = store_meta_get(hub->config.store, bytes_of_string(marks_key), on_marks, retain);
    if (!r)
        hub->retain = retain;
    return r;
}
