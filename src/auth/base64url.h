/* Bytes in letters that need no escaping anywhere; RFC 4648, 5. Only whole groups of three bytes, so nothing is
 * padded. */
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/* n_bytes: a multiple of 3. out: n_bytes / 3 * 4 characters, terminated. */
void base64url_write(const unsigned char *from, size_t n_bytes, char *out);

/* text: n_bytes / 3 * 4 characters. False: another character is among them. */
bool base64url_read(const char *text, unsigned char *out, size_t n_bytes);

#endif
