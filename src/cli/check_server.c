/* Every document over HTTP, deleted ones too: its operations are played from the first that is kept, and what comes out
 * is compared with what the server says that it is. */
#include <errno.h>
#include <inttypes.h>

#include "cli/check_inside.h"
#include "cli/intake.h"
#include "cli/logs.h"
#include "cli/name.h"
#include "cli/ops.h"
#include "cli/progress.h"
#include "cli/spans.h"
#include "doc/past.h"

struct asking {
    struct cli *cli;
    struct progress progress;
    uint64_t n_documents, n_operations;
    json_t *damaged; /* their names */

    /* The one at hand. */
    struct store_name name;
    struct past past;
    struct exchange served; /* its content now; not asked for, or not there: empty */
    uint64_t end;
};

static int damaged(struct asking *asking, uint64_t version, const char *what)
{
    json_t *object = check_finding(&(struct verify_finding){ .name = asking->name, .what = "" });
    const char *document = json_string_value(json_object_get(object, "document"));

    progress_end(&asking->progress);
    (void)cli_say(CLI_DAMAGED, "%s, version %" PRIu64 " of %" PRIu64 ": %s", document ? document : "?", version,
                  asking->end, what);
    (void)json_array_append(asking->damaged, json_object_get(object, "document"));
    json_decref(object);
    progress_begin(&asking->progress, "checking");
    return CLI_DAMAGED;
}

/* ---- one log ----------------------------------------------------------------------------------------------------- */

/* Before its operations: these may be more by then, never fewer. */
static int content_ask(struct asking *asking, const struct log_row *row)
{
    char why[512] = "out of memory";
    int status;

    asking->end = row->version;
    if (!row->exists)
        return CLI_OK;
    name_target(row->name, "", &asking->served);
    exchange_header(&asking->served, "accept", "application/vnd.pilcrow.snapshot+json");
    if (asking->cli->transport->perform(asking->cli->transport, &asking->served, why, sizeof(why)))
        return cli_say(CLI_UNAVAILABLE, "%s", why);
    if (asking->served.status == 404) {
        buffer_reset(&asking->served.answer);
        return CLI_OK; /* deleted since it was listed */
    }
    status = cli_judge(asking->cli, &asking->served);
    if (status)
        return status;
    return span_number(span_of_member(buffer_bytes(&asking->served.answer), "version"), &asking->end)
               ? CLI_OK
               : cli_say(CLI_FAILED, "the server's answer is not understood");
}

static int on_op(void *arg, uint64_t version, const struct record *record)
{
    struct asking *asking = arg;
    int r = past_record(&asking->past, record, &intake_limits);

    asking->n_operations++;
    progress_show(&asking->progress, asking->n_documents, 0);
    if (r == -ENOMEM)
        return cli_say(CLI_FAILED, "out of memory");
    return r ? damaged(asking, version, "this operation does not fit what was before it") : CLI_OK;
}

/* Keys may stand in another order. */
static bool is_same(const struct past *past, struct bytes data)
{
    struct ot_json *here = NULL, *there = NULL;
    struct buffer text;
    bool same;

    buffer_init(&text, SIZE_MAX / 2);
    same = past->value && !ot_snapshot_write_json(past->value, buffer_write, &text);
    if (same && !bytes_equal(buffer_bytes(&text), data))
        same = !ot_json_parse(text.at, text.n_bytes, &intake_limits, &here, NULL) &&
               !ot_json_parse(data.at, data.n_bytes, &intake_limits, &there, NULL) && ot_json_equal(here, there);
    ot_json_unref(here);
    ot_json_unref(there);
    buffer_finish(&text);
    return same;
}

static int log_play(struct asking *asking, const struct log_row *row)
{
    struct bytes served = buffer_bytes(&asking->served.answer);
    uint64_t at = row->first;
    int status = ops_read(asking->cli, row->name, row->first, asking->end, on_op, asking, &at);

    if (status == OPS_GONE)
        return CLI_OK; /* purged or merged meanwhile */
    if (status)
        return status;
    if (at != asking->end)
        return damaged(asking, at, "its operations end before it does");
    if (served.n_bytes && !is_same(&asking->past, span_of_member(served, "data")))
        return damaged(asking, at, "its content is not what its operations lead to");
    if (!row->exists && asking->past.type)
        return damaged(asking, at, "it is said to be deleted, and its operations do not delete it");
    return CLI_OK;
}

static int log_check(struct asking *asking, const struct log_row *row)
{
    size_t n_before = json_array_size(asking->damaged);
    int status;

    asking->name = row->name;
    asking->past = (struct past){ .version = row->first };
    asking->n_documents++;
    exchange_init(&asking->served, "GET");
    status = content_ask(asking, row);
    if (!status)
        status = log_play(asking, row);
    if (status == CLI_DAMAGED && json_array_size(asking->damaged) == n_before)
        status = damaged(asking, asking->past.version, "the server can't read it");
    exchange_finish(&asking->served);
    past_finish(&asking->past);
    return status == CLI_DAMAGED ? CLI_OK : status; /* and on to the next */
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static int logs_check(struct asking *asking)
{
    struct logs logs;
    bool found = true;
    int status = CLI_OK;

    logs_init(&logs, asking->cli, bytes_of("", 0));
    while (!status && found) {
        status = logs_next(&logs, &found);
        if (!status && found)
            status = log_check(asking, &logs.row);
    }
    logs_finish(&logs);
    return status;
}

static void summarise(const struct asking *asking)
{
    size_t n_damaged = json_array_size(asking->damaged);

    if (asking->cli->json) {
        json_t *summary = json_pack("{s:I,s:I,s:I,s:O}", "documents", (json_int_t)asking->n_documents, "operations",
                                    (json_int_t)asking->n_operations, "damaged", (json_int_t)n_damaged,
                                    "documents_damaged", asking->damaged);

        (void)json_dumpf(summary, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(summary);
        return;
    }
    (void)printf("%" PRIu64 " documents, %" PRIu64 " operations, %zu damaged\n", asking->n_documents,
                 asking->n_operations, n_damaged);
    (void)printf("The server was asked for its documents. Its files are looked at by pilcrow --data DIR check, on its "
                 "machine;\nit may go on running.\n");
}

int check_server(struct cli *cli)
{
    struct asking asking = { .cli = cli, .damaged = json_array() };
    int status;

    progress_begin(&asking.progress, "checking");
    status = logs_check(&asking);
    progress_end(&asking.progress);
    if (!status) {
        summarise(&asking);
        status = json_array_size(asking.damaged) ? CLI_DAMAGED : CLI_OK;
    }
    json_decref(asking.damaged);
    return status;
}
