#include "api/history.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/rest_inside.h"

/* Digits behind an "@" in a src of HTTP. */
static bool restored_version(struct bytes src, uint64_t *out)
{
    const char *at = src.at, *sign = src.n_bytes && *at == '~' ? memchr(at, '@', src.n_bytes) : NULL;
    uint64_t version = 0;

    if (!sign || sign + 1 == at + src.n_bytes)
        return false;
    for (const char *digit = sign + 1; digit < at + src.n_bytes; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        version = version * 10 + (uint64_t)(*digit - '0');
    }
    *out = version;
    return true;
}

void history_restore_src(char *src, size_t capacity, uint64_t version)
{
    size_t n = strlen(src);

    (void)snprintf(src + n, capacity - n, "@%" PRIu64, version);
}

void history_group_of(const struct committed_op *op, struct ot_amount amount, struct history_group *out)
{
    enum step_kind kind = step_kind_of(op->body);
    size_t n_author = op->author.n_bytes < HISTORY_AUTHOR_BYTES ? op->author.n_bytes : HISTORY_AUTHOR_BYTES;

    *out = (struct history_group){
        .kind = kind == STEP_CREATE   ? HISTORY_CREATE
                : kind == STEP_DELETE ? HISTORY_DELETE
                                      : HISTORY_EDIT,
        .from = op->version,
        .to = committed_op_end(op),
        .first_ms = op->time_ms,
        .last_ms = op->time_ms,
        .n_operations = 1 + op->n_merged,
        .amount = amount,
        .n_author = n_author,
    };
    if (n_author)
        memcpy(out->author, op->author.at, n_author);
    if (kind != STEP_DELETE && !op->n_merged && restored_version(op->src, &out->restored))
        out->kind = HISTORY_RESTORE;
}

bool history_joins(const struct history_group *earlier, const struct history_group *later, uint64_t pause_ms)
{
    return earlier->kind == HISTORY_EDIT && later->kind == HISTORY_EDIT && earlier->to == later->from &&
           later->first_ms - earlier->last_ms <= pause_ms &&
           bytes_equal(bytes_of(earlier->author, earlier->n_author), bytes_of(later->author, later->n_author));
}

void history_join(struct history_group *earlier, const struct history_group *later)
{
    earlier->to = later->to;
    earlier->last_ms = later->last_ms;
    earlier->n_operations += later->n_operations;
    earlier->amount.n_inserted += later->amount.n_inserted;
    earlier->amount.n_deleted += later->amount.n_deleted;
}

void history_write(const struct history_group *group, struct buffer *into)
{
    static const char *const kinds[] = {
        [HISTORY_EDIT] = "edit",
        [HISTORY_CREATE] = "create",
        [HISTORY_DELETE] = "delete",
        [HISTORY_RESTORE] = "restore",
    };
    char first[TIME_BYTES], last[TIME_BYTES];

    time_write(group->first_ms, first);
    time_write(group->last_ms, last);
    (void)buffer_printf(into, "{\"from\":%" PRIu64 ",\"to\":%" PRIu64, group->from, group->to);
    write_member(into, ",\"author\":", bytes_of(group->author, group->n_author));
    (void)buffer_printf(into, ",\"kind\":\"%s\",\"first\":\"%s\",\"last\":\"%s\"", kinds[group->kind], first, last);
    (void)buffer_printf(into, ",\"operations\":%" PRIu64 ",\"inserted\":%" PRIu64 ",\"deleted\":%" PRIu64,
                        group->n_operations, group->amount.n_inserted, group->amount.n_deleted);
    if (group->kind == HISTORY_RESTORE)
        (void)buffer_printf(into, ",\"restored\":%" PRIu64, group->restored);
    (void)buffer_append_string(into, "}");
}
