/* A document without history becomes one that begins with it: a create, of the time at which it was last changed. */
#include <errno.h>

#include "cli/import.h"
#include "cli/name.h"
#include "cli/ops.h"
#include "cli/spans.h"

enum verdict { IS_NEW, IS_SAME, IS_DIFFERENT, IS_REFUSED };

static void count(struct import *import, struct store_name name, enum verdict verdict)
{
    switch (verdict) {
    case IS_NEW: import->n_imported++; break;
    case IS_SAME: import->n_same++; break;
    case IS_DIFFERENT:
        import->n_different++;
        import_complain(import, name, "another document is there");
        break;
    case IS_REFUSED: import->n_refused++; break;
    }
}

/* ---- into a store ------------------------------------------------------------------------------------------------ */

static bool value_is(const struct intake *intake, const struct ot_type *type, const struct ot_json *data)
{
    const struct ot_type *present;
    const struct ot_snapshot *value;
    struct ot_json *json = NULL;
    struct buffer text;
    bool is_same;

    if (!intake_value(intake, &present, &value) || present != type)
        return false;
    buffer_init(&text, SIZE_MAX / 2);
    is_same = ot_snapshot_write_json(value, buffer_write, &text) == 0 &&
              ot_json_parse(text.at, text.n_bytes, &intake_limits, &json, NULL) == 0 && ot_json_equal(json, data);
    ot_json_unref(json);
    buffer_finish(&text);
    return is_same;
}

static int create(struct intake *intake, const struct step *step, uint64_t time_ms)
{
    struct record record = { .id = { bytes_of_string("import"), intake_at(intake) + 1 }, .time_ms = time_ms };
    struct buffer body;
    int r;

    buffer_init(&body, STORE_RECORD_MAX_BYTES);
    r = step_write(step, &body);
    record.body = buffer_bytes(&body);
    if (!r)
        r = intake_record(intake, intake_at(intake), &record);
    if (!r)
        r = intake_end(intake); /* the body is borrowed until then */
    buffer_finish(&body);
    return r;
}

static int store_document(struct import *import, const struct archive_document *document, const struct step *step,
                          enum verdict *verdict)
{
    struct intake *intake = import->intake;
    struct store_info info;
    const struct ot_type *type;
    const struct ot_snapshot *value;
    uint64_t time_ms = document->modified_ms;
    int r = intake_begin(intake, document->name, &info), r_end;

    if (!r)
        r = intake_load(intake);
    if (!r && intake_value(intake, &type, &value)) {
        *verdict = value_is(intake, step->type, step->data) ? IS_SAME : IS_DIFFERENT;
    } else if (!r) {
        *verdict = IS_NEW;
        r = create(intake, step, time_ms > info.modified_ms ? time_ms : info.modified_ms);
    }
    r_end = intake_end(intake);
    return r ? r : r_end;
}

static int into_store(struct import *import, const struct archive_document *document)
{
    struct step step = { .kind = STEP_CREATE, .type = ot_type_find(document->type.at, document->type.n_bytes) };
    enum verdict verdict = IS_REFUSED;
    struct ot_error error = { "its content is not JSON" };
    int r = 0;

    if (!step.type)
        import_complain(import, document->name, "there is no such type");
    else
        r = ot_json_parse(document->data.at, document->data.n_bytes, &intake_limits, &step.data, &error);
    if (!r && step.data)
        r = store_document(import, document, &step, &verdict);
    if (r > 0)
        import_complain(import, document->name, verdict == IS_NEW ? intake_why(import->intake) : error.message);
    step_finish(&step);
    count(import, document->name, r > 0 ? IS_REFUSED : verdict);
    return r < 0 ? import_trouble(r) : CLI_OK;
}

/* ---- into a server ----------------------------------------------------------------------------------------------- */

static bool text_equal(struct bytes a, struct bytes b)
{
    struct ot_json *x = NULL, *y = NULL;
    bool is_same = ot_json_parse(a.at, a.n_bytes, &intake_limits, &x, NULL) == 0 &&
                   ot_json_parse(b.at, b.n_bytes, &intake_limits, &y, NULL) == 0 && ot_json_equal(x, y);

    ot_json_unref(x);
    ot_json_unref(y);
    return is_same;
}

/* What is there already, beside what the file has. *found: false, there is nothing. */
static int look(struct import *import, const struct archive_document *document, enum verdict *verdict)
{
    struct exchange exchange;
    struct bytes answer;
    int status;

    exchange_init(&exchange, "GET");
    name_target(document->name, "", &exchange);
    exchange_header(&exchange, "accept", "application/vnd.pilcrow.snapshot+json");
    status = cli_perform(import->cli, &exchange);
    answer = buffer_bytes(&exchange.answer);
    if (!status && exchange.status == 404) {
        *verdict = IS_NEW;
    } else if (!status && !(status = cli_judge(import->cli, &exchange))) {
        struct ot_json *owned = NULL;
        struct bytes type = { "", 0 };

        *verdict = span_text(span_of_member(answer, "type"), &owned, &type) && bytes_equal(type, document->type) &&
                           text_equal(span_of_member(answer, "data"), document->data)
                       ? IS_SAME
                       : IS_DIFFERENT;
        ot_json_unref(owned);
    }
    exchange_finish(&exchange);
    return status;
}

static int put(struct import *import, const struct archive_document *document, enum verdict *verdict)
{
    struct exchange exchange;
    int status;

    exchange_init(&exchange, "PUT");
    name_target(document->name, "", &exchange);
    (void)buffer_printf(&exchange.target, "?type=%.*s", (int)document->type.n_bytes, (const char *)document->type.at);
    exchange_header(&exchange, "content-type", "application/json");
    exchange_header(&exchange, "if-none-match", "*");
    exchange.body = document->data;
    exchange.has_body = true;
    status = cli_perform(import->cli, &exchange);
    *verdict = exchange.status == 201 ? IS_NEW : exchange.status == 412 ? IS_DIFFERENT : IS_REFUSED;
    if (!status && *verdict == IS_REFUSED) {
        status = cli_judge(import->cli, &exchange);
        import_complain(import, document->name, "the server does not take it");
        if (exchange.status != 401 && exchange.status != 403 && exchange.status < 500)
            status = CLI_OK; /* others may fare better */
    }
    exchange_finish(&exchange);
    return status;
}

static int into_server(struct import *import, const struct archive_document *document)
{
    enum verdict verdict = IS_NEW;
    int status = CLI_OK;

    if (!ot_type_find(document->type.at, document->type.n_bytes)) {
        import_complain(import, document->name, "there is no such type");
        verdict = IS_REFUSED;
    } else if (!import->is_dry) {
        status = put(import, document, &verdict);
    }
    if (!status && (verdict == IS_DIFFERENT || (import->is_dry && verdict == IS_NEW)))
        status = look(import, document, &verdict);
    count(import, document->name, verdict);
    return status;
}

int import_document(struct import *import, const struct archive_document *document)
{
    return import->intake ? into_store(import, document) : into_server(import, document);
}
