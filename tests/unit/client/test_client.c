/* A client against the server's own session: what its program sees, whatever the line does. */
#include "tests/unit/client/pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/alloc_fault.h"

#define TEXT "text-unicode"

/* Two who have a text, "ab" at version 1. */
static void two_with_text(struct pair *pair, struct end **ink, struct end **paper)
{
    *ink = pair_join(pair);
    *paper = pair_join(pair);
    pair_connect(*ink);
    pair_connect(*paper);
    pair_settle(pair);
    pair_create(*ink, TEXT, "\"ab\"");
    pair_settle(pair);
    pair_expect(*ink, 1, "\"ab\"");
    pair_expect(*paper, 1, "\"ab\"");
}

static void what_is_not_there_is_waited_for(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(paper->n_snapshots, 1);
    assert_int_equal(paper->n_ops, 1);
    assert_int_equal(ink->n_acknowledged, 1);
    assert_int_equal(ink->n_ops, 0);
}

static void nothing_is_submitted_before_the_document_is_there(void **state)
{
    struct pair *pair = *state;
    struct end *ink = pair_join(pair);

    assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), CLIENT_NOT_LOADED);
    assert_int_equal(client_submit_delete(ink->doc), CLIENT_NOT_LOADED);
    pair_connect(ink);
    pair_settle(pair);
    assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), CLIENT_NOT_APPLIED);
    assert_int_equal(client_submit_delete(ink->doc), CLIENT_NOT_APPLIED);
    pair_expect(ink, 0, "none");
    assert_true(client_is_settled(ink->doc));
}

static void what_does_not_fit_is_not_submitted(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[9,\"x\"]"), CLIENT_NOT_APPLIED);
    assert_int_equal(pair_submit(ink, "json0", "[{\"p\":[],\"oi\":1}]"), CLIENT_NOT_APPLIED);
    assert_int_equal(client_submit_create(ink->doc, ot_type_find("json0", 5), NULL), CLIENT_NOT_APPLIED);
    assert_true(client_is_settled(ink->doc));
    pair_settle(pair);
    pair_expect(ink, 1, "\"ab\"");
}

static void what_is_typed_while_one_is_on_its_way_goes_as_one(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    for (int i = 0; i < 10; i++)
        assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), 0);
    pair_expect(ink, 1, "\"xxxxxxxxxxab\"");
    assert_false(client_is_settled(ink->doc));
    pair_settle(pair);
    assert_true(client_is_settled(ink->doc));
    pair_expect(ink, 3, "\"xxxxxxxxxxab\"");
    pair_expect(paper, 3, "\"xxxxxxxxxxab\"");
    assert_int_equal(paper->n_ops, 3);
}

static void two_at_one_place_end_with_the_same(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;
    char *one, *other;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[1,\"I\"]"), 0);
    assert_int_equal(pair_submit(paper, TEXT, "[1,\"P\"]"), 0);
    assert_int_equal(pair_submit(ink, TEXT, "[2,\"i\"]"), 0);
    assert_int_equal(pair_submit(paper, TEXT, "[2,\"p\"]"), 0);
    pair_settle(pair);
    one = pair_value(ink);
    other = pair_value(paper);
    assert_string_equal(one, other);
    assert_int_equal(strlen(one), 8);
    free(one);
    free(other);
}

/* ---- lines that break -------------------------------------------------------------------------------------------- */

static void an_operation_that_arrived_is_acknowledged_by_the_next_line(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[2,\"!\"]"), 0);
    assert_true(pair_step(ink, true)); /* it is committed; the acknowledgement is lost */
    pair_cut(ink);
    assert_int_equal(pair_submit(paper, TEXT, "[\">\"]"), 0);
    assert_int_equal(pair_submit(ink, TEXT, "[3,\"?\"]"), 0);
    pair_settle(pair);
    pair_expect(paper, 3, "\">ab!\"");
    pair_connect(ink);
    pair_settle(pair);
    pair_expect(ink, 4, "\">ab!?\"");
    pair_expect(paper, 4, "\">ab!?\"");
    assert_int_equal(ink->n_snapshots, 1);
    assert_int_equal(ink->n_refused, 0);
}

