#include "cli/list.h"

#include "api/percent.h"

#define PAGE_DOCUMENTS 500

static int read_json(const struct exchange *exchange, json_t **out)
{
    *out = json_loadb(exchange->answer.at, exchange->answer.n_bytes, JSON_ALLOW_NUL, NULL);
    return *out ? CLI_OK : cli_say(CLI_FAILED, "the server's answer is no JSON");
}

static int ask_page(struct cli *cli, struct bytes collection, struct bytes prefix, struct bytes after, json_t **out,
                    bool *more)
{
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "GET");
    (void)buffer_append_string(&exchange.target, "/v1/docs/");
    percent_encode(collection, &exchange.target);
    (void)buffer_printf(&exchange.target, "?limit=%d&prefix=", PAGE_DOCUMENTS);
    percent_encode(prefix, &exchange.target);
    (void)buffer_append_string(&exchange.target, "&after=");
    percent_encode(after, &exchange.target);
    status = cli_ask(cli, &exchange);
    if (!status)
        status = read_json(&exchange, out);
    *more = exchange.has_next;
    exchange_finish(&exchange);
    return status;
}

static struct bytes last_id(const json_t *documents)
{
    const json_t *id = json_object_get(json_array_get(documents, json_array_size(documents) - 1), "id");

    return bytes_of(json_string_value(id), json_string_length(id));
}

int list_documents(struct cli *cli, struct bytes collection, struct bytes prefix, list_fn *each, void *arg)
{
    json_t *page = NULL;
    struct bytes after = { "", 0 };
    bool more = true;
    int status = CLI_OK;

    while (!status && more) {
        json_t *next, *documents;

        status = ask_page(cli, collection, prefix, after, &next, &more);
        if (status)
            break;
        json_decref(page); /* `after` pointed into it */
        page = next;
        documents = json_object_get(page, "documents");
        for (size_t i = 0; !status && i < json_array_size(documents); i++)
            status = each(arg, json_string_value(json_object_get(page, "collection")), json_array_get(documents, i));
        more = more && json_array_size(documents) > 0;
        after = last_id(documents);
    }
    json_decref(page);
    return status;
}

int list_collections(struct cli *cli, json_t **out)
{
    struct exchange exchange;
    json_t *answer = NULL;
    int status;

    exchange_init(&exchange, "GET");
    (void)buffer_append_string(&exchange.target, "/v1/docs");
    status = cli_ask(cli, &exchange);
    if (!status)
        status = read_json(&exchange, &answer);
    if (!status)
        *out = json_incref(json_object_get(answer, "collections"));
    json_decref(answer);
    exchange_finish(&exchange);
    return status;
}
