#include <string.h>

#include "api/percent.h"
#include "cli/check_inside.h"
#include "storage/lmdb/store_lmdb.h"

void check_send(FILE *to, json_t *line)
{
    if (line && json_dumpf(line, to, JSON_COMPACT) == 0)
        (void)fputc('\n', to);
    json_decref(line);
}

static void set_document(json_t *object, struct store_name name)
{
    struct buffer text;

    if (!name.id.n_bytes)
        return;
    buffer_init(&text, 4096);
    percent_encode(name.collection, &text);
    (void)buffer_append_string(&text, "/");
    percent_encode(name.id, &text);
    if (!text.error)
        (void)json_object_set_new(object, "document", json_stringn(text.at, text.n_bytes));
    buffer_finish(&text);
}

json_t *check_finding(const struct verify_finding *finding)
{
    json_t *object = json_object();
    bool is_damage = finding->severity == VERIFY_DAMAGE;

    (void)json_object_set_new(object, "severity", json_string(is_damage ? "damage" : "leftover"));
    if (finding->database)
        (void)json_object_set_new(object, "database", json_string(finding->database));
    set_document(object, finding->name);
    if (finding->number)
        (void)json_object_set_new(object, "log", json_integer((json_int_t)finding->number));
    if (finding->to) {
        (void)json_object_set_new(object, "from", json_integer((json_int_t)finding->from));
        (void)json_object_set_new(object, "to", json_integer((json_int_t)finding->to));
    }
    (void)json_object_set_new(object, "what", json_string(finding->what));
    return object;
}

/* Names of damaged keys may be any bytes, and must not stop the message. */
static void on_finding(void *arg, const struct verify_finding *finding)
{
    struct verify_finding safe = *finding;
    char what[512];
    size_t n = 0;

    for (; finding->what[n] && n < sizeof(what) - 1; n++)
        what[n] = finding->what[n] >= ' ' && finding->what[n] < 127 ? finding->what[n] : '?';
    what[n] = 0;
    safe.what = what;
    check_send(arg, json_pack("{s:o}", "finding", check_finding(&safe)));
}

static void on_progress(void *arg, const char *what, uint64_t n_done, uint64_t n_total)
{
    check_send(arg, json_pack("{s:s,s:I,s:I}", "step", what, "done", (json_int_t)n_done, "total", (json_int_t)n_total));
}

int check_look(const char *path, FILE *to)
{
    const struct verify_config config = { path, on_finding, on_progress, to };
    char why[512] = "";
    int r = verify_store(&config, why, sizeof(why));

    if (r)
        check_send(to, json_pack("{s:s}", r == STORE_FOREIGN ? "foreign" : "failed", why));
    return 0;
}
