/* A document in an editor: the file is put by the version that was opened, so that what others wrote meanwhile stays.
 *
 *     GET at version N -> file -> editor -> PUT ?base=N      the server merges
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/name.h"
#include "base/world.h"
#include "cli/draft.h"
#include "cli/name.h"
#include "cli/pretty.h"
#include "ot/ot.h"

#define CONTENT_MAX_BYTES ((size_t)256 << 20)
#define TRIES             4 /* when nobody answers; after 0.25, 0.5 and 1 s */
#define FIRST_PAUSE_MS    250

/* A document of the greatest depth lies in an envelope. */
static const struct ot_limits read_limits = { .max_depth = 210,
                                              .max_components = 100000,
                                              .max_document_bytes = (size_t)64 << 20 };

struct edit {
    struct cli *cli;
    const char *word; /* the document, as it was named */
    struct doc doc;
    uint64_t version; /* that was opened */
    const struct ot_type *type;
    struct ot_json *envelope;
    const struct ot_json *content; /* in the envelope */
    struct buffer opened, saved;   /* the file */
    struct bytes wanted;           /* of what was saved */
    bool is_noop;
    struct draft draft;
};

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int envelope_read(struct edit *edit, struct bytes answer)
{
    struct bytes type = { NULL, 0 };
    const struct ot_json *name;

    if (ot_json_parse(answer.at, answer.n_bytes, &read_limits, &edit->envelope, NULL))
        return cli_say(CLI_FAILED, "the answer is no document");
    name = ot_json_get(edit->envelope, "type", 4);
    if (name && ot_json_kind(name) == OT_JSON_STRING)
        type.at = ot_json_string(name, &type.n_bytes);
    edit->type = type.at ? ot_type_find(type.at, type.n_bytes) : NULL;
    edit->content = ot_json_get(edit->envelope, "data", 4);
    name = ot_json_get(edit->envelope, "version", 7);
    if (!edit->type || !edit->content || !name || !ot_json_integer(name, &edit->version))
        return cli_say(CLI_FAILED, "the answer is no document");
    return CLI_OK;
}

static int fetch(struct edit *edit)
{
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "GET");
    doc_target(&edit->doc, "", &exchange);
    exchange_header(&exchange, "accept", "application/vnd.pilcrow.snapshot+json");
    status = cli_ask(edit->cli, &exchange);
    if (!status)
        status = envelope_read(edit, buffer_bytes(&exchange.answer));
    exchange_finish(&exchange);
    return status;
}

static bool is_text(const struct edit *edit)
{
    return strcmp(ot_type_name(edit->type), "text-unicode") == 0;
}

static bool is_rich(const struct edit *edit)
{
    return strcmp(ot_type_name(edit->type), "rich-text") == 0;
}

static int content_write(const struct edit *edit, struct buffer *into)
{
    struct buffer compact;
    struct bytes text;
    int r;

    if (is_text(edit)) {
        text.at = ot_json_string(edit->content, &text.n_bytes);
        return buffer_append(into, text.at, text.n_bytes);
    }
    buffer_init(&compact, CONTENT_MAX_BYTES);
    r = ot_json_write(edit->content, buffer_write, &compact);
    if (!r)
        pretty_write(buffer_bytes(&compact), into);
    buffer_finish(&compact);
    return r ? r : into->error;
}

/* ---- what was saved ---------------------------------------------------------------------------------------------- */

static bool ends_with_newline(const struct buffer *text)
{
    return text->n_bytes && text->at[text->n_bytes - 1] == '\n';
}

static int look_at_text(struct edit *edit)
{
    edit->wanted = buffer_bytes(&edit->saved);
    if (!bytes_are_utf8(edit->wanted))
        return cli_say(CLI_FAILED, "the text is not UTF-8; nothing was changed");
    if (ends_with_newline(&edit->saved) && !ends_with_newline(&edit->opened))
        edit->wanted.n_bytes--; /* editors end every file with one */
    edit->is_noop = bytes_equal(buffer_bytes(&edit->opened), edit->wanted);
    return CLI_OK;
}

static int look_at_json(struct edit *edit)
{
    struct ot_error error = { "out of memory" };
    struct ot_json *saved = NULL;
    int r = ot_json_parse(edit->saved.at, edit->saved.n_bytes, &ot_limits_default, &saved, &error);

    edit->wanted = buffer_bytes(&edit->saved);
    if (r > 0)
        r = cli_say(CLI_FAILED, "the text is no JSON (%s); nothing was changed", error.message);
    else if (r)
        r = cli_say(CLI_FAILED, "%s; nothing was changed", error.message);
    else if (ot_json_flaw(saved))
        r = cli_say(CLI_FAILED, "the text holds what no document may hold, such as a lone surrogate or the key "
                                "__proto__; nothing was changed");
    else
        edit->is_noop = ot_json_equal(edit->content, saved);
    ot_json_unref(saved);
    return r;
}

/* ---- submitting -------------------------------------------------------------------------------------------------- */

static void pause_for(unsigned n_ms)
{
    const struct timespec pause = { n_ms / 1000, (long)(n_ms % 1000) * 1000000 };

    (void)nanosleep(&pause, NULL);
}

#define KEY_BYTES 40

