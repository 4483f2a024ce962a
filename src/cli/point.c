#include "cli/point.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/world.h"

int point_time(const char *word, char out[MOMENT_BYTES])
{
    uint64_t time_ms;

    if (!moment_parse(word, world_now_ms(&world_real), &time_ms))
        return cli_say(CLI_USAGE, "%s is no time; write 2026-11-01, 2026-11-01T12:00, yesterday or 2h", word);
    moment_write_utc(time_ms, out);
    return CLI_OK;
}

/* Where a history until then ends. pause=0: nobody wants to see it, so its groups may be small. */
int point_at(struct cli *cli, const struct doc *doc, const char *time, uint64_t *out)
{
    struct exchange exchange;
    json_t *answer = NULL;
    int status;

    exchange_init(&exchange, "GET");
    doc_target(doc, "/history", &exchange);
    (void)buffer_printf(&exchange.target, "?limit=1&pause=0&until=%s", time);
    status = cli_perform(cli, &exchange);
    if (!status && exchange.status != 410) /* before an older document of that name was purged */
        status = cli_judge(cli, &exchange);
    if (!status && exchange.status == 200)
        answer = json_loadb(exchange.answer.at, exchange.answer.n_bytes, JSON_ALLOW_NUL, NULL);
    if (!status && exchange.status == 200 && !json_is_integer(json_object_get(answer, "to")))
        status = cli_say(CLI_FAILED, "the answer is no history");
    if (!status)
        *out = (uint64_t)json_integer_value(json_object_get(answer, "to"));
    json_decref(answer);
    exchange_finish(&exchange);
    return status;
}

static int version_at(struct cli *cli, const struct doc *doc, const char *word, uint64_t *out)
{
    char time[MOMENT_BYTES];
    int status = point_time(word, time);

    if (!status)
        status = point_at(cli, doc, time, out);
    return status || *out ? status : cli_say(CLI_NOT_FOUND, "there was nothing yet at %s", word);
}

int point_find(struct cli *cli, const struct doc *doc, const char *word, uint64_t *out)
{
    const char *at = *word == '@' ? word + 1 : word;
    char *end;

    errno = 0;
    *out = strtoull(at, &end, 10);
    if (isdigit((unsigned char)*at) && !*end && !errno && *out < (1ull << 53))
        return CLI_OK;
    return version_at(cli, doc, at, out);
}

int point_of_doc(struct cli *cli, const struct doc *doc, uint64_t *out)
{
    return point_find(cli, doc, doc->point, out);
}
