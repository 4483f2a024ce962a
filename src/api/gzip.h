/* Bodies in fewer bytes: the content coding "gzip", RFC 9110, 8.4.1.3 and 12.5.3. */
#ifndef API_GZIP_H
#define API_GZIP_H

#include "base/frame.h"

#define GZIP_WORTH_BYTES (1024)             /* what is smaller hardly gets smaller */
#define GZIP_ASIDE_BYTES (64 * 1024)        /* what is larger is not for the loop: a millisecond each */
#define GZIP_MAX_BYTES   (16 * 1024 * 1024) /* what is larger stays as it is */

/* Whether somebody who sends that Accept-Encoding wants gzip, and would not rather have it plain. */
bool accepts_gzip(struct bytes accept_encoding);

/* On any thread. NULL: it would not be smaller, or there is no memory. */
struct frame *gzip_frame(struct bytes content);

#endif
