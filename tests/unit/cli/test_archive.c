/* Lines of an export: what was written is read, what is none is refused with a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/archive.h"
#include "cli/spans.h"

#define T "\"time\":\"2026-01-02T03:04:05.006Z\""

/* ---- lines that are none ----------------------------------------------------------------------------------------- */

static struct row {
    const char *name, *line, *why;
} rows[] = {
    { "nothing", "", "this is no JSON object" },
    { "no object", "[1]", "this is no JSON object" },
    { "cut within a text", "{\"pilcrow\":\"exp", "this is no JSON object" },
    { "cut behind an escape", "{\"v\":1,\"src\":\"\\", "this is no JSON object" },
    { "something behind it", "{\"pilcrow\":\"end\",\"logs\":1,\"records\":1,\"documents\":0} x",
      "this is no JSON object" },
    { "a member of another program", "{\"v\":0,\"extra\":1}", "\"extra\" is not known, or there twice" },
    { "a member twice", "{\"v\":0,\"v\":1}", "\"v\" is not known, or there twice" },
    { "no seq", "{\"v\":0,\"src\":\"s\"," T ",\"author\":\"\"}", "\"seq\" is missing" },
    { "a version below zero", "{\"v\":-1,\"src\":\"s\",\"seq\":1," T ",\"author\":\"\"}",
      "\"v\" is no version or count" },
    { "a version beyond 64 bits", "{\"v\":18446744073709551616,\"src\":\"s\",\"seq\":1," T ",\"author\":\"\"}",
      "\"v\" is no version or count" },
    { "half a surrogate", "{\"v\":0,\"src\":\"\\ud800\",\"seq\":1," T ",\"author\":\"\"}",
      "\"src\" is no text of at most 64 bytes" },
    { "a source that is too long",
      "{\"v\":0,\"src\":\"12345678901234567890123456789012345678901234567890123456789012345\",\"seq\":1," T
      ",\"author\":\"\"}",
      "\"src\" is no text of at most 64 bytes" },
    { "a day that there was not",
      "{\"v\":0,\"src\":\"s\",\"seq\":1,\"time\":\"2026-02-29T00:00:00.000Z\",\"author\":\"\"}",
      "\"time\" is no time" },
    { "two things at once", "{\"v\":0,\"src\":\"s\",\"seq\":1," T ",\"author\":\"\",\"op\":[],\"del\":true}",
      "\"del\" does not belong here" },
    { "a delete that is none", "{\"v\":0,\"src\":\"s\",\"seq\":1," T ",\"author\":\"\",\"del\":1}",
      "\"del\" is not true" },
    { "a name that none may have",
      "{\"collection\":\"__proto__\",\"id\":\"a\",\"type\":null,\"exists\":false,\"first\":0,\"version\":1}",
      "no collection may have that name" },
    { "a log of nothing",
      "{\"collection\":\"c\",\"id\":\"a\",\"type\":null,\"exists\":false,\"first\":3,\"version\":3}",
      "a log has at least one version" },
    { "a later format", "{\"pilcrow\":\"export\",\"format\":2,\"history\":true}",
      "format 2 is not known here, only 1; a newer pilcrow reads it" },
};

static void is_refused(void **state)
{
    const struct row *row = *state;
    char why[ARCHIVE_WHY_BYTES];
    struct archive_line line;

    archive_line_init(&line);
    assert_int_equal(archive_parse(bytes_of_string(row->line), &line, why), ARCHIVE_BAD);
    assert_string_equal(why, row->why);
    archive_line_finish(&line);
}

/* ---- there and back ---------------------------------------------------------------------------------------------- */