static void an_operation_that_was_lost_is_sent_again(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[2,\"!\"]"), 0);
    pair_cut(ink);
    pair_restart(pair);
    pair_connect(paper);
    pair_settle(pair);
    pair_expect(paper, 1, "\"ab\"");
    pair_connect(ink);
    pair_settle(pair);
    pair_expect(ink, 2, "\"ab!\"");
    pair_expect(paper, 2, "\"ab!\"");
}

/* The line breaks behind every single frame of a life in which both write: nothing is lost, nothing comes twice. */
static bool survives_a_cut_after(size_t n_frames)
{
    struct end *ink, *paper;
    struct pair *pair;
    void *made;
    size_t n = 0;

    assert_int_equal(pair_setup(&made), 0);
    pair = made;
    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[\"1\"]"), 0);
    assert_int_equal(pair_submit(paper, TEXT, "[2,\"3\"]"), 0);
    assert_int_equal(pair_submit(ink, TEXT, "[\"2\"]"), 0);
    while (n < n_frames && (pair_step(paper, true) || pair_step(ink, true) || pair_step(ink, false)))
        n++;
    pair_cut(ink);
    pair_connect(ink);
    pair_settle(pair);
    pair_expect(ink, 4, "\"21ab3\"");
    pair_expect(paper, 4, "\"21ab3\"");
    (void)pair_teardown(&made);
    return n == n_frames;
}

static void a_cut_after_any_frame_loses_nothing(void **state)
{
    size_t n = 0;

    (void)state;
    while (survives_a_cut_after(n))
        n++;
    assert_true(n >= 5);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void who_is_beaten_to_a_create_takes_what_is_there(void **state)
{
    struct pair *pair = *state;
    struct end *ink = pair_join(pair), *paper = pair_join(pair);

    pair_connect(ink);
    pair_connect(paper);
    pair_settle(pair);
    pair_create(ink, TEXT, "\"ink\"");
    pair_create(paper, TEXT, "\"paper\"");
    assert_int_equal(pair_submit(paper, TEXT, "[5,\"!\"]"), 0);
    pair_settle(pair);
    pair_expect(ink, 1, "\"ink\"");
    pair_expect(paper, 1, "\"ink\"");
    assert_string_equal(paper->code, "ERR_DOC_ALREADY_CREATED");
    assert_int_equal(paper->n_refused, 1);
    assert_int_equal(pair_submit(paper, TEXT, "[3,\"!\"]"), 0);
    pair_settle(pair);
    pair_expect(ink, 2, "\"ink!\"");
}

static void an_edit_of_what_was_deleted_is_forgotten(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(client_submit_delete(ink->doc), 0);
    assert_int_equal(pair_submit(paper, TEXT, "[\"x\"]"), 0);
    pair_settle(pair);
    pair_expect(ink, 2, "none");
    pair_expect(paper, 2, "none");
    assert_string_equal(paper->code, "ERR_DOC_WAS_DELETED");
    assert_int_equal(ink->n_refused, 0);
}

static void a_delete_settles_what_others_do_meanwhile(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(client_submit_delete(ink->doc), 0);
    pair_create(ink, "json0", "{\"n\":1}");
    assert_int_equal(pair_submit(paper, TEXT, "[\"x\"]"), 0);
    while (pair_step(paper, true)) /* first */
        ;
    pair_settle(pair);
    pair_expect(ink, 4, "{\"n\":1}");
    pair_expect(paper, 4, "{\"n\":1}");
    assert_int_equal(ink->n_refused + paper->n_refused, 0);
}

static void a_conflict_that_cannot_be_resolved_is_refused(void **state)
{
    struct pair *pair = *state;
    struct end *ink = pair_join(pair), *paper = pair_join(pair);

    pair_connect(ink);
    pair_connect(paper);
    pair_settle(pair);
    pair_create(ink, "json1", "{}");
    pair_settle(pair);
    assert_int_equal(pair_submit(ink, "json1", "[\"k\",{\"i\":1}]"), 0);
    assert_int_equal(pair_submit(paper, "json1", "[\"k\",{\"i\":2}]"), 0);
    pair_settle(pair);
    pair_expect(ink, 2, "{\"k\":1}");
    pair_expect(paper, 2, "{\"k\":1}");
    assert_string_equal(paper->code, "ERR_OT_TRANSFORM_CONFLICT");
    assert_true(client_is_settled(paper->doc));
}

static void a_document_that_may_not_be_read_is_told(void **state)
{
    struct pair *pair = *state;
    struct end *ink = pair_follow(pair, 7);

    pair_connect(ink);
    pair_settle(pair);
    assert_string_equal(ink->code, "ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT");
    assert_int_equal(ink->n_refused, 1);
}

/* ---- operations only --------------------------------------------------------------------------------------------- */

static void operations_are_followed_from_any_version_over_cuts(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper, *reader, *late;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), 0);
    pair_settle(pair);
    reader = pair_follow(pair, 0);
    late = pair_follow(pair, CLIENT_NOW);
    pair_connect(reader);
    pair_connect(late);
    pair_settle(pair);
    assert_int_equal(reader->n_ops, 2);
    assert_int_equal(late->n_ops, 0);
    assert_int_equal(late->n_snapshots, 1);
    pair_cut(reader);
    assert_int_equal(pair_submit(ink, TEXT, "[\"y\"]"), 0);
    pair_settle(pair);
    assert_int_equal(reader->n_ops, 2);
    assert_int_equal(late->n_ops, 1);
    pair_connect(reader);
    pair_settle(pair);
    assert_int_equal(reader->n_ops, 3);
    assert_null(client_value(reader->doc));
}

