/* Every document is played again from version 0 and compared with what is served as its snapshot: the log is the truth,
 * and this proves that everything else follows from it. Over HTTP as well as on a store; what the store finds damaged
 * is counted, too. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/check_inside.h"
#include "cli/list.h"
#include "cli/name.h"
#include "ot/ot.h"

#define PAGE_OPERATIONS 1000

/* Answers hold a document inside their own objects. */
static const struct ot_limits answer_limits = { .max_depth = 210,
                                                .max_components = 100000,
                                                .max_document_bytes = SIZE_MAX };

struct replay {
    uint64_t version;
    const struct ot_type *type;
    struct ot_snapshot *value;
};

struct check {
    struct cli *cli;
    struct bytes collection;
    uint64_t n_documents, n_operations, n_damaged;
};

/* ---- playing ----------------------------------------------------------------------------------------------------- */

static int replay_create(struct replay *replay, const struct ot_json *create)
{
    const struct ot_json *type = ot_json_get(create, "type", 4);
    size_t n_bytes;
    const char *name;

    if (replay->type || !type || ot_json_kind(type) != OT_JSON_STRING)
        return -EBADMSG;
    name = ot_json_string(type, &n_bytes);
    replay->type = ot_type_find(name, n_bytes);
    if (!replay->type)
        return -EBADMSG;
    return ot_snapshot_create(replay->type, ot_json_get(create, "data", 4), &answer_limits, &replay->value, NULL);
}

static int replay_edit(struct replay *replay, const struct ot_json *json)
{
    struct ot_op *op;
    int r;

    if (!replay->type)
        return -EBADMSG;
    r = ot_op_parse(replay->type, json, &answer_limits, &op, NULL);
    if (r)
        return r;
    r = ot_snapshot_apply(replay->value, op, &answer_limits, NULL);
    ot_op_unref(op);
    return r;
}

