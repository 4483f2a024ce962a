/* What the files of reading share.
 *
 *     rest_read.c        what is asked for, of what there is
 *     rest_read_body.c   the body: one that is kept, or written now, in gzip for who takes it; what is large beside the
 *                        loop, once for all who ask for the same meanwhile */
#ifndef API_REST_READ_H
#define API_REST_READ_H

#include "api/rest_inside.h"

/* What a client asks for, of what there is. */
struct choice {
    const struct representation *representation; /* NULL: none that he takes */
    bool takes_gzip;
    bool is_immutable;
    uint64_t version, modified_ms;
};

struct rest_read {
    struct rest_call call;
    struct fetch fetch;
    enum { READ_PRESENT, READ_VERSION, READ_TIME } what;
    struct choice choice;
    struct store_list_query query; /* while the store is asked for the head */

    /* While the helper writes, then compresses. */
    struct errand errand;
    struct document_view view; /* with a snapshot of our own */
    struct ot_snapshot *snapshot;
    int r;
    struct frame *plain, *compressed;
    struct rest_read *joined; /* who asked for the same meanwhile, by `next` */
    struct rest_read *next;   /* among these, or in the context's list of those whose body is being written */
};

/* 200, or the part that is asked for. Takes a reference to the body. */
void reply_whole(struct rest_reply *reply, const struct rest_request *request, const struct choice *choice,
                 struct rest_body body);

/* Answers with what was chosen, which has that value. */
void read_give(struct rest_read *read, const struct document_view *view);

#endif
