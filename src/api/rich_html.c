#include <stdio.h>

#include "api/rich_lines.h"
#include "api/rich_write.h"

struct html {
    struct buffer *into;
    struct rich_marks open;
    struct rich_line before; /* only its block, list and language */
    unsigned depth;          /* of open lists */
    bool is_ordered[RICH_INDENT_MAX + 1];
    bool was_space; /* in front of here, so that another one would be lost */
};

static void put(struct html *html, const char *text)
{
    (void)buffer_append_string(html->into, text);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* What a character of a text or of an attribute's value becomes; NULL: itself. */
static const char *escape_of(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\t':
    case '\n': return NULL;
    default: return (unsigned char)c < 0x20 || c == 0x7f ? "" : NULL;
    }
}

static void put_escaped(struct html *html, struct bytes text)
{
    const char *at = text.at, *end = at + text.n_bytes, *from = at;

    for (; at < end; at++) {
        const char *escape = escape_of(*at);

        if (!escape)
            continue;
        (void)buffer_append(html->into, from, (size_t)(at - from));
        put(html, escape);
        from = at + 1;
    }
    (void)buffer_append(html->into, from, (size_t)(end - from));
}

/* Spaces that would be lost, as those at both ends of a line, are hard ones. */
static void put_text(struct html *html, struct bytes text, bool ends_line)
{
    const char *at = text.at, *end = at + text.n_bytes;

    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at)), *stop = space ? space : end;

        put_escaped(html, bytes_of(at, (size_t)(stop - at)));
        html->was_space = html->was_space && stop == at;
        at = stop;
        if (at == end)
            break;
        at++;
        if (html->was_space || (ends_line && at == end)) {
            put(html, "&nbsp;");
            html->was_space = false;
        } else {
            put(html, " ");
            html->was_space = true;
        }
    }
}

static void put_attribute(struct html *html, const char *name, struct bytes value)
{
    (void)buffer_printf(html->into, " %s=\"", name);
    put_escaped(html, value);
    put(html, "\"");
}

/* ---- marks ------------------------------------------------------------------------------------------------------- */

static const char *const tags[RICH_MARKS] = { "a", "strong", "em", "u", "s", "sub", "sup", "span", "span", "code" };

static void mark_open(struct html *html, enum rich_mark mark, struct bytes value)
{
    (void)buffer_printf(html->into, "<%s", tags[mark]);
    if (mark == RICH_LINK)
        put_attribute(html, "href", value);
    else if (mark == RICH_COLOR || mark == RICH_BACKGROUND)
        (void)buffer_printf(html->into, " style=\"%s:%.*s\"", mark == RICH_COLOR ? "color" : "background-color",
                            (int)value.n_bytes, (const char *)value.at);
    put(html, ">");
}

