/* Flags, environment and file, read by the table of config.c. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config_inside.h"
#include "doc/retain_rules.h"
#include "net/origin.h"
#include "ot/ot.h"

#define COUNT_MAX      1000000
#define BASE_MAX_BYTES 200
#define ANY            SIZE_MAX /* option */

enum layer { LAYER_DEFAULTS, LAYER_FILE, LAYER_ENVIRONMENT, LAYER_FLAGS };

struct reading {
    struct config *config;
    enum layer layer;
    const char *where;                     /* what to call the place in a complaint */
    enum layer set_by[CONFIG_OPTIONS_MAX]; /* a list is emptied by the first value of a higher layer */
    char *why;
    size_t n_why;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct reading *reading, const char *format, ...)
{
    va_list arguments;
    int n = snprintf(reading->why, reading->n_why, "%s", reading->where);

    va_start(arguments, format);
    if (n >= 0 && (size_t)n < reading->n_why)
        (void)vsnprintf(reading->why + n, reading->n_why - (size_t)n, format, arguments);
    va_end(arguments);
    return CONFIG_WRONG;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool parse_switch(const char *text, bool *out)
{
    *out = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "yes") == 0;
    return *out || strcmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcmp(text, "no") == 0;
}

/* "65536", "64K", "16M", "2G", "1T", in powers of 1,024. */
static bool parse_size(const char *text, uint64_t *out)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *end;
    unsigned long long n;
    unsigned shift;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    n = strtoull(text, &end, 10);
    unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (errno || (*end && (!unit || end[1])) || n == 0 || n > (UINT64_MAX >> 1) >> shift)
        return false;
    *out = (uint64_t)n << shift;
    return true;
}

static bool parse_level(const char *text, enum log_level *out)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };

    for (int i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static int list_add(struct config_list *list, const char *text, size_t n)
{
    char *item = strndup(text, n);

    if (!item)
        return -ENOMEM;
    list->items[list->n++] = item;
    return 0;
}

static void list_finish(struct config_list *list)
{
    while (list->n)
        free(list->items[--list->n]);
}

static bool is_item(enum config_kind kind, const char *text, size_t n)
{
    if (kind == KIND_ORIGINS)
        return origin_is_wellformed((struct bytes){ text, n });
    return kind != KIND_TYPES || ot_type_find(text, n);
}

/* NULL, or the end of a sentence. */
static const char *flaw_of_rule(enum config_kind kind, const char *text, size_t n)
{
    struct retain_rules rules = { .n = 0 };

    return kind == KIND_RULES ? retain_rules_add(&rules, bytes_of(text, n)) : NULL;
}

static bool is_list(enum config_kind kind)
{
    return kind == KIND_LIST || kind == KIND_ORIGINS || kind == KIND_TYPES || kind == KIND_RULES;
}

/* One value, or several separated by commas. */
static int set_list(struct reading *reading, size_t i, const char *text)
{
    struct config_list *list = (struct config_list *)(void *)((char *)reading->config + config_options[i].at);
    int r = 0;

    if (reading->set_by[i] != reading->layer)
        list_finish(list);
    for (const char *at = text; !r && *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        const char *flaw = n ? flaw_of_rule(config_options[i].kind, at, n) : NULL;

        if (list->n == CONFIG_LIST_MAX)
            return complain(reading, "%s: at most %d values", config_options[i].name, CONFIG_LIST_MAX);
        if (!is_item(config_options[i].kind, at, n))
            return complain(reading, "%s: '%.*s' is no %s", config_options[i].name, (int)n, at,
                            config_options[i].argument);
        if (flaw)
            return complain(reading, "%s: '%.*s' %s", config_options[i].name, (int)n, at, flaw);
        r = n ? list_add(list, at, n) : 0;
        at += n;
    }
    if (!r && list->n == 0)
        return complain(reading, "%s: '%s' names nothing; wanted: %s", config_options[i].name, text,
                        config_options[i].argument);
    return r;
}

static int set_text(char **member, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*member);
    *member = copy;
    return 0;
}

