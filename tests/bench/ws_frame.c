#include "tests/bench/ws_frame.h"

#include "tests/bench/load.h"

void ws_append_opening(struct buffer *output, const char *path, int port)
{
    (void)buffer_printf(output,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        path, port);
}

void ws_append_frame(struct buffer *output, enum ws_opcode opcode, struct bytes payload)
{
    uint64_t n = payload.n_bytes;
    uint8_t head[14] = { (uint8_t)(0x80 | opcode) }; /* the last frame of its message */
    size_t n_head = 2, n_length = n < 126 ? 0 : n < 65536 ? 2 : 8;
    uint32_t chance = (uint32_t)random_between(0, UINT32_MAX);
    uint8_t mask[4];
    char *at;

    head[1] = (uint8_t)(0x80 | (n_length == 0 ? n : n_length == 2 ? 126 : 127)); /* masked */
    for (size_t i = n_length; i > 0; i--)
        head[n_head++] = (uint8_t)(n >> 8 * (i - 1));
    memcpy(mask, &chance, sizeof(mask));
    memcpy(head + n_head, mask, sizeof(mask));
    (void)buffer_append(output, head, n_head + sizeof(mask));
    at = buffer_room(output, payload.n_bytes);
    for (size_t i = 0; at && i < payload.n_bytes; i++)
        at[i] = (char)(((const uint8_t *)payload.at)[i] ^ mask[i & 3]);
    if (at)
        buffer_grew(output, payload.n_bytes);
}

bool ws_next_part(struct bytes input, struct ws_frame *out)
{
    const uint8_t *at = input.at;
    size_t n_head = 2;
    uint64_t n;

    if (input.n_bytes < n_head)
        return false;
    if (at[1] & 0x80)
        fail("a WebSocket frame that is masked");
    n = at[1];
    if (n >= 126) {
        size_t n_length = n == 126 ? 2 : 8;

        if (input.n_bytes < n_head + n_length)
            return false;
        for (n = 0; n_length > 0; n_length--)
            n = n << 8 | at[n_head++];
    }
    if (n > input.n_bytes - n_head)
        return false;
    *out = (struct ws_frame){ at[0] & 0x0f, bytes_of(at + n_head, (size_t)n), n_head + (size_t)n, at[0] & 0x80 };
    return true;
}

bool ws_next_frame(struct bytes input, struct ws_frame *out)
{
    if (!ws_next_part(input, out))
        return false;
    if (!out->is_last || out->opcode == WS_CONTINUATION)
        fail("a WebSocket message in several frames");
    return true;
}
