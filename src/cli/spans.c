#include "cli/spans.h"

#include "base/name.h"

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static void skip_space(struct spans *spans)
{
    while (spans->at < spans->end && is_space(*spans->at))
        spans->at++;
}

struct spans spans_of(struct bytes text, char opening)
{
    struct spans spans = { .at = text.at, .closing = opening == '{' ? '}' : ']', .is_first = true };

    spans.end = text.n_bytes ? spans.at + text.n_bytes : spans.at;
    skip_space(&spans);
    spans.is_bad = spans.at == spans.end || *spans.at != opening;
    spans.at += !spans.is_bad;
    return spans;
}

static bool bad(struct spans *spans)
{
    spans->is_bad = true;
    return false;
}

/* at: the opening quote. Returns what is behind the closing one, or end. */
static const char *string_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end)
            at++;
    return at < end ? at + 1 : end;
}

static bool take_value(struct spans *spans, struct bytes *value)
{
    const char *start = spans->at, *at = start, *end = spans->end;
    size_t depth = 0;

    for (; at < end; at++) {
        if (*at == '"') {
            at = string_end(at, end) - 1;
        } else if (*at == '[' || *at == '{') {
            depth++;
        } else if (*at == ']' || *at == '}') {
            if (depth == 0)
                break;
            depth--;
        } else if (*at == ',' && depth == 0) {
            break;
        }
    }
    spans->at = at;
    while (at > start && is_space(at[-1]))
        at--;
    *value = bytes_of(start, (size_t)(at - start));
    return at > start && spans->at < end ? true : bad(spans);
}

/* Whether there is one more; at where it begins. */
static bool advance(struct spans *spans)
{
    if (spans->is_bad || spans->is_finished)
        return false;
    skip_space(spans);
    if (spans->at == spans->end)
        return bad(spans);
    if (*spans->at == spans->closing) {
        spans->at++;
        skip_space(spans);
        spans->is_finished = spans->at == spans->end;
        return spans->is_finished ? false : bad(spans);
    }
    if (!spans->is_first && *spans->at++ != ',')
        return bad(spans);
    spans->is_first = false;
    skip_space(spans);
    return spans->at < spans->end ? true : bad(spans);
}

bool spans_member(struct spans *spans, struct bytes *key, struct bytes *value)
{
    const char *start;

    if (!advance(spans))
        return false;
    start = spans->at;
    if (*start != '"')
        return bad(spans);
    spans->at = string_end(start, spans->end);
    *key = bytes_of(start + 1, (size_t)(spans->at - start) - 2);
    skip_space(spans);
    if (spans->at >= spans->end || *spans->at++ != ':')
        return bad(spans);
    skip_space(spans);
    return take_value(spans, value);
}

bool spans_element(struct spans *spans, struct bytes *value)
{
    return advance(spans) && take_value(spans, value);
}

struct bytes span_of_member(struct bytes object, const char *key)
{
    struct spans spans = spans_of(object, '{');
    struct bytes found, value;

    while (spans_member(&spans, &found, &value))
        if (span_is(found, key))
            return value;
    return bytes_of(NULL, 0);
}

static bool is_plain(struct bytes text)
{
    const unsigned char *at = text.at;

    for (size_t i = 0; i < text.n_bytes; i++)
        if (at[i] < 0x20 || at[i] == '\\' || at[i] == '"')
            return false;
    return bytes_are_utf8(text);
}

bool span_text(struct bytes span, struct ot_json **owned, struct bytes *out)
{
    const char *at = span.at;

    if (span.n_bytes < 2 || at[0] != '"' || at[span.n_bytes - 1] != '"')
        return false;
    *out = bytes_of(at + 1, span.n_bytes - 2);
    if (is_plain(*out))
        return true;
    if (ot_json_parse(at, span.n_bytes, NULL, owned, NULL))
        return false;
    if (ot_json_kind(*owned) != OT_JSON_STRING) {
        ot_json_unref(*owned);
        *owned = NULL;
        return false;
    }
    out->at = ot_json_string(*owned, &out->n_bytes);
    return true;
}

bool span_number(struct bytes span, uint64_t *out)
{
    const char *at = span.at;
    uint64_t number = 0;

    if (span.n_bytes == 0)
        return false;
    for (size_t i = 0; i < span.n_bytes; i++) {
        if (at[i] < '0' || at[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(at[i] - '0'), &number))
            return false;
    }
    *out = number;
    return true;
}
