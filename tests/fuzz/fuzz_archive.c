/* Any bytes as a line of an export: a record that is taken is written and read again as the same one; what is refused
 * is refused with a sentence on one line. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "cli/archive.h"

static void write_again(const struct archive_line *line)
{
    char why[ARCHIVE_WHY_BYTES], *text = NULL;
    size_t n_bytes = 0;
    FILE *file = open_memstream(&text, &n_bytes);
    struct archive_writer writer;
    struct archive_line again;

    FUZZ_REQUIRE(file);
    archive_writer_init(&writer, file);
    archive_line_init(&again);
    FUZZ_REQUIRE(archive_write_record(&writer, line->version, &line->record) == 0 && fclose(file) == 0);
    FUZZ_REQUIRE(archive_parse(bytes_of(text, n_bytes), &again, why) == 0);
    FUZZ_REQUIRE(again.version == line->version && again.record.id.seq == line->record.id.seq);
    FUZZ_REQUIRE(bytes_equal(again.record.body, line->record.body));
    FUZZ_REQUIRE(bytes_equal(again.record.id.src, line->record.id.src));
    FUZZ_REQUIRE(bytes_equal(again.record.author, line->record.author));
    archive_line_finish(&again);
    archive_writer_finish(&writer);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char why[ARCHIVE_WHY_BYTES] = "";
    struct archive_line line;
    int r;

    archive_line_init(&line);
    r = archive_parse(bytes_of(data, n_bytes), &line, why);
    FUZZ_REQUIRE(r == 0 || (r == ARCHIVE_BAD && *why));
    if (r == 0 && line.kind == ARCHIVE_RECORD)
        write_again(&line);
    archive_line_finish(&line);
    return 0;
}
