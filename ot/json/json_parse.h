/* The parser's state, and its floors: strings, and the arena that it fills. Internal to ot/json/. */
#ifndef OT_JSON_PARSE_H
#define OT_JSON_PARSE_H

#include "ot/json/json_node.h"

#define JSON_CUT 1000 /* within the parser: so far so good, but the text ends */

/* Behind the copied text lie so many zeros: nothing that JSON goes on with, so that only what finds no sense in a byte
 * need ask whether the text has ended; and what looks at eight bytes at a time may look. */
#define JSON_END_BYTES 8

struct json_parser {
    char *text; /* the arena's copy, which moves with it */
    size_t n_text;
    const char *at; /* of what is rare, and of what is wrong; else the place is handed on from step to step */
    int r;          /* what went wrong */
    size_t max_depth;
    struct ot_error *error;
    bool is_prefix; /* the text was cut: a number at its end is not whole */
    bool is_first;  /* nothing yet in the innermost container */
    char closer;    /* of the innermost container */

    struct json_arena *arena;
    size_t capacity; /* units */

    size_t depth;  /* open containers */
    size_t n_kept; /* of a value that is read: 1, or 0 above the ceiling */
    struct ot_json *scratch;
    size_t n_scratch, scratch_capacity;
    uint32_t open; /* the innermost placeholder in scratch; 0 also when there is none */
    unsigned char *levels;
    size_t n_levels; /* bytes */
    struct ot_json first_scratch[64];
};

static inline const char *json_end(const struct json_parser *p)
{
    return p->text + p->n_text;
}

/* OT_BAD_JSON, with p->at. */
int json_bad(struct json_parser *p, const char *what);

/* The rest of a string, from the byte at p->at on that is not plain, up to its quote: decoded in place, where it never
 * overtakes what is read. 0, JSON_CUT, OT_BAD_JSON. */
int json_string_rest(struct json_parser *p, bool is_key, struct ot_json *string);

int json_arena_create(struct json_parser *p, const char *utf8, size_t n_bytes);

/* Makes the innermost open container, and what lies behind it in scratch, one value. The arena may move. */
int json_container_finish(struct json_parser *p);

/* The one value in scratch is the root: the arena is handed over to *out. */
int json_arena_finish(struct json_parser *p, struct ot_json **out);

#endif
