#include "ot/error.h"
#include "ot/json/number.h"
#include "ot/json/utf8.h"
#include "ot/json0/json0.h"

#include <string.h>

/* Operations of json0 to and from JSON. */

/* ---- from JSON: what is refused is named by its component ---------------------------------------------------------
 */

struct reading {
    struct json0_work work;
    enum op_form form;
    size_t max_path;
    const struct ot_json *json; /* the component */
    struct json0_component component;
    struct value *path; /* the component's */
    unsigned members;   /* that it has, a bit for each */
};

enum member { P, NA, LI, LD, LM, OI, OD, SI, SD, T, O, N_MEMBERS };

static const char member_names[N_MEMBERS][3] = { "p", "na", "li", "ld", "lm", "oi", "od", "si", "sd", "t", "o" };

static void bad(struct reading *reading, const char *what)
{
    json0_fail(&reading->work, OT_BAD_OP, what);
}

static const struct ot_json *get(const struct reading *reading, enum member member)
{
    return ot_json_get(reading->json, member_names[member], strlen(member_names[member]));
}

static bool has_only(const struct reading *reading, unsigned a, unsigned b)
{
    return (reading->members & ~(1u << P)) == (1u << a | 1u << b);
}

/* In si, sd and t, null is the same as nothing. */
static bool is_absent(enum member member, const struct ot_json *value)
{
    return (member == SI || member == SD || member == T) && ot_json_kind(value) == OT_JSON_NULL;
}

static void find_members(struct reading *reading)
{
    size_t n_known = 0;

    reading->members = 0;
    for (unsigned i = 0; i < N_MEMBERS; i++) {
        const struct ot_json *value = get(reading, i);

        n_known += value != NULL;
        if (value && !is_absent(i, value))
            reading->members |= 1u << i;
    }
    if (n_known != ot_json_count(reading->json))
        bad(reading, "a member that is none of p, na, li, ld, lm, oi, od, si, sd, t, o");
}

/* Names by which the JavaScript of the other side would reach what is no data. */
static bool is_refused_name(const char *name, size_t n_bytes)
{
    static const char *const names[] = {
        "__proto__",      "__defineGetter__", "__defineSetter__", "__lookupGetter__",     "__lookupSetter__",
        "constructor",    "hasOwnProperty",   "isPrototypeOf",    "propertyIsEnumerable", "prototype",
        "toLocaleString", "toString",         "valueOf",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == n_bytes && memcmp(names[i], name, n_bytes) == 0)
            return true;
    }
    return false;
}

/* The words, and the code, are those of the ShareDB server: programs compare them. */
static void bad_element(struct reading *reading)
{
    if (!reading->work.r)
        reading->work.r = ot_fail(reading->work.error, OT_NOT_APPLIED, "Invalid path segment");
}

static void read_element(struct reading *reading, const struct ot_json *json, struct value *out)
{
    uint64_t index;
    size_t n_bytes;
    const char *name;
    int r;

    *out = value_of_kind(VALUE_NULL);
    if (ot_json_integer(json, &index)) {
        *out = value_number((double)index);
        return;
    }
    name = ot_json_string(json, &n_bytes);
    if (ot_json_kind(json) != OT_JSON_STRING || is_refused_name(name, n_bytes)) {
        bad_element(reading);
        return;
    }
    r = value_text(name, n_bytes, out);
    if (r)
        reading->work.r = r;
    else
        json0_own(&reading->work, out);
}

static void read_path(struct reading *reading)
{
    const struct ot_json *json = get(reading, P);
    bool is_nothing = !json || ot_json_kind(json) == OT_JSON_NULL;
    size_t n = json ? ot_json_count(json) : 0;

    reading->component.path = NULL;
    reading->component.n_path = 0;
    if (is_nothing && reading->form == OP_LENIENT)
        return;
    if (is_nothing || ot_json_kind(json) != OT_JSON_ARRAY) {
        bad(reading, "its path p is no list");
        return;
    }
    if (n > reading->max_path && !reading->work.r)
        reading->work.r = ot_fail(reading->work.error, OT_LIMIT, "component %u: a path of more than %zu elements",
                                  reading->work.number, reading->max_path);
    reading->path = json0_take(&reading->work, n * sizeof(*reading->path));
    for (size_t i = 0; i < n && !reading->work.r; i++)
        read_element(reading, ot_json_at(json, i), &reading->path[i]);
    reading->component.path = reading->path;
    reading->component.n_path = (uint32_t)n;
}

