/* Rich text for those who have no editor: a Delta as HTML, as Markdown, as plain text. Pure functions; nothing that is
 * in a Delta can make them write what a browser would run.
 *
 *     {"ops":[{"insert":"The "},{"insert":"ink","attributes":{"bold":true}},{"insert":"\n","attributes":{"header":1}}]}
 *
 *     HTML      <h1>The <strong>ink</strong></h1>
 *     Markdown  # The **ink**
 *     text      The ink
 *
 * The attributes are those that Quill gives by itself; others are passed over. Lines without formats are paragraphs.
 * Addresses are http, https, mailto, tel or relative, those of images http, https, relative or data: of PNG, JPEG, GIF
 * or WebP; text that leads elsewhere leads nowhere, such an image is left out. Colours are names, #rgb, rgb() and
 * hsl(). Control characters, apart from tabs and ends of lines, are left out of HTML and Markdown. Other embeds than
 * image, video and formula are their name in brackets, and nothing in plain text. */
#ifndef API_RICH_WRITE_H
#define API_RICH_WRITE_H

#include "base/buffer.h"
#include "ot/ot.h"

/* All append to `into`; a failure stays in the buffer. delta: the content of a rich-text document. */

/* A whole page of that title. Consecutive lines of a quotation, of code and of a list are one element. */
void rich_write_html(const struct ot_json *delta, struct bytes title, struct buffer *into);

/* CommonMark, with the task lists and the strikethrough of GitHub's. What it has no signs for is inline HTML
 * (underline, sub, sup, and marks that begin or end within a word where signs would not be understood), or left out:
 * colours, alignment, lines without text. */
void rich_write_markdown(const struct ot_json *delta, struct buffer *into);

/* Of an image its `alt`, of a formula what it was written as. */
void rich_write_text(const struct ot_json *delta, struct buffer *into);

#endif
