#include "cli/old_history.h"

#include "base/world.h"
#include "cli/logs.h"
#include "cli/point.h"
#include "cli/progress.h"

#define DAY_MS (24ull * 60 * 60 * 1000)

static int count_log(struct cli *cli, const struct log_row *row, const char *before, struct old_history *out)
{
    struct doc doc;
    uint64_t version = 0;
    int status = CLI_OK;

    if (doc_set(&doc, row->name.collection, row->name.id))
        status = point_at(cli, &doc, before, &version);
    if (!status && version > row->first) {
        out->n_documents++;
        out->n_operations += version - row->first;
    }
    return status;
}

static int count_rule(struct cli *cli, const struct retain_rule *rule, struct progress *progress,
                      struct old_history *out)
{
    uint64_t now_ms = world_now_ms(&world_real), age_ms = rule->days * DAY_MS, n_seen = 0;
    char before[MOMENT_BYTES];
    struct logs logs;
    bool found;
    int status;

    moment_write_utc(now_ms > age_ms ? now_ms - age_ms : 0, before);
    logs_init(&logs, cli, bytes_of_name(&rule->collection));
    while (!(status = logs_next(&logs, &found)) && found) {
        status = count_log(cli, &logs.row, before, out);
        if (status)
            break;
        progress_show(progress, ++n_seen, 0);
    }
    logs_finish(&logs);
    return status;
}

int old_history_count(struct cli *cli, const struct retain_rules *rules, struct old_history *out)
{
    struct progress progress;
    int status = CLI_OK;

    *out = (struct old_history){ 0 };
    progress_begin(&progress, "documents");
    for (size_t i = 0; !status && i < rules->n; i++)
        status = count_rule(cli, &rules->rules[i], &progress, out);
    progress_end(&progress);
    return status;
}
