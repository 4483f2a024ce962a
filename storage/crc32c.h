/* CRC-32C (Castagnoli), the checksum of everything that the store keeps.
 *
 * Begin with 0; crc32c(crc32c(0, a), b) is the checksum of a followed by b. */
#ifndef STORAGE_CRC32C_H
#define STORAGE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *at, size_t n_bytes);

/* The same, without the processor's instruction for it. */
uint32_t crc32c_portable(uint32_t crc, const void *at, size_t n_bytes);

#endif
