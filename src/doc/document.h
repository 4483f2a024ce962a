/* One open document: a log of operations and the value they add up to.
 *
 *     log      [0 .. head) durable    | pending [head .. tip): accepted, on its way to the disk
 *     value    log and pending, all of it
 *     waiters  one FIFO ordered by version: acknowledgements, refusals, snapshots, ends of catching up
 *
 *     submit     push pending, change value, append       committed(n)  head += n, tell subscribers, release waiters <=
 * head conflict   drop value, read the news, re-derive pending from "as received", append again failed     fail the
 * waiters, drop everything, reopen from the log
 *
 * Invariants: value == replay(log + pending). Nothing above head leaves: callbacks see durable versions only.
 *
 *  LOADING --loaded--> OPEN --append failed, conflict, unknown, news--> LOADING        LOADING --could not read-->
 * BROKEN --use--> LOADING
 *
 * Requests made while LOADING wait for it. All requests are embedded in structures of the caller, who keeps them alive
 * and unmoved until on_done; on_done comes exactly once, on the loop thread, possibly from inside the call that made
 * the request. Requests made by one caller on one document are answered in order of their making, except that reading
 * old operations and looking up an old identity take time of their own: who needs order waits for on_accepted
 * (submission) or on_done (fetch) before the next.
 *
 * Results r: 0; a positive enum document_error, which would be refused again; -errno, passing trouble: the request may
 * be made again later (WebSocket: close 1013, HTTP: 503, or 507 for -ENOSPC). */
#ifndef DOC_DOCUMENT_H
#define DOC_DOCUMENT_H

#include "base/helper.h"
#include "base/list.h"
#include "doc/past.h"

#define DOCUMENT_NOW UINT64_MAX /* as a version: whatever is the tip */

enum document_error {
    DOCUMENT_VERSION_AHEAD = 1, /* the version lies above the tip */
    DOCUMENT_EXISTS,            /* create: there is a document */
    DOCUMENT_MISSING,           /* there is none */
    DOCUMENT_WAS_DELETED,       /* it was deleted since that version */
    DOCUMENT_TYPE_UNKNOWN,      /* create: no such type */
    DOCUMENT_BAD_OP,            /* no operation or content of the document's type */
    DOCUMENT_NOT_APPLIED,       /* does not fit the document */
    DOCUMENT_OP_CONFLICT,       /* json1: both write to one place */
    DOCUMENT_LIMIT,             /* over a ceiling */
    DOCUMENT_SEQ_TOO_OLD,       /* whether this was submitted before can't be told any more */
    DOCUMENT_OPS_GONE,          /* operations since that version are not kept any more */
    DOCUMENT_CHANGED,           /* only_now: the version is not the tip any more */
    DOCUMENT_ID_REUSED,         /* is_sole: its source has another operation here */
    DOCUMENT_IS_NEW,            /* only_repeated: it is no repetition */
    DOCUMENT_AS_WANTED,         /* make: nothing is to be done */
};

struct document_view;

struct document;

struct document *document_ref(struct document *document);
void document_unref(struct document *document); /* NULL is fine. Unused documents are unloaded by their hub */

struct store_name document_name(const struct document *document); /* borrowed */
uint64_t document_head(const struct document *document);  /* the newest durable version known; 0 while first LOADING */
uint64_t document_first(const struct document *document); /* operations below are not kept; 0 while first LOADING */

/* What somebody above keeps with a document while it is loaded; destroyed when it is unloaded or forgotten. One a
 * document. */
struct document_companion {
    void (*destroy)(struct document_companion *companion);
};

struct document_companion *document_companion(const struct document *document);                /* NULL: it has none */
void document_give_companion(struct document *document, struct document_companion *companion); /* it has none */

/* The document's own part of a request: where it stands in the queue. Callers embed it and leave it alone. */
struct waiter {
    struct list link;
    uint64_t version; /* is answered when this many versions are durable */
    int r;
    bool had_place; /* before a conflict: those behind it must not overtake it now */
    void (*begin)(struct waiter *waiter);
    /* Back to how it was received; false: impossible, it is released with -EAGAIN. */
    bool (*retreat)(struct waiter *waiter);
    void (*release)(struct waiter *waiter);
};

/* ---- submitting -------------------------------------------------------------------------------------------------- */