/* Nothing in it that a browser, a proxy or a person could write in two ways. */
static bool is_base_path(const char *text)
{
    const char *at = text;

    while (*at == '/') {
        size_t n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

        if (n == strspn(at + 1, "."))
            return false;
        at += 1 + n;
    }
    return at > text && !*at && at - text <= BASE_MAX_BYTES;
}

/* What things may be counted up to: all of them cost memory. */
static bool set_count(uint64_t *member, const char *text, uint64_t most)
{
    return strspn(text, "0123456789") == strlen(text) && parse_size(text, member) && *member <= most;
}

static bool set_seconds(uint64_t *member, const char *text)
{
    return parse_size(text, member) && *member <= 120;
}

static bool set_format(bool *member, const char *text)
{
    *member = strcmp(text, "json") == 0;
    return *member || strcmp(text, "text") == 0;
}

static int set(struct reading *reading, size_t i, const char *text)
{
    void *member = (char *)reading->config + config_options[i].at;
    bool is_fine = true;
    int r = 0;

    if (!text)
        return complain(reading, "%s needs a value", config_options[i].name);
    switch (config_options[i].kind) {
    case KIND_TEXT: r = *text ? set_text(member, text) : CONFIG_WRONG; break;
    case KIND_BASE: r = is_base_path(text) ? set_text(member, text) : CONFIG_WRONG; break;
    case KIND_LIST:
    case KIND_ORIGINS:
    case KIND_TYPES:
    case KIND_RULES: r = set_list(reading, i, text); break;
    case KIND_SWITCH: is_fine = parse_switch(text, member); break;
    case KIND_SIZE: is_fine = parse_size(text, member); break;
    case KIND_COUNT: is_fine = set_count(member, text, COUNT_MAX); break;
    case KIND_DEPTH: is_fine = set_count(member, text, OT_DEPTH_CEILING); break;
    case KIND_SECONDS: is_fine = set_seconds(member, text); break;
    case KIND_LEVEL: is_fine = parse_level(text, member); break;
    case KIND_FORMAT: is_fine = set_format(member, text); break;
    }
    if (!is_fine || (r == CONFIG_WRONG && !is_list(config_options[i].kind)))
        return complain(reading, "%s: '%s' is not %s", config_options[i].name, text,
                        config_options[i].argument ? config_options[i].argument : "true or false");
    reading->set_by[i] = reading->layer;
    return r;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static const char *environment_value(const char *option)
{
    char name[CONFIG_VARIABLE_CHARS];

    config_variable(option, name);
    return getenv(name);
}

static int read_environment(struct reading *reading)
{
    int r = 0;

    reading->layer = LAYER_ENVIRONMENT;
    for (size_t i = 0; !r && i < config_n_options; i++) {
        const char *value = config_options[i].is_flag_only ? NULL : environment_value(config_options[i].name);

        reading->where = "environment: ";
        if (value)
            r = set(reading, i, value);
    }
    return r;
}

static int set_json(struct reading *reading, size_t i, const json_t *value)
{
    char number[32];
    int r = 0;

    if (json_is_string(value))
        return set(reading, i, json_string_value(value));
    if (json_is_boolean(value))
        return set(reading, i, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value)) {
        (void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        return set(reading, i, number);
    }
    if (!json_is_array(value) || !is_list(config_options[i].kind))
        return complain(reading, "%s: a value of the wrong kind", config_options[i].name);
    for (size_t j = 0; !r && j < json_array_size(value); j++) {
        const char *item = json_string_value(json_array_get(value, j));

        r = item ? set(reading, i, item) : complain(reading, "%s: a list of strings is wanted", config_options[i].name);
    }
    return r;
}

static int read_file(struct reading *reading)
{
    const char *path = reading->config->file;
    char where[300];
    json_error_t error;
    json_t *json, *value;
    const char *key;
    int r = 0;

    if (!path)
        return 0;
    (void)snprintf(where, sizeof(where), "%s: ", path);
    reading->layer = LAYER_FILE;
    reading->where = where;
    json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(json)) {
        r = json ? complain(reading, "this is no JSON object") : complain(reading, "%s", error.text);
        goto out;
    }
    json_object_foreach(json, key, value)
    {
        size_t i;

        if (!config_option_find(key, strlen(key), &i) || config_options[i].is_flag_only ||
            config_options[i].at == offsetof(struct config, file))
            r = complain(reading, "there is no setting '%s'", key);
        else
            r = set_json(reading, i, value);
        if (r)
            break;
    }
out:
    json_decref(json);
    reading->where = "";
    return r;
}

