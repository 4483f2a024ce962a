/* Answers of HTTP/1.1, read as they come: by length, in chunks, or up to the end of the line.
 *
 *     HEAD -> BODY (length) -------------------> DONE
 *       |---> SIZE -> CHUNK -> SIZE ... -> TRAILER -^
 *       `---> ENDLESS (until the line is closed)
 *
 * Only for servers that one trusts: what is unusual is refused, not repaired. */
#ifndef BENCH_HTTP_READER_H
#define BENCH_HTTP_READER_H

#include <sys/types.h>

#include "base/buffer.h"

enum http_reader_state {
    HTTP_READER_HEAD,
    HTTP_READER_BODY,
    HTTP_READER_SIZE,
    HTTP_READER_CHUNK,
    HTTP_READER_TRAILER,
    HTTP_READER_ENDLESS,
    HTTP_READER_DONE,
};

/* All zero: before an answer. */
struct http_reader {
    enum http_reader_state state;
    int status; /* 0: no first line yet */
    bool has_length, is_chunked;
    uint64_t n_left;  /* of the body, or of the chunk and its end of line */
    uint64_t version; /* Pilcrow-Version; 0: none */
    char etag[128];   /* with its quotes; empty: none */
};

/* Takes what it can of the input, and appends what is of the body. How many bytes it took: 0 when it is DONE, or wants
 * more than there is. -EPROTO: that is no answer; -ENOMEM, -E2BIG: of the body. */
__attribute__((warn_unused_result)) ssize_t http_reader_feed(struct http_reader *reader, struct bytes input,
                                                             struct buffer *body);

#endif
