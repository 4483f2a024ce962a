#include "ot/json/writer.h"

#include "ot/json/number.h"
#include "ot/json/plain.h"

void writer_init(struct writer *writer, ot_write_fn *write, void *arg)
{
    writer->write = write;
    writer->arg = arg;
    writer->r = 0;
    writer->n_bytes = 0;
}

static void hand_on(struct writer *writer, const char *at, size_t n_bytes)
{
    if (!writer->r && n_bytes)
        writer->r = writer->write(writer->arg, at, n_bytes);
}

int writer_finish(struct writer *writer)
{
    hand_on(writer, writer->bytes, writer->n_bytes);
    writer->n_bytes = 0;
    return writer->r;
}

void writer_overflow(struct writer *writer, const char *at, size_t n_bytes)
{
    (void)writer_finish(writer);
    if (n_bytes > sizeof(writer->bytes))
        hand_on(writer, at, n_bytes);
    else
        writer_bytes(writer, at, n_bytes);
}

void writer_integer(struct writer *writer, uint64_t integer)
{
    char digits[20];
    size_t i = sizeof(digits);

    do
        digits[--i] = (char)('0' + integer % 10);
    while (integer /= 10);
    writer_bytes(writer, digits + i, sizeof(digits) - i);
}

void writer_number(struct writer *writer, double number)
{
    char text[NUMBER_MAX_BYTES];

    writer_bytes(writer, text, number_format(number, text));
}

#define ESCAPE_BYTES 6  /* of a byte, at most */
#define SHORT_BYTES  64 /* a text of no more is written at once */

/* The length of the escape. */
static size_t escape(unsigned char byte, char *into)
{
    static const char hex[] = "0123456789abcdef", letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    into[0] = '\\';
    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        into[1] = letters[i + 1];
        if (letters[i] == (char)byte)
            return 2;
    }
    into[1] = 'u';
    into[2] = into[3] = '0';
    into[4] = hex[byte >> 4];
    into[5] = hex[byte & 15];
    return ESCAPE_BYTES;
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* How many bytes need no escape. */
static size_t plain_run(const char *utf8, size_t n_bytes)
{
    size_t i = 0;

    for (; n_bytes - i >= 8; i += 8) {
        uint64_t marks = plain_marks(plain_load(utf8 + i));

        if (marks)
            return i + plain_before(marks);
    }
    while (i < n_bytes && is_plain((unsigned char)utf8[i]))
        i++;
    return i;
}

/* Into room for ESCAPE_BYTES each; returns the end. Eight bytes are copied also where fewer are plain. */
static char *put_escaped(char *into, const char *utf8, size_t n_bytes)
{
    const char *end = utf8 + n_bytes;

    while (end - utf8 >= 8) {
        uint64_t marks = plain_marks(plain_load(utf8));
        size_t n = marks ? plain_before(marks) : 8;

        memcpy(into, utf8, 8);
        into += n;
        utf8 += n;
        if (marks)
            into += escape((unsigned char)*utf8++, into);
    }
    for (; utf8 < end; utf8++) {
        *into = *utf8;
        into += is_plain((unsigned char)*utf8) ? 1 : escape((unsigned char)*utf8, into);
    }
    return into;
}

void writer_escaped(struct writer *writer, const char *utf8, size_t n_bytes)
{
    while (n_bytes > SHORT_BYTES) {
        size_t n = plain_run(utf8, n_bytes), n_special = n < n_bytes;
        char escaped[ESCAPE_BYTES];

        writer_bytes(writer, utf8, n);
        if (n_special)
            writer_bytes(writer, escaped, escape((unsigned char)utf8[n], escaped));
        utf8 += n + n_special;
        n_bytes -= n + n_special;
    }
    if (n_bytes * ESCAPE_BYTES > sizeof(writer->bytes) - writer->n_bytes)
        (void)writer_finish(writer);
    writer->n_bytes = (size_t)(put_escaped(writer->bytes + writer->n_bytes, utf8, n_bytes) - writer->bytes);
}

void writer_string(struct writer *writer, const char *utf8, size_t n_bytes)
{
    writer_byte(writer, '"');
    writer_escaped(writer, utf8, n_bytes);
    writer_byte(writer, '"');
}

size_t ot_json_quote(const char *utf8, size_t n_bytes, char *into)
{
    char *end = put_escaped(into + 1, utf8, n_bytes);

    *into = *end = '"';
    return (size_t)(end + 1 - into);
}
