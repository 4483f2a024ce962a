#include "tests/unit/ot/harness.h"

#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* json0 in rows: what an operation does to a document, what becomes of two that meet, what is refused, and where. A row
 * is a request to the calculator, and the answer that must come back: as JSON, or the code and the sentence. */

static const struct row {
    const char *name, *request, *want, *says;
} rows[] = {
    /* create */
    { "create: any value", "create\",\"args\":[{\"b\":[1,null],\"a\":\"x\"}]",
      "{\"ok\":{\"a\":\"x\",\"b\":[1,null]}}" },

    /* apply */
    { "na", "apply\",\"args\":[{\"n\":1.5},[{\"p\":[\"n\"],\"na\":2}]]", "{\"ok\":{\"n\":3.5}}" },
    { "na on the document itself", "apply\",\"args\":[1,[{\"p\":[],\"na\":2}]]", "{\"ok\":3}" },
    { "li at the end", "apply\",\"args\":[[1],[{\"p\":[1],\"li\":2}]]", "{\"ok\":[1,2]}" },
    { "li of null", "apply\",\"args\":[[1],[{\"p\":[0],\"li\":null}]]", "{\"ok\":[null,1]}" },
    { "ld does not compare", "apply\",\"args\":[[1,2],[{\"p\":[0],\"ld\":7}]]", "{\"ok\":[2]}" },
    { "ld and li", "apply\",\"args\":[[1,2],[{\"p\":[0],\"ld\":1,\"li\":[]}]]", "{\"ok\":[[],2]}" },
    { "lm up", "apply\",\"args\":[[0,1,2],[{\"p\":[0],\"lm\":2}]]", "{\"ok\":[1,2,0]}" },
    { "lm down", "apply\",\"args\":[[0,1,2],[{\"p\":[2],\"lm\":0}]]", "{\"ok\":[2,0,1]}" },
    { "lm to its own place", "apply\",\"args\":[[0,1],[{\"p\":[1],\"lm\":1}]]", "{\"ok\":[0,1]}" },
    { "oi", "apply\",\"args\":[{},[{\"p\":[\"a\"],\"oi\":{\"b\":1}}]]", "{\"ok\":{\"a\":{\"b\":1}}}" },
    { "oi over a member replaces it", "apply\",\"args\":[{\"a\":1},[{\"p\":[\"a\"],\"oi\":2}]]", "{\"ok\":{\"a\":2}}" },
    { "od", "apply\",\"args\":[{\"a\":1,\"b\":2},[{\"p\":[\"a\"],\"od\":1}]]", "{\"ok\":{\"b\":2}}" },
    { "the document itself", "apply\",\"args\":[{\"a\":1},[{\"p\":[],\"od\":{\"a\":1},\"oi\":[]}]]", "{\"ok\":[]}" },
    { "the document itself, in two steps", "apply\",\"args\":[1,[{\"p\":[],\"od\":1},{\"p\":[],\"oi\":2}]]",
      "{\"ok\":2}" },
    { "si", "apply\",\"args\":[[\"a😀b\"],[{\"p\":[0,3],\"si\":\"x\"}]]", "{\"ok\":[\"a😀xb\"]}" },
    { "sd", "apply\",\"args\":[[\"a😀b\"],[{\"p\":[0,1],\"sd\":\"😀\"}]]", "{\"ok\":[\"ab\"]}" },
    { "text0, in turn",
      "apply\",\"args\":[[\"ab\"],[{\"p\":[0],\"t\":\"text0\",\"o\":[{\"p\":1,\"i\":\"xy\"},{\"p\":0,\"d\":\"ax\"}]}]]",
      "{\"ok\":[\"yb\"]}" },
    { "a list position named by its digits", "apply\",\"args\":[[[1]],[{\"p\":[\"0\",\"1\"],\"li\":2}]]",
      "{\"ok\":[[1,2]]}" },
    { "digits that are a key",
      "apply\",\"args\":[{\"0\":[1]},[{\"p\":[\"0\",\"0\"],\"ld\":1},{\"p\":[\"1\"],\"oi\":2}]]",
      "{\"ok\":{\"0\":[],\"1\":2}}" },
    { "lm to digits", "apply\",\"args\":[[0,1,2],[{\"p\":[\"2\"],\"lm\":\"0\"}]]", "{\"ok\":[2,0,1]}" },
    { "components, in turn",
      "apply\",\"args\":[{},[{\"p\":[\"l\"],\"oi\":[]},{\"p\":[\"l\",0],\"li\":\"\"},{\"p\":[\"l\",0,0],\"si\":\"x\"}]"
      "]",
      "{\"ok\":{\"l\":[\"x\"]}}" },

    /* apply: what does not fit */
    { "a path that leads nowhere", "apply\",\"args\":[{\"a\":{}},[{\"p\":[\"a\",\"b\",\"c\"],\"oi\":1}]]",
      "not_applied", "component 0: its path leads nowhere" },
    { "a path through a scalar", "apply\",\"args\":[{\"a\":1},[{\"p\":[\"a\",\"b\",\"c\"],\"oi\":1}]]", "not_applied",
      "component 0: its path leads nowhere" },
    { "a name in a list", "apply\",\"args\":[[[]],[{\"p\":[\"a\",0],\"li\":1}]]", "not_applied",
      "component 0: its path leads nowhere" },
    { "digits as no number is printed", "apply\",\"args\":[[[]],[{\"p\":[\"00\",0],\"li\":1}]]", "not_applied",
      "component 0: its path leads nowhere" },
    { "no digits at all", "apply\",\"args\":[[[]],[{\"p\":[\"\",0],\"li\":1}]]", "not_applied",
      "component 0: its path leads nowhere" },
    { "digits past the end", "apply\",\"args\":[[[]],[{\"p\":[\"1\",0],\"li\":1}]]", "not_applied",
      "component 0: its path leads nowhere" },
    { "a number in an object", "apply\",\"args\":[{\"0\":[]},[{\"p\":[0,0],\"li\":1}]]", "not_applied",
      "component 0: its path leads nowhere" },
    { "the second one", "apply\",\"args\":[[1],[{\"p\":[0],\"ld\":1},{\"p\":[0],\"ld\":1}]]", "not_applied",
      "component 1: an index past the end of the list" },
    { "li past the end", "apply\",\"args\":[[1],[{\"p\":[2],\"li\":1}]]", "not_applied",
      "component 0: an index past the end of the list" },
    { "lm past the end", "apply\",\"args\":[[1],[{\"p\":[0],\"lm\":1}]]", "not_applied",
      "component 0: moves an element past the end of the list" },
    { "an absurd index", "apply\",\"args\":[[1],[{\"p\":[9007199254740991],\"ld\":1}]]", "not_applied",
      "component 0: an index past the end of the list" },
    { "li in an object", "apply\",\"args\":[{},[{\"p\":[0],\"li\":1}]]", "not_applied",
      "component 0: its path leads to no list" },
    { "oi in a list", "apply\",\"args\":[[],[{\"p\":[\"a\"],\"oi\":1}]]", "not_applied",
      "component 0: its path leads to no object" },
    { "od of nothing", "apply\",\"args\":[{},[{\"p\":[\"a\"],\"od\":1}]]", "not_applied",
      "component 0: the object has no such member" },
    { "na on a text", "apply\",\"args\":[[\"1\"],[{\"p\":[0],\"na\":1}]]", "not_applied",
      "component 0: its path leads to no number" },
    { "na beyond double", "apply\",\"args\":[[1e308],[{\"p\":[0],\"na\":1e308}]]", "not_applied",
      "component 0: adds up to a number out of range" },
    { "si in a list", "apply\",\"args\":[[1],[{\"p\":[0],\"si\":\"x\"}]]", "not_applied",
      "component 0: its path leads to no text" },
    { "si past the end", "apply\",\"args\":[[\"ab\"],[{\"p\":[0,3],\"si\":\"x\"}]]", "not_applied",
      "component 0: an offset past the end of the text" },
    { "si inside a surrogate pair", "apply\",\"args\":[[\"😀\"],[{\"p\":[0,1],\"si\":\"x\"}]]", "not_applied",
      "component 0: an offset inside a surrogate pair" },
    { "sd of another text", "apply\",\"args\":[[\"ab\"],[{\"p\":[0,0],\"sd\":\"b\"}]]", "not_applied",
      "component 0: names another text than it deletes" },
    { "no document is left", "apply\",\"args\":[1,[{\"p\":[],\"od\":1}]]", "not_applied",
      "the last component takes the whole document away" },

    /* no operation */
    { "no list", "checkOp\",\"args\":[{\"p\":[],\"oi\":1}]", "bad_op", "json0 op must be an array" },
    { "no path in the second", "checkOp\",\"args\":[[{\"p\":[true],\"oi\":1},{}]]", "bad_op", "Missing path" },
    { "no object", "checkOp\",\"args\":[[1]]", "bad_op", "Missing path" },
    { "no path", "checkOp\",\"args\":[[{\"oi\":1}]]", "bad_op", "Missing path" },
    { "no instruction", "checkOp\",\"args\":[[{\"p\":[0]}]]", "bad_op",
      "component 0: no instruction, or more than one" },
    { "two instructions", "checkOp\",\"args\":[[{\"p\":[0],\"li\":1},{\"p\":[0],\"li\":1,\"lm\":0}]]", "bad_op",
      "component 1: no instruction, or more than one" },
    { "si that is null is none", "checkOp\",\"args\":[[{\"p\":[0],\"si\":null,\"li\":1}]]", "{\"ok\":true}" },
    { "a strange member", "checkOp\",\"args\":[[{\"p\":[0],\"li\":1,\"x\":1}]]", "bad_op",
      "component 0: a member that is none of p, na, li, ld, lm, oi, od, si, sd, t, o" },
    { "a fraction as index", "checkOp\",\"args\":[[{\"p\":[0.5],\"li\":1}]]", "not_applied", "Invalid path segment" },
    { "a negative index", "checkOp\",\"args\":[[{\"p\":[-1],\"li\":1}]]", "not_applied", "Invalid path segment" },
    { "neither name nor index", "checkOp\",\"args\":[[{\"p\":[null],\"oi\":1}]]", "not_applied",
      "Invalid path segment" },
    { "li behind a name", "checkOp\",\"args\":[[{\"p\":[\"a\"],\"li\":1}]]", "bad_op",
      "component 0: its path must end in an index" },
    { "li of the document", "checkOp\",\"args\":[[{\"p\":[],\"li\":1}]]", "bad_op",
      "component 0: its path must end in an index" },
    { "oi behind an index", "checkOp\",\"args\":[[{\"p\":[0],\"oi\":1}]]", "bad_op",
      "component 0: its path must end in a name" },
    { "__proto__", "checkOp\",\"args\":[[{\"p\":[\"__proto__\",\"x\"],\"oi\":1}]]", "not_applied",
      "Invalid path segment" },
    { "constructor", "checkOp\",\"args\":[[{\"p\":[\"constructor\"],\"oi\":1}]]", "not_applied",
      "Invalid path segment" },
    { "na of a text", "checkOp\",\"args\":[[{\"p\":[],\"na\":\"1\"}]]", "bad_op", "component 0: na is no number" },
    { "lm of a text", "checkOp\",\"args\":[[{\"p\":[0],\"lm\":\"x\"}]]", "bad_op", "component 0: lm is no index" },
    { "lm to digits as no number is printed", "checkOp\",\"args\":[[{\"p\":[0],\"lm\":\"01\"}]]", "bad_op",
      "component 0: lm is no index" },
    { "li behind digits as no number is printed", "checkOp\",\"args\":[[{\"p\":[\"1.0\"],\"li\":1}]]", "bad_op",
      "component 0: its path must end in an index" },
    { "si behind digits", "checkOp\",\"args\":[[{\"p\":[\"a\",\"0\"],\"si\":\"x\"}]]", "bad_op",
      "component 0: its path must end in an offset" },
    { "an unknown type inside", "checkOp\",\"args\":[[{\"p\":[],\"t\":\"toString\",\"o\":[]}]]", "bad_op",
      "component 0: t is no type within json0: only text0 is" },
    { "both i and d", "checkOp\",\"args\":[[{\"p\":[],\"t\":\"text0\",\"o\":[{\"p\":0,\"i\":\"a\",\"d\":\"b\"}]}]]",
      "bad_op",
      "component 0: a part of text that is not {\\\"p\\\":...,\\\"i\\\":...} or {\\\"p\\\":...,\\\"d\\\":...}" },
    { "neither i nor d", "checkOp\",\"args\":[[{\"p\":[],\"t\":\"text0\",\"o\":[{\"p\":0,\"x\":\"a\"}]}]]", "bad_op",
      "component 0: a text that is no string" },
    { "si without an offset", "checkOp\",\"args\":[[{\"p\":[\"a\"],\"si\":\"x\"}]]", "bad_op",
      "component 0: its path must end in an offset" },

    /* transform: ties */
    { "li and li: left stays", "transform\",\"args\":[[{\"p\":[0],\"li\":1}],[{\"p\":[0],\"li\":2}],\"left\"]",
      "{\"ok\":[{\"p\":[0],\"li\":1}]}" },
    { "li and li: right goes behind", "transform\",\"args\":[[{\"p\":[0],\"li\":1}],[{\"p\":[0],\"li\":2}],\"right\"]",
      "{\"ok\":[{\"p\":[1],\"li\":1}]}" },
    { "ld and ld", "transform\",\"args\":[[{\"p\":[0],\"ld\":1}],[{\"p\":[0],\"ld\":1}],\"left\"]", "{\"ok\":[]}" },
    { "both replace: left wins",
      "transform\",\"args\":[[{\"p\":[0],\"ld\":0,\"li\":1}],[{\"p\":[0],\"ld\":0,\"li\":2}],\"left\"]",
      "{\"ok\":[{\"p\":[0],\"ld\":2,\"li\":1}]}" },
    { "both replace: right loses",
      "transform\",\"args\":[[{\"p\":[0],\"ld\":0,\"li\":1}],[{\"p\":[0],\"ld\":0,\"li\":2}],\"right\"]",
      "{\"ok\":[]}" },
    { "a replacement over a delete inserts",
      "transform\",\"args\":[[{\"p\":[0],\"ld\":0,\"li\":1}],[{\"p\":[0],\"ld\":0}],\"left\"]",
      "{\"ok\":[{\"p\":[0],\"li\":1}]}" },
    { "oi and oi: left wins", "transform\",\"args\":[[{\"p\":[\"a\"],\"oi\":1}],[{\"p\":[\"a\"],\"oi\":2}],\"left\"]",
      "{\"ok\":[{\"p\":[\"a\"],\"od\":2,\"oi\":1}]}" },
    { "oi and oi: right loses",
      "transform\",\"args\":[[{\"p\":[\"a\"],\"oi\":1}],[{\"p\":[\"a\"],\"oi\":2}],\"right\"]", "{\"ok\":[]}" },
    { "od over a replacement",
      "transform\",\"args\":[[{\"p\":[\"a\"],\"od\":0}],[{\"p\":[\"a\"],\"od\":0,\"oi\":2}],\"left\"]", "{\"ok\":[]}" },
    { "a replacement over od",
      "transform\",\"args\":[[{\"p\":[\"a\"],\"od\":0,\"oi\":2}],[{\"p\":[\"a\"],\"od\":0}],\"left\"]",
      "{\"ok\":[{\"p\":[\"a\"],\"oi\":2}]}" },
    { "both move one element: left", "transform\",\"args\":[[{\"p\":[0],\"lm\":2}],[{\"p\":[0],\"lm\":1}],\"left\"]",
      "{\"ok\":[{\"p\":[1],\"lm\":2}]}" },
    { "both move one element: right", "transform\",\"args\":[[{\"p\":[0],\"lm\":2}],[{\"p\":[0],\"lm\":1}],\"right\"]",
      "{\"ok\":[]}" },
    { "inside what is deleted", "transform\",\"args\":[[{\"p\":[0,\"a\"],\"oi\":1}],[{\"p\":[0],\"ld\":{}}],\"left\"]",
      "{\"ok\":[]}" },
    { "what is deleted has changed",
      "transform\",\"args\":[[{\"p\":[0],\"ld\":{}}],[{\"p\":[0,\"a\"],\"oi\":1}],\"left\"]",
      "{\"ok\":[{\"p\":[0],\"ld\":{\"a\":1}}]}" },
    { "what is deleted is another",
      "transform\",\"args\":[[{\"p\":[0],\"ld\":7}],[{\"p\":[0,\"a\"],\"oi\":1}],\"left\"]", "not_applied",
      "component 0: takes away another value than the one that was changed meanwhile" },
    { "si and si: right goes behind",
      "transform\",\"args\":[[{\"p\":[0],\"si\":\"a\"}],[{\"p\":[0],\"si\":\"bc\"}],\"right\"]",
      "{\"ok\":[{\"p\":[2],\"si\":\"a\"}]}" },
    { "an insert divides a delete",
      "transform\",\"args\":[[{\"p\":[0],\"sd\":\"añb\"}],[{\"p\":[2],\"si\":\"x\"}],\"left\"]",
      "{\"ok\":[{\"p\":[0],\"sd\":\"añ\"},{\"p\":[1],\"sd\":\"b\"}]}" },
    { "an insert cuts a pair", "transform\",\"args\":[[{\"p\":[0],\"sd\":\"😀\"}],[{\"p\":[1],\"si\":\"x\"}],\"left\"]",
      "not_applied", "component 0: the other cuts a surrogate pair of its text" },
    { "both delete, different texts",
      "transform\",\"args\":[[{\"p\":[0],\"sd\":\"ab\"}],[{\"p\":[1],\"sd\":\"x\"}],\"left\"]", "not_applied",
      "component 0: the two delete different texts in one place" },
    { "two forms of text: each stays in its own",
      "transform\",\"args\":[[{\"p\":[0,0],\"si\":\"j\"}],[{\"p\":[0],\"t\":\"text0\",\"o\":[{\"p\":0,\"i\":\"x\"}]}],"
      "\"right\"]",
      "{\"ok\":[{\"p\":[0,1],\"si\":\"j\"}]}" },
    { "two forms of text: the other way",
      "transform\",\"args\":[[{\"p\":[0],\"t\":\"text0\",\"o\":[{\"p\":0,\"i\":\"x\"}]}],[{\"p\":[0,0],\"si\":\"j\"}],"
      "\"right\"]",
      "{\"ok\":[{\"p\":[0],\"t\":\"text0\",\"o\":[{\"p\":1,\"i\":\"x\"}]}]}" },

    /* transform: digits beside a number are a position */
    { "digits move up", "transform\",\"args\":[[{\"p\":[\"9\",\"a\"],\"oi\":1}],[{\"p\":[0],\"li\":1}],\"left\"]",
      "{\"ok\":[{\"p\":[10,\"a\"],\"oi\":1}]}" },
    { "digits stay", "transform\",\"args\":[[{\"p\":[\"9\",\"a\"],\"oi\":1}],[{\"p\":[10],\"li\":1}],\"left\"]",
      "{\"ok\":[{\"p\":[\"9\",\"a\"],\"oi\":1}]}" },
    { "digits inside what is deleted",
      "transform\",\"args\":[[{\"p\":[\"1\",\"a\"],\"oi\":1}],[{\"p\":[1],\"ld\":{}}],\"left\"]", "{\"ok\":[]}" },
    { "digits follow a move", "transform\",\"args\":[[{\"p\":[\"1\",\"a\"],\"oi\":1}],[{\"p\":[1],\"lm\":0}],\"left\"]",
      "{\"ok\":[{\"p\":[0,\"a\"],\"oi\":1}]}" },
    { "one place, by digits and by number",
      "transform\",\"args\":[[{\"p\":[\"1\",\"a\"],\"oi\":1}],[{\"p\":[1,\"a\"],\"oi\":2}],\"right\"]", "{\"ok\":[]}" },
    { "what is deleted has changed, by digits",
      "transform\",\"args\":[[{\"p\":[0],\"ld\":[{}]}],[{\"p\":[\"0\",\"0\",\"a\"],\"oi\":1}],\"left\"]",
      "{\"ok\":[{\"p\":[0],\"ld\":[{\"a\":1}]}]}" },
    { "a key of digits is no position",
      "transform\",\"args\":[[{\"p\":[\"1\"],\"oi\":1}],[{\"p\":[0],\"li\":1}],\"left\"]",
      "{\"ok\":[{\"p\":[\"1\"],\"oi\":1}]}" },

    /* compose, normalize, invert */
    { "digits and a number are one place", "compose\",\"args\":[[{\"p\":[\"1\"],\"na\":1}],[{\"p\":[1],\"na\":2}]]",
      "{\"ok\":[{\"p\":[\"1\"],\"na\":3}]}" },
    { "a list position is written as a number", "normalize\",\"args\":[[{\"p\":[\"1\"],\"lm\":\"0\"}]]",
      "{\"ok\":[{\"p\":[1],\"lm\":0}]}" },
    { "li and ld of a scalar vanish", "compose\",\"args\":[[{\"p\":[0],\"li\":1}],[{\"p\":[0],\"ld\":1}]]",
      "{\"ok\":[]}" },
    { "li and ld of an object stay", "compose\",\"args\":[[{\"p\":[0],\"li\":{}}],[{\"p\":[0],\"ld\":{}}]]",
      "{\"ok\":[{\"p\":[0],\"li\":{}},{\"p\":[0],\"ld\":{}}]}" },
    { "oi and od vanish", "compose\",\"args\":[[{\"p\":[\"a\"],\"oi\":{}}],[{\"p\":[\"a\"],\"od\":1}]]",
      "{\"ok\":[]}" },
    { "od and oi make one", "compose\",\"args\":[[{\"p\":[\"a\"],\"od\":1}],[{\"p\":[\"a\"],\"oi\":2}]]",
      "{\"ok\":[{\"p\":[\"a\"],\"od\":1,\"oi\":2}]}" },
    { "na and na make one", "compose\",\"args\":[[{\"p\":[\"a\"],\"na\":1}],[{\"p\":[\"a\"],\"na\":-1}]]",
      "{\"ok\":[{\"p\":[\"a\"],\"na\":0}]}" },
    { "si and si make one", "compose\",\"args\":[[{\"p\":[0],\"si\":\"ab\"}],[{\"p\":[1],\"si\":\"X\"}]]",
      "{\"ok\":[{\"p\":[0],\"si\":\"aXb\"}]}" },
    { "si inside a pair", "compose\",\"args\":[[{\"p\":[0],\"si\":\"😀\"}],[{\"p\":[1],\"si\":\"X\"}]]", "not_applied",
      "component 0: the other cuts a surrogate pair of its text" },
    { "sd around sd", "compose\",\"args\":[[{\"p\":[1],\"sd\":\"b\"}],[{\"p\":[0],\"sd\":\"ac\"}]]",
      "{\"ok\":[{\"p\":[0],\"sd\":\"abc\"}]}" },
    { "normalize takes one component", "normalize\",\"args\":[{\"oi\":1}]", "{\"ok\":[{\"p\":[],\"oi\":1}]}" },
    { "normalize merges", "normalize\",\"args\":[[{\"p\":[],\"na\":1},{\"p\":[],\"na\":2}]]",
      "{\"ok\":[{\"p\":[],\"na\":3}]}" },
    { "normalize: a move to nowhere stays at the start",
      "normalize\",\"args\":[[{\"p\":[1],\"lm\":1},{\"p\":[1],\"lm\":1}]]", "{\"ok\":[{\"p\":[1],\"lm\":1}]}" },
    { "invert",
      "invert\",\"args\":[[{\"p\":[0],\"lm\":2},{\"p\":[1],\"ld\":1,\"li\":2},{\"p\":[3,4],\"si\":\"x\"},{\"p\":[5],"
      "\"na\":0}]]",
      "{\"ok\":[{\"p\":[5],\"na\":0},{\"p\":[3,4],\"sd\":\"x\"},{\"p\":[1],\"ld\":2,\"li\":1},{\"p\":[2],\"lm\":0}]}" },
    { "positions are unknown", "transformPosition\",\"args\":[1,[]]", "unsupported" },
};

