/* What meets what, and what does not fit. Each row is a document's past, a submission for a version of it,
 * and the outcome. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/doc/fixture.h"

#define HELLO  "{\"create\":{\"type\":\"text-unicode\",\"data\":\"hello\"}}"
#define EDIT   "{\"op\":[\"x\"]}"
#define DELETE "{\"del\":true}"
#define NOOP   "{\"op\":[]}"

static const struct row {
    const char *name;
    const char *past[4]; /* committed at versions 0, 1, ... */
    uint64_t version;    /* the submission is made for */
    const char *body, *want, *content;
} rows[] = {
    /* committed / submitted for the version before */
    { "op meets op: transformed", { HELLO, EDIT }, 1, "{\"op\":[5,\"y\"]}", "done at 2", "\"xhelloy\"" },
    { "op meets create: exists", { HELLO, EDIT }, 1, TEXT, "refused EXISTS", "\"xhello\"" },
    { "op meets del: goes through", { HELLO, EDIT }, 1, DELETE, "done at 2", "none" },
    { "create meets op: exists", { HELLO }, 0, EDIT, "refused EXISTS", "\"hello\"" },
    { "create meets create: exists", { HELLO }, 0, TEXT, "refused EXISTS", "\"hello\"" },
    { "create meets del: exists", { HELLO }, 0, DELETE, "refused EXISTS", "\"hello\"" },
    { "del meets op: was deleted", { HELLO, DELETE }, 1, EDIT, "refused WAS_DELETED", "none" },
    { "del meets create: was deleted", { HELLO, DELETE }, 1, TEXT, "refused WAS_DELETED", "none" },
    { "del meets del: goes through", { HELLO, DELETE }, 1, DELETE, "done at 2", "none" },
    { "nothing meets op: goes through", { HELLO, NOOP }, 1, EDIT, "done at 2", "\"xhello\"" },
    { "nothing meets del: goes through", { HELLO, NOOP }, 1, DELETE, "done at 2", "none" },

    /* at the head */
    { "edit of what never existed", { NULL }, 0, EDIT, "refused MISSING", "none" },
    { "edit of what is deleted", { HELLO, DELETE }, 2, EDIT, "refused MISSING", "none" },
    { "create of what exists", { HELLO }, 1, TEXT, "refused EXISTS", "\"hello\"" },
    { "create of what exists, whatever the version", { HELLO }, DOCUMENT_NOW, TEXT, "refused EXISTS", "\"hello\"" },
    { "create after del", { HELLO, DELETE }, 2, TEXT, "done at 2", "\"\"" },
    { "del of what never existed", { NULL }, 0, DELETE, "refused MISSING", "none" },
    { "del of what is deleted", { HELLO, DELETE }, 2, DELETE, "done at 2", "none" },
    { "an operation that does nothing makes a version", { HELLO }, 1, NOOP, "done at 1", "\"hello\"" },
    { "an old operation over del and create", { HELLO, DELETE, TEXT }, 1, EDIT, "refused WAS_DELETED", "\"\"" },

    /* what does not fit */
    { "unknown type", { NULL }, 0, "{\"create\":{\"type\":\"nonsense\"}}", "refused TYPE_UNKNOWN", "none" },
    { "create with data of another kind",
      { NULL },
      0,
      "{\"create\":{\"type\":\"text-unicode\",\"data\":7}}",
      "refused BAD_OP",
      "none" },
    { "create without data is empty", { NULL }, 0, TEXT, "done at 0", "\"\"" },
    { "no operation of the type", { HELLO }, 1, "{\"op\":{\"x\":1}}", "refused BAD_OP", "\"hello\"" },
    { "null is no operation of text", { HELLO }, 1, "{\"op\":null}", "refused BAD_OP", "\"hello\"" },
    { "skip past the end", { HELLO }, 1, "{\"op\":[6,\"x\"]}", "refused NOT_APPLIED", "\"hello\"" },
    { "delete past the end", { HELLO }, 1, "{\"op\":[3,{\"d\":3}]}", "refused NOT_APPLIED", "\"hello\"" },
    { "lone surrogate", { HELLO }, 1, "{\"op\":[\"\\ud83d\"]}", "refused NOT_APPLIED", "\"hello\"" },
    { "lone surrogate in create",
      { NULL },
      0,
      "{\"create\":{\"type\":\"text-unicode\",\"data\":\"\\ud83d\"}}",
      "refused NOT_APPLIED",
      "none" },
};

static void meets(void **state)
{
    const struct row *row = *state;
    struct fixture *f;
    char want[128];
    size_t n = 0;
    void *made;

    assert_int_equal(fixture_setup(&made), 0);
    f = made;
    f->is_quiet = true;
    for (; n < 4 && row->past[n]; n++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "past/%zu", n);
        submit(f, "n", id, n, row->past[n]);
        settle(f);
    }
    assert_int_equal(f->n_done, n);
    f->is_quiet = false;
    submit(f, "n", "a/1", row->version, row->body);
    settle(f);
    f->is_quiet = true;
    (void)snprintf(want, sizeof(want), "%s\n", row->want);
    assert_int_equal(buffer_append(&f->journal, "", 1), 0);
    assert_string_equal(strrchr(f->journal.at, '/') + 3, want);
    expect_log(f, "n", n + (f->last_r == 0), row->content);

    /* And what comes next is served as if nothing had been. */
    submit(f, "n", "b/1", DOCUMENT_NOW, DELETE);
    settle(f);
    assert_int_equal(f->last_r, sim_disk_head(f->disk, fixture_name("n")) ? 0 : DOCUMENT_MISSING);
    fixture_teardown(&made);
}

int main(void)
{
    struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0])];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        union {
            const void *constant;
            void *state;
        } row = { &rows[i] };

        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = meets, .initial_state = row.state };
    }
    return cmocka_run_group_tests_name("what meets what", tests, NULL, NULL);
}
