/* A query: all documents of a collection, as they are and as they change. Of its three files, nobody else's.
 *
 *     session_query.c         requests, turns, and what is told of a live query
 *     session_query_read.c    what the answer is made of
 *     session_query_answer.c  how it is written
 *
 *     waiting for its turn --> reading --> answered, and then live (qs) or gone (qf)
 *
 * It is gone early when it is refused or fails, by qu, with its session; a live one also when a query of the same id
 * has become live, or when it finds too many documents.
 *
 * One query of a session reads at a time, and none begins while the client has enough to read; so a session never holds
 * more than one answer. The operations that a client lacks are given at the pace of his reading.
 *
 * No gap and no repetition: it watches the collection first, then asks the store for the list, then reads the
 * documents, each at the version that it has when its turn comes. News of a document that is still to be read is
 * dropped, for the reading will have it; other news is held until the answer has gone. */
#ifndef API_SESSION_QUERY_H
#define API_SESSION_QUERY_H

#include "api/query_list.h"
#include "api/session_inside.h"
#include "base/name.h"
#include "doc/collection.h"

#define QUERY_N_FETCHES 16 /* documents read at a time */
#define QUERY_PAGE      1000

struct query {
    struct list link; /* in the session's queries */
    struct session *session;
    struct request *request;       /* not answered; NULL: it is live */
    struct query_reading *reading; /* NULL: it waits for its turn, or is live */
    struct ot_json *id;            /* a number */
    bool stays;                    /* qs: it lives when it is answered */
    const struct ot_json *known;   /* the list that the client has, in the request's frame; NULL: none */
    struct watcher watcher;
    struct query_list list;
    struct bytes collection; /* points behind this struct */
};

/* What is known of a document before the answer. */
struct query_draft {
    struct list link; /* in the reading's unread */
    struct query_entry *entry;
    bool is_begun;  /* or needs no reading */
    bool is_asked;  /* known to the client without a version: its snapshot stands apart in the answer */
    uint64_t from;  /* the version that the client has; DOCUMENT_NOW: its snapshot is read */
    uint64_t heard; /* news below this version was dropped before it was begun */
    struct buffer snapshot;
};

struct query_held {
    struct list link;
    struct committed_op *op; /* counted */
    bool is_heard;
    uint8_t n_id;
    char id[];
};

struct query_fetch {
    struct fetch fetch;
    struct query *query;
    struct query_entry *entry; /* NULL: free */
};

struct query_reading {
    struct query_fetch fetches[QUERY_N_FETCHES];
    size_t n_outstanding; /* answers of the store and of documents */
    bool is_listed;       /* every document that the store has is an entry */
    bool is_pumping;
    bool is_over;    /* nothing more is read: when the last answer is there, it ends */
    bool is_waiting; /* until the client has read */
    struct store_list_query page;
    char after[NAME_MAX_BYTES];
    struct list unread, held;
    size_t n_held_bytes, n_bytes; /* of snapshots */
    struct query_entry **known;   /* the client's list, in his order; NULL: out of place */
    size_t n_known;
};

/* session_query.c */
void query_done(struct query *query); /* its reading is over: answered, refused or failed */

/* session_query_read.c */
/* What is wrong with `r`, the client's list; NULL: nothing. */
const char *query_known_check(const struct ot_json *known);
void query_read(struct query *query);
void query_read_stop(struct query *query);
void query_read_go_on(struct query *query); /* its client has read, or is gone */
/* News while it is read. is_heard: the session is told of it anyway. */
void query_read_news(struct query *query, struct news *news, bool is_heard);
/* Ends the reading; the news that the answer does not hold yet is moved to `held`. */
void query_read_finish(struct query *query, struct list *held);

/* session_query_answer.c */
void query_answer(struct query *query); /* everything is read */
/* Writes {"d":...} with the members of the snapshot. */
void query_write_value(struct bytes id, struct bytes snapshot, struct buffer *into);

#endif