static void key_make(char key[KEY_BYTES])
{
    unsigned char chance[16];
    int n = snprintf(key, KEY_BYTES, "edit-");

    world_random(&world_real, chance, sizeof(chance));
    for (size_t i = 0; i < sizeof(chance); i++)
        n += snprintf(key + n, KEY_BYTES - (size_t)n, "%02x", chance[i]);
}

/* The same key each time: what has arrived is not done twice. */
static void exchange_prepare(const struct edit *edit, const char *key, struct exchange *exchange)
{
    exchange_init(exchange, "PUT");
    doc_target(&edit->doc, "", exchange);
    (void)buffer_printf(&exchange->target, "?base=%llu", (unsigned long long)edit->version);
    exchange_header(exchange, "content-type", is_text(edit) ? "text/plain; charset=utf-8" : "application/json");
    exchange_header(exchange, "idempotency-key", key);
    exchange->body = edit->wanted;
    exchange->has_body = true;
}

static void report(const struct edit *edit, const char *version)
{
    if (edit->cli->json)
        (void)printf("{\"version\":%s}\n", version[0] ? version : "null");
    else if (isatty(STDOUT_FILENO))
        (void)printf("changed %s, version %s\n", edit->word, version);
}

/* -1: nobody answers, or not now. */
static int try_quietly(struct cli *cli, struct exchange *exchange)
{
    char why[512];
    int r;

    if (*cli->author)
        exchange_header(exchange, "pilcrow-author", cli->author);
    r = cli->transport->perform(cli->transport, exchange, why, sizeof(why));

    return r || exchange->status == 503 ? -1 : cli_judge(cli, exchange);
}

/* A server that is just being started again is waited for. */
static int submit(struct edit *edit)
{
    struct exchange exchange;
    char key[KEY_BYTES];
    int status = -1;

    key_make(key);
    for (unsigned i = 1; status < 0; i++) {
        exchange_prepare(edit, key, &exchange);
        status = i < TRIES ? try_quietly(edit->cli, &exchange) : cli_ask(edit->cli, &exchange);
        if (status == CLI_OK)
            report(edit, exchange.version);
        exchange_finish(&exchange);
        if (status < 0)
            pause_for(FIRST_PAUSE_MS << (i - 1));
    }
    return status;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int say_unchanged(const struct edit *edit)
{
    if (edit->cli->json)
        (void)printf("{\"version\":%llu}\n", (unsigned long long)edit->version);
    else
        (void)cli_say(0, "nothing was changed");
    return CLI_OK;
}

/* The file is kept when something in it would be lost. */
static int edit_in_editor(struct edit *edit)
{
    int status = draft_edit(&edit->draft), r = draft_read(&edit->draft, &edit->saved);
    bool is_same = !r && bytes_equal(buffer_bytes(&edit->opened), buffer_bytes(&edit->saved));

    if (r) {
        (void)rmdir(edit->draft.folder); /* unless there is something in it */
        return r;
    }
    if (!status && !is_same)
        status = is_text(edit) ? look_at_text(edit) : look_at_json(edit);
    if (!status)
        status = is_same || edit->is_noop ? say_unchanged(edit) : submit(edit);
    if (status && !is_same)
        (void)cli_say(0, "your text is in %s", edit->draft.path);
    else
        draft_remove(&edit->draft);
    return status;
}

static int edit_document(struct edit *edit)
{
    int status = fetch(edit);

    if (status)
        return status;
    if (is_rich(edit))
        return cli_say(CLI_USAGE, "%s is rich text, which a plain editor would spoil; use one for rich text",
                       edit->word);
    if (content_write(edit, &edit->opened))
        return cli_say(CLI_FAILED, "out of memory");
    status = draft_create(bytes_of(edit->doc.id, edit->doc.n_id), is_text(edit) ? ".txt" : ".json",
                          buffer_bytes(&edit->opened), &edit->draft);
    return status ? status : edit_in_editor(edit);
}

static int run(struct cli *cli, int n_words, char **words)
{
    struct edit edit = { .cli = cli };
    int status;

    if (n_words != 1)
        return cli_usage(&command_edit);
    if (!doc_parse(words[0], false, &edit.doc))
        return CLI_USAGE;
    edit.word = words[0];
    buffer_init(&edit.opened, CONTENT_MAX_BYTES);
    buffer_init(&edit.saved, CONTENT_MAX_BYTES);
    status = edit_document(&edit);
    buffer_finish(&edit.opened);
    buffer_finish(&edit.saved);
    ot_json_unref(edit.envelope);
    return status;
}

const struct command command_edit = {
    "edit",
    "DOC",
    "open in an editor, merge on save",
    "    pilcrow edit notes/diary\n"
    "    EDITOR='code --wait' pilcrow edit notes/settings\n\n"
    "Runs $VISUAL, $EDITOR or vi on the text, or on the JSON, of the document. When the editor ends, what is "
    "different\n"
    "becomes one operation for the version that was opened: what others wrote meanwhile stays. In JSON a string that\n"
    "differs is replaced whole. A newline that editors put behind a text that had none is left out. When something\n"
    "goes wrong, or the editor ends with a failure, the file is kept and its place is told.\n",
    ACCESS_WRITE,
    run,
};