struct submission {
    /* In; borrowed until on_done. */
    struct op_id id;
    struct bytes author;
    uint64_t version;     /* the version it was made for, or DOCUMENT_NOW */
    bool only_now;        /* refuse with DOCUMENT_CHANGED when version is not the tip, instead of transforming */
    enum step_kind kind;  /* STEP_EDIT, STEP_CREATE or STEP_DELETE */
    struct bytes type;    /* create: name or URI */
    struct ot_json *data; /* create: content, NULL for none. edit: the operation */
    bool is_sole;         /* its source makes one operation of this document, ever */
    bool only_repeated;   /* only a question: with kind STEP_NOTHING, nothing is written */
    bool is_large; /* the hub's helper reads it; until on_done nobody counts references to data, or parts of it */

    /* Not NULL: makes the operation out of the value at the tip, at the moment at which the submission gets its place
     * there; for version DOCUMENT_NOW or with only_now, and never for a repetition. Sets data; after a conflict it is
     * asked again. Returns 0, an enum document_error, which is answered when that tip is durable, or -errno. */
    int (*make)(struct submission *submission, const struct document_view *tip);

    /* 0 to n times before on_done, ascending: durable operations in [version, committed version), among which the
     * submission was placed. Not given when the submission is refused, except that those from far behind may have been
     * given already. */
    void (*on_missed)(struct submission *submission, struct committed_op *op);
    /* At most once, before on_accepted and the first slice of the log is read for it: so many others were first that
     * transforming takes turns between which others have theirs. May be NULL. */
    void (*on_far_behind)(struct submission *submission);
    /* Once, before on_done: it has its place in the order (or is refused) and later requests will stand behind it. May
     * be NULL. */
    void (*on_accepted)(struct submission *submission);
    /* version: the one it was committed at, if r is 0; it was new or a repetition of what had been submitted before. */
    void (*on_done)(struct submission *submission, int r, uint64_t version);

    /* Out: when r > 0; when it is 0, whether it had been submitted before. */
    struct ot_error error;
    bool was_repeated;

    /* The document's own. */
    struct waiter waiter;
    struct document *document;
    struct step step;        /* for version `at` */
    uint64_t at;             /* how far it has been transformed; then, the version it is committed at */
    uint64_t given;          /* operations below were given to on_missed */
    struct committed_op *op; /* what is committed */
    struct record record;    /* points into op */
    size_t work;             /* bytes of operations that it has been transformed over, and of itself, each time */
    int misfit; /* why it could not be read or transformed, unless its document turns out to have been deleted */
    uint64_t append_us; /* when that began */
    bool was_accepted, was_looked_up, is_duplicate, was_far_behind;
    bool is_held, is_standing;
    bool was_aside; /* the helper has read it, and made `ready` */
    int errand_r;
    struct errand errand;
    struct committed_op *ready; /* of the step, while it is as the helper has left it; without version and time */
    bool is_first;              /* the store knows nothing else of its source */
    int lookup;                 /* store_find's answer, and where */
    uint64_t lookup_version, lookup_head;
};

void document_submit(struct document *document, struct submission *submission);

/* Between slices, until go_on: its author can't be given more operations for now, or others are to be first. From
 * inside on_missed or on_far_behind, or at any time before on_accepted. One that had a place before a conflict goes on
 * all the same. go_on may bring callbacks from inside. */
void submission_hold(struct submission *submission);
void submission_go_on(struct submission *submission); /* nothing when it was not held */

/* ---- following --------------------------------------------------------------------------------------------------- */

struct subscriber {
    /* Every operation from the version it was registered at: durable, ascending, no gap, no repetition. It may
     * subscribe, unsubscribe (itself or others) and submit from inside. */
    void (*on_op)(struct subscriber *subscriber, struct committed_op *op);

    /* The document's own. */
    struct list link;
    struct document *document; /* NULL: subscribed nowhere */
    uint64_t next;             /* the version of the next on_op */
};

void subscriber_init(struct subscriber *subscriber, void (*on_op)(struct subscriber *, struct committed_op *));
void document_unsubscribe(struct subscriber *subscriber); /* nothing when not subscribed */

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* A document as it was at one version. Borrowed for the length of on_done. */
struct document_view {
    uint64_t version;
    const struct ot_type *type;         /* NULL: there is no document at that version */
    const struct ot_snapshot *snapshot; /* NULL with type NULL */
    uint64_t created_ms, modified_ms;
};

