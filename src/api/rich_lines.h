/* A Delta, read line by line, for those who write it as something else (rich_write.h).
 *
 *     ops      | insert "The " | insert "ink" {bold} | insert "\n" {header:1} | insert "one\ntwo\n" {list:bullet} |
 *     lines    |<----------------------------------->|                         |<----->|<----->|
 *     runs     |<------------->|<------------------->|                         |<--->|  |<-->|
 *
 * A line is what stands before an end of line, and has the formats of that one; the last may have none. A run is text
 * with one set of attributes, or an embed. A line is a value: a copy of it can be read ahead. */
#ifndef API_RICH_LINES_H
#define API_RICH_LINES_H

#include "base/bytes.h"
#include "ot/ot.h"

#define RICH_INDENT_MAX 8 /* as deep as Quill goes */

struct rich_place {
    size_t i, at; /* the operation, and how many bytes of its text lie before */
};

struct rich_reader {
    const struct ot_json *ops;
    struct rich_place at;
};

struct rich_run {
    struct bytes text;                /* of an embed: none */
    const struct ot_json *embed;      /* NULL: text */
    const struct ot_json *attributes; /* NULL: none */
};

enum rich_block { RICH_PARAGRAPH, RICH_HEADER, RICH_QUOTE, RICH_CODE, RICH_ITEM };
enum rich_list { RICH_BULLET, RICH_ORDERED, RICH_CHECKED, RICH_UNCHECKED };

struct rich_line {
    const struct ot_json *ops;
    struct rich_place at, end; /* the runs that have not been read */

    enum rich_block block;
    unsigned level;        /* header: 1 to 6 */
    unsigned indent;       /* up to RICH_INDENT_MAX; an item is so deep */
    enum rich_list list;   /* item */
    struct bytes language; /* code; empty: not said */
    const char *align;     /* "center", "right", "justify"; NULL: as usual */
    bool is_rtl;
};

void rich_reader_init(struct rich_reader *reader, const struct ot_json *delta);
bool rich_line_next(struct rich_reader *reader, struct rich_line *out);
bool rich_run_next(struct rich_line *line, struct rich_run *out);
bool rich_line_is_read(const struct rich_line *line); /* no run is left */

/* What every reader of JSON's values asks; a NULL is nothing everywhere. */
const struct ot_json *rich_member(const struct ot_json *object, const char *name);
struct bytes rich_string(const struct ot_json *json);
bool rich_is(const struct ot_json *json, const char *text);
bool rich_is_on(const struct ot_json *json); /* there, and neither null nor false */

/* ---- marks ------------------------------------------------------------------------------------------------------- */

/* In the order in which they are nested, the outermost first. */
enum rich_mark {
    RICH_LINK,
    RICH_BOLD,
    RICH_ITALIC,
    RICH_UNDERLINE,
    RICH_STRIKE,
    RICH_SUB,
    RICH_SUPER,
    RICH_COLOR,
    RICH_BACKGROUND,
    RICH_MONO,
    RICH_MARKS,
};

struct rich_marks {
    struct bytes
        values[RICH_MARKS]; /* at is NULL: without it. Of a link the address, of a colour the colour: harmless */
};

void rich_marks_read(const struct rich_run *run, struct rich_marks *out);
bool rich_has(const struct rich_marks *marks, enum rich_mark mark);
/* How many of the outermost are the same in both. */
unsigned rich_marks_common(const struct rich_marks *a, const struct rich_marks *b);

/* ---- embeds ------------------------------------------------------------------------------------------------------ */

struct rich_embed {
    enum { RICH_IMAGE, RICH_VIDEO, RICH_FORMULA, RICH_UNKNOWN } kind;
    struct bytes value; /* image, video: a harmless address, or empty; formula: its text; unknown: its name */
    struct bytes alt, width, height; /* image; may be empty. The sizes are numbers, perhaps with "px" or "%" */
};

void rich_embed_read(const struct rich_run *run, struct rich_embed *out);

#endif
