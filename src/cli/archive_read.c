/* An export as a file: line by line, however long the lines, and whether it is whole. */
#include <errno.h>

#include "cli/archive.h"

#define READ_BYTES ((size_t)256 << 10)
#define TAIL_BYTES 512 /* where the last line of a whole file begins, at the latest */

void archive_reader_init(struct archive_reader *reader, FILE *file)
{
    *reader = (struct archive_reader){ .file = file };
    buffer_init(&reader->bytes, ARCHIVE_LINE_MAX + READ_BYTES);
    archive_line_init(&reader->line);
}

void archive_reader_finish(struct archive_reader *reader)
{
    archive_line_finish(&reader->line);
    buffer_finish(&reader->bytes);
}

/* *n: 0 at the end of the file. */
static int read_more(struct archive_reader *reader, size_t *n)
{
    struct buffer *bytes = &reader->bytes;
    size_t left = bytes->n_bytes - reader->start;
    char *room;

    if (reader->start && left)
        memmove(bytes->at, bytes->at + reader->start, left);
    bytes->n_bytes = left;
    reader->looked -= reader->start;
    reader->start = 0;
    room = buffer_room(bytes, READ_BYTES);
    if (!room)
        return bytes->error;
    *n = fread(room, 1, READ_BYTES, reader->file);
    buffer_grew(bytes, *n);
    return ferror(reader->file) ? errno ? -errno : -EIO : 0;
}

static int say(struct archive_reader *reader, const char *what)
{
    (void)snprintf(reader->why, sizeof(reader->why), "%s", what);
    return ARCHIVE_BAD;
}

int archive_read(struct archive_reader *reader)
{
    struct buffer *bytes = &reader->bytes;
    const char *start, *end = NULL;
    size_t n = 1;
    int r = 0;

    if (reader->is_over)
        return ARCHIVE_OVER;
    while (!r && n) {
        end = bytes->n_bytes > reader->looked
                  ? memchr(bytes->at + reader->looked, '\n', bytes->n_bytes - reader->looked)
                  : NULL;
        if (end)
            break;
        reader->looked = bytes->n_bytes;
        r = read_more(reader, &n);
    }
    reader->n_lines += r || end || bytes->n_bytes > reader->start;
    reader->is_over = !end;
    if (r)
        return r == -E2BIG ? say(reader, "the line is too long, and so nothing behind it is read") : r;
    if (!end)
        return bytes->n_bytes > reader->start ? say(reader, "the line is cut off") : ARCHIVE_OVER;
    start = bytes->at + reader->start;
    reader->start = reader->looked = (size_t)(end + 1 - bytes->at);
    return archive_parse(bytes_of(start, (size_t)(end - start)), &reader->line, reader->why);
}

static int check_tail(FILE *file, off_t size)
{
    char tail[TAIL_BYTES], why[ARCHIVE_WHY_BYTES];
    struct archive_line line;
    const char *start;
    size_t n;
    int r;

    if (fseeko(file, size > TAIL_BYTES ? size - TAIL_BYTES : 0, SEEK_SET))
        return -errno;
    n = fread(tail, 1, sizeof(tail), file);
    if (n == 0 || tail[n - 1] != '\n')
        return ferror(file) ? -EIO : ARCHIVE_BAD;
    start = memrchr(tail, '\n', n - 1);
    start = start ? start + 1 : tail;
    archive_line_init(&line);
    r = archive_parse(bytes_of(start, (size_t)(tail + n - 1 - start)), &line, why);
    if (!r && line.kind != ARCHIVE_END)
        r = ARCHIVE_BAD;
    archive_line_finish(&line);
    return r;
}

int archive_is_whole(FILE *file)
{
    off_t start = ftello(file), size;
    int r;

    if (start < 0 || fseeko(file, 0, SEEK_END))
        return -ESPIPE;
    size = ftello(file);
    r = check_tail(file, size);
    return fseeko(file, start, SEEK_SET) ? -errno : r;
}