/* Returns 0, -ENOMEM, or something else: it does not follow from what came before. */
static int replay_step(struct replay *replay, const struct ot_json *step)
{
    const struct ot_json *op = ot_json_get(step, "op", 2), *create = ot_json_get(step, "create", 6);
    uint64_t version;
    int r = 0;

    if (!ot_json_integer(ot_json_get(step, "v", 1), &version) || version != replay->version)
        return -EBADMSG;
    if (op)
        r = replay_edit(replay, op);
    else if (create)
        r = replay_create(replay, create);
    else if (ot_json_get(step, "del", 3)) {
        ot_snapshot_destroy(replay->value);
        replay->value = NULL;
        replay->type = NULL;
    }
    if (!r)
        replay->version++;
    return r;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

/* An answer as JSON of ours: documents never pass through another parser. */
static int ask_json(struct cli *cli, struct exchange *exchange, struct ot_json **out)
{
    int status = cli_ask(cli, exchange);

    if (status)
        return status;
    if (ot_json_parse(exchange->answer.at, exchange->answer.n_bytes, &answer_limits, out, NULL))
        return cli_say(CLI_FAILED, "the server's answer is no JSON");
    return CLI_OK;
}

/* Plays one page. Returns CLI_OK, CLI_DAMAGED or another exit status. */
static int play_page(struct cli *cli, const struct doc *doc, uint64_t end, struct replay *replay)
{
    struct exchange exchange;
    struct ot_json *page = NULL;
    const struct ot_json *steps;
    int r = 0, status;

    exchange_init(&exchange, "GET");
    doc_target(doc, "/ops", &exchange);
    (void)buffer_printf(&exchange.target, "?from=%llu&to=%llu&limit=%d", (unsigned long long)replay->version,
                        (unsigned long long)end, PAGE_OPERATIONS);
    status = ask_json(cli, &exchange, &page);
    steps = ot_json_get(page, "ops", 3);
    if (!status && (!steps || ot_json_count(steps) == 0))
        status = CLI_DAMAGED;
    for (size_t i = 0; !status && !r && i < ot_json_count(steps); i++)
        r = replay_step(replay, ot_json_at(steps, i));
    if (r == -ENOMEM)
        status = cli_say(CLI_FAILED, "out of memory");
    else if (r)
        status = CLI_DAMAGED;
    ot_json_unref(page);
    exchange_finish(&exchange);
    return status;
}

/* Whether the replayed value is the one that was served. */
static bool is_same(const struct replay *replay, const struct ot_json *data)
{
    struct ot_json *replayed = NULL;
    struct buffer text;
    bool same;

    buffer_init(&text, SIZE_MAX / 2);
    same = replay->value && data && ot_snapshot_write_json(replay->value, buffer_write, &text) == 0 &&
           ot_json_parse(text.at, text.n_bytes, &answer_limits, &replayed, NULL) == 0 && ot_json_equal(replayed, data);
    ot_json_unref(replayed);
    buffer_finish(&text);
    return same;
}

static int check_document(struct check *check, const struct doc *doc)
{
    struct exchange exchange;
    struct ot_json *served = NULL;
    struct replay replay = { .version = 0 };
    uint64_t end = 0;
    int status;

    exchange_init(&exchange, "GET");
    doc_target(doc, "", &exchange);
    exchange_header(&exchange, "accept", "application/vnd.pilcrow.snapshot+json");
    status = ask_json(check->cli, &exchange, &served);
    if (!status && !ot_json_integer(ot_json_get(served, "version", 7), &end))
        status = CLI_DAMAGED;
    while (!status && replay.version < end)
        status = play_page(check->cli, doc, end, &replay);
    if (!status && !is_same(&replay, ot_json_get(served, "data", 4)))
        status = CLI_DAMAGED;
    if (status == CLI_DAMAGED)
        (void)cli_say(status, "%.*s/%.*s is damaged at version %llu of %llu", (int)doc->n_collection, doc->collection,
                      (int)doc->n_id, doc->id, (unsigned long long)replay.version, (unsigned long long)end);
    check->n_operations += replay.version;
    ot_snapshot_destroy(replay.value);
    ot_json_unref(served);
    exchange_finish(&exchange);
    return status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static int on_document(void *arg, const char *collection, const json_t *document)
{
    struct check *check = arg;
    const json_t *id = json_object_get(document, "id");
    struct doc doc;
    int status;

    doc.n_collection = check->collection.n_bytes;
    doc.n_id = json_string_length(id);
    if (doc.n_collection > DOC_TEXT_MAX || doc.n_id > DOC_TEXT_MAX)
        return CLI_DAMAGED;
    memcpy(doc.collection, check->collection.at, doc.n_collection);
    memcpy(doc.id, json_string_value(id), doc.n_id);
    status = check_document(check, &doc);
    if (status == CLI_NOT_FOUND)
        return CLI_OK; /* deleted while we were looking */
    check->n_documents++;
    if (status != CLI_DAMAGED)
        return status;
    check->n_damaged++; /* and on to the next */
    return CLI_OK;
}

static int check_all(struct check *check)
{
    json_t *collections = NULL;
    int status = list_collections(check->cli, &collections);

    for (size_t i = 0; !status && i < json_array_size(collections); i++) {
        const json_t *name = json_object_get(json_array_get(collections, i), "collection");

        check->collection = bytes_of(json_string_value(name), json_string_length(name));
        status = list_documents(check->cli, check->collection, bytes_of("", 0), on_document, check);
    }
    json_decref(collections);
    return status;
}

int check_server(struct cli *cli)
{
    struct check check = { .cli = cli };
    int status = check_all(&check);

    if (status)
        return status;
    (void)printf(cli->json ? "{\"documents\":%llu,\"operations\":%llu,\"damaged\":%llu}\n"
                           : "%llu documents, %llu operations, %llu damaged\n",
                 (unsigned long long)check.n_documents, (unsigned long long)check.n_operations,
                 (unsigned long long)check.n_damaged);
    if (!cli->json)
        (void)printf("The server was asked for its documents; its files are checked with --data, beside it as well.\n");
    return check.n_damaged ? CLI_DAMAGED : CLI_OK;
}

static int run(struct cli *cli, int n_words, char **words)
{
    const char *salvage = cli->options[OPTION_SALVAGE];

    if (n_words)
        return cli_usage(&command_check);
    if (salvage && !cli->data)
        return cli_say(CLI_USAGE, "--salvage reads the files of a store: it takes --data");
    if (salvage)
        return check_salvage(cli, salvage);
    return cli->data ? check_files(cli) : check_server(cli);
}

const struct command command_check = {
    "check",
    "",
    "verify the store, and every document by replaying it",
    "    pilcrow --data pilcrow-data check\n"
    "    pilcrow --data pilcrow-data check --salvage saved.ndjson\n"
    "    pilcrow check\n\n"
    "With --data the files are looked at page by page, every document, deleted ones too, is played again from its "
    "first\n"
    "operation, and compared with every snapshot of it. Names what is damaged and says what to do; exit status 7 when\n"
    "there is anything. Works beside a running server, and on files that would end it. Without --data the server is\n"
    "asked for every document and its operations.\n\n"
    "--salvage writes what can still be read as an export, for pilcrow import; documents of which something is lost "
    "are\n"
    "cut off there, and the newest content behind that is saved as ID.salvaged-VERSION. The store is never written "
    "to.\n",
    ACCESS_FILES,
    run,
    OPTIONS(OPTION_SALVAGE),
    .group = GROUP_ADMINISTRATION,
};
