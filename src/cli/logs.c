#include "cli/logs.h"

#include "api/percent.h"
#include "base/timestamp.h"

void logs_init(struct logs *logs, struct cli *cli, struct bytes only)
{
    *logs = (struct logs){ .cli = cli, .only = only, .more = true };
}

void logs_finish(struct logs *logs)
{
    json_decref(logs->page);
    logs->page = NULL;
}

int name_compare(struct store_name a, struct store_name b)
{
    int order = bytes_compare(a.collection, b.collection);

    return order ? order : bytes_compare(a.id, b.id);
}

static struct bytes text(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value)) : bytes_of("", 0);
}

static uint64_t number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static uint64_t time_of(const json_t *object, const char *key)
{
    uint64_t time_ms = 0;

    return time_parse(text(object, key), &time_ms) ? 0 : time_ms;
}

/* The page behind the row; it replaces the one that the row points into. */
static int ask_page(struct logs *logs)
{
    struct bytes collection = logs->page ? logs->row.name.collection : logs->only;
    struct exchange exchange;
    json_t *page = NULL;
    int status;

    exchange_init(&exchange, "GET");
    (void)buffer_append_string(&exchange.target, "/v1/logs?after_collection=");
    percent_encode(collection, &exchange.target);
    (void)buffer_append_string(&exchange.target, "&after=");
    percent_encode(logs->page ? logs->row.name.id : bytes_of("", 0), &exchange.target);
    status = cli_ask(logs->cli, &exchange);
    if (!status)
        page = json_loadb(exchange.answer.at, exchange.answer.n_bytes, JSON_ALLOW_NUL, NULL);
    if (!status && !page)
        status = cli_say(CLI_FAILED, "the server's answer is no JSON");
    if (page) {
        json_decref(logs->page);
        logs->page = page;
        logs->next = 0;
        logs->more = exchange.has_next;
    }
    exchange_finish(&exchange);
    return status;
}

static void read_row(struct log_row *row, const json_t *entry)
{
    *row = (struct log_row){ .name = { text(entry, "collection"), text(entry, "id") },
                             .type = text(entry, "type"),
                             .exists = json_is_true(json_object_get(entry, "exists")),
                             .first = number(entry, "first"),
                             .version = number(entry, "version"),
                             .n_bytes = number(entry, "size"),
                             .created_ms = time_of(entry, "created"),
                             .modified_ms = time_of(entry, "modified") };
}

int logs_next(struct logs *logs, bool *found)
{
    int status = CLI_OK;

    while (!status && logs->more && logs->next == json_array_size(json_object_get(logs->page, "logs")))
        status = ask_page(logs);
    *found = !status && logs->next < json_array_size(json_object_get(logs->page, "logs"));
    if (!*found)
        return status;
    read_row(&logs->row, json_array_get(json_object_get(logs->page, "logs"), logs->next++));
    if (logs->only.n_bytes && !bytes_equal(logs->row.name.collection, logs->only)) {
        *found = false; /* collections stand one behind the other */
        logs->more = false;
        logs->next = json_array_size(json_object_get(logs->page, "logs"));
    }
    return status;
}