/* ---- what a component does --------------------------------------------------------------------------------------- */

static struct value read_value(struct reading *reading, enum member member)
{
    struct value value = value_of_kind(VALUE_NONE);
    int r;

    if (!(reading->members & 1u << member) || reading->work.r)
        return value;
    r = value_from_json(get(reading, member), &value);
    if (r)
        reading->work.r = r;
    else
        json0_own(&reading->work, &value);
    return value;
}

static const struct value *last_element(const struct reading *reading)
{
    return reading->component.n_path ? &reading->path[reading->component.n_path - 1] : NULL;
}

/* Which from now on is a number. */
static bool ends_in_index(struct reading *reading)
{
    const struct value *last = last_element(reading);
    double index;

    if (!last || !json0_index(last, &index))
        return false;
    reading->path[reading->component.n_path - 1] = value_number(index);
    return true;
}

static void read_list(struct reading *reading)
{
    if (!reading->work.r && !ends_in_index(reading))
        bad(reading, "its path must end in an index");
    reading->component.kind = JSON0_LIST;
    reading->component.put = read_value(reading, LI);
    reading->component.taken = read_value(reading, LD);
}

static void read_object(struct reading *reading)
{
    const struct value *last = reading->work.r ? NULL : last_element(reading);

    if (last && !value_is_text(last))
        bad(reading, "its path must end in a name");
    reading->component.kind = JSON0_OBJECT;
    reading->component.put = read_value(reading, OI);
    reading->component.taken = read_value(reading, OD);
}

static double read_target(struct reading *reading)
{
    const struct ot_json *json = get(reading, LM);
    bool is_text = ot_json_kind(json) == OT_JSON_STRING;
    size_t n_bytes = 0;
    const char *text = is_text ? ot_json_string(json, &n_bytes) : NULL;
    double index = 0;
    uint64_t to;

    if (ot_json_integer(json, &to))
        return (double)to;
    if (!is_text || !json0_index_of_text(text, n_bytes, &index))
        bad(reading, "lm is no index");
    return index;
}

static void read_move(struct reading *reading)
{
    if (!reading->work.r && !ends_in_index(reading))
        bad(reading, "its path must end in an index");
    reading->component.kind = JSON0_MOVE;
    reading->component.to = read_target(reading);
}

