#include "tests/bench/protocol_message.h"

#include <ctype.h>

/* at and end, of what is not read yet. */
struct reader {
    const char *at, *end;
};

static bool skip_string(struct reader *reader)
{
    const char *at = reader->at + 1;

    while (at < reader->end && *at != '"')
        at += *at == '\\' ? 2 : 1;
    reader->at = at + 1;
    return at < reader->end;
}

static bool skip_nested(struct reader *reader)
{
    int depth = 0;

    while (reader->at < reader->end) {
        char c = *reader->at;

        if (c == '"') {
            if (!skip_string(reader))
                return false;
            continue;
        }
        reader->at++;
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth == 0)
            return true;
    }
    return false;
}

static bool skip_value(struct reader *reader)
{
    if (*reader->at == '"')
        return skip_string(reader);
    if (*reader->at == '{' || *reader->at == '[')
        return skip_nested(reader);
    while (reader->at < reader->end && !strchr(",} \t\r\n", *reader->at))
        reader->at++;
    return true;
}

/* -1: it is no number. */
static int64_t number_of(struct bytes value)
{
    const char *at = value.at;
    int64_t number = 0;

    for (size_t i = 0; i < value.n_bytes; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        number = 10 * number + (at[i] - '0');
    }
    return number;
}

static void member(struct message *message, struct bytes key, struct bytes value)
{
    static const struct {
        const char *key;
        size_t field;
    } rows[] = {
        { "\"a\"", offsetof(struct message, action) },      { "\"op\"", offsetof(struct message, op) },
        { "\"create\"", offsetof(struct message, create) }, { "\"data\"", offsetof(struct message, data) },
        { "\"error\"", offsetof(struct message, error) },
    };

    if (bytes_equal(key, bytes_of("\"v\"", 3))) {
        message->version = number_of(value);
    } else if (bytes_equal(key, bytes_of("\"seq\"", 5))) {
        message->seq = number_of(value);
    } else {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            if (bytes_equal(key, bytes_of_string(rows[i].key)))
                *(struct bytes *)(void *)((char *)message + rows[i].field) = value;
    }
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && isspace((unsigned char)*reader->at))
        reader->at++;
}

static bool read_member(struct reader *reader, struct message *out)
{
    const char *key = reader->at, *value;
    size_t n_key;

    if (*key != '"' || !skip_string(reader))
        return false;
    n_key = (size_t)(reader->at - key);
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at++ != ':')
        return false;
    skip_space(reader);
    value = reader->at;
    if (value >= reader->end || !skip_value(reader))
        return false;
    member(out, bytes_of(key, n_key), bytes_of(value, (size_t)(reader->at - value)));
    skip_space(reader);
    return reader->at < reader->end;
}

bool message_read(struct bytes json, struct message *out)
{
    struct reader reader = { json.at, (const char *)json.at + json.n_bytes };

    *out = (struct message){ .version = -1, .seq = -1 };
    if (json.n_bytes == 0 || *reader.at++ != '{')
        return false;
    skip_space(&reader);
    while (reader.at < reader.end && *reader.at != '}') {
        if (!read_member(&reader, out))
            return false;
        if (*reader.at == ',')
            reader.at++;
        else if (*reader.at != '}')
            return false;
        skip_space(&reader);
    }
    return reader.at < reader.end;
}

bool message_is(const struct message *message, const char *action)
{
    size_t n = strlen(action);

    return message->action.n_bytes == n + 2 && memcmp((const char *)message->action.at + 1, action, n) == 0;
}