static char *answer_to(const char *request)
{
    struct text line = { 0 }, answer = { 0 };

    text_add(&line, "{\"type\":\"json0\",\"fn\":\"");
    text_add(&line, request);
    text_add(&line, "}");
    assert_int_equal(ot_calculate_line(line.at, line.n_bytes, text_write, &answer), 0);
    text_free(&line);
    answer.at[answer.n_bytes - 1] = 0; /* the end of the line */
    return answer.at;
}

static void check_row(const struct row *row)
{
    char *answer = answer_to(row->request), want[256];

    if (row->want[0] == '{') {
        if (strcmp(answer, row->want) != 0)
            fail_msg("%s: %s", row->name, answer);
    } else {
        (void)snprintf(want, sizeof(want), ",\"code\":\"%s\"}", row->want);
        if (!strstr(answer, want))
            fail_msg("%s: %s", row->name, answer);
        (void)snprintf(want, sizeof(want), "{\"error\":\"%s\"", row->says ? row->says : "");
        if (row->says && strncmp(answer, want, strlen(want)) != 0)
            fail_msg("%s: %s", row->name, answer);
    }
    free(answer);
}

static void rows_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

/* ---- without memory ---------------------------------------------------------------------------------------------- */

static int drop(void *arg, const char *at, size_t n_bytes)
{
    (void)arg;
    (void)at;
    (void)n_bytes;
    return 0;
}