static void read_add(struct reading *reading)
{
    const struct ot_json *json = get(reading, NA);

    reading->component.kind = JSON0_ADD;
    if (ot_json_kind(json) == OT_JSON_NUMBER)
        reading->component.addend = ot_json_number(json);
    else
        bad(reading, "na is no number");
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static void read_text(struct reading *reading, const struct ot_json *json, bool is_insert, struct json0_part *part)
{
    size_t n_bytes;

    if (!json || ot_json_kind(json) != OT_JSON_STRING) {
        bad(reading, "a text that is no string");
        return;
    }
    part->text = ot_json_string(json, &n_bytes);
    part->n_bytes = (uint32_t)n_bytes;
    part->n_units = (uint32_t)(utf8_count(part->text, n_bytes) + utf8_count_astral(part->text, n_bytes));
    part->is_insert = is_insert;
}

static void read_part(struct reading *reading, const struct ot_json *json, struct json0_part *part)
{
    const struct ot_json *insert = ot_json_get(json, "i", 1), *at = ot_json_get(json, "p", 1);

    if (ot_json_count(json) != 2 || !at)
        bad(reading, "a part of text that is not {\"p\":...,\"i\":...} or {\"p\":...,\"d\":...}");
    else if (!ot_json_integer(at, &part->at))
        bad(reading, "an offset that is no integer from 0 to 2^53-1");
    else
        read_text(reading, insert ? insert : ot_json_get(json, "d", 1), insert != NULL, part);
}

static void read_parts(struct reading *reading)
{
    const struct ot_json *type = get(reading, T), *parts = get(reading, O);
    struct json0_list list = { .n = 0 };
    size_t n_bytes = 0;
    const char *name = ot_json_kind(type) == OT_JSON_STRING ? ot_json_string(type, &n_bytes) : "";

    reading->component.kind = JSON0_TEXT;
    reading->component.parts = list;
    if (n_bytes != 5 || memcmp(name, "text0", 5) != 0)
        bad(reading, "t is no type within json0: only text0 is");
    else if (ot_json_kind(parts) != OT_JSON_ARRAY)
        bad(reading, "o is no list");
    for (size_t i = 0; i < ot_json_count(parts) && !reading->work.r; i++) {
        struct json0_part *part = json0_list_add(&reading->work, &list, sizeof(*part));

        if (!part)
            return;
        *part = (struct json0_part){ .at = 0 };
        read_part(reading, ot_json_at(parts, i), part);
    }
    reading->component.parts = list;
}

static void read_legacy(struct reading *reading, bool is_insert)
{
    struct json0_component *component = &reading->component;
    struct json0_part *part = json0_take(&reading->work, sizeof(*part));
    const struct value *offset;

    component->kind = JSON0_TEXT;
    component->is_legacy = true;
    component->parts = (struct json0_list){ .items = part, .n = 1 };
    if (!part)
        return;
    offset = last_element(reading);
    if (!offset || offset->kind != VALUE_NUMBER) {
        bad(reading, "its path must end in an offset");
        return;
    }
    component->n_path--;
    *part = (struct json0_part){ .at = (uint64_t)offset->number };
    read_text(reading, get(reading, is_insert ? SI : SD), is_insert, part);
}

static void read_instruction(struct reading *reading)
{
    if (has_only(reading, LI, LI) || has_only(reading, LD, LD) || has_only(reading, LI, LD))
        read_list(reading);
    else if (has_only(reading, OI, OI) || has_only(reading, OD, OD) || has_only(reading, OI, OD))
        read_object(reading);
    else if (has_only(reading, NA, NA))
        read_add(reading);
    else if (has_only(reading, LM, LM))
        read_move(reading);
    else if (has_only(reading, T, O))
        read_parts(reading);
    else if (has_only(reading, SI, SI) || has_only(reading, SD, SD))
        read_legacy(reading, has_only(reading, SI, SI));
    else
        bad(reading, "no instruction, or more than one");
}

static void read_component(struct reading *reading, const struct ot_json *json, struct json0_list *list)
{
    uint32_t number = reading->work.number;
    struct json0_component *added;

    if (ot_json_kind(json) != OT_JSON_OBJECT) {
        bad(reading, "no object");
        return;
    }
    reading->json = json;
    reading->component = (struct json0_component){ .number = number };
    find_members(reading);
    read_path(reading);
    if (!reading->work.r)
        read_instruction(reading);
    if (reading->form == OP_LENIENT) {
        json0_append(&reading->work, list, &reading->component);
        return;
    }
    added = json0_list_add(&reading->work, list, sizeof(*added));
    if (added)
        *added = reading->component;
}

static bool has_path(const struct ot_json *component)
{
    const struct ot_json *path = ot_json_get(component, "p", 1);

    return path && ot_json_kind(path) == OT_JSON_ARRAY;
}

/* Before anything else is looked at, and in the words of the ShareDB server. */
static int check_shape(const struct ot_json *json, struct ot_error *error)
{
    if (ot_json_kind(json) != OT_JSON_ARRAY)
        return ot_fail(error, OT_BAD_OP, "json0 op must be an array");
    for (size_t i = 0; i < ot_json_count(json); i++) {
        if (!has_path(ot_json_at(json, i)))
            return ot_fail(error, OT_BAD_OP, "Missing path");
    }
    return 0;
}

/* As the sender wrote them: what could be one component stays two, because the package transforms them so. */
int json0_op_parse(const struct ot_json *json, enum op_form form, const struct ot_limits *limits, struct ot_op **out,
                   struct ot_error *error)
{
    bool is_list = ot_json_kind(json) == OT_JSON_ARRAY;
    size_t n = is_list ? ot_json_count(json) : 1;
    struct json0_list list = { .n = 0 };
    struct reading reading;
    int r = form == OP_STRICT ? check_shape(json, error) : 0;

    if (r)
        return r;
    if (n > limits->max_components)
        return ot_fail(error, OT_LIMIT, "more than %zu components", limits->max_components);
    json0_work_init(&reading.work, error);
    reading.form = form;
    reading.max_path = limits->max_depth < JSON0_MAX_PATH ? limits->max_depth + 1 : JSON0_MAX_PATH;
    for (size_t i = 0; i < n && !reading.work.r; i++) {
        reading.work.number = (uint32_t)i;
        read_component(&reading, is_list ? ot_json_at(json, i) : json, &list);
    }
    return json0_finish(&reading.work, &list, limits, out);
}
