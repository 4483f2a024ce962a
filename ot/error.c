#include "ot/error.h"

#include <stdarg.h>
#include <stdio.h>

const struct ot_limits ot_limits_default = {
    .max_depth = 200,
    .max_components = 100000,
    .max_document_bytes = (size_t)64 << 20,
};

int ot_fail(struct ot_error *error, int code, const char *format, ...)
{
    va_list arguments;

    if (!error)
        return code;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return code;
}

const char *ot_code_name(int code)
{
    switch ((enum ot_code)code) {
    case OT_BAD_JSON: return "bad_json";
    case OT_BAD_OP: return "bad_op";
    case OT_NOT_APPLIED: return "not_applied";
    case OT_CONFLICT: return "conflict";
    case OT_LIMIT: return "limit";
    case OT_UNSUPPORTED: return "unsupported";
    }
    return "unknown";
}