/* A flag and its value. */
struct flag {
    size_t option;
    const char *value;
};

/* Takes argv[*at] apart, and the argument behind it if it belongs to it. */
static int flag_parse(const struct reading *reading, int argc, char *const *argv, int *at, struct flag *out)
{
    const char *text = argv[*at], *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : strlen(text);

    if (strncmp(text, "--", 2) != 0)
        return complain(reading, "'%s' is no flag; --help lists them", text);
    if (!config_option_find(text + 2, n - 2, &out->option))
        return complain(reading, "there is no flag %.*s; --help lists them", (int)n, text);
    if (equals)
        out->value = equals + 1;
    else if (config_options[out->option].kind == KIND_SWITCH)
        out->value = "true";
    else if (*at + 1 < argc)
        out->value = argv[++*at];
    else
        return complain(reading, "%s wants a value: %s", text, config_options[out->option].argument);
    return 0;
}

/* only: an option that alone is taken notice of, such as the one that names the file to be read before; or ANY. */
static int read_flags(struct reading *reading, int argc, char *const *argv, size_t only)
{
    int r = 0;

    reading->layer = LAYER_FLAGS;
    reading->where = "";
    for (int at = 1; !r && at < argc; at++) {
        struct flag flag = { ANY, NULL };

        r = flag_parse(reading, argc, argv, &at, &flag);
        reading->where = "--";
        if (!r && (only == ANY || only == flag.option))
            r = set(reading, flag.option, flag.value);
        reading->where = "";
    }
    return r;
}

static int set_defaults(struct config *config)
{
    *config = (struct config){
        .log_level = LOG_INFO,
        .max_message = 16ull << 20,
        .max_document = 64ull << 20,
        .max_queue = 16ull << 20,
        .max_store = 1ull << 40,
        .max_unanswered_bytes = 32ull << 20,
        .max_presence = 16ull << 10,
        .max_query = 8ull << 20,
        .max_transform = 1ull << 30,
        .max_unanswered = 1000,
        .max_subscriptions = 10000,
        .max_bulk = 10000,
        .max_presences = 1000,
        .max_depth = 200,
        .max_snapshots = 16,
        .max_queries = 100,
        .max_query_documents = 10000,
        .max_components = 100000,
        .ping_seconds = 25,
        .handshake_seconds = 10,
        .idle_seconds = 60,
    };
    return set_text(&config->data, "./pilcrow-data")
               ? -ENOMEM
               : list_add(&config->listen, "127.0.0.1:8080", strlen("127.0.0.1:8080"));
}

int config_read(int argc, char *const *argv, struct config *out, char *why, size_t n_why)
{
    struct reading reading = { .config = out, .why = why, .n_why = n_why, .where = "" };
    const char *file = getenv("PILCROW_CONFIG");
    size_t config_option = 0;
    int r = set_defaults(out);

    (void)config_option_find("config", strlen("config"), &config_option);
    if (!r && file && *file)
        r = set_text(&out->file, file);
    if (!r)
        r = read_flags(&reading, argc, argv, config_option);
    if (!r)
        r = read_file(&reading);
    if (!r)
        r = read_environment(&reading);
    if (!r)
        r = read_flags(&reading, argc, argv, ANY);
    if (!r && !out->tls_cert != !out->tls_key)
        r = complain(&reading, "--tls-cert and --tls-key belong together");
    return r;
}

void config_finish(struct config *config)
{
    free(config->data);
    free(config->file);
    free(config->tokens);
    free(config->tls_cert);
    free(config->tls_key);
    free(config->base_path);
    list_finish(&config->listen);
    list_finish(&config->allow_origin);
    list_finish(&config->disable_type);
    list_finish(&config->retention);
    *config = (struct config){ 0 };
}
