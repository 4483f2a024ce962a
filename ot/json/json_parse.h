/* The parser's state, and its floor: the arena that it fills. Internal to ot/json/. */
#ifndef OT_JSON_PARSE_H
#define OT_JSON_PARSE_H

#include "ot/json/json_node.h"

#define JSON_CUT 1000 /* within the parser: so far so good, but the text ends */

struct json_parser {
    const char *text, *at, *end;
    size_t max_depth;
    struct ot_error *error;
    bool is_prefix; /* the text was cut: a number at its end is not whole */
    bool is_first;  /* nothing yet in the innermost container */

    struct json_arena *arena;
    size_t capacity; /* units */
    size_t text_end; /* bytes from the head; behind it is room for all the text that is left */

    size_t depth; /* open containers */
    struct ot_json *scratch;
    size_t n_scratch, scratch_capacity;
    uint32_t open; /* the innermost placeholder in scratch; 0 also when there is none */
    unsigned char *levels;
    size_t n_levels; /* bytes */
    struct ot_json first_scratch[64];
};

int json_arena_create(struct json_parser *p);

/* Makes the innermost open container, and what lies behind it in scratch, one value. */
int json_container_finish(struct json_parser *p);

/* The one value in scratch is the root: the arena is handed over to *out. */
int json_arena_finish(struct json_parser *p, struct ot_json **out);

#endif
