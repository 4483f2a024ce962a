#include "auth/principal.h"

const struct principal principal_nobody;
const struct principal principal_anyone = { "anyone", 6, RIGHT_READ | RIGHT_WRITE | RIGHT_ADMIN, false };

const char *right_name(enum right right)
{
    return right == RIGHT_READ ? "read" : right == RIGHT_WRITE ? "write" : "admin";
}

unsigned right_of_name(struct bytes name)
{
    for (enum right right = RIGHT_READ; right <= RIGHT_ADMIN; right = right_next(right)) {
        if (bytes_equal(name, bytes_of_string(right_name(right))))
            return right | ((unsigned)right - 1); /* and every one before it */
    }
    return RIGHT_NONE;
}
