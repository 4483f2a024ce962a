#include "ot/json/writer.h"

#include "ot/json/number.h"

#include <string.h>

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

void writer_bytes(struct writer *writer, const char *at, size_t n_bytes)
{
    if (n_bytes > sizeof(writer->bytes) - writer->n_bytes)
        (void)writer_finish(writer);
    if (n_bytes > sizeof(writer->bytes)) {
        hand_on(writer, at, n_bytes);
        return;
    }
    if (n_bytes)
        memcpy(writer->bytes + writer->n_bytes, at, n_bytes);
    writer->n_bytes += n_bytes;
}

void writer_literal(struct writer *writer, const char *literal)
{
    writer_bytes(writer, literal, strlen(literal));
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

static bool must_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* The length of the escape. */
static size_t escape(unsigned char byte, char into[6])
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
    return 6;
}

void writer_escaped(struct writer *writer, const char *utf8, size_t n_bytes)
{
    size_t from = 0;

    for (size_t i = 0; i < n_bytes; i++) {
        char escaped[6];

        if (!must_escape((unsigned char)utf8[i]))
            continue;
        writer_bytes(writer, utf8 + from, i - from);
        writer_bytes(writer, escaped, escape((unsigned char)utf8[i], escaped));
        from = i + 1;
    }
    writer_bytes(writer, utf8 + from, n_bytes - from);
}

void writer_string(struct writer *writer, const char *utf8, size_t n_bytes)
{
    writer_byte(writer, '"');
    writer_escaped(writer, utf8, n_bytes);
    writer_byte(writer, '"');
}
