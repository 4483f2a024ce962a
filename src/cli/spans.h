/* JSON as the bytes it is: the members of an object and the elements of a list, one by one, without understanding what
 * is in them. What must be kept byte for byte, numbers and escapes and the order of keys, goes through here.
 *
 *     {"v":3,"op":[1,"a"]}        member "v" is `3`, member "op" is `[1,"a"]`
 *
 * Only the outermost brackets and commas are judged; a span that is to be used as JSON is parsed by whoever uses it. */
#ifndef CLI_SPANS_H
#define CLI_SPANS_H

#include <stdint.h>

#include "base/bytes.h"
#include "ot/ot.h"

struct spans {
    const char *at, *end;
    char closing;     /* '}' or ']' */
    bool is_first;    /* nothing was read yet */
    bool is_finished; /* the closing bracket was read, and nothing but white space is behind it */
    bool is_bad;      /* no such text: nothing more comes */
};

/* text: an object (opening '{') or a list (opening '['). */
struct spans spans_of(struct bytes text, char opening);

/* The next member; its key as it is written, without quotes. False: that was all (is_finished), or it is bad. */
bool spans_member(struct spans *spans, struct bytes *key, struct bytes *value);
bool spans_element(struct spans *spans, struct bytes *value);

/* The value of the object's member of that name; at NULL: there is none. */
struct bytes span_of_member(struct bytes object, const char *key);

/* A JSON string's text. Borrowed from the span, or, where it has escapes, from *owned, which is the caller's then.
 * False: it is none, or out of memory. */
bool span_text(struct bytes span, struct ot_json **owned, struct bytes *out);

/* A number of decimal digits alone. */
bool span_number(struct bytes span, uint64_t *out);

static inline bool span_is(struct bytes span, const char *literal)
{
    return bytes_equal(span, bytes_of(literal, strlen(literal)));
}

#endif