/* ---- frames that don't belong ------------------------------------------------------------------------------------ */

static void a_gap_is_filled(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), 0);
    while (pair_step(ink, true) || pair_step(ink, false))
        ;
    assert_int_equal(pair_submit(ink, TEXT, "[\"y\"]"), 0);
    while (pair_step(ink, true))
        ;
    pair_inject(paper, "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":9,\"src\":\"who\",\"seq\":1,\"op\":[\"z\"]}");
    pair_settle(pair);
    pair_expect(paper, 3, "\"yxab\"");
    pair_inject(paper, "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"src\":\"who\",\"seq\":1,\"op\":[\"z\"]}");
    pair_expect(paper, 3, "\"yxab\"");
    assert_int_equal(paper->n_bad, 0);
}

static void what_no_server_says_cuts_the_line_and_harms_nothing(void **state)
{
    static const char *const frames[] = {
        "",
        "[]",
        "no JSON",
        "{\"a\":\"init\",\"protocol\":2,\"id\":\"x\"}",
        "{\"a\":\"init\",\"protocol\":1,\"id\":\"\"}",
        "{\"a\":\"hs\",\"protocol\":1,\"id\":\"again\"}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"op\":[]}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"op\":[99,\"x\"]}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"op\":{\"x\":1}}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"op\":[\"\\ud800\"]}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"create\":{\"type\":\"text-unicode\"}}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"create\":{\"type\":\"none such\"}}",
        "{\"a\":\"op\",\"c\":\"c\",\"d\":\"d\",\"v\":1,\"create\":7}",
        "{\"a\":\"f\",\"c\":\"c\",\"d\":\"d\",\"data\":{}}",
    };
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        pair_inject(ink, frames[i]);
        if (ink->n_bad != i + 1)
            fail_msg("taken: %s", frames[i]);
        pair_connect(ink);
        pair_settle(pair);
        pair_expect(ink, 1, "\"ab\"");
    }
    pair_inject(ink, "{\"a\":\"q\",\"id\":1}");
    pair_inject(ink, "{\"a\":\"op\",\"c\":\"other\",\"d\":\"d\",\"v\":1,\"op\":7}");
    assert_int_equal(ink->n_bad, sizeof(frames) / sizeof(frames[0]));
    assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), 0);
    pair_settle(pair);
    pair_expect(paper, 2, "\"xab\"");
}

static void a_closed_document_hears_nothing_more(void **state)
{
    struct pair *pair = *state;
    struct end *ink, *paper;

    two_with_text(pair, &ink, &paper);
    assert_int_equal(pair_submit(ink, TEXT, "[\"x\"]"), 0);
    client_close(paper->doc);
    pair_settle(pair);
    assert_int_equal(paper->n_ops, 1);
    assert_int_equal(paper->n_bad, 0);
    pair_expect(ink, 2, "\"xab\"");
}

/* ---- chance ------------------------------------------------------------------------------------------------------ */

struct kind {
    const char *type, *data;
    const char *ops[4];
};

