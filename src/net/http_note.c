/* What is noted of each request: its name, what it asked, when; then what it was answered, as a figure and, for those
 * who look closely or when it went wrong, as a line of the log.
 *
 *     k7f2q9x-1a    pilcrow-request-id: k7f2q9x-1a    "request":"k7f2q9x-1a"    request=k7f2q9x-1a status=503 ...
 */
#include "base/log.h"
#include "net/inside.h"

#define ID_RANDOM_CHARS 7
#define ID_OURS_CHARS   (ID_RANDOM_CHARS + 1 + 13)

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* no i, l, o, u: read out aloud */

void http_note_init(struct http_notes *notes, const struct world *world)
{
    unsigned char random[ID_RANDOM_CHARS];

    world_random(world, random, sizeof(random));
    for (size_t i = 0; i < ID_RANDOM_CHARS; i++)
        notes->prefix[i] = digits[random[i] % 32];
    notes->prefix[ID_RANDOM_CHARS] = '-';
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* A proxy of this machine may have named it; then it is found under one name in both logs. */
static bool is_fine_id(struct bytes id)
{
    const char *at = id.at;

    for (size_t i = 0; i < id.n_bytes; i++) {
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-", at[i]) || !at[i])
            return false;
    }
    return id.n_bytes && id.n_bytes <= REQUEST_ID_MAX_BYTES;
}

static void id_make(struct http *http)
{
    struct http_notes *notes = &http->server->notes;
    char counter[13];
    size_t n = sizeof(counter);
    uint64_t number = ++notes->n_requests;

    do {
        counter[--n] = digits[number % 32];
        number /= 32;
    } while (number);
    _Static_assert(ID_OURS_CHARS <= REQUEST_ID_MAX_BYTES, "ours are short");
    memcpy(http->note.id, notes->prefix, ID_RANDOM_CHARS + 1);
    memcpy(http->note.id + ID_RANDOM_CHARS + 1, counter + n, sizeof(counter) - n);
    http->note.n_id = (uint8_t)(ID_RANDOM_CHARS + 1 + sizeof(counter) - n);
}

static enum rest_method method_of(const char *name)
{
    enum rest_method method = 0;

    while (method < REST_OTHER_METHOD && strcmp(rest_method_names[method], name) != 0)
        method++;
    return method;
}

void http_note_unread(struct http *http)
{
    http->note.begun_us = world_monotonic_us(http->server->config.world);
    http->note.method = REST_OTHER_METHOD;
    http->note.n_path = 0;
    id_make(http);
}

void http_note_request(struct http *http)
{
    const struct request *request = &http->request;
    struct bytes given = http->is_local ? request_header(request, "x-request-id") : bytes_of(NULL, 0);
    struct http_note *note = &http->note;

    note->begun_us = world_monotonic_us(http->server->config.world);
    note->method = method_of(request->method);
    note->n_path = (uint8_t)(request->path.n_bytes < NOTE_PATH_BYTES ? request->path.n_bytes : NOTE_PATH_BYTES);
    if (request->path.at)
        memcpy(note->path, request->path.at, note->n_path);
    if (given.at && is_fine_id(given)) {
        memcpy(note->id, given.at, given.n_bytes);
        note->n_id = (uint8_t)given.n_bytes;
    } else {
        id_make(http);
    }
}

void http_note_problem(struct http *http, struct rest_response *problem)
{
    struct frame *named = rest_problem_name(problem->body, http_note_id(http));

    if (named)
        problem->body = named;
    problem->is_problem = named;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* What went wrong here; 501 and 505 are for clients who ask for what there is not. */
static bool is_our_trouble(int status)
{
    return status >= 500 && status != 501 && status != 505;
}

static void log_answer(const struct http *http, const struct rest_response *answer, size_t n_bytes, uint64_t us)
{
    const struct http_note *note = &http->note;
    const struct log_field fields[] = {
        { "request", http_note_id(http), 0 },
        { "method", bytes_of_string(rest_method_names[note->method]), 0 },
        { "path", bytes_of(note->path, note->n_path), 0 },
        { "status", { NULL, 0 }, (uint64_t)answer->status },
        { "bytes", { NULL, 0 }, n_bytes },
        { "us", { NULL, 0 }, us },
    };

    log_fields(is_our_trouble(answer->status) ? LOG_INFO : LOG_DEBUG, "http", "answered", fields,
               sizeof(fields) / sizeof(fields[0]));
}

void http_note_answer(struct http *http, const struct rest_response *answer, size_t n_bytes)
{
    struct rest_figures *figures = &http->server->figures;
    uint64_t now_us = world_monotonic_us(http->server->config.world);
    uint64_t us = now_us > http->note.begun_us ? now_us - http->note.begun_us : 0;

    figures->n_answers[http->note.method][answer->status / 100 - 1]++;
    histogram_add(&figures->answer_time, us);
    if (is_our_trouble(answer->status) || log_is_on(LOG_DEBUG))
        log_answer(http, answer, answer->stream || answer->omit_body ? 0 : n_bytes, us);
    http->note.n_id = 0;
}
