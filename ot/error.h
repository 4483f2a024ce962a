/* How ot/ says what is wrong with its input. Internal to ot/. */
#ifndef OT_ERROR_H
#define OT_ERROR_H

#include "ot/ot.h"

/* Writes the sentence into *error, if there is one, and returns code: `return ot_fail(error, OT_BAD_OP, "...")`. */
int ot_fail(struct ot_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
