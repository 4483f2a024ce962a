/* Numbers of a body, apart from what stands between them. Operations count places in a document, and the next one is
 * mostly made near the last: the numbers become small differences, and the rest repeats itself.
 *
 *     bodies    {"op":[1203,"a"]}   {"op":[1204,"b"]}        the first of each: place 0
 *     texts     {"op":[*,"a"]}      {"op":[*,"b"]}           *: the byte 01
 *     numbers   1203                1                        zigzag, since the one at the same place of the body before
 *
 * A number is what JSON would take for one that is whole and not negative, of at most 18 digits, between one of [ , :
 * and one of , ] } so that no other digits are touched. Whatever a body is, it comes back byte for byte. */
#ifndef STORAGE_LMDB_NUMBERS_H
#define STORAGE_LMDB_NUMBERS_H

#include "storage/lmdb/code.h"

#define NUMBERS_PLACES     16 /* numbers further back share the last place */
#define NUMBERS_DIGITS_MAX 20 /* that one byte of a text may become */

/* Begin with a zeroed one: what the bodies so far said. */
struct numbers {
    uint64_t at[NUMBERS_PLACES];
};

/* Appends a text and its numbers. false: nothing of it would become smaller, or it holds the byte 01; nothing was
 * appended. The buffers' errors tell of failures. */
bool numbers_split(struct numbers *numbers, struct bytes body, struct buffer *text, struct buffer *differences);

/* Writes the body, and returns where it ends. NULL: there is no room for it before `end`. Numbers that are not there
 * make the scan bad. */
char *numbers_join(struct numbers *numbers, struct bytes text, struct scan *differences, char *at, const char *end);

#endif
