/* Channels: who listens to what is shown and forgotten. A channel is there as long as somebody listens. */
#ifndef API_CHANNEL_H
#define API_CHANNEL_H

#include "base/bytes.h"
#include "base/list.h"

#define CHANNEL_NAME_MAX_BYTES 300 /* of a channel, and of a presence id */

/* All of a server's; empty when zeroed, and again when everybody has left. */
struct channels {
    void *by_name;
};

struct channel {
    struct list members; /* in the order of their coming */
    struct bytes name;
};

/* Embedded in whatever listens. */
struct channel_member {
    struct list link;
    struct channel *channel;
};

struct channel *channel_find(const struct channels *channels, struct bytes name); /* NULL: nobody listens */

/* -ENOMEM. Whether he listens already is the caller's to know. */
__attribute__((warn_unused_result)) int channel_join(struct channels *channels, struct bytes name,
                                                     struct channel_member *member);
void channel_leave(struct channels *channels, struct channel_member *member);

#endif
