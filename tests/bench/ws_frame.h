/* A client's side of WebSocket frames (RFC 6455), as much as a load needs: text messages, sent in one frame each.
 *
 * The answer to the opening request is read by http_reader: 101. Its Sec-WebSocket-Accept is not looked at. */
#ifndef BENCH_WS_FRAME_H
#define BENCH_WS_FRAME_H

#include "base/buffer.h"

enum ws_opcode { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Failures stay in the buffer's error. */
void ws_append_opening(struct buffer *output, const char *path, int port);
void ws_append_frame(struct buffer *output, enum ws_opcode opcode, struct bytes payload);

struct ws_frame {
    enum ws_opcode opcode;
    struct bytes payload; /* within the input */
    size_t n_bytes;       /* of the frame as a whole */
    bool is_last;         /* of its message */
};

/* The frame that the input begins with. False: it is not whole yet. Fails on one that is masked. */
bool ws_next_part(struct bytes input, struct ws_frame *out);

/* The same, for messages that come in one frame each: fails on others. */
bool ws_next_frame(struct bytes input, struct ws_frame *out);

#endif
