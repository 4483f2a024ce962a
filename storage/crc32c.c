#include "storage/crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL 0x82f63b78u /* reflected */

/* tables[k][b]: what byte b does to the checksum with k more bytes behind it. */
static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void tables_fill(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        tables[0][b] = crc;
    }
    for (uint32_t b = 0; b < 256; b++)
        for (int k = 1; k < 8; k++)
            tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xff];
}

uint32_t crc32c_portable(uint32_t crc, const void *at, size_t n_bytes)
{
    const unsigned char *p = at;

    pthread_once(&tables_once, tables_fill);
    crc = ~crc;
    for (; n_bytes >= 8; n_bytes -= 8, p += 8) {
        crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        crc = tables[7][crc & 0xff] ^ tables[6][(crc >> 8) & 0xff] ^ tables[5][(crc >> 16) & 0xff] ^
              tables[4][crc >> 24] ^ tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    }
    for (; n_bytes; n_bytes--, p++)
        crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *at, size_t n_bytes)
{
    const unsigned char *p = at;
    uint64_t wide = ~crc;

    for (; n_bytes >= 8; n_bytes -= 8, p += 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; n_bytes; n_bytes--, p++)
        crc = _mm_crc32_u8(crc, *p);
    return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *at, size_t n_bytes)
{
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(crc, at, n_bytes);
    return crc32c_portable(crc, at, n_bytes);
}
#else
uint32_t crc32c(uint32_t crc, const void *at, size_t n_bytes)
{
    return crc32c_portable(crc, at, n_bytes);
}
#endif
