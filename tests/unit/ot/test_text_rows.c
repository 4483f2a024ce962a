#include "tests/unit/ot/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* text-unicode in rows: what an operation does to a text, what becomes of two that meet, what is refused. A row is a
 * request to the calculator and the answer that must come back, so the table reads like a session with it. */

static const struct row {
    const char *name, *request, *want;
} rows[] = {
    /* apply */
    { "apply: what is left over is kept", "apply\",\"args\":[\"abc\",[1,\"x\"]]", "{\"ok\":\"axbc\"}" },
    { "apply: insert, skip and delete in one", "apply\",\"args\":[\"abcd\",[\"x\",1,{\"d\":2},\"y\"]]",
      "{\"ok\":\"xayd\"}" },
    { "apply: beyond the BMP counts as one", "apply\",\"args\":[\"😀b\",[1,\"x\",{\"d\":1}]]", "{\"ok\":\"😀x\"}" },
    { "apply: a delete may name its text", "apply\",\"args\":[\"añb\",[1,{\"d\":\"ñ\"}]]", "{\"ok\":\"ab\"}" },
    { "apply: nothing to nothing", "apply\",\"args\":[\"\",[]]", "{\"ok\":\"\"}" },
    { "apply: U+0000 survives", "apply\",\"args\":[\"a\\u0000b\",[2,\"\\u0000\"]]", "{\"ok\":\"a\\u0000\\u0000b\"}" },
    { "apply: neighbours of one kind are merged", "apply\",\"args\":[\"abc\",[\"x\",\"y\",{\"d\":1},{\"d\":\"b\"}]]",
      "{\"ok\":\"xyc\"}" },
    { "apply: a skip past the end is refused", "apply\",\"args\":[\"ab\",[3,\"x\"]]", "not_applied" },
    { "apply: an absurd skip is refused at once", "apply\",\"args\":[\"ab\",[9007199254740990,\"x\"]]", "not_applied" },
    { "apply: a delete past the end is refused", "apply\",\"args\":[\"ab\",[1,{\"d\":2}]]", "not_applied" },
    { "apply: a delete of another text is refused", "apply\",\"args\":[\"ab\",[{\"d\":\"b\"}]]", "not_applied" },
    { "apply: a delete of a text past the end is refused", "apply\",\"args\":[\"ab\",[1,{\"d\":\"bc\"}]]",
      "not_applied" },
    { "apply: a lone surrogate in the document is refused", "apply\",\"args\":[\"a\\ud83d\",[]]", "not_applied" },
    { "apply: a lone surrogate in the operation is refused", "apply\",\"args\":[\"a\",[\"\\udc00\"]]", "not_applied" },
    { "create: the empty text", "create\",\"args\":[\"\"]", "{\"ok\":\"\"}" },
    { "create: a number is no text", "create\",\"args\":[1]", "bad_op" },
    { "create: null is no text", "create\",\"args\":[null]", "bad_op" },

    /* transform: ties */
    { "two inserts at one place: left goes first", "transform\",\"args\":[[\"a\"],[\"b\"],\"left\"]",
      "{\"ok\":[\"a\"]}" },
    { "two inserts at one place: right goes second", "transform\",\"args\":[[\"a\"],[\"b\"],\"right\"]",
      "{\"ok\":[1,\"a\"]}" },
    { "only an insert that comes next goes first: not one behind a delete",
      "transform\",\"args\":[[{\"d\":1},\"a\"],[\"b\"],\"left\"]", "{\"ok\":[1,{\"d\":1},\"a\"]}" },
    { "an insert before a delete goes first", "transform\",\"args\":[[\"a\",{\"d\":1}],[\"b\"],\"left\"]",
      "{\"ok\":[\"a\",1,{\"d\":1}]}" },
    { "my insert stands before what the other deletes: left",
      "transform\",\"args\":[[\"a\"],[{\"d\":1},\"b\"],\"left\"]", "{\"ok\":[\"a\"]}" },
    { "my insert stands before what the other deletes: right",
      "transform\",\"args\":[[\"a\"],[{\"d\":1},\"b\"],\"right\"]", "{\"ok\":[\"a\"]}" },
    { "an insert inside what the other deletes", "transform\",\"args\":[[1,\"x\"],[{\"d\":3}],\"left\"]",
      "{\"ok\":[\"x\"]}" },
    { "both delete the same character", "transform\",\"args\":[[1,{\"d\":1}],[1,{\"d\":1}],\"left\"]", "{\"ok\":[]}" },
    { "an insert divides a delete", "transform\",\"args\":[[{\"d\":2}],[1,\"😀😀\"],\"left\"]",
      "{\"ok\":[{\"d\":1},2,{\"d\":1}]}" },
    { "an insert divides a delete that names its text", "transform\",\"args\":[[{\"d\":\"ñb\"}],[1,\"x\"],\"left\"]",
      "{\"ok\":[{\"d\":\"ñ\"},1,{\"d\":\"b\"}]}" },
    { "what is left of a delete that names its text", "transform\",\"args\":[[{\"d\":\"ñbc\"}],[1,{\"d\":1}],\"left\"]",
      "{\"ok\":[{\"d\":\"ñc\"}]}" },
    { "nothing against something", "transform\",\"args\":[[],[2,\"!\"],\"left\"]", "{\"ok\":[]}" },
    { "something against nothing", "transform\",\"args\":[[2,\"!\"],[],\"right\"]", "{\"ok\":[2,\"!\"]}" },
    { "huge skips cost nothing", "transform\",\"args\":[[4000000000000000,\"a\"],[4000000000000001,\"b\"],\"left\"]",
      "{\"ok\":[4000000000000000,\"a\"]}" },
    { "normal form comes first", "transform\",\"args\":[[\"a\",\"b\"],[\"x\"],\"left\"]", "{\"ok\":[\"ab\"]}" },
    { "a side must be left or right", "transform\",\"args\":[[\"a\"],[\"b\"],\"middle\"]", "bad_request" },

    /* compose */
    { "deletes not yet passed come after an insert", "compose\",\"args\":[[{\"d\":1}],[\"x\"]]",
      "{\"ok\":[\"x\",{\"d\":1}]}" },
    { "a delete behind an insert", "compose\",\"args\":[[\"x\"],[1,{\"d\":1}]]", "{\"ok\":[\"x\",{\"d\":1}]}" },
    { "the second deletes what the first inserted", "compose\",\"args\":[[1,\"abc\"],[2,{\"d\":1}]]",
      "{\"ok\":[1,\"ac\"]}" },
    { "a delete with text and one without make one without", "compose\",\"args\":[[{\"d\":\"a\"}],[{\"d\":1}]]",
      "{\"ok\":[{\"d\":2}]}" },
    { "an insert and its delete cancel out", "compose\",\"args\":[[1,\"añ\"],[1,{\"d\":\"añ\"}]]", "{\"ok\":[]}" },
    { "the second deletes another text than the first inserted", "compose\",\"args\":[[1,\"ab\"],[1,{\"d\":\"ax\"}]]",
      "not_applied" },

    /* invert, makeInvertible, positions */
    { "invert: deletes become inserts", "invert\",\"args\":[[1,\"x\",{\"d\":\"ñ\"}]]",
      "{\"ok\":[1,{\"d\":\"x\"},\"ñ\"]}" },
    { "invert: not without the deleted text", "invert\",\"args\":[[{\"d\":1}]]", "bad_op" },
    { "invertWithDoc: takes the text from the document", "invertWithDoc\",\"args\":[[1,{\"d\":2},\"x\"],\"añ😀d\"]",
      "{\"ok\":[1,\"ñ😀\",{\"d\":\"x\"}]}" },
    { "invertWithDoc: the operation must fit", "invertWithDoc\",\"args\":[[1,{\"d\":2}],\"ab\"]", "not_applied" },
    { "makeInvertible: deletes name their text", "makeInvertible\",\"args\":[[1,{\"d\":2},\"x\"],\"añ😀d\"]",
      "{\"ok\":[1,{\"d\":\"ñ😀\"},\"x\"]}" },
    { "makeInvertible: the operation must fit", "makeInvertible\",\"args\":[[{\"d\":\"x\"}],\"ab\"]", "not_applied" },
    { "position: before the insert it stays", "transformPosition\",\"args\":[1,[2,\"xx\",1,{\"d\":1}]]", "{\"ok\":1}" },
    { "position: text inserted at the caret goes after it", "transformPosition\",\"args\":[2,[2,\"xx\",1,{\"d\":1}]]",
      "{\"ok\":2}" },
    { "position: behind the insert it moves on", "transformPosition\",\"args\":[3,[2,\"xx\",1,{\"d\":1}]]",
      "{\"ok\":5}" },
    { "position: inside a delete it moves to its start", "transformPosition\",\"args\":[4,[2,\"xx\",1,{\"d\":1}]]",
      "{\"ok\":5}" },
    { "position: must be an integer", "transformPosition\",\"args\":[1.5,[]]", "bad_op" },
    { "position: must not be negative", "transformPosition\",\"args\":[-1,[]]", "bad_op" },

    /* normal form */
    { "normalize: takes zeros, empties, neighbours and a skip at the end",
      "normalize\",\"args\":[[1,2,\"a\",\"\",\"b\",{\"d\":1},{\"d\":\"xy\"},{\"d\":0},0,3]]",
      "{\"ok\":[3,\"ab\",{\"d\":3}]}" },
    { "normalize: what merges around an empty part", "normalize\",\"args\":[[\"a\",0,\"b\",{\"d\":\"\"},2]]",
      "{\"ok\":[\"ab\"]}" },
    { "normalize: neighbours' texts are joined", "normalize\",\"args\":[[{\"d\":\"ñ\"},{\"d\":\"b\"}]]",
      "{\"ok\":[{\"d\":\"ñb\"}]}" },
    { "normalize: still no fractions", "normalize\",\"args\":[[0.5]]", "bad_op" },
    { "check: insert beside delete is normal in both orders", "checkOp\",\"args\":[[\"a\",{\"d\":1},\"b\"]]",
      "{\"ok\":true}" },
    { "check: 1.0 and 1e0 are integers", "checkOp\",\"args\":[[1.0,\"a\",1e0,\"b\"]]", "{\"ok\":true}" },
    { "check: an operation is a list", "checkOp\",\"args\":[{\"d\":1}]", "bad_op" },
    { "check: null is no operation", "checkOp\",\"args\":[null]", "bad_op" },
    { "check: no skip of 0", "checkOp\",\"args\":[[0,\"a\"]]", "bad_op" },
    { "check: no negative skip", "checkOp\",\"args\":[[-1,\"a\"]]", "bad_op" },
    { "check: no fraction", "checkOp\",\"args\":[[1.5,\"a\"]]", "bad_op" },
    { "check: no skip beyond 2^53-1", "checkOp\",\"args\":[[9007199254740992,\"a\"]]", "bad_op" },
    { "check: no sum beyond 2^53-1", "checkOp\",\"args\":[[9007199254740991,\"a\",1,\"b\"]]", "limit" },
    { "check: no empty insert", "checkOp\",\"args\":[[\"\"]]", "bad_op" },
    { "check: no delete of 0", "checkOp\",\"args\":[[{\"d\":0}]]", "bad_op" },
    { "check: no delete of the empty text", "checkOp\",\"args\":[[{\"d\":\"\"}]]", "bad_op" },
    { "check: no negative delete", "checkOp\",\"args\":[[{\"d\":-1}]]", "bad_op" },
    { "check: no delete of null", "checkOp\",\"args\":[[{\"d\":null}]]", "bad_op" },
    { "check: no delete of a list", "checkOp\",\"args\":[[{\"d\":[1]}]]", "bad_op" },
    { "check: no delete that says more", "checkOp\",\"args\":[[{\"d\":1,\"e\":1}]]", "bad_op" },
    { "check: no object without d", "checkOp\",\"args\":[[{}]]", "bad_op" },
    { "check: no boolean", "checkOp\",\"args\":[[true,\"a\"]]", "bad_op" },
    { "check: no null", "checkOp\",\"args\":[[null]]", "bad_op" },
    { "check: no list inside", "checkOp\",\"args\":[[[1]]]", "bad_op" },
    { "check: no two skips in a row", "checkOp\",\"args\":[[1,1,\"a\"]]", "bad_op" },
    { "check: no skip at the end", "checkOp\",\"args\":[[\"a\",1]]", "bad_op" },
    { "check: no number beyond double", "checkOp\",\"args\":[[1e999,\"a\"]]", "not_applied" },

    /* the calculator itself */
    { "a function that text-unicode does not have", "transformNoConflict\",\"args\":[[],[],\"left\"]", "unsupported" },
    { "a function that nobody has", "explode\",\"args\":[]", "unsupported" },
    { "too few arguments", "apply\",\"args\":[\"a\"]", "bad_request" },
    { "arguments that are no list", "apply\",\"args\":{}", "bad_request" },
};

static void answers(void **state)
{
    const struct row *row = *state;
    struct text request = { 0 }, answer = { 0 };

    text_add(&request, "{\"type\":\"text-unicode\",\"fn\":\"");
    text_add(&request, row->request);
    text_add(&request, "}");
    assert_int_equal(ot_calculate_line(request.at, request.n_bytes, text_write, &answer), 0);
    if (row->want[0] == '{') {
        answer.at[answer.n_bytes - 1] = 0; /* the end of the line */
        assert_string_equal(answer.at, row->want);
    } else {
        struct text code = { 0 };

        text_add(&code, "\"code\":\"");
        text_add(&code, row->want);
        text_add(&code, "\"}\n");
        if (!strstr(answer.at, "{\"error\":\"") || !strstr(answer.at, code.at))
            fail_msg("%s", answer.at);
        text_free(&code);
    }
    text_free(&request);
    text_free(&answer);
}

int main(void)
{
    static struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0])];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        union {
            const struct row *row;
            void *state;
        } row = { .row = &rows[i] };

        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = answers, .initial_state = row.state };
    }
    return cmocka_run_group_tests_name("text-unicode in rows", tests, NULL, NULL);
}
