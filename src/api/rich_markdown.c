#include "api/rich_markdown.h"

#include "api/rich_lines.h"
#include "api/rich_write.h"

#define FENCE_MIN    3
#define SIGNED_MARKS RICH_COLOR /* of the marks, how many of the outermost have a sign or a tag here */

/* Marks are nested, and none begins or ends with white space, which would hide its signs: spaces wait until it is known
 * which marks go on behind them.
 *
 *     The |big {bold}|ink {bold,italic}|is      ->      The **big _ink_** is
 */
struct markdown {
    struct buffer *into;
    size_t n_before_line; /* bytes, with the markers of the line's block */
    enum markdown_place place;
    struct rich_marks open;
    bool is_tag[SIGNED_MARKS]; /* an open mark was written as a tag */
    struct buffer spaces;

    struct rich_line before; /* only its block and language */
    bool has_begun, has_gap; /* a line has been written; one without text was left out behind it */
    size_t n_fence;
    unsigned depth; /* of open items */
    struct level {
        bool is_ordered;
        unsigned n, width; /* its last number; of its marker */
    } levels[RICH_INDENT_MAX + 1];
};

static void put(struct markdown *md, const char *text)
{
    (void)buffer_append_string(md->into, text);
}

static void put_sign(struct markdown *md, const char *text)
{
    put(md, text);
    if (md->place < MARKDOWN_WITHIN)
        md->place = MARKDOWN_WITHIN;
}

/* ---- pieces of a line -------------------------------------------------------------------------------------------- */

struct piece {
    struct rich_run run;
    struct rich_marks marks; /* those that have signs here */
    bool is_mono, has_core;  /* has_core: it is more than white space */
    struct bytes lead, core, tail;
};

static void piece_read(const struct rich_run *run, struct piece *out)
{
    const char *at = run->text.at, *end = at + run->text.n_bytes, *core = at, *stop;
    size_t n;

    *out = (struct piece){ .run = *run };
    rich_marks_read(run, &out->marks);
    out->is_mono = rich_has(&out->marks, RICH_MONO);
    for (unsigned mark = SIGNED_MARKS; mark < RICH_MARKS; mark++)
        out->marks.values[mark] = bytes_of(NULL, 0);
    while (core < end && (n = markdown_space_length(bytes_of(core, (size_t)(end - core)))))
        core += n;
    stop = core;
    for (const char *c = core; c < end; c += n ? n : 1) {
        n = markdown_space_length(bytes_of(c, (size_t)(end - c)));
        stop = n ? stop : c + 1;
    }
    out->lead = bytes_of(at, (size_t)(core - at));
    out->core = bytes_of(core, (size_t)(stop - core));
    out->tail = bytes_of(stop, (size_t)(end - stop));
    out->has_core = run->embed || out->core.n_bytes;
}

/* The character that a piece begins or ends with in the Markdown; for what is not known one that is neither of a word
 * nor a sign. */
static char first_of(const struct piece *piece)
{
    return piece->run.embed ? '\x80' : piece->is_mono ? '`' : *(const char *)piece->core.at;
}

static char last_of(const struct piece *piece)
{
    return piece->run.embed ? '\x80' : piece->is_mono ? '`' : ((const char *)piece->core.at)[piece->core.n_bytes - 1];
}

static bool has_any(const struct rich_marks *marks, unsigned from, unsigned to)
{
    while (from < to && !rich_has(marks, from))
        from++;
    return from < to;
}

/* ---- signs or tags -----------------------------------------------------------------------------------------------
 *
 * A sign is understood where a word begins or ends: between it and white space, or another sign. Within a word only
 * ** and ~~ are, and only with letters at both sides. CommonMark 6.2; elsewhere a tag says the same.
 *
 *     **ink**   a **ink**, b   a**ink**b   a<strong>(ink)</strong>b   a<em>ink</em>b
 */
