/* Text and addresses so that Markdown takes nothing in them for a sign. For rich_markdown.c. */
#ifndef API_RICH_MARKDOWN_H
#define API_RICH_MARKDOWN_H

#include "base/buffer.h"

/* Where on its line one writes: some signs mean something only there. */
enum markdown_place {
    MARKDOWN_LINE_START,
    MARKDOWN_NUMBER, /* nothing but digits so far: a dot would make it a list */
    MARKDOWN_WITHIN,
    MARKDOWN_HEADING, /* as within, and a # at the end would be dropped */
};

/* Control characters are left out, ends of lines too. What was written before and what comes behind is not known here:
 * at both ends a sign is escaped when in doubt. */
void markdown_put_text(struct buffer *into, struct bytes text, enum markdown_place *place);
/* As it is, apart from control characters. */
void markdown_put_raw(struct buffer *into, struct bytes text);
/* Of white space only, at an end of a line spelled, for there it would be dropped. */
void markdown_put_spaces(struct buffer *into, struct bytes spaces, bool is_at_end_of_line);
void markdown_put_code(struct buffer *into, struct bytes text);
void markdown_put_address(struct buffer *into, struct bytes address);

/* The bytes of white space, Unicode's too, that the text begins with; of its first character. */
size_t markdown_space_length(struct bytes text);
size_t markdown_longest_ticks(struct bytes text);

static inline bool markdown_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif
