/* What the files of this folder know of one another. Nobody else includes it.
 *
 *     document.c   life, the queue of waiters, news to subscribers
 *     load.c       from the log into memory, the first time and whenever memory can't be trusted any more
 *     apply.c      what one step does to the value
 *     submit.c     a submission's way: known already? (identity.c) -> transformed (derive.c) -> applied -> appended
 *     behind.c     the same when many others were first
 *     large.c      the same when it is large
 *     fetch.c      reading: the value, or operations;  fetch_past.c   the value as it was
 *     keep.c       snapshots, when they are due;       kept.c         reading them
 *     purge.c      forgetting for good
 *     merge.c      fewer operations that do the same
 *     retain.c     old operations are merged: all logs; retain_log.c: one
 *     collection.c news to those who watch a whole collection
 *     hub.c        all documents by name */
#ifndef DOC_INSIDE_H
#define DOC_INSIDE_H

#include "doc/hub.h"
#include "doc/recent.h"
#include "doc/writers.h"

enum document_state { DOCUMENT_LOADING, DOCUMENT_OPEN, DOCUMENT_BROKEN };

/* The loading of a document that is under way. */
struct load {
    uint64_t at, end;  /* versions [at, end) are still to be read */
    uint64_t first;    /* what lies below is not kept any more */
    uint64_t value_at; /* what lies below is in the value already */
    uint64_t created_ms, modified_ms;
};

struct document {
    struct hub *hub;
    uint32_t n_references;
    struct list link;      /* idle documents, by last use */
    size_t idle_bytes;     /* what it is counted as, while it is idle */
    struct document *next; /* in the hub's bucket */
    uint32_t hash;
    struct store_name name; /* points behind this struct */

    enum document_state state;
    int why;               /* LOADING again: what happened to the append; 0 when that has been dealt with */
    struct store_log *log; /* NULL while there is none open */
    size_t n_calls;        /* answers outstanding from the store */
    size_t n_lookups;      /* of them store_find: while there is one, later submissions ask too, to keep their order */

    uint64_t head, tip;
    uint64_t told; /* operations below are no news to the collection's watchers; NEVER_TOLD: not loaded yet */
    const struct ot_type *type; /* of the value, at the tip; NULL: there is no document */
    struct ot_snapshot *value;
    uint64_t created_ms, modified_ms;
    uint64_t last_ms; /* time of the newest record: they never run backwards */

    struct recent recent; /* ends at the head */
    struct writers writers;
    struct list waiters;  /* by version; the submissions among them that hold an op are the pending [head..tip) */
    struct list arrivals; /* not begun yet: waiting for the loading */
    struct list subscribers;
    bool is_settling, is_beginning;
    struct waiter *placing; /* begun again after a conflict and without a place yet: arrivals wait behind it */

    struct load load;
    uint64_t news;     /* somebody else is said to have brought the log this far */
    size_t tail_bytes; /* of operations since the newest snapshot */
    bool is_keeping;   /* a snapshot is on its way */

    struct document_companion *companion; /* or NULL */
};

#define NEVER_TOLD          UINT64_MAX
#define HUB_WATCHED_BUCKETS 1024
#define HUB_SCRATCH_BYTES   4096 /* that are kept */

struct hub {
    struct hub_config config;
    struct document **buckets;
    size_t n_buckets, n_documents;
    struct list idle;
    size_t n_idle, idle_bytes;
    struct collection *watched[HUB_WATCHED_BUCKETS]; /* collections that somebody watches */
    size_t n_watched;
    struct retain *retain; /* the run that is under way, or NULL */
    struct buffer scratch; /* of whoever writes a body, until it is copied */
    struct hub_figures figures;
};

/* document.c */
struct document *document_create(struct hub *hub, struct store_name name, uint32_t hash);
void document_destroy(struct document *document);
void document_part(struct document *document);                         /* from its companion, if it has one */
void document_place(struct document *document, struct waiter *waiter); /* its version is set */
void document_begin_arrivals(struct document *document);
void document_enqueue(struct document *document, struct waiter *waiter); /* at the tip; settles */
void document_settle(struct document *document);                         /* releases what is due */
void document_arrive(struct document *document, struct waiter *waiter);  /* begins it, now or when loaded */
void document_release(struct waiter *waiter, int r);                     /* the answer, whatever it waited for */
/* One more version is durable: remember it, tell the subscribers. step may be NULL. */
void document_advance(struct document *document, struct committed_op *op, const struct ot_type *type,
                      struct step *step);
