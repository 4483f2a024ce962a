/* Plain text as a manual page, in roff with the macros of man(7). */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

#include <stdbool.h>
#include <stdio.h>

/* NAME(SECTION), of `what` ("pilcrow 0.1.0"). No date: the same sources make the same page. */
void roff_title(FILE *to, const char *name, int section, const char *what);
void roff_section(FILE *to, const char *heading);
void roff_subsection(FILE *to, const char *heading);

/* Text within a line. */
void roff_text(FILE *to, const char *text);
/* The same in bold, and behind it a blank and `rest` in italics, if there is one; ends the line. */
void roff_bold(FILE *to, const char *text, const char *rest);

/* Between these two, items stand close together. */
void roff_close(FILE *to, bool closely);

/* A term, as roff_bold, and what stands below it, indented. */
void roff_item(FILE *to, const char *term, const char *rest, const char *text);

/* Paragraphs, separated by empty lines; lines that begin with four blanks stay as they are. */
void roff_paragraphs(FILE *to, const char *text, size_t n_bytes);

#endif
