#include "api/channel.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* By length, then by bytes: any order will do. */
static int compare(const void *a, const void *b)
{
    const struct channel *one = a, *other = b;

    if (one->name.n_bytes != other->name.n_bytes)
        return one->name.n_bytes < other->name.n_bytes ? -1 : 1;
    return memcmp(one->name.at, other->name.at, one->name.n_bytes);
}

struct channel *channel_find(const struct channels *channels, struct bytes name)
{
    struct channel key = { .name = name };
    struct channel *const *found = tfind(&key, &channels->by_name, compare);

    return found ? *found : NULL;
}

static struct channel *channel_create(struct channels *channels, struct bytes name)
{
    struct channel *channel = malloc(sizeof(*channel) + name.n_bytes);

    if (!channel)
        return NULL;
    list_init(&channel->members);
    memcpy(channel + 1, name.at, name.n_bytes);
    channel->name = bytes_of((const char *)(channel + 1), name.n_bytes);
    if (tsearch(channel, &channels->by_name, compare))
        return channel;
    free(channel);
    return NULL;
}

int channel_join(struct channels *channels, struct bytes name, struct channel_member *member)
{
    struct channel *channel = channel_find(channels, name);

    if (!channel)
        channel = channel_create(channels, name);
    if (!channel)
        return -ENOMEM;
    list_append(&channel->members, &member->link);
    member->channel = channel;
    return 0;
}

void channel_leave(struct channels *channels, struct channel_member *member)
{
    struct channel *channel = member->channel;

    list_remove(&member->link);
    if (!list_is_empty(&channel->members))
        return;
    (void)tdelete(channel, &channels->by_name, compare);
    free(channel);
}