static const struct sign {
    const char *sign, *tag; /* sign NULL: there is none */
} signs[SIGNED_MARKS] = {
    [RICH_BOLD] = { "**", "strong" }, [RICH_ITALIC] = { "_", "em" }, [RICH_UNDERLINE] = { NULL, "u" },
    [RICH_STRIKE] = { "~~", "s" },    [RICH_SUB] = { NULL, "sub" },  [RICH_SUPER] = { NULL, "sup" },
};

static bool is_edge(char c)
{
    return (unsigned char)c > 0x20 ? (unsigned char)c < 0x7f && !markdown_is_alnum(c)
                                   : c == ' ' || c == '\t' || c == '\n';
}

/* Whether what comes behind a mark, that ends between last and next, is no part of the same word. */
static bool is_edge_behind(const struct piece *last, const struct piece *next, enum rich_mark mark)
{
    unsigned n_common = rich_marks_common(&last->marks, &next->marks);

    return last->tail.n_bytes || next->lead.n_bytes || !next->has_core || has_any(&last->marks, n_common, mark) ||
           has_any(&next->marks, n_common, SIGNED_MARKS) || is_edge(first_of(next));
}

/* Whether a mark that begins with that piece can be closed with its sign; rest: what comes behind. */
static bool can_close(struct rich_line rest, const struct piece *piece, enum rich_mark mark)
{
    struct piece last = *piece, next;
    struct rich_run run;
    bool is_edged = true; /* the end of the line is one */

    while (rich_run_next(&rest, &run)) {
        piece_read(&run, &next);
        if (rich_marks_common(&piece->marks, &next.marks) <= mark) {
            is_edged = is_edge_behind(&last, &next, mark);
            break;
        }
        if (next.has_core)
            last = next;
        else
            last.tail = next.lead;
    }
    return is_edged ||
           (mark != RICH_ITALIC && !has_any(&last.marks, mark + 1, SIGNED_MARKS) && markdown_is_alnum(last_of(&last)));
}

static bool can_open(const struct markdown *md, const struct piece *piece, enum rich_mark mark)
{
    const struct buffer *into = md->into;

    return !into->n_bytes || is_edge(into->at[into->n_bytes - 1]) ||
           (mark != RICH_ITALIC && !has_any(&piece->marks, mark + 1, SIGNED_MARKS) &&
            markdown_is_alnum(first_of(piece)));
}

static void mark_close(struct markdown *md, enum rich_mark mark)
{
    if (mark == RICH_LINK) {
        put(md, "](");
        markdown_put_address(md->into, md->open.values[mark]);
        put(md, ")");
    } else if (md->is_tag[mark]) {
        (void)buffer_printf(md->into, "</%s>", signs[mark].tag);
    } else {
        put(md, signs[mark].sign);
    }
    md->open.values[mark] = bytes_of(NULL, 0);
}

static void mark_open(struct markdown *md, const struct rich_line *rest, const struct piece *piece, enum rich_mark mark)
{
    const struct sign *sign = &signs[mark];

    md->open.values[mark] = piece->marks.values[mark];
    if (mark == RICH_LINK) {
        put_sign(md, "[");
        return;
    }
    md->is_tag[mark] = !sign->sign || !can_open(md, piece, mark) || !can_close(*rest, piece, mark);
    if (!md->is_tag[mark]) {
        put_sign(md, sign->sign);
        return;
    }
    put_sign(md, "<");
    put(md, sign->tag);
    put(md, ">");
}

static void marks_close(struct markdown *md, const struct rich_marks *next)
{
    unsigned n_common = rich_marks_common(&md->open, next);

    for (unsigned mark = SIGNED_MARKS; mark-- > n_common;) {
        if (rich_has(&md->open, mark))
            mark_close(md, mark);
    }
}