/* Every allocation of a request failed in turn. */
static void fail_each_of(const struct row *row)
{
    struct text line = { 0 };
    bool met = true;

    text_add(&line, "{\"type\":\"json0\",\"fn\":\"");
    text_add(&line, row->request);
    text_add(&line, "}");
    for (size_t n = 0; met; n++) {
        int r;

        assert_in_range(n, 0, 1000);
        alloc_fault_arm(n, ALLOC_FAULT_ONCE);
        r = ot_calculate_line(line.at, line.n_bytes, drop, NULL);
        met = alloc_fault_disarm();
        if (r && (!met || r != -ENOMEM))
            fail_msg("%s: %d", row->name, r);
    }
    text_free(&line);
}

static void rows_need_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fail_each_of(&rows[i]);
}

/* Two long operations on one text and one list, with pieces that divide. */
static void long_requests_need_memory(void **state)
{
    struct text text = { 0 };
    char *answer;

    (void)state;
    text_add(&text, "transform\",\"args\":[[");
    for (int i = 0; i < 12; i++)
        text_add(
            &text,
            "{\"p\":[\"s\",0],\"sd\":\"abcdefgh\"},{\"p\":[\"l\",1],\"ld\":{\"a\":[\"long enough to be shared\"]}},");
    text_add(&text, "{\"p\":[\"t\"],\"t\":\"text0\",\"o\":[{\"p\":0,\"d\":\"abc\"},{\"p\":9,\"i\":\"x\"}]}],[");
    for (int i = 0; i < 12; i++)
        text_add(&text, "{\"p\":[\"s\",4],\"si\":\"text\"},{\"p\":[\"l\",1,\"a\",0],\"ld\":0},{\"p\":[\"l\",1,\"a\",0],"
                        "\"li\":[]},");
    text_add(&text, "{\"p\":[\"t\"],\"t\":\"text0\",\"o\":[{\"p\":1,\"i\":\"abc\"},{\"p\":0,\"i\":\"x\"}]}],\"left\"]");
    answer = answer_to(text.at);
    assert_memory_equal(answer, "{\"ok\":[", 7);
    free(answer);
    fail_each_of(&(struct row){ .name = "long", .request = text.at });
    text_free(&text);
}

