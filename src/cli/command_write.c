/* Whole documents: create, put. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/tokens.h"
#include "cli/file.h"
#include "cli/name.h"

#define CONTENT_MAX_BYTES ((size_t)64 << 20)

static const char *media_of(const char *type)
{
    bool is_text = !type || strcmp(type, "text-unicode") == 0;

    return is_text ? "text/plain; charset=utf-8" : "application/json";
}

/* What happened, for whoever reads along or parses. */
static void report(const struct cli *cli, const char *what, const char *doc, const struct exchange *exchange)
{
    if (cli->json)
        (void)printf("{\"version\":%s}\n", exchange->version[0] ? exchange->version : "null");
    else if (isatty(STDOUT_FILENO))
        (void)printf("%s %s, version %s\n", what, doc, exchange->version);
}

/* Sends the content. header: one more, or NULL. */
static int send(struct cli *cli, const struct doc *doc, const char *query, struct bytes content, const char *media,
                const struct exchange_header *header, struct exchange *exchange)
{
    exchange_init(exchange, "PUT");
    doc_target(doc, "", exchange);
    (void)buffer_append_string(&exchange->target, query);
    exchange_header(exchange, "content-type", media);
    if (header)
        exchange_header(exchange, header->name, header->value);
    exchange->body = content;
    exchange->has_body = true;
    return cli_perform(cli, exchange);
}

static int read_content(const char *path, struct buffer *content)
{
    buffer_init(content, CONTENT_MAX_BYTES);
    return path ? file_read(path, content) : CLI_OK;
}

static int create(struct cli *cli, const struct doc *doc, const char *word, struct bytes content)
{
    const struct exchange_header if_none = { "if-none-match", "*" };
    const char *type = cli->options[OPTION_TYPE];
    struct exchange exchange;
    char query[128], name[DOC_SHOWN_BYTES];
    int status;

    (void)snprintf(query, sizeof(query), "%s%s", type ? "?type=" : "", type ? type : "");
    status = send(cli, doc, query, content, media_of(type), &if_none, &exchange);
    if (!status && exchange.status == 412)
        status = cli_say(CLI_CONFLICT, "%s exists already; pilcrow put changes it", doc_shown(doc, name));
    else if (!status)
        status = cli_judge(cli, &exchange);
    if (!status)
        report(cli, "created", word, &exchange);
    exchange_finish(&exchange);
    return status;
}

static int create_run(struct cli *cli, int n_words, char **words)
{
    struct buffer content;
    struct doc doc;
    int status;

    if (n_words < 1 || n_words > 2)
        return cli_usage(&command_create);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = read_content(n_words == 2 ? words[1] : NULL, &content);
    if (!status)
        status = create(cli, &doc, words[0], buffer_bytes(&content));
    buffer_finish(&content);
    return status;
}

const struct command command_create = {
    "create",
    "DOC [FILE|-]",
    "a new document, empty or from a file",
    "    pilcrow create notes/diary\n"
    "    pilcrow create notes/diary diary.txt\n"
    "    date | pilcrow create notes/now -\n"
    "    echo '{\"colour\":6}' | pilcrow create settings/app --type json0 -\n\n"
    "Fails with 4 when there is one already. --type names the type of the document; without it, plain text, whatever\n"
    "the file is called.\n",
    ACCESS_WRITE,
    create_run,
    OPTIONS(OPTION_TYPE),
};

/* ---- put --------------------------------------------------------------------------------------------------------- */

/* What is there now: its media type, "" when there is nothing, and its version, "0" when there never was. */
struct present {
    char media[64], version[24];
};

static int look(struct cli *cli, const struct doc *doc, struct present *out)
{
    struct exchange exchange;
    int status;

    *out = (struct present){ .version = "0" };
    exchange_init(&exchange, "GET");
    doc_target(doc, "", &exchange);
    status = cli_perform(cli, &exchange);
    if (!status && exchange.status != 404)
        status = cli_judge(cli, &exchange);
    if (!status && exchange.status == 200)
        (void)snprintf(out->media, sizeof(out->media), "%s", exchange.media);
    if (!status && exchange.version[0])
        (void)snprintf(out->version, sizeof(out->version), "%s", exchange.version);
    exchange_finish(&exchange);
    return status;
}