static void marks_change(struct html *html, const struct rich_marks *to)
{
    unsigned n_common = rich_marks_common(&html->open, to);

    for (unsigned mark = RICH_MARKS; mark-- > n_common;) {
        if (rich_has(&html->open, mark))
            (void)buffer_printf(html->into, "</%s>", tags[mark]);
    }
    for (unsigned mark = n_common; mark < RICH_MARKS; mark++) {
        if (rich_has(to, mark))
            mark_open(html, mark, to->values[mark]);
    }
    html->open = *to;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void put_image(struct html *html, const struct rich_embed *image)
{
    if (!image->value.n_bytes) {
        put_escaped(html, image->alt);
        return;
    }
    put(html, "<img");
    put_attribute(html, "src", image->value);
    put_attribute(html, "alt", image->alt);
    if (image->width.n_bytes)
        put_attribute(html, "width", image->width);
    if (image->height.n_bytes)
        put_attribute(html, "height", image->height);
    put(html, ">");
}

static void put_element(struct html *html, const char *begin, const char *name, struct bytes value)
{
    put(html, begin);
    put_attribute(html, name, value);
    put(html, ">");
}

static void put_embed(struct html *html, const struct rich_run *run)
{
    struct rich_embed embed;

    rich_embed_read(run, &embed);
    html->was_space = false;
    switch (embed.kind) {
    case RICH_IMAGE: put_image(html, &embed); break;
    case RICH_VIDEO:
        put_element(html, "<a class=\"ql-video\"", "href", embed.value);
        put_escaped(html, embed.value);
        put(html, "</a>");
        break;
    case RICH_FORMULA:
        put_element(html, "<span class=\"ql-formula\"", "data-value", embed.value);
        put_escaped(html, embed.value);
        put(html, "</span>");
        break;
    case RICH_UNKNOWN:
        put_element(html, "<span", "data-embed", embed.value);
        put(html, "[");
        put_escaped(html, embed.value);
        put(html, "]</span>");
        break;
    }
}

/* Code is as it is: no marks, and every space counts. */
static void put_code(struct html *html, struct rich_line *line)
{
    struct rich_run run;

    while (rich_run_next(line, &run)) {
        if (!run.embed)
            put_escaped(html, run.text);
    }
    put(html, "\n");
}

static void put_runs(struct html *html, struct rich_line *line)
{
    const struct rich_marks none = { 0 };
    bool is_empty = rich_line_is_read(line);
    struct rich_run run;

    html->was_space = true;
    while (rich_run_next(line, &run)) {
        struct rich_marks marks;

        rich_marks_read(&run, &marks);
        marks_change(html, &marks);
        if (run.embed)
            put_embed(html, &run);
        else
            put_text(html, run.text, rich_line_is_read(line));
    }
    marks_change(html, &none);
    if (is_empty)
        put(html, "<br>");
}

static void put_line_formats(struct html *html, const struct rich_line *line)
{
    unsigned indent = line->block == RICH_ITEM ? 0 : 3 * line->indent;

    if (line->is_rtl)
        put(html, " dir=\"rtl\"");
    if (!line->align && !indent)
        return;
    put(html, " style=\"");
    if (line->align)
        (void)buffer_printf(html->into, "text-align:%s%s", line->align, indent ? ";" : "");
    if (indent)
        (void)buffer_printf(html->into, "margin-left:%uem", indent);
    put(html, "\"");
}

static void put_block(struct html *html, struct rich_line *line)
{
    char tag[3] = "p";

    if (line->block == RICH_HEADER)
        (void)snprintf(tag, sizeof(tag), "h%u", line->level);
    (void)buffer_printf(html->into, "<%s", tag);
    put_line_formats(html, line);
    put(html, ">");
    put_runs(html, line);
    (void)buffer_printf(html->into, "</%s>\n", tag);
}

/* ---- lists -------------------------------------------------------------------------------------------------------
 *
 *     <ul><li>one<ol><li>deeper</li></ol></li><li>two</li></ul>      an item stays open until the next that is not
 * deeper
 */
static void list_close(struct html *html)
{
    put(html, html->is_ordered[--html->depth] ? "</ol>" : "</ul>");
}

static void lists_close(struct html *html, unsigned depth)
{
    while (html->depth > depth) {
        put(html, "</li>");
        list_close(html);
    }
}

static void list_open(struct html *html, bool is_ordered)
{
    put(html, is_ordered ? "<ol>" : "<ul>");
    html->is_ordered[html->depth++] = is_ordered;
}

/* Up to where the item begins. */
static void lists_move(struct html *html, unsigned depth, bool is_ordered)
{
    lists_close(html, depth);
    if (html->depth == depth) {
        put(html, "</li>");
        if (html->is_ordered[depth - 1] != is_ordered)
            list_close(html);
    }
    while (html->depth < depth) {
        list_open(html, is_ordered);
        if (html->depth < depth) /* only an item may hold a list */
            put(html, "<li class=\"none\">");
    }
}

static void put_item(struct html *html, struct rich_line *line)
{
    bool is_checked = line->list == RICH_CHECKED, has_box = is_checked || line->list == RICH_UNCHECKED;
    bool has_formats = line->align || line->is_rtl;

    lists_move(html, line->indent + 1, line->list == RICH_ORDERED);
    put(html, "<li");
    if (has_box)
        (void)buffer_printf(html->into, " data-list=\"%schecked\"", is_checked ? "" : "un");
    put(html, ">");
    if (has_formats) { /* which items within it do not inherit */
        put(html, "<div");
        put_line_formats(html, line);
        put(html, ">");
    }
    if (has_box)
        (void)buffer_printf(html->into, "<input type=\"checkbox\"%s disabled>", is_checked ? " checked" : "");
    put_runs(html, line);
    if (has_formats)
        put(html, "</div>");
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

/* Whether the line goes on with the element that the one before began. */
static bool goes_on(const struct html *html, const struct rich_line *line)
{
    return html->before.block == line->block &&
           (line->block != RICH_CODE || bytes_equal(html->before.language, line->language));
}

static void element_end(struct html *html)
{
    if (html->before.block == RICH_QUOTE)
        put(html, "</blockquote>\n");
    else if (html->before.block == RICH_CODE)
        put(html, "</code></pre>\n");
    else if (html->before.block == RICH_ITEM)
        put(html, "\n");
}

static void element_begin(struct html *html, const struct rich_line *line)
{
    if (line->block == RICH_QUOTE)
        put(html, "<blockquote>\n");
    if (line->block != RICH_CODE)
        return;
    put(html, "<pre");
    if (line->language.n_bytes)
        put_attribute(html, "data-language", line->language);
    put(html, "><code>");
}

static void put_line(struct html *html, struct rich_line *line)
{
    if (line->block != RICH_ITEM)
        lists_close(html, 0);
    if (!goes_on(html, line)) {
        element_end(html);
        element_begin(html, line);
    }
    if (line->block == RICH_ITEM)
        put_item(html, line);
    else if (line->block == RICH_CODE)
        put_code(html, line);
    else
        put_block(html, line);
    html->before = *line;
}

void rich_write_html(const struct ot_json *delta, struct bytes title, struct buffer *into)
{
    struct html html = { .into = into };
    struct rich_reader reader;
    struct rich_line line;

    put(&html, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    put_escaped(&html, title);
    put(&html, "</title>\n<style>p,h1,h2,h3,h4,h5,h6,li{white-space:pre-wrap}"
               "li[data-list],li.none{list-style:none}img{max-width:100%}</style></head><body>\n");
    rich_reader_init(&reader, delta);
    while (rich_line_next(&reader, &line))
        put_line(&html, &line);
    lists_close(&html, 0);
    element_end(&html);
    put(&html, "</body></html>\n");
}
