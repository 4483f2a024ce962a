/* What a load looks at in a message of the protocol: read in one pass, in the bytes it came in. */
#ifndef BENCH_PROTOCOL_MESSAGE_H
#define BENCH_PROTOCOL_MESSAGE_H

#include <stdint.h>

#include "base/buffer.h"

struct message {
    struct bytes action, op, create, data, error; /* as they stand, strings with their quotes; at NULL: not there */
    int64_t version, seq;                         /* -1: not there */
};

/* Members of an object, in any order. A snapshot (`data` of an answer) is read alike. False: it is no object. */
bool message_read(struct bytes json, struct message *out);

/* Is the action this one? */
bool message_is(const struct message *message, const char *action);

#endif
