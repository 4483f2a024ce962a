/* A conversation with sessions, as a page that anyone can read:
 *
 *     one  > {"a":"op","c":"notes","d":"a","v":1,"seq":1,"op":["x"]}        one sends; he comes with his first line
 *     disk ! fail commits once
 *     one  < closed 1013                                                    what he was sent since, in order
 *     two  < nothing
 *
 * After > : the frame. `$one` is the id that `one` was given at init. After >> : the same, with \xHH and \n, to be sent
 * as bytes; after >< : the start of a message that was too large.
 * After < : a frame, compared as JSON, where "*" stands for any value; `nothing`; `closed CODE`; `...`, skip the rest.
 *     Before, everything the store has to answer is answered.
 * After ! :  NAME ! connect [PRINCIPAL [RIGHT]]     his init is to be read; a line that begins with > connects, and has
 *                                                   read it. RIGHT: with what it brings along; - for none; else all
 *            NAME ! end                     his line is gone
 *            NAME ! stop reading | read on      long answers wait meanwhile
 *            NAME < paused | NAME < not paused
 *            disk ! hold | release          commits wait | go on
 *            disk ! hold snapshots          nobody reads one until they are released
 *            disk ! fail commits once | fail reads once | fill up
 *            server ! restart
 *            limit ! queries N | query documents N | query bytes N | bulk bytes N
 * At the end everything that was sent must have been read. */
#ifndef API_CONVERSATION_H
#define API_CONVERSATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/session.h"
#include "tests/sim/store_sim.h"

struct conversation {
    struct sim_disk *disk;
    struct store *store;
    struct world world;
    uint64_t now_ms, n_random;
    struct hub_config config;
    struct hub *hub;
    struct session_context context;
    struct list voices;
};

/* For cmocka: *state is the conversation. */
int conversation_setup(void **state);
int conversation_teardown(void **state);

/* Says or expects what the lines say. A conversation may have several parts. */
void converse(struct conversation *conversation, const char *script);

/* The same for frames that no page would show. */
void say(struct conversation *conversation, const char *name, const char *text, size_t n_bytes);
size_t count_unread(struct conversation *conversation, const char *name);
void skip_unread(struct conversation *conversation, const char *name);
void conversation_restart(struct conversation *conversation);

#endif
