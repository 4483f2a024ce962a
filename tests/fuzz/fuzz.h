/* A fuzz target is one function that is called with any bytes and comes back, whatever they are. libFuzzer brings a
 * main of its own; replay.c is the one for everybody else. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* A law that must hold for every input. */
#define FUZZ_REQUIRE(law)                                                                                              \
    do {                                                                                                               \
        if (!(law)) {                                                                                                  \
            (void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #law);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