static struct ot_json *member(const struct ot_json *json, const char *name)
{
    return ot_json_get(json, name, strlen(name));
}

struct application {
    struct ot_json *document, *op;
    char *before;
};

static int apply(const struct application *application)
{
    const struct ot_type *type = ot_type_find("json0", 5);
    struct ot_snapshot *snapshot = NULL;
    struct ot_op *op = NULL;
    struct text after = { 0 };
    bool met;
    int r;

    alloc_fault_pause();
    assert_int_equal(ot_op_parse(type, application->op, NULL, &op, NULL), 0);
    assert_int_equal(ot_snapshot_create(type, application->document, NULL, &snapshot, NULL), 0);
    alloc_fault_resume();
    r = ot_snapshot_apply(snapshot, op, NULL, NULL);
    met = alloc_fault_disarm();
    assert_int_equal(ot_snapshot_write_json(snapshot, text_write, &after), 0);
    assert_int_equal(strcmp(after.at, application->before) == 0, r != 0);
    assert_true(r == 0 || (met && r == -ENOMEM));
    ot_op_unref(op);
    ot_snapshot_destroy(snapshot);
    text_free(&after);
    return met;
}

/* Long values in a wide document, so that there is something to copy. */
static void operations_are_applied_whole_or_not(void **state)
{
    struct ot_json *json = json_of(
        "{\"document\":{\"list\":[1,\"a text longer than fourteen bytes\",[1,2,3],{\"x\":1}],\"text\":\"another text, "
        "as "
        "long as the one "
        "before\",\"short\":\"ab\",\"n\":1},\"op\":[{\"p\":[\"list\",0],\"lm\":3},{\"p\":[\"list\",0,3],"
        "\"si\":\"and more text\"},{\"p\":[\"text\"],\"t\":\"text0\",\"o\":[{\"p\":0,\"d\":\"another\"},{\"p\":3,\"i\":"
        "\"a few words more\"}]},{\"p\":[\"list\",1,1],\"ld\":2,\"li\":[\"a long text, and still longer\"]},{\"p\":["
        "\"a key longer than fourteen bytes\"],\"oi\":{\"y\":[]}},{\"p\":[\"n\"],\"od\":1},{\"p\":[\"short\",1],\"si\":"
        "\"long enough to become a rope\"}]}");
    struct application application = { member(json, "document"), member(json, "op"), NULL };

    (void)state;
    application.before = NULL;
    {
        struct ot_snapshot *snapshot = NULL;
        struct text before = { 0 };

        assert_int_equal(ot_snapshot_create(ot_type_find("json0", 5), application.document, NULL, &snapshot, NULL), 0);
        assert_int_equal(ot_snapshot_write_json(snapshot, text_write, &before), 0);
        ot_snapshot_destroy(snapshot);
        application.before = before.at;
    }
    for (size_t n = 0, met = 1; met; n++) {
        assert_in_range(n, 0, 1000);
        alloc_fault_arm(n, ALLOC_FAULT_ONCE);
        met = (size_t)apply(&application);
    }
    free(application.before);
    ot_json_unref(json);
}