/* For any document that these lead to, since nothing in them reaches beyond what is always there. */
static const struct kind kinds[] = {
    { "text-unicode", "\"....\"", { "[\"a\"]", "[2,\"b\"]", "[4,\"cd\"]", "[1,\"\xf0\x9f\x98\x80\"]" } },
    { "rich-text",
      "[{\"insert\":\"....\"}]",
      { "[{\"insert\":\"a\"}]", "[{\"retain\":2,\"attributes\":{\"bold\":true}}]",
        "[{\"retain\":3},{\"insert\":{\"i\":1}}]", "[{\"retain\":1},{\"insert\":\"b\",\"attributes\":{\"em\":1}}]" } },
    { "json0",
      "{\"n\":0,\"l\":[],\"k\":0,\"t\":\"\"}",
      { "[{\"p\":[\"n\"],\"na\":1}]", "[{\"p\":[\"l\",0],\"li\":\"x\"}]", "[{\"p\":[\"k\"],\"od\":0,\"oi\":{\"a\":2}}]",
        "[{\"p\":[\"t\",0],\"si\":\"y\"}]" } },
    { "json1",
      "{\"n\":0,\"t\":\"\",\"l\":[]}",
      { "[\"n\",{\"ena\":1}]", "[\"l\",0,{\"i\":7}]", "[\"t\",{\"es\":[\"x\"]}]", "[\"n\",{\"ena\":2}]" } },
};

static void random_life(const struct kind *kind, uint64_t seed)
{
    struct sim_random random = { seed };
    struct end *ends[3];
    struct pair *pair;
    char *first;
    void *made;

    assert_int_equal(pair_setup(&made), 0);
    pair = made;
    for (size_t i = 0; i < 3; i++) {
        ends[i] = pair_join(pair);
        pair_connect(ends[i]);
        pair_settle(pair);
    }
    pair_create(ends[0], kind->type, kind->data);
    pair_settle(pair);
    for (size_t i = 0; i < 300; i++) {
        struct end *end = ends[sim_random_below(&random, 3)];

        if (sim_random_chance(&random, 300) && pair_submit(end, kind->type, kind->ops[sim_random_below(&random, 4)]))
            fail_msg("seed %llu, %s: not submitted after %s", (unsigned long long)seed, kind->type, end->code);
        if (sim_random_chance(&random, 30))
            pair_cut(end);
        else if (sim_random_chance(&random, 3))
            pair_restart(pair);
        else if (!end->session)
            pair_connect(end);
        else
            (void)pair_step(end, sim_random_chance(&random, 500));
    }
    for (size_t i = 0; i < 3; i++)
        if (!ends[i]->session)
            pair_connect(ends[i]);
    pair_settle(pair);
    first = pair_value(ends[0]);
    for (size_t i = 1; i < 3; i++) {
        char *other = pair_value(ends[i]);

        if (strcmp(first, other) != 0)
            fail_msg("seed %llu, %s: %s and %s", (unsigned long long)seed, kind->type, first, other);
        free(other);
        assert_true(client_is_settled(ends[i]->doc));
        if (ends[i]->n_refused + ends[i]->n_bad)
            fail_msg("seed %llu, %s: %zu refused, the last with %s; %zu bad frames", (unsigned long long)seed,
                     kind->type, ends[i]->n_refused, ends[i]->code, ends[i]->n_bad);
        assert_int_equal(ends[i]->n_snapshots, 1);
    }
    free(first);
    (void)pair_teardown(&made);
}

static void clients_end_with_the_same_whatever_happens(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        for (uint64_t seed = 1; seed <= 40; seed++)
            random_life(&kinds[k], seed);
}