#define KEY_BYTES 128

/* The same content for the same version is the same put. Put again because the answer to the first did not come, it is
 * not merged with what the first has done. */
static void key_make(const char *base, struct bytes content, char key[KEY_BYTES])
{
    struct token_hash hash; /* as good for this as for tokens */
    int n = snprintf(key, KEY_BYTES, "put-%.20s-", base);

    token_hash_make(content, &hash);
    for (size_t i = 0; i < sizeof(hash.bytes); i++)
        n += snprintf(key + n, KEY_BYTES - (size_t)n, "%02x", hash.bytes[i]);
}

/* Without --base a second one finds its content there. Where the document has gone since, it is to hear that. */
static bool is_recognised(const char *base, const struct present *present)
{
    return base && (present->media[0] || strcmp(base, present->version) == 0);
}

static const char *what_happened(const struct present *before, const char *version)
{
    unsigned long long was = strtoull(before->version, NULL, 10), is = strtoull(version, NULL, 10);

    if (!before->media[0])
        return "created";
    if (is < was)
        return "changed before:";
    return is > was ? "changed" : "nothing to change in";
}

static int put(struct cli *cli, const struct doc *doc, const char *word, struct bytes content)
{
    const char *base = cli->options[OPTION_BASE], *media;
    char query[64], key[KEY_BYTES];
    const struct exchange_header header = { "idempotency-key", key };
    struct exchange exchange;
    struct present present;
    int status = look(cli, doc, &present);

    if (status)
        return status;
    (void)snprintf(query, sizeof(query), "?base=%s", base ? base : present.version);
    media = present.media[0] ? present.media : media_of(NULL);
    if (is_recognised(base, &present)) {
        key_make(base, content, key);
        status = send(cli, doc, query, content, media, &header, &exchange);
    } else {
        status = send(cli, doc, query, content, media, NULL, &exchange);
    }
    if (!status)
        status = cli_judge(cli, &exchange);
    if (!status)
        report(cli, what_happened(&present, exchange.version), word, &exchange);
    exchange_finish(&exchange);
    return status;
}

static int put_run(struct cli *cli, int n_words, char **words)
{
    struct buffer content;
    struct doc doc;
    int status;

    if (n_words != 2)
        return cli_usage(&command_put);
    if (cli->options[OPTION_BASE] && cli->options[OPTION_BASE][strspn(cli->options[OPTION_BASE], "0123456789")])
        return cli_say(CLI_USAGE, "--base wants a version: %s", cli->options[OPTION_BASE]);
    if (!doc_parse(words[0], false, &doc))
        return CLI_USAGE;
    status = read_content(words[1], &content);
    if (!status)
        status = put(cli, &doc, words[0], buffer_bytes(&content));
    buffer_finish(&content);
    return status;
}

const struct command command_put = {
    "put",
    "DOC FILE|-",
    "new content, merged with what others write",
    "    pilcrow put notes/diary diary.txt\n"
    "    pilcrow cat notes/diary | tr a-z A-Z | pilcrow put notes/diary -\n"
    "    pilcrow cat settings/app | jq .colour=7 | pilcrow put settings/app -\n"
    "    pilcrow cat notes/diary@17 >diary.txt; vi diary.txt; pilcrow put notes/diary diary.txt --base 17\n\n"
    "Only what differs becomes an operation, so carets of people who are writing stay where they are. --base names "
    "the\n"
    "version that the file was made from: what others have written since stays, too; without it the file takes the\n"
    "place of what is there when it is put. JSON and rich text are read in the form in which `pilcrow cat` writes "
    "them.\n"
    "The same file for the same base again, since it was not clear whether it had arrived, is not merged twice.\n"
    "Ends with 4 where both can't be: json1 that was changed at one place, or a document that was deleted meanwhile.\n"
    "When there is no such document it is made, as plain text; `pilcrow create` makes others.\n",
    ACCESS_WRITE,
    put_run,
    OPTIONS(OPTION_BASE),
};