/* ---- settle ------------------------------------------------------------------------------------------------------ */

static const struct settling {
    const char *document, *op, *want; /* want NULL: not applied */
} settlings[] = {
    { "[{}]", "[{\"p\":[0,\"0\"],\"oi\":1}]", "[{\"p\":[0,\"0\"],\"oi\":1}]" },
    { "[[{}]]", "[{\"p\":[\"0\",\"0\",\"0\"],\"oi\":1}]", "[{\"p\":[0,0,\"0\"],\"oi\":1}]" },
    { "{\"0\":[1]}", "[{\"p\":[\"0\",\"0\"],\"na\":1}]", "[{\"p\":[\"0\",0],\"na\":1}]" },
    { "[\"x\"]", "[{\"p\":[\"0\",1],\"si\":\"y\"}]", "[{\"p\":[0,1],\"si\":\"y\"}]" },
    { "[\"x\"]", "[{\"p\":[\"0\"],\"t\":\"text0\",\"o\":[]}]", "[{\"p\":[0],\"t\":\"text0\",\"o\":[]}]" },
    { "[[]]", "[{\"p\":[],\"od\":[[]],\"oi\":{\"0\":[1]}},{\"p\":[\"0\",\"0\"],\"na\":1}]",
      "[{\"p\":[],\"od\":[[]],\"oi\":{\"0\":[1]}},{\"p\":[\"0\",0],\"na\":1}]" },
    { "[]", "[{\"p\":[\"0\"],\"li\":[\"a text longer than fourteen bytes\"]},{\"p\":[\"0\",\"0\",0],\"si\":\"x\"}]",
      "[{\"p\":[0],\"li\":[\"a text longer than fourteen bytes\"]},{\"p\":[0,0,0],\"si\":\"x\"}]" },
    { "[]", "[{\"p\":[\"0\",\"0\"],\"na\":1},{\"p\":[],\"oi\":1}]", NULL },
};

