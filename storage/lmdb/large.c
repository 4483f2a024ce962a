#include "storage/lmdb/large.h"

#include <errno.h>
#include <zstd_errors.h>

#define ZSTD_LEVEL 1 /* on the commit thread, where others wait */

void piece_pack(ZSTD_CCtx *context, struct bytes bytes, struct buffer *into)
{
    size_t bound = ZSTD_compressBound(bytes.n_bytes), n;
    char *room;

    buffer_reset(into);
    room = buffer_room(into, bound);
    if (!room)
        return;
    n = ZSTD_compressCCtx(context, room, bound, bytes.at, bytes.n_bytes, ZSTD_LEVEL);
    if (ZSTD_isError(n)) {
        buffer_finish(into);
        into->error = -ENOMEM;
        return;
    }
    buffer_grew(into, n);
}

int piece_unpack(ZSTD_DCtx *context, struct bytes packed, size_t max_bytes, struct buffer *into)
{
    unsigned long long n_bytes = ZSTD_getFrameContentSize(packed.at, packed.n_bytes);
    char *room;
    size_t n;

    if (n_bytes == 0 || n_bytes > max_bytes) /* what is not known or no frame is a very large number */
        return -EBADMSG;
    room = buffer_room(into, (size_t)n_bytes);
    if (!room)
        return into->error;
    n = ZSTD_decompressDCtx(context, room, (size_t)n_bytes, packed.at, packed.n_bytes);
    if (ZSTD_isError(n))
        return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
    buffer_grew(into, n);
    return n == n_bytes ? 0 : -EBADMSG;
}

void staged_note_encode(const struct staged_note *note, struct buffer *into)
{
    append_varint(into, note->number);
    append_varint(into, note->from);
    append_varint(into, note->n);
}

int staged_note_decode(struct bytes value, struct staged_note *out)
{
    struct scan scan = scan_of(value);
    struct staged_note note = { .number = scan_varint(&scan) };

    note.from = scan_varint(&scan);
    note.n = scan_varint(&scan);
    if (scan.bad || note.n == 0)
        return -EBADMSG;
    *out = note;
    return 0;
}
