/* A copy of the store as it is now, as a stream.
 *
 *     thread of the store --socket--> fd of the stream --read--> whoever carries the answer
 *
 * A socket and no pipe, because the store may cut it. It holds the one or other hundred kB; when the client is slow, it
 * is full, and the store's thread waits. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/rest_inside.h"

struct backup {
    struct rest_stream stream; /* first */
    int fds[2];                /* ours; the store's, -1 once it needs it no more */
    bool is_closed;            /* by the carrier */
    int r;                     /* what the store said */
};

static void backup_free_unused(struct backup *backup)
{
    if (!backup->is_closed || backup->fds[1] >= 0)
        return;
    free(backup);
}

/* Closed, the store's end of the socket is the end of what can be read from ours. */
static void on_copied(void *arg, int r)
{
    struct backup *backup = arg;

    backup->r = r;
    (void)close(backup->fds[1]);
    backup->fds[1] = -1;
    backup_free_unused(backup);
}

static ssize_t backup_read(struct rest_stream *stream, char *into, size_t n_room)
{
    struct backup *backup = (struct backup *)stream;
    ssize_t n = recv(stream->fd, into, n_room, MSG_DONTWAIT);

    if (n > 0)
        return n;
    if (n < 0)
        return -errno;
    return backup->fds[1] >= 0 ? -EPIPE : backup->r; /* cut by the store, or at its end */
}

static void backup_close(struct rest_stream *stream)
{
    struct backup *backup = (struct backup *)stream;

    (void)close(backup->fds[0]);
    backup->is_closed = true;
    backup_free_unused(backup);
}

static const struct rest_stream_interface backup_interface = { backup_read, backup_close };

/* 0 or -errno. */
static int backup_create(struct rest_call *call, struct backup **out)
{
    struct backup *backup = calloc(1, sizeof(*backup));
    int r;

    if (!backup)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, backup->fds)) {
        r = -errno;
        free(backup);
        return r;
    }
    backup->stream = (struct rest_stream){ .interface = &backup_interface, .fd = backup->fds[0] };
    r = store_backup(hub_store(call->context->hub), backup->fds[1], on_copied, backup);
    if (r) {
        (void)close(backup->fds[0]);
        (void)close(backup->fds[1]);
        free(backup);
        return r;
    }
    *out = backup;
    return 0;
}

static void backup_begin(struct rest_call *call, struct bytes body)
{
    struct rest_reply reply;
    struct backup *backup = NULL;
    int r = call->is_head ? 0 : backup_create(call, &backup);

    (void)body;
    if (r == -EBUSY) {
        call_refuse(call, 503, "ERR_BUSY", "A backup is being made already. Try again when it is done.");
    } else if (r == -ENOTSUP) {
        call_refuse(call, 501, "ERR_NOT_SUPPORTED", "This store is copied by tools of its own.");
    } else if (r) {
        call_fail(call, r);
    } else {
        reply_init(&reply, 200);
        reply_header(&reply, "content-type", "application/octet-stream");
        reply_header(&reply, "cache-control", "no-store");
        reply.response.stream = backup ? &backup->stream : NULL;
        call_reply(call, &reply);
    }
}

const struct rest_action rest_backup = { backup_begin, sizeof(struct rest_call), NULL };