static int settle(const struct settling *settling, char **out)
{
    const struct ot_type *type = ot_type_find("json0", 5);
    struct ot_json *data = json_of(settling->document), *json = json_of(settling->op);
    struct ot_snapshot *snapshot = NULL;
    struct ot_op *op = NULL, *settled = NULL;
    int r;

    assert_int_equal(ot_op_parse(type, json, NULL, &op, NULL), 0);
    assert_int_equal(ot_snapshot_create(type, data, NULL, &snapshot, NULL), 0);
    alloc_fault_resume();
    r = ot_op_settle(op, snapshot, &settled, NULL);
    alloc_fault_pause();
    *out = r ? NULL : written_op(settled);
    ot_op_unref(op);
    ot_op_unref(settled);
    ot_snapshot_destroy(snapshot);
    ot_json_unref(data);
    ot_json_unref(json);
    return r;
}

static void check_settling(const struct settling *settling)
{
    bool met = true;

    for (size_t n = 0; met; n++) {
        char *written;
        int r;

        assert_in_range(n, 0, 1000);
        alloc_fault_arm(n, ALLOC_FAULT_ONCE);
        alloc_fault_pause();
        r = settle(settling, &written);
        alloc_fault_resume();
        met = alloc_fault_disarm();
        if (met)
            assert_int_equal(r, -ENOMEM);
        else if (settling->want)
            assert_string_equal(written, settling->want);
        else
            assert_int_equal(r, OT_NOT_APPLIED);
        free(written);
    }
}

