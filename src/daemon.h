/* The server process: what its parts know of one another.
 *
 *     pilcrowd.c        settings, and the order in which things begin and end
 *     daemon_end.c      SIGTERM: everything is answered, then everybody leaves
 *     daemon_reload.c   SIGHUP: settings, tokens and certificate are read again
 *
 *     STARTING --the key of client ids is there--> SERVING --SIGTERM--> ANSWERING --nothing pending, 10 s--> LEAVING
 *         --no connection left, 3 s--> UNLOADING --no document in use, 5 s--> over */
#ifndef DAEMON_H
#define DAEMON_H

#include <ev.h>

#include "api/rest_waits.h"
#include "api/session.h"
#include "config.h"
#include "net/server.h"
#include "retention.h"

#define WHY_BYTES 512 /* of a sentence for people */

enum stage { STARTING, SERVING, ANSWERING, LEAVING, UNLOADING };

struct daemon {
    int argc;
    char **argv;
    struct config config;
    struct ev_loop *loop;
    enum stage stage;
    double deadline; /* of the stage, in the loop's time */
    int status;

    struct store *store;
    struct helper *helper;
    struct hub *hub;
    struct session_context sessions;
    struct rest_context rest;
    struct rest_waits waits;
    struct gate gate;
    struct tls *tls; /* until the server has it */
    struct server *server;
    struct retention retention;

    ev_async wake;
    ev_prepare handing;
    ev_signal terminate, interrupt, hangup;
    ev_timer step;
};

/* daemon_end.c */
void daemon_begin_end(struct daemon *daemon); /* makes its timer ready */
void daemon_terminate(struct daemon *daemon); /* asked for the second time: at once */

/* daemon_reload.c. Of those that return: 0, or another number with a sentence in why. */
void daemon_read_rules(const struct config *config, struct retain_rules *out);
int daemon_load_tokens(struct daemon *daemon, char *why, size_t n_why);
int daemon_load_certificate(struct daemon *daemon, char *why, size_t n_why);
void daemon_reload(struct daemon *daemon);

#endif