static void marks_open(struct markdown *md, const struct rich_line *rest, const struct piece *piece)
{
    for (unsigned mark = rich_marks_common(&md->open, &piece->marks); mark < SIGNED_MARKS; mark++) {
        if (rich_has(&piece->marks, mark))
            mark_open(md, rest, piece, mark);
    }
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static void put_spaces(struct markdown *md, bool ends_line)
{
    markdown_put_spaces(md->into, buffer_bytes(&md->spaces), ends_line || md->into->n_bytes == md->n_before_line);
    if (md->spaces.n_bytes && md->place < MARKDOWN_WITHIN)
        md->place = MARKDOWN_WITHIN;
    buffer_reset(&md->spaces);
}

static void put_link(struct markdown *md, const char *before, struct bytes text, struct bytes address)
{
    put(md, before);
    markdown_put_text(md->into, text, &md->place);
    put(md, "](");
    markdown_put_address(md->into, address);
    put(md, ")");
}

static void put_embed(struct markdown *md, const struct rich_run *run)
{
    struct rich_embed embed;

    rich_embed_read(run, &embed);
    if (embed.kind == RICH_IMAGE && embed.value.n_bytes) {
        put_link(md, "![", embed.alt, embed.value);
    } else if (embed.kind == RICH_IMAGE) {
        markdown_put_text(md->into, embed.alt, &md->place);
    } else if (embed.kind == RICH_VIDEO && embed.value.n_bytes && !rich_has(&md->open, RICH_LINK)) {
        put_link(md, "[", embed.value, embed.value);
    } else if (embed.kind == RICH_FORMULA) {
        markdown_put_code(md->into, embed.value);
    } else if (embed.kind == RICH_UNKNOWN) {
        put(md, "\\[");
        markdown_put_text(md->into, embed.value, &md->place);
        put(md, "\\]");
    }
}

static void put_piece(struct markdown *md, const struct rich_line *rest, const struct piece *piece)
{
    marks_close(md, &piece->marks);
    (void)buffer_append(&md->spaces, piece->lead.at, piece->lead.n_bytes);
    if (!piece->has_core)
        return;
    put_spaces(md, false);
    marks_open(md, rest, piece);
    if (piece->run.embed)
        put_embed(md, &piece->run);
    else if (piece->is_mono)
        markdown_put_code(md->into, piece->core);
    else
        markdown_put_text(md->into, piece->core, &md->place);
    if (md->place < MARKDOWN_WITHIN && (piece->run.embed || piece->is_mono))
        md->place = MARKDOWN_WITHIN;
    (void)buffer_append(&md->spaces, piece->tail.at, piece->tail.n_bytes);
}

static void put_runs(struct markdown *md, struct rich_line *line)
{
    const struct rich_marks none = { 0 };
    struct rich_run run;

    md->n_before_line = md->into->n_bytes;
    md->place = line->block == RICH_HEADER ? MARKDOWN_HEADING : MARKDOWN_LINE_START;
    while (rich_run_next(line, &run)) {
        struct piece piece;

        piece_read(&run, &piece);
        put_piece(md, line, &piece);
    }
    marks_close(md, &none);
    put_spaces(md, true);
    put(md, "\n");
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static void put_marker(struct markdown *md, bool is_ordered)
{
    struct level *level = &md->levels[md->depth++];
    size_t n_before = md->into->n_bytes;

    level->n = level->is_ordered == is_ordered ? level->n + 1 : 1;
    level->is_ordered = is_ordered;
    if (is_ordered)
        (void)buffer_printf(md->into, "%u. ", level->n);
    else
        put(md, "- ");
    level->width = (unsigned)(md->into->n_bytes - n_before);
}

/* An item that is deeper by more than one begins with markers that have no text of their own. */
static void put_item(struct markdown *md, struct rich_line *line)
{
    bool is_ordered = line->list == RICH_ORDERED;
    unsigned depth = line->indent + 1;

    for (unsigned i = md->depth; i <= RICH_INDENT_MAX; i++)
        md->levels[i].n = 0;
    md->depth = md->depth >= depth ? depth - 1 : md->depth;
    for (unsigned i = 0; i < md->depth; i++)
        (void)buffer_printf(md->into, "%*s", (int)md->levels[i].width, "");
    while (md->depth < depth)
        put_marker(md, is_ordered);
    if (line->list == RICH_CHECKED || line->list == RICH_UNCHECKED)
        put(md, line->list == RICH_CHECKED ? "[x] " : "[ ] ");
    if (rich_line_is_read(line))
        put(md, "&#32;"); /* a box alone would be text, and some markers alone a rule */
    put_runs(md, line);
}

/* ---- code -------------------------------------------------------------------------------------------------------- */

static bool goes_on(const struct rich_line *before, const struct rich_line *line)
{
    return before->block == line->block && (line->block != RICH_CODE || bytes_equal(before->language, line->language));
}

/* Longer than every row of such signs in the code, which begins with the reader's next line. */
static size_t fence_length(struct rich_reader reader, const struct rich_line *first)
{
    size_t longest = FENCE_MIN - 1;
    struct rich_line line;
    struct rich_run run;

    while (rich_line_next(&reader, &line) && goes_on(first, &line)) {
        while (rich_run_next(&line, &run)) {
            size_t n = markdown_longest_ticks(run.text);

            longest = n > longest ? n : longest;
        }
    }
    return longest + 1;
}

static void put_fence(struct markdown *md)
{
    for (size_t i = 0; i < md->n_fence; i++)
        put(md, "`");
}

static void put_code(struct markdown *md, struct rich_line *line)
{
    struct rich_run run;

    while (rich_run_next(line, &run))
        markdown_put_raw(md->into, run.text);
    put(md, "\n");
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void element_end(struct markdown *md)
{
    if (md->has_begun && md->before.block == RICH_CODE) {
        put_fence(md);
        put(md, "\n");
    }
}

/* What stands between a line and the one before. from: a reader whose next line it is. */
static void put_between(struct markdown *md, const struct rich_reader *from, const struct rich_line *line)
{
    bool is_next = md->has_begun && !md->has_gap && goes_on(&md->before, line);

    if (is_next && line->block == RICH_QUOTE)
        put(md, ">");
    if (is_next && (line->block == RICH_ITEM || line->block == RICH_CODE))
        return;
    element_end(md);
    if (md->has_begun)
        put(md, "\n");
    if (md->has_gap && md->before.block == RICH_ITEM && line->block == RICH_ITEM)
        put(md, "<!-- -->\n\n"); /* else the two lists would be one */
    md->depth = 0;
    for (unsigned i = 0; i <= RICH_INDENT_MAX; i++)
        md->levels[i].n = 0;
    if (line->block != RICH_CODE)
        return;
    md->n_fence = fence_length(*from, line);
    put_fence(md);
    if (!bytes_equal(line->language, bytes_of_string("plain"))) /* Quill's word for none */
        (void)buffer_append(md->into, line->language.at, line->language.n_bytes);
    put(md, "\n");
}

static void put_line(struct markdown *md, const struct rich_reader *from, struct rich_line *line)
{
    if (rich_line_is_read(line) && (line->block == RICH_PARAGRAPH || line->block == RICH_QUOTE)) {
        md->has_gap = true;
        return;
    }
    put_between(md, from, line);
    md->before = *line;
    md->has_begun = true;
    md->has_gap = false;
    if (line->block == RICH_CODE) {
        put_code(md, line);
        return;
    }
    if (line->block == RICH_ITEM) {
        put_item(md, line);
        return;
    }
    if (line->block == RICH_QUOTE)
        put(md, "> ");
    if (line->block == RICH_HEADER)
        (void)buffer_printf(md->into, "%.*s ", (int)line->level, "######");
    put_runs(md, line);
}

void rich_write_markdown(const struct ot_json *delta, struct buffer *into)
{
    struct markdown md = { .into = into };
    struct rich_reader reader, from;
    struct rich_line line;

    buffer_init(&md.spaces, into->max_bytes);
    rich_reader_init(&reader, delta);
    for (from = reader; rich_line_next(&reader, &line); from = reader)
        put_line(&md, &from, &line);
    element_end(&md);
    if (md.spaces.error)
        (void)buffer_fail(into, md.spaces.error);
    buffer_finish(&md.spaces);
}
