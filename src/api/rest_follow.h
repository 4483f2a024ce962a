/* What the files of waiting know of one another.
 *
 *     rest_wait.c     a request that waits for a document's next version, then goes on
 *     rest_stream.c   a follower: one client's stream of events, and the queue for it
 *     rest_event.c    their bytes
 *     rest_waits.c    all of them, and what is written once for many */
#ifndef API_REST_FOLLOW_H
#define API_REST_FOLLOW_H

#include "api/rest_inside.h"
#include "api/rest_waits.h"

struct waiting;
struct waiting *waiting_of_link(struct list *link);
void waiting_give_up(struct waiting *waiting); /* it is answered from inside, and gone */

struct follower;
struct follower *follower_of_link(struct list *link);
struct follower *follower_of_resting(struct list *link);
void follower_rest(struct follower *follower);    /* one REST_REST_MS more is over */
void follower_dismiss(struct follower *follower); /* `goaway`, and the end */

/* Bytes of an event, or of a page of the log with that operation and none behind it. One reference each; NULL without
 * memory. */
struct frame *event_of_op(struct store_name name, const struct committed_op *op);
struct frame *event_of_snapshot(struct store_name name, const struct document_view *view);
struct frame *event_of_reset(uint64_t after); /* what lies behind that version can't be had one by one */
struct frame *event_of_goaway(void);
struct frame *page_of_op(struct store_name name, const struct committed_op *op);

/* The same, written once for everybody who is told of it in one turn. The reference is the waits'. */
struct frame *waits_event(struct rest_waits *waits, struct store_name name, struct committed_op *op);
struct frame *waits_page(struct rest_waits *waits, struct store_name name, struct committed_op *op);
struct frame *waits_page_gzip(struct rest_waits *waits); /* of that page; NULL: it would not be smaller */
struct frame *waits_snapshot(struct rest_waits *waits, struct document *document, const struct document_view *view);
struct frame *waits_heartbeat(struct rest_waits *waits);

#endif
