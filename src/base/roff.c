#include "base/roff.h"

#include <ctype.h>
#include <string.h>

#define CODE "    "

/* What would otherwise come out as a typographer's character, or be taken for roff. */
static const char *escape_of(char c)
{
    switch (c) {
    case '\\': return "\\e";
    case '-': return "\\-";
    case '\'': return "\\(aq";
    case '"': return "\\(dq";
    case '`': return "\\(ga";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    default: return NULL;
    }
}

static void put(FILE *to, const char *text, size_t n_bytes)
{
    if (n_bytes && *text == '.') /* at the start of a line it would be a macro */
        (void)fputs("\\&", to);
    for (size_t i = 0; i < n_bytes; i++) {
        const char *escape = escape_of(text[i]);

        if (escape)
            (void)fputs(escape, to);
        else
            (void)fputc(text[i], to);
    }
}

void roff_title(FILE *to, const char *name, int section, const char *what)
{
    (void)fputs(".TH ", to);
    for (; *name; name++)
        (void)fputc(toupper((unsigned char)*name), to);
    (void)fprintf(to, " %d \"\" \"%s\"\n", section, what);
}

void roff_section(FILE *to, const char *heading)
{
    (void)fprintf(to, ".SH %s\n", heading);
}

void roff_subsection(FILE *to, const char *heading)
{
    (void)fprintf(to, ".SS %s\n", heading);
}

void roff_text(FILE *to, const char *text)
{
    put(to, text, strlen(text));
}

void roff_bold(FILE *to, const char *text, const char *rest)
{
    (void)fputs("\\fB", to);
    roff_text(to, text);
    (void)fputs("\\fR", to);
    if (rest && *rest) {
        (void)fputs(" \\fI", to);
        roff_text(to, rest);
        (void)fputs("\\fR", to);
    }
    (void)fputc('\n', to);
}

void roff_close(FILE *to, bool closely)
{
    (void)fputs(closely ? ".PD 0\n" : ".PD\n", to);
}

void roff_item(FILE *to, const char *term, const char *rest, const char *text)
{
    (void)fputs(".TP\n", to);
    roff_bold(to, term, rest);
    roff_text(to, text);
    (void)fputc('\n', to);
}

/* Between lines of one kind nothing is written. */
enum mode { MODE_START, MODE_TEXT, MODE_CODE };

static void mode_change(FILE *to, enum mode from, enum mode into, bool is_parted)
{
    if (from == MODE_CODE && into != MODE_CODE)
        (void)fputs(".EE\n.RE\n", to);
    if (into == MODE_CODE && from != MODE_CODE)
        (void)fputs(from == MODE_START ? ".RS 4\n.EX\n" : ".PP\n.RS 4\n.EX\n", to);
    else if (into == MODE_TEXT && from != MODE_START && (is_parted || from == MODE_CODE))
        (void)fputs(".PP\n", to);
}

void roff_paragraphs(FILE *to, const char *text, size_t n_bytes)
{
    const char *at = text, *end = text + n_bytes, *stop;
    enum mode mode = MODE_START;
    bool is_parted = false;

    for (; at < end; at = stop + (stop < end)) {
        enum mode next = MODE_TEXT;

        stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (at == stop) {
            is_parted = true;
            continue;
        }
        if ((size_t)(stop - at) > strlen(CODE) && memcmp(at, CODE, strlen(CODE)) == 0) {
            next = MODE_CODE;
            at += strlen(CODE);
        }
        mode_change(to, mode, next, is_parted);
        put(to, at, (size_t)(stop - at));
        (void)fputc('\n', to);
        mode = next;
        is_parted = false;
    }
    mode_change(to, mode, MODE_START, false);
}