/* What clients do to one another when they delete, create, and write to one place: some are refused, all go on. */
static size_t random_quarrel(uint64_t seed)
{
    static const char *const ops[] = { "[\"k\",{\"i\":1}]", "[\"k\",{\"r\":true}]", "[\"k\",{\"r\":true,\"i\":{}}]",
                                       "[\"n\",{\"ena\":1}]" };
    struct sim_random random = { seed };
    struct end *ends[4]; /* the last comes when all is over */
    struct pair *pair;
    size_t n_refused = 0;
    void *made;

    assert_int_equal(pair_setup(&made), 0);
    pair = made;
    for (size_t i = 0; i < 4; i++)
        ends[i] = pair_join(pair);
    for (size_t i = 0; i < 400; i++) {
        struct end *end = ends[sim_random_below(&random, 3)];
        uint64_t version;

        if (sim_random_chance(&random, 30))
            pair_cut(end);
        else if (!end->session)
            pair_connect(end);
        else if (sim_random_chance(&random, 30) && client_value(end->doc))
            assert_int_equal(client_submit_delete(end->doc), 0);
        else if (sim_random_chance(&random, 200) && client_version(end->doc, &version) && !client_value(end->doc))
            pair_create(end, "json1", "{\"n\":0}");
        else if (sim_random_chance(&random, 300))
            assert_true(pair_submit(end, "json1", ops[sim_random_below(&random, 4)]) >= 0);
        else
            (void)pair_step(end, sim_random_chance(&random, 500));
    }
    for (size_t i = 0; i < 4; i++)
        if (!ends[i]->session)
            pair_connect(ends[i]);
    pair_settle(pair);
    for (size_t i = 0; i < 4; i++) {
        char *one = pair_value(ends[0]), *other = pair_value(ends[i]);

        if (strcmp(one, other) != 0 || ends[i]->n_bad || !client_is_settled(ends[i]->doc))
            fail_msg("seed %llu: %s and %s; %zu bad frames", (unsigned long long)seed, one, other, ends[i]->n_bad);
        n_refused += ends[i]->n_refused;
        free(one);
        free(other);
    }
    (void)pair_teardown(&made);
    return n_refused;
}

static void clients_who_are_refused_end_with_the_same(void **state)
{
    size_t n_refused = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        n_refused += random_quarrel(seed);
    assert_true(n_refused > 200);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* A client is only told that something was submitted when it will be, and once. */
static bool lives_through(size_t n, enum alloc_fault_kind fault)
{
    struct end *ink, *paper;
    struct pair *pair;
    void *made;
    char *text, *other;
    size_t n_submitted = 0;
    bool met;

    assert_int_equal(pair_setup(&made), 0);
    pair = made;
    two_with_text(pair, &ink, &paper);
    alloc_fault_arm(n, fault);
    for (int i = 0; i < 4; i++) {
        n_submitted += pair_submit(ink, TEXT, "[1,\"i\"]") == 0;
        n_submitted += pair_submit(paper, TEXT, "[1,\"p\"]") == 0;
        (void)pair_step(paper, true);
        (void)pair_step(ink, true);
        (void)pair_step(paper, false);
        (void)pair_step(ink, false);
    }
    pair_settle(pair);
    met = alloc_fault_disarm();
    pair_cut(ink);
    pair_cut(paper);
    pair_connect(ink);
    pair_connect(paper);
    pair_settle(pair);
    text = pair_value(ink);
    other = pair_value(paper);
    assert_string_equal(text, other);
    assert_int_equal(strlen(text), 4 + n_submitted);
    assert_int_equal(ink->n_snapshots + ink->n_refused, 1);
    free(text);
    free(other);
    (void)pair_teardown(&made);
    return met;
}

static void every_allocation_fails_once(void **state)
{
    size_t n = 0;

    (void)state;
    while (lives_through(n, ALLOC_FAULT_ONCE))
        n++;
    assert_true(n > 20);
}

static void every_allocation_fails_from_then_on(void **state)
{
    size_t n = 0;

    (void)state;
    while (lives_through(n, ALLOC_FAULT_FROM_THEN_ON))
        n++;
    assert_true(n > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_there_is_waited_for),
        TEST(nothing_is_submitted_before_the_document_is_there),
        TEST(what_does_not_fit_is_not_submitted),
        TEST(what_is_typed_while_one_is_on_its_way_goes_as_one),
        TEST(two_at_one_place_end_with_the_same),
        TEST(an_operation_that_arrived_is_acknowledged_by_the_next_line),
        TEST(an_operation_that_was_lost_is_sent_again),
        cmocka_unit_test(a_cut_after_any_frame_loses_nothing),
        TEST(who_is_beaten_to_a_create_takes_what_is_there),
        TEST(an_edit_of_what_was_deleted_is_forgotten),
        TEST(a_delete_settles_what_others_do_meanwhile),
        TEST(a_conflict_that_cannot_be_resolved_is_refused),
        TEST(a_document_that_may_not_be_read_is_told),
        TEST(operations_are_followed_from_any_version_over_cuts),
        TEST(a_gap_is_filled),
        TEST(what_no_server_says_cuts_the_line_and_harms_nothing),
        TEST(a_closed_document_hears_nothing_more),
        cmocka_unit_test(clients_end_with_the_same_whatever_happens),
        cmocka_unit_test(clients_who_are_refused_end_with_the_same),
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(every_allocation_fails_from_then_on),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
