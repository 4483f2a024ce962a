/* Any bytes: they are JSON or they are not; if they are, writing and reading them again gives the same value, and of
 * each beginning the members that lie in it. */
#include "tests/fuzz/fuzz.h"

#include "ot/ot.h"

#include <string.h>

/* Low, so that the fuzzer finds out about them. */
static const struct ot_limits limits = { .max_depth = 6, .max_components = 100, .max_document_bytes = 1000 };

struct output {
    char *at;
    size_t n_bytes;
};

static int gather(void *arg, const char *at, size_t n_bytes)
{
    struct output *output = arg;

    output->at = realloc(output->at, output->n_bytes + n_bytes + 1);
    FUZZ_REQUIRE(output->at);
    memcpy(output->at + output->n_bytes, at, n_bytes);
    output->n_bytes += n_bytes;
    return 0;
}

static void check_round_trip(const struct ot_json *json)
{
    struct output once = { NULL, 0 }, twice = { NULL, 0 };
    struct ot_json *again = NULL;

    FUZZ_REQUIRE(ot_json_write(json, gather, &once) == 0);
    FUZZ_REQUIRE(ot_json_parse(once.at, once.n_bytes, &limits, &again, NULL) == 0);
    FUZZ_REQUIRE(ot_json_flaw(again) == 0);
    FUZZ_REQUIRE(ot_json_equal(json, again));
    FUZZ_REQUIRE(ot_json_write(again, gather, &twice) == 0);
    FUZZ_REQUIRE(once.n_bytes == twice.n_bytes && memcmp(once.at, twice.at, once.n_bytes) == 0);
    ot_json_unref(again);
    free(once.at);
    free(twice.at);
}

/* A flaw is in a value if and only if it is one, or in something that it holds. */
static void check_flaws(const struct ot_json *json)
{
    bool has_flaw = ot_json_kind(json) == OT_JSON_FLAW;

    for (size_t i = 0; i < ot_json_count(json); i++) {
        check_flaws(ot_json_at(json, i));
        has_flaw = has_flaw || ot_json_flaw(ot_json_at(json, i));
    }
    FUZZ_REQUIRE(has_flaw == (ot_json_flaw(json) != 0));
}

static void check_members(const struct ot_json *json)
{
    for (size_t i = 0; ot_json_kind(json) == OT_JSON_OBJECT && i < ot_json_count(json); i++) {
        size_t n_bytes;
        const char *key = ot_json_key_at(json, i, &n_bytes);

        FUZZ_REQUIRE(ot_json_get(json, key, n_bytes) == ot_json_at(json, i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    const char *text = (const char *)data;
    struct ot_json *json = NULL, *prefix = NULL;
    struct ot_error error;
    int r = ot_json_parse(text, n_bytes, &limits, &json, &error);

    FUZZ_REQUIRE(r == 0 || r == OT_BAD_JSON);
    if (r == 0) {
        check_flaws(json);
        check_members(json);
    }
    if (r == 0 && !ot_json_flaw(json))
        check_round_trip(json);
    if (ot_json_parse_prefix(text, n_bytes, &limits, &prefix, &error) == 0) {
        check_flaws(prefix);
        check_members(prefix);
        FUZZ_REQUIRE(r != 0 || ot_json_flaw(json) || ot_json_equal(json, prefix));
    } else {
        FUZZ_REQUIRE(r != 0 || ot_json_kind(json) != OT_JSON_OBJECT);
    }
    ot_json_unref(json);
    ot_json_unref(prefix);
    return 0;
}