static void the_document_settles_what_digits_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(settlings) / sizeof(settlings[0]); i++)
        check_settling(&settlings[i]);
}

/* ---- ceilings ---------------------------------------------------------------------------------------------------- */

static int apply_within(const char *document, const char *op_json, const struct ot_limits *limits)
{
    const struct ot_type *type = ot_type_find("json0", 5);
    struct ot_json *data = json_of(document), *json = json_of(op_json);
    struct ot_snapshot *snapshot = NULL;
    struct ot_op *op = NULL;
    int r;

    assert_int_equal(ot_op_parse(type, json, NULL, &op, NULL), 0);
    assert_int_equal(ot_snapshot_create(type, data, NULL, &snapshot, NULL), 0);
    r = ot_snapshot_apply(snapshot, op, limits, NULL);
    ot_op_unref(op);
    ot_snapshot_destroy(snapshot);
    ot_json_unref(data);
    ot_json_unref(json);
    return r;
}

static void documents_are_bounded(void **state)
{
    const struct ot_limits limits = { 3, 10, 30 };

    (void)state;
    assert_int_equal(apply_within("[[1]]", "[{\"p\":[0,0],\"li\":[]}]", &limits), 0);
    assert_int_equal(apply_within("[[1]]", "[{\"p\":[0,0],\"li\":[[]]}]", &limits), OT_LIMIT);
    assert_int_equal(apply_within("1", "[{\"p\":[],\"oi\":[[[[]]]]}]", &limits), OT_LIMIT);
    assert_int_equal(apply_within("[\"\"]", "[{\"p\":[0,0],\"si\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]", &limits),
                     OT_LIMIT);
    assert_int_equal(
        apply_within("[\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"]", "[{\"p\":[0,0],\"sd\":\"a\"}]", &limits), 0);
    assert_int_equal(
        apply_within("[]", "[{\"p\":[0],\"li\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"},{\"p\":[0],\"ld\":0}]", &limits),
        0);
}

/* What is quadratic ends, in an answer or in a refusal, and soon. */
static void work_is_bounded(void **state)
{
    const struct ot_type *type = ot_type_find("json0", 5);
    struct text text = { 0 };
    struct ot_json *json;
    struct ot_op *op = NULL, *out = NULL;

    (void)state;
    text_add(&text, "[");
    for (int i = 0; i < 20000; i++)
        text_add(&text, "{\"p\":[0],\"li\":{}},{\"p\":[2,3],\"sd\":\"abc\"},");
    text.at[text.n_bytes - 1] = ']';
    json = json_of(text.at);
    assert_int_equal(ot_op_parse(type, json, NULL, &op, NULL), 0);
    assert_int_equal(ot_op_transform(op, op, OT_LEFT, NULL, &out, NULL), OT_LIMIT);
    assert_null(out);
    ot_op_unref(op);
    ot_json_unref(json);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_answered),
        cmocka_unit_test(rows_need_memory),
        cmocka_unit_test(long_requests_need_memory),
        cmocka_unit_test(operations_are_applied_whole_or_not),
        cmocka_unit_test(the_document_settles_what_digits_are),
        cmocka_unit_test(documents_are_bounded),
        cmocka_unit_test(work_is_bounded),
    };

    return cmocka_run_group_tests_name("rows of json0", tests, NULL, NULL);
}