enum fetch_what {
    FETCH_SNAPSHOT, /* the value at the tip of now, once that is durable */
    FETCH_OPS,      /* operations [from, to), once the tip of now is durable */
    FETCH_BARRIER,  /* nothing: when the tip of now is durable */
    FETCH_PAST,     /* the value at version `to`; with until_ms, at the newest version that is not later than that */
};

struct fetch {
    /* In. */
    enum fetch_what what;
    uint64_t from, to; /* FETCH_OPS. to: DOCUMENT_NOW is the head when the reading gets there; FETCH_PAST: the tip */
    uint64_t until_ms; /* FETCH_PAST; 0: none */
    size_t max_bytes;  /* FETCH_OPS: stop after about so many bytes of operations, at least one; 0: no bound */
    uint64_t n_max;    /* FETCH_OPS: DOCUMENT_LIMIT, and nothing is read, when more versions are to come; 0: no bound */
    bool takes_merged; /* FETCH_OPS: also those that stand for several; else DOCUMENT_OPS_GONE where there are some */
    struct subscriber
        *subscriber; /* not NULL: is registered so that on_op continues where this reading ends, without gap */

    void (*on_op)(struct fetch *fetch, struct committed_op *op); /* FETCH_OPS: ascending */
    /* view: the value (FETCH_SNAPSHOT, FETCH_PAST) or just version, the head (others). NULL when r is not 0.
     * FETCH_PAST: DOCUMENT_OPS_GONE, the version is within what was merged, or not kept any more. */
    void (*on_done)(struct fetch *fetch, int r, const struct document_view *view);

    /* The document's own. */
    struct waiter waiter;
    struct document *document;
    uint64_t at;    /* the next operation to give; FETCH_PAST: up to where a snapshot is looked for */
    size_t n_bytes; /* given so far */
    bool is_held, is_standing, is_stopped;
    struct ot_snapshot *snapshot;
    struct document_view view;
    struct past past;
    bool has_value, is_dated, is_based, is_based_anew; /* FETCH_PAST: what it has come to */
};

void document_fetch(struct document *document, struct fetch *fetch);

/* The view that a FETCH_SNAPSHOT would bring, without the value, when it would bring it at once: nothing is accepted
 * above the head, and nobody waits. Costs nothing. False: it would have to wait. */
bool document_glance(const struct document *document, struct document_view *out);

/* FETCH_PAST by time, since 1970: before there was any, there was nothing. */
static inline void fetch_until(struct fetch *fetch, uint64_t time_ms)
{
    fetch->to = time_ms ? DOCUMENT_NOW : 0;
    fetch->until_ms = time_ms;
}

/* FETCH_OPS, from inside on_op or at any time before on_done. Held: nothing comes until go_on. Stopped, FETCH_PAST too:
 * on_done comes soon, with -ECANCELED. go_on and stop may bring callbacks from inside. */
void fetch_hold(struct fetch *fetch);
void fetch_go_on(struct fetch *fetch); /* nothing when it was not held */
void fetch_stop(struct fetch *fetch);

/* ---- forgetting -------------------------------------------------------------------------------------------------- */

/* Deletes the document, if there is one, and then forgets every operation, snapshot and source of it, here and in the
 * store (store_remove, store_pack). Versions go on above its head, subscribers hear the deletion and what is created
 * later; whoever comes with an older version is refused (DOCUMENT_OPS_GONE). */
struct purge {
    /* In; borrowed until on_done. */
    struct op_id id; /* of the deletion; its seq and those above are the purge's */
    struct bytes author;
    uint64_t version; /* with only_now; the purge's own from then on */
    bool only_now;    /* refuse with DOCUMENT_CHANGED when somebody else has written since that version */

    /* version: the last. r: DOCUMENT_MISSING, nothing is kept of it already; DOCUMENT_CHANGED, everything is, though it
     * was deleted if the writing came after that. After -errno it may have been deleted, or forgotten here and not yet
     * in the store; purging again makes sure of both. */
    void (*on_done)(struct purge *purge, int r, uint64_t version);

    /* The document's own. */
    struct waiter waiter;
    struct document *document;
    struct submission deletion;
    bool is_removed, may_be_removed;
};

void document_purge(struct document *document, struct purge *purge);

#endif