static FILE *written(const struct record *records, size_t n)
{
    struct archive_log log = {
        { bytes_of_string("c\"\\"), bytes_of_string("d\xc3\xa9") }, bytes_of_string("json0"), true, 7, 7
    };
    struct archive_writer writer;
    FILE *file = tmpfile();

    assert_non_null(file);
    log.version += n;
    archive_writer_init(&writer, file);
    assert_int_equal(archive_write_head(&writer, true), 0);
    assert_int_equal(archive_write_log(&writer, &log), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(archive_write_record(&writer, 7 + i, &records[i]), 0);
    assert_int_equal(archive_write_end(&writer), 0);
    archive_writer_finish(&writer);
    rewind(file);
    return file;
}

static void what_was_written_is_read(void **state)
{
    const struct record records[] = {
        { { bytes_of_string(""), 0 },
          0,
          bytes_of_string("a\"\\\n\x01"),
          bytes_of_string("{\"create\":{\"data\":1.50}}"),
          0 },
        { { bytes_of_string("s"), UINT64_MAX }, 1, bytes_of_string(""), bytes_of_string("{\"op\":[\"\\u00e9}\"]}"), 0 },
        { { bytes_of_string("~0"), 3 }, 253402300799999, bytes_of_string("ink"), bytes_of_string("{}"), 41 },
        { { bytes_of_string("s"), 4 }, 253402300799999, bytes_of_string("ink"), bytes_of_string("{\"del\":true}"), 0 },
    };
    const size_t n = sizeof(records) / sizeof(records[0]);
    FILE *file = written(records, n);
    struct archive_reader reader;

    (void)state;
    archive_reader_init(&reader, file);
    assert_int_equal(archive_is_whole(file), 0);
    assert_int_equal(archive_read(&reader), 0);
    assert_true(reader.line.kind == ARCHIVE_HEAD && reader.line.has_history);
    assert_int_equal(archive_read(&reader), 0);
    assert_true(bytes_equal(reader.line.log.name.collection, bytes_of_string("c\"\\")));
    assert_true(bytes_equal(reader.line.log.name.id, bytes_of_string("d\xc3\xa9")));
    for (size_t i = 0; i < n; i++) {
        const struct record *record = &reader.line.record;

        assert_int_equal(archive_read(&reader), 0);
        assert_true(reader.line.version == 7 + i && record->id.seq == records[i].id.seq);
        assert_true(record->time_ms == records[i].time_ms && record->n_merged == records[i].n_merged);
        assert_true(bytes_equal(record->id.src, records[i].id.src));
        assert_true(bytes_equal(record->author, records[i].author));
        assert_true(bytes_equal(record->body, records[i].body));
    }
    assert_int_equal(archive_read(&reader), 0);
    assert_true(reader.line.kind == ARCHIVE_END && reader.line.counts.n_records == n && reader.line.counts.n_logs == 1);
    assert_int_equal(archive_read(&reader), ARCHIVE_OVER);
    assert_int_equal(archive_read(&reader), ARCHIVE_OVER);
    archive_reader_finish(&reader);
    (void)fclose(file);
}

/* Cut anywhere, it is not whole, and reading it comes to an end. */
static void a_cut_file_is_noticed(void **state)
{
    const struct record record = {
        { bytes_of_string("s"), 1 }, 1, bytes_of_string("a"), bytes_of_string("{\"op\":[]}"), 0
    };
    FILE *file = written(&record, 1), *cut;
    char text[1000];
    size_t n = fread(text, 1, sizeof(text), file);

    (void)state;
    (void)fclose(file);
    for (size_t i = 0; i < n; i++) {
        struct archive_reader reader;
        int r = 0;

        cut = tmpfile();
        assert_non_null(cut);
        assert_int_equal(fwrite(text, 1, i, cut), i);
        rewind(cut);
        assert_int_equal(archive_is_whole(cut), ARCHIVE_BAD);
        archive_reader_init(&reader, cut);
        for (size_t k = 0; k < 10 && r != ARCHIVE_OVER; k++)
            r = archive_read(&reader);
        assert_int_equal(r, ARCHIVE_OVER);
        archive_reader_finish(&reader);
        (void)fclose(cut);
    }
}

/* ---- spans ------------------------------------------------------------------------------------------------------- */

static void spans_keep_bytes(void **state)
{
    struct bytes object = bytes_of_string(" { \"a\" : 1.50 , \"b\":[\"]}\\\"\", {\"a\":2}] ,\"c\":null} ");
    struct spans spans = spans_of(object, '{');
    struct bytes key, value;

    (void)state;
    assert_true(span_is(span_of_member(object, "a"), "1.50"));
    assert_true(span_is(span_of_member(object, "b"), "[\"]}\\\"\", {\"a\":2}]"));
    assert_null(span_of_member(object, "d").at);
    while (spans_member(&spans, &key, &value))
        ;
    assert_true(spans.is_finished && !spans.is_bad);
    spans = spans_of(bytes_of_string("[]"), '[');
    assert_false(spans_element(&spans, &value));
    assert_true(spans.is_finished);
}

int main(void)
{
    enum { N = sizeof(rows) / sizeof(rows[0]) };
    struct CMUnitTest tests[N + 3] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_cut_file_is_noticed),
        cmocka_unit_test(spans_keep_bytes),
    };

    for (size_t i = 0; i < N; i++)
        tests[3 + i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = is_refused, .initial_state = &rows[i] };
    return cmocka_run_group_tests_name("lines of an export", tests, NULL, NULL);
}
