/* Who wrote which line: the log is read from where it begins, page by page, and played on lines (authorship.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "cli/authorship.h"
#include "cli/moment.h"
#include "cli/point.h"
#include "cli/progress.h"
#include "cli/shown.h"
#include "ot/ot.h"

#define PAGE_OPS         10000
#define AUTHOR_SHOWN     12 /* characters, on a terminal */
#define OUTPUT_MAX_BYTES ((size_t)512 << 20)

static const struct ot_limits page_limits = { .max_depth = OT_DEPTH_CEILING,
                                              .max_components = 100000,
                                              .max_document_bytes = OUTPUT_MAX_BYTES };

struct change {
    uint64_t version, time_ms; /* it is in the document from that version on */
    size_t author;
};

struct blame {
    struct cli *cli;
    struct doc doc;
    uint64_t version;
    struct exchange content; /* at that version */

    struct authorship authorship;
    bool is_text; /* what the log has made so far */
    struct change *changes;
    size_t n_changes, changes_capacity;
    char **authors;
    size_t n_authors, authors_capacity;

    size_t n_lines, at; /* printed; byte of the content */
    struct buffer output;
    int status;
};

static int say_memory(void)
{
    return cli_say(CLI_FAILED, "out of memory");
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

static struct bytes string_in(const struct ot_json *op, const char *key)
{
    const struct ot_json *value = ot_json_get(op, key, strlen(key));
    struct bytes text = { "", 0 };

    if (value && ot_json_kind(value) == OT_JSON_STRING)
        text.at = ot_json_string(value, &text.n_bytes);
    return text;
}

/* Room for one more; false: there is none. */
static bool grow(void **items, size_t n, size_t *capacity, size_t item_bytes)
{
    size_t more = *capacity ? 2 * *capacity : 64;
    void *grown = n < *capacity ? *items : realloc(*items, more * item_bytes);

    if (!grown)
        return false;
    if (n == *capacity)
        *capacity = more;
    *items = grown;
    return true;
}

/* Mostly the one who wrote before. */
static bool author_find(struct blame *blame, struct bytes name, size_t *out)
{
    size_t last = blame->n_changes ? blame->changes[blame->n_changes - 1].author : 0;

    for (size_t i = 0; i < blame->n_authors; i++) {
        *out = (last + i) % blame->n_authors;
        if (bytes_equal(bytes_of_string(blame->authors[*out]), name))
            return true;
    }
    if (!grow((void **)&blame->authors, blame->n_authors, &blame->authors_capacity, sizeof(*blame->authors)))
        return false;
    blame->authors[blame->n_authors] = strndup(name.at, name.n_bytes);
    *out = blame->n_authors;
    return blame->authors[blame->n_authors] && ++blame->n_authors;
}

static bool change_add(struct blame *blame, const struct ot_json *op)
{
    const struct ot_json *version = ot_json_get(op, "v", 1), *merged = ot_json_get(op, "merged", 6);
    struct change change = { 0 };
    uint64_t n_merged = 0;

    if (!version || !ot_json_integer(version, &change.version) || (merged && !ot_json_integer(merged, &n_merged)) ||
        time_parse(string_in(op, "time"), &change.time_ms))
        return false;
    change.version += 1 + n_merged;
    if (!author_find(blame, string_in(op, "author"), &change.author) ||
        !grow((void **)&blame->changes, blame->n_changes, &blame->changes_capacity, sizeof(change)))
        return false;
    blame->changes[blame->n_changes++] = change;
    return true;
}

/* ---- the log ----------------------------------------------------------------------------------------------------- */

static void edit(struct blame *blame, const struct ot_json *op)
{
    size_t change = blame->n_changes - 1;
    uint64_t at = 0, n;

    for (size_t i = 0; i < ot_json_count(op); i++) {
        const struct ot_json *part = ot_json_at(op, i), *deleted;
        struct bytes text = { NULL, 0 };

        if (ot_json_integer(part, &n)) {
            at += n;
        } else if (ot_json_kind(part) == OT_JSON_STRING) {
            text.at = ot_json_string(part, &text.n_bytes);
            authorship_insert(&blame->authorship, at, text, change);
            at += text_code_points(text);
        } else if ((deleted = ot_json_get(part, "d", 1))) {
            if (!ot_json_integer(deleted, &n))
                n = text_code_points(string_in(part, "d"));
            authorship_delete(&blame->authorship, at, n, change);
        }
    }
}

static void begin_anew(struct blame *blame, const struct ot_json *create)
{
    struct bytes type = create ? string_in(create, "type") : bytes_of(NULL, 0);
    size_t change = blame->n_changes - 1;

    authorship_finish(&blame->authorship);
    authorship_init(&blame->authorship, change);
    blame->is_text = type.n_bytes && ot_type_find(type.at, type.n_bytes) == ot_type_find("text-unicode", 12);
    if (blame->is_text)
        authorship_insert(&blame->authorship, 0, string_in(create, "data"), change);
}

static int play(struct blame *blame, const struct ot_json *op)
{
    const struct ot_json *create = ot_json_get(op, "create", 6), *del = ot_json_get(op, "del", 3);

    if (!change_add(blame, op))
        return cli_say(CLI_FAILED, "the answer holds what is no operation");
    if (create || del)
        begin_anew(blame, create);
    else if (blame->is_text)
        edit(blame, ot_json_get(op, "op", 2));
    return CLI_OK;
}

/* *from: where the next page begins. */
static int play_page(struct blame *blame, struct bytes answer, uint64_t *from)
{
    uint64_t before = *from;
    struct ot_json *page;
    const struct ot_json *ops, *to;
    int status = CLI_OK;

    if (ot_json_parse(answer.at, answer.n_bytes, &page_limits, &page, NULL))
        return cli_say(CLI_FAILED, "the answer is no page of operations");
    ops = ot_json_get(page, "ops", 3);
    to = ot_json_get(page, "to", 2);
    for (size_t i = 0; ops && !status && i < ot_json_count(ops); i++)
        status = play(blame, ot_json_at(ops, i));
    if (!status && (!to || !ot_json_integer(to, from) || *from <= before))
        status = cli_say(CLI_FAILED, "the answer is no page of operations");
    ot_json_unref(page);
    return status;
}

static int play_log(struct blame *blame)
{
    struct progress progress;
    uint64_t from = 0;
    int status = CLI_OK;

    progress_begin(&progress, "reading");
    while (!status && from < blame->version) {
        struct exchange exchange;

        exchange_init(&exchange, "GET");
        doc_target(&blame->doc, "/ops", &exchange);
        (void)buffer_printf(&exchange.target, "?to=%" PRIu64 "&limit=%d&merged=true", blame->version, PAGE_OPS);
        if (from) /* else from its beginning, wherever that is */
            (void)buffer_printf(&exchange.target, "&from=%" PRIu64, from);
        status = cli_ask(blame->cli, &exchange);
        if (!status)
            status = play_page(blame, buffer_bytes(&exchange.answer), &from);
        progress_show(&progress, from, blame->version);
        exchange_finish(&exchange);
    }
    progress_end(&progress);
    if (!status && (blame->authorship.is_broken || !blame->is_text))
        status = cli_say(CLI_FAILED, "the operations do not lead to this text");
    return status;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static void write_json(struct blame *blame, const struct change *change, struct bytes author, struct bytes text)
{
    struct buffer *into = &blame->output;
    char time[MOMENT_BYTES];
    int r;

    moment_write_utc(change->time_ms, time);
    (void)buffer_printf(into, "{\"line\":%zu,\"version\":%" PRIu64 ",\"author\":", blame->n_lines, change->version);
    r = ot_json_write_string(author.at, author.n_bytes, buffer_write, into);
    (void)buffer_printf(into, ",\"time\":\"%s\",\"text\":", time);
    if (!r)
        r = ot_json_write_string(text.at, text.n_bytes, buffer_write, into);
    if (!r)
        (void)buffer_append_string(into, "}\n");
}

/* As wide as the others, whatever its letters. */
static void write_author(struct buffer *into, struct bytes author)
{
    const unsigned char *at = author.at;
    size_t n_shown = 0, n = 0;

    for (; n < author.n_bytes && (n_shown < AUTHOR_SHOWN || (at[n] & 0xc0) == 0x80); n++)
        n_shown += (at[n] & 0xc0) != 0x80;
    (void)shown_append(bytes_of(at, n), into);
    (void)buffer_printf(into, "%*s", (int)(AUTHOR_SHOWN - n_shown), "");
}

static void write_line(struct blame *blame, const struct change *change, struct bytes author, struct bytes text)
{
    struct buffer *into = &blame->output;
    bool is_terminal = isatty(STDOUT_FILENO);
    char time[MOMENT_BYTES];

    if (is_terminal) {
        moment_write(change->time_ms, time);
        (void)buffer_printf(into, "%7" PRIu64 "  ", change->version);
        write_author(into, author);
        (void)buffer_printf(into, "  %s  ", time);
        (void)shown_append(text, into);
    } else {
        moment_write_utc(change->time_ms, time);
        (void)buffer_printf(into, "%" PRIu64 "\t%.*s\t%s\t", change->version, (int)author.n_bytes,
                            (const char *)author.at, time);
        (void)buffer_append(into, text.at, text.n_bytes);
    }
    (void)buffer_append_string(into, "\n");
}

/* The content's next line, which must be as long as the operations say. */
static void print_line(void *arg, uint64_t n_cps, size_t i)
{
    struct blame *blame = arg;
    const struct change *change = &blame->changes[i];
    struct bytes content = buffer_bytes(&blame->content.answer), line,
                 author = bytes_of_string(blame->authors[change->author]);
    const char *at = (const char *)content.at + blame->at, *stop;

    if (blame->at == content.n_bytes && n_cps == 0)
        return; /* behind the last newline */
    stop = blame->at < content.n_bytes ? memchr(at, '\n', content.n_bytes - blame->at) : NULL;
    line = bytes_of(at, stop ? (size_t)(stop - at) : content.n_bytes - blame->at);
    if (text_code_points(line) + (stop != NULL) != n_cps)
        blame->status = CLI_FAILED;
    blame->at += line.n_bytes + (stop != NULL);
    blame->n_lines++;
    if (blame->cli->json)
        write_json(blame, change, author, line);
    else
        write_line(blame, change, author, line);
}

static int print(struct blame *blame)
{
    authorship_each(&blame->authorship, print_line, blame);
    if (blame->status || blame->at != blame->content.answer.n_bytes)
        return cli_say(CLI_FAILED, "the operations do not lead to this text");
    return blame->output.error ? say_memory() : cli_print(buffer_bytes(&blame->output));
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

/* The text, and of which version it is. */
static int read_content(struct blame *blame, const char *word)
{
    struct exchange *content = &blame->content;
    int status;

    doc_target(&blame->doc, "", content);
    if (blame->doc.point[0])
        (void)buffer_printf(&content->target, "?version=%" PRIu64, blame->version);
    exchange_header(content, "accept", "text/plain");
    status = cli_perform(blame->cli, content);
    if (status)
        return status;
    if (content->status == 406)
        return cli_say(CLI_FAILED, "%s is no plain text and has no lines; pilcrow log says who changed it", word);
    blame->version = strtoull(content->version, NULL, 10);
    return cli_judge(blame->cli, content);
}

static void finish(struct blame *blame)
{
    for (size_t i = 0; i < blame->n_authors; i++)
        free(blame->authors[i]);
    free(blame->authors);
    free(blame->changes);
    authorship_finish(&blame->authorship);
    exchange_finish(&blame->content);
    buffer_finish(&blame->output);
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct blame blame = { .cli = cli };
    int status = CLI_OK;

    if (n_words != 1)
        return cli_usage(&command_blame);
    if (!doc_parse(words[0], true, &blame.doc))
        return CLI_USAGE;
    exchange_init(&blame.content, "GET");
    buffer_init(&blame.output, OUTPUT_MAX_BYTES);
    if (blame.doc.point[0])
        status = point_of_doc(cli, &blame.doc, &blame.version);
    if (!status)
        status = read_content(&blame, words[0]);
    if (!status)
        status = play_log(&blame);
    if (!status)
        status = print(&blame);
    finish(&blame);
    return status;
}

const struct command command_blame = {
    "blame",
    "DOC[@VERSION|@TIME]",
    "who changed each line of a text last",
    "    pilcrow blame notes/diary\n"
    "    pilcrow blame notes/diary@7\n"
    "    pilcrow blame notes/diary --json | jq .author\n\n"
    "A line is: the version that it is so since, who made it, when, and the text. What counts is what was typed in "
    "the\n"
    "line or taken out of it, not what happened beside it. `pilcrow diff DOC VERSION-1 VERSION` shows the change.\n",
    ACCESS_READ,
    run,
    .group = GROUP_HISTORY,
};