/* Operations below version go from memory: the log does not hold them one by one any more. */
void document_forget(struct document *document, uint64_t version);
void document_subscribe(struct document *document, struct subscriber *subscriber, uint64_t from);
/* An answer of the store has come; the loading that waited for the last one goes on. */
void document_call_done(struct document *document);

/* load.c */
void document_load(struct document *document);            /* when BROKEN or new */
void document_reload(struct document *document, int why); /* why: STORE_CONFLICT, STORE_UNKNOWN or -errno */
void document_load_continue(struct document *document);   /* no answer is outstanding any more */
void document_follow_news(struct document *document);     /* reads them, unless something of our own is under way */

/* submit.c */
void submission_begin(struct waiter *waiter);
/* What took time of its own is over: goes on, with `r` as its refusal, or begins again if the document was reloaded. */
void submission_move(struct submission *submission, int r);
void submission_refuse(struct submission *submission, int r);
/* The next accepted submission at or behind node; NULL at the end of the queue. */
struct submission *document_pending(const struct document *document, struct list *node);

/* for (each pending submission s of document, in the order of versions) */
#define FOR_EACH_PENDING(s, document)                                                                                  \
    for (struct submission *s = document_pending((document), (document)->waiters.next); s;                             \
         s = document_pending((document), s->waiter.link.next))

/* behind.c: transforms it over operations of the log from `at` on, at most to `end`, then moves it. */
void submission_catch_up(struct submission *submission, uint64_t end);

/* large.c: true: the helper has it now, or had and it has moved. */
bool submission_is_aside(struct submission *submission);

/* identity.c */
enum identity {
    IDENTITY_NEW,
    IDENTITY_KNOWN,
    IDENTITY_REUSED, /* is_sole, and there is another one of its source */
    IDENTITY_TOO_OLD,
    IDENTITY_UNCLEAR /* the store must be asked */
};
/* version: of the first, if it is KNOWN. */
enum identity submission_identify(struct submission *submission, uint64_t *version);
void identity_learn(struct submission *submission, const struct store_source *source); /* the store has answered */
void identity_note(struct submission *submission);                                     /* it is placed at `at` */

/* derive.c: 0, an enum document_error (with the submission's `error`) or -errno. */
int submission_understand(struct submission *submission); /* for the type of now */
/* From `at` up to the tip. -EINPROGRESS: that is more than one turn's work; from the log, then, in slices. */
int submission_derive(struct submission *submission);
void submission_forget_ready(struct submission *submission);
int submission_pass(struct submission *submission, const struct record *record); /* over the operation at `at` */
/* Notes r, which is not the last word while the log is still being read, and answers 0; or -ENOMEM, which is. */
int submission_misfits(struct submission *submission, int r);

/* fetch.c */
void fetch_begin(struct waiter *waiter);
struct fetch *fetch_of(struct waiter *waiter);
int fetch_take_value(struct fetch *fetch); /* at the tip: into its view */
void fetch_finish(struct fetch *fetch, int r);

/* fetch_past.c */
int past_begin(struct fetch *fetch);
void past_go_on(struct fetch *fetch); /* the tip of its beginning is durable */

/* keep.c */
void document_keep_if_due(struct document *document);
/* Before an idle document is unloaded. True: a snapshot is on its way, and the document in use until it is there, or
 * has failed; it may be gone by now. */
bool document_keep_at_last(struct document *document);

/* kept.c */
/* found: what the newest snapshot at or below at_most holds, or nothing, at version 0; the value is taken over. r: 0 or
 * -errno. The call counts among the answers that are outstanding: whoever is told ends it. */
typedef void kept_found_fn(void *arg, int r, const struct past *found);
/* Damaged ones are passed over: the log is the truth. */
STORE_MUST_CHECK int kept_find(struct document *document, uint64_t at_most, kept_found_fn *done, void *arg);

/* apply.c */
/* Changes the value by a step of that time, all or nothing. Returns 0, an enum document_error (with `error`) or
 * -ENOMEM. */
int document_apply(struct document *document, const struct step *step, uint64_t time_ms, struct ot_error *error);
/* Makes of a step what is written: what only the value tells. Returns as document_apply. */
int document_clarify(const struct document *document, struct step *step, struct ot_error *error);
int document_error_of(int ot_code);

static inline const struct ot_limits *document_limits(const struct document *document)
{
    return &document->hub->config.limits;
}

/* collection.c */
bool document_is_watched(const struct document *document);
void document_tell_watchers(struct document *document, struct committed_op *op); /* it has advanced by op */

/* hub.c */
uint32_t hub_hash(struct bytes name);
void hub_idle(struct document *document);   /* nobody uses it any more */
void hub_in_use(struct document *document); /* it was idle */

#endif
