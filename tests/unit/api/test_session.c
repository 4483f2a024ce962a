/* What is no page to read: large and deep frames, back-pressure, limits, and every allocation failed in turn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/alloc_fault.h"
#include "tests/unit/api/conversation.h"

static char *repeated(const char *before, const char *piece, size_t n, const char *after)
{
    size_t n_piece = strlen(piece), n_before = strlen(before);
    char *text = sim_alloc(n_before + n * n_piece + strlen(after) + 1);

    memcpy(text, before, n_before);
    for (size_t i = 0; i < n; i++)
        memcpy(text + n_before + i * n_piece, piece, n_piece);
    memcpy(text + n_before + n * n_piece, after, strlen(after));
    return text;
}

static void say_text(struct conversation *conversation, const char *name, char *text)
{
    say(conversation, name, text, strlen(text));
    free(text);
}

static void an_operation_of_20000_nested_lists_is_over_the_limit(void **state)
{
    struct conversation *conversation = *state;
    char *open = repeated("{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"op\":", "[", 20000, "");
    char *closed = repeated(open, "]", 20000, "}");

    free(open);
    say_text(conversation, "one", closed);
    converse(conversation, "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,"
                           "\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\",\"message\":\"*\"}}\n"
                           "one > {\"a\":\"pp\"}\n"
                           "one < {\"a\":\"pp\"}\n");
}

static void a_text_of_one_mebibyte_passes(void **state)
{
    struct conversation *conversation = *state;

    say_text(
        conversation, "one",
        repeated(
            "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\",\"data\":\"",
            "x", 1 << 20, "\"}}"));
    converse(conversation, "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"src\":\"$one\",\"seq\":1}\n");
}

static void large_fields_are_not_echoed(void **state)
{
    struct conversation *conversation = *state;

    say_text(conversation, "one",
             repeated("{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"x\":{\"small\":1},\"op\":[\"", "x",
                      2000, "\"]}"));
    converse(conversation, "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"x\":{\"small\":1},"
                           "\"error\":{\"code\":\"ERR_DOC_DOES_NOT_EXIST\",\"message\":\"*\"}}\n");
}

static void a_document_beyond_its_limit_is_refused(void **state)
{
    struct conversation *conversation = *state;

    conversation->config.limits.max_document_bytes = 100;
    conversation_restart(conversation);
    say_text(
        conversation, "one",
        repeated(
            "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\",\"data\":\"",
            "x", 100, "\"}}"));
    converse(conversation, "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"src\":\"$one\",\"seq\":1}\n"
                           "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":2,\"op\":[\"y\"]}\n"
                           "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":2,\"op\":[\"y\"],"
                           "\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\",\"message\":\"*\"}}\n");
}

static void names_of_128_bytes_pass_and_of_129_do_not(void **state)
{
    struct conversation *conversation = *state;
    char *name = repeated("", "x", 128, "");

    say_text(conversation, "one", repeated("{\"a\":\"f\",\"c\":\"n\",\"d\":\"", name, 1, "\"}"));
    say_text(conversation, "one", repeated("{\"a\":\"f\",\"c\":\"n\",\"d\":\"x", name, 1, "\"}"));
    say_text(conversation, "one", repeated("{\"a\":\"f\",\"d\":\"n\",\"c\":\"x", name, 1, "\"}"));
    free(name);
    converse(conversation,
             "one < {\"a\":\"f\",\"c\":\"n\",\"d\":\"*\",\"error\":{\"code\":\"ERR_MESSAGE_BADLY_FORMED\","
             "\"message\":\"Invalid id\"}}\n"
             "one < {\"a\":\"f\",\"c\":\"*\",\"d\":\"n\",\"error\":{\"code\":\"ERR_MESSAGE_BADLY_FORMED\","
             "\"message\":\"Invalid collection\"}}\n"
             "one < {\"a\":\"f\",\"c\":\"n\",\"d\":\"*\",\"data\":{\"v\":0,\"type\":null}}\n");
}

static void reading_pauses_when_too_much_is_unanswered(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.n_unanswered = 4;
    converse(conversation,
             "disk ! hold\n"
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\"}}\n"
             "one > {\"a\":\"f\",\"c\":\"n\",\"d\":\"a\"}\n"
             "one > {\"a\":\"pp\"}\n"
             "one < not paused\n"
             "one > {\"a\":\"pp\"}\n"
             "one < paused\n"
             "disk ! release\n"
             "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"src\":\"$one\",\"seq\":1}\n"
             "one < ...\n"
             "one < not paused\n");
}

/* What waits for one disk is answered at once when the disk goes on. */
static void reading_pauses_when_many_documents_are_waited_for(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.n_snapshots = 2;
    converse(conversation,
             "disk ! hold\n"
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\"}}\n"
             "one > {\"a\":\"f\",\"c\":\"n\",\"d\":\"a\",\"v\":0}\n"
             "one > {\"a\":\"f\",\"c\":\"n\",\"d\":\"a\"}\n"
             "one < not paused\n"
             "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}\n"
             "one < paused\n"
             "disk ! release\n"
             "one < ...\n"
             "one < not paused\n"
             "one > {\"a\":\"pp\"}\n"
             "one < {\"a\":\"pp\"}\n");
}

/* A list is as large as what it names, and its answer may be as large as so many. */
static void reading_pauses_for_the_documents_of_a_list(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.n_snapshots = 2;
    converse(conversation,
             "disk ! hold\n"
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\"}}\n"
             "one > {\"a\":\"bf\",\"c\":\"n\",\"b\":{\"a\":0}}\n"
             "one > {\"a\":\"bu\",\"c\":\"n\",\"b\":[\"a\",\"b\"]}\n"
             "one > {\"a\":\"bf\",\"c\":\"n\",\"b\":[\"a\"]}\n"
             "one < not paused\n"
             "one > {\"a\":\"bs\",\"c\":\"n\",\"b\":[\"a\"]}\n"
             "one < paused\n"
             "two > {\"a\":\"bf\",\"c\":\"n\",\"b\":[\"a\",\"b\"]}\n"
             "two < paused\n"
             "disk ! release\n"
             "one < ...\n"
             "one < not paused\n"
             "two < {\"a\":\"bf\",\"c\":\"n\",\"data\":{\"a\":{\"v\":1,\"data\":\"\",\"type\":\"*\"},"
             "\"b\":{\"v\":0,\"type\":null}}}\n"
             "two < not paused\n");
}

static void subscriptions_have_a_ceiling(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.n_subscriptions = 2;
    converse(
        conversation,
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"b\"}\n"
        "one < ...\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\"}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\",\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\",\"message\":\"*\"}}\n"
        "one > {\"a\":\"u\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one < {\"a\":\"u\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\"}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\",\"data\":{\"v\":0,\"type\":null}}\n");
}

/* Those that are asked for count as well, or a client that does not wait for answers could have any number. */
static void subscriptions_have_a_ceiling_before_they_are_answered(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.n_subscriptions = 2;
    converse(
        conversation,
        "disk ! hold\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"b\"}\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\"}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\",\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\",\"message\":\"*\"}}\n"
        "disk ! release\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\",\"data\":{\"v\":0,\"type\":null}}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"b\",\"data\":{\"v\":0,\"type\":null}}\n"
        "one > {\"a\":\"u\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one < {\"a\":\"u\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\"}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"c\",\"data\":{\"v\":0,\"type\":null}}\n");
}

static void bulk_requests_have_a_ceiling(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.n_bulk = 2;
    converse(conversation, "one > {\"a\":\"bf\",\"c\":\"n\",\"b\":[\"a\",\"b\",\"c\"]}\n"
                           "one < "
                           "{\"a\":\"bf\",\"c\":\"n\",\"b\":[\"a\",\"b\",\"c\"],\"error\":{\"code\":\"ERR_LIMIT_"
                           "EXCEEDED\",\"message\":\"*\"}}\n");
}

static void a_subscription_to_many_documents_is_served_and_ends_clean(void **state)
{
    struct conversation *conversation = *state;
    struct hub_figures figures;

    conversation->config.n_idle_max = 0;
    conversation_restart(conversation);
    for (int i = 0; i < 300; i++) {
        char text[64];

        say(conversation, "one", text,
            (size_t)snprintf(text, sizeof(text), "{\"a\":\"s\",\"c\":\"n\",\"d\":\"doc%d\"}", i));
    }
    store_sim_settle(conversation->store);
    assert_int_equal(count_unread(conversation, "one"), 300);
    converse(conversation, "one < ...\none ! end\n");
    store_sim_settle(conversation->store);
    hub_figures(conversation->hub, &figures);
    assert_int_equal(figures.n_documents, 0);
}

/* Where control characters make six bytes of one, a document within its limit may be larger than any frame. The line
 * stays: its client would come again and ask for the same. */
static void a_document_that_is_too_large_to_be_sent_is_refused(void **state)
{
    struct conversation *conversation = *state;

    conversation->context.limits.snapshot_max_bytes = 1000;
    say_text(conversation, "two",
             repeated("{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\","
                      "\"data\":\"",
                      "\\u0001", 200, "\"}}"));
    converse(
        conversation,
        "two < ...\n"
        "one > {\"a\":\"f\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one < {\"a\":\"f\",\"c\":\"n\",\"d\":\"a\",\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\",\"message\":\"*\"}}\n"
        "one > {\"a\":\"nf\",\"id\":1,\"c\":\"n\",\"d\":\"a\",\"v\":1}\n"
        "one < {\"a\":\"nf\",\"id\":1,\"c\":\"n\",\"d\":\"a\",\"v\":1,\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\","
        "\"message\":\"*\"}}\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\",\"error\":{\"code\":\"ERR_LIMIT_EXCEEDED\",\"message\":\"*\"}}\n"
        "two > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":2,\"op\":[{\"d\":200}]}\n"
        "two < ...\n"
        "one < nothing\n"
        "one > {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}\n"
        "one < {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\",\"data\":{\"v\":2,\"data\":\"\",\"type\":\"*\"}}\n"
        "two > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":2,\"seq\":3,\"op\":[\"x\"]}\n"
        "two < ...\n"
        "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":2,\"src\":\"$two\",\"seq\":3,\"op\":[\"x\"]}\n");
}

/* ---- presence that is late --------------------------------------------------------------------------------------- */

/* A text with that many edits, of which memory keeps the last one only. */
static void given_edits(struct conversation *conversation, unsigned n)
{
    char frame[128];

    conversation->config.recent_max_bytes = conversation->config.slice_bytes = 1;
    conversation_restart(conversation);
    converse(conversation, "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,"
                           "\"create\":{\"type\":\"text-unicode\"}}\none < ...\n");
    for (unsigned v = 1; v <= n; v++) {
        int n_bytes = snprintf(frame, sizeof(frame),
                               "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":%u,\"seq\":%u,\"op\":[\"x\"]}", v, v + 1);

        say(conversation, "one", frame, (size_t)n_bytes);
    }
    converse(conversation, "one < ...\n");
}

static void presence_from_far_behind_is_refused_without_reading(void **state)
{
    struct conversation *conversation = *state;

    given_edits(conversation, 1001);
    store_sim_hold(conversation->store, SIM_READ);
    converse(conversation, "two > "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":1,\"p\":1,\"c\":\"n\",\"d\":\"a\",\"v\":1,"
                           "\"t\":\"text-unicode\"}\n"
                           "two < "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":1,\"p\":1,\"c\":\"n\",\"d\":\"a\",\"v\":1,"
                           "\"t\":\"text-unicode\","
                           "\"error\":{\"code\":\"ERR_PRESENCE_TRANSFORM_FAILED\",\"message\":\"*\"}}\n"
                           "two > "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":2,\"p\":null,\"c\":\"n\",\"d\":\"a\",\"v\":"
                           "1,\"t\":\"text-unicode\"}\n"
                           "two < "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"src\":\"$two\",\"id\":\"x\",\"pv\":2,\"p\":null,\"c\":\"n\","
                           "\"d\":\"a\",\"v\":1002,"
                           "\"t\":\"*\"}\n"
                           "two > "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":3,\"p\":null,\"c\":\"n\",\"d\":\"a\",\"v\":"
                           "1003,\"t\":\"text-unicode\"}\n"
                           "two < "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":3,\"p\":null,\"c\":\"n\",\"d\":\"a\",\"v\":"
                           "1003,\"t\":\"text-unicode\","
                           "\"error\":{\"code\":\"ERR_OP_VERSION_NEWER_THAN_CURRENT_SNAPSHOT\",\"message\":\"*\"}}\n");
    store_sim_hold(conversation->store, 0);
    converse(conversation, "two > "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":4,\"p\":1,\"c\":\"n\",\"d\":\"a\",\"v\":2,"
                           "\"t\":\"text-unicode\"}\n"
                           "two < "
                           "{\"a\":\"p\",\"ch\":\"n.a\",\"src\":\"$two\",\"id\":\"x\",\"pv\":4,\"p\":1001,\"c\":\"n\","
                           "\"d\":\"a\",\"v\":1002,"
                           "\"t\":\"*\"}\n");
}

/* A slice is one operation here: the first read brings the deletion, and a second would fail. */
static void presence_whose_outcome_is_certain_reads_no_further(void **state)
{
    struct conversation *conversation = *state;

    given_edits(conversation, 3);
    converse(conversation,
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":4,\"seq\":5,\"del\":true}\n"
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":5,\"seq\":6,\"create\":{\"type\":\"text-unicode\"}}\n"
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":6,\"seq\":7,\"op\":[\"x\"]}\n"
             "one < ...\n");
    store_sim_fault(conversation->store,
                    &(struct sim_fault){ .calls = SIM_READ, .n_pass = 1, .n_strikes = SIZE_MAX, .r = -EIO });
    converse(
        conversation,
        "two > "
        "{\"a\":\"p\",\"ch\":\"n.a\",\"id\":\"x\",\"pv\":1,\"p\":1,\"c\":\"n\",\"d\":\"a\",\"v\":4,\"t\":\"text-"
        "unicode\"}\n"
        "two < "
        "{\"a\":\"p\",\"ch\":\"n.a\",\"src\":\"$two\",\"id\":\"x\",\"pv\":1,\"p\":null,\"c\":\"n\",\"d\":\"a\",\"v\":7,"
        "\"t\":\"*\"}\n");
}

/* Cut anywhere, a frame is an error or a smaller frame, never a read beyond its end. */
static void a_frame_cut_anywhere_hurts_nobody(void **state)
{
    struct conversation *conversation = *state;
    static const char frame[] =
        "{\"a\":\"op\",\"c\":\"n\",\"d\":\"\\u00e9\",\"v\":null,\"src\":null,\"seq\":1,\"x\":{},\"create\":"
        "{\"type\":\"text-unicode\",\"data\":\"\\ud83d\\ude00\xc3\xa9\"}}";

    for (size_t n = 0; n < sizeof(frame) - 1; n++) {
        say(conversation, "one", frame, n);
        converse(conversation, "one < {\"error\":{\"code\":\"ERR_MESSAGE_BADLY_FORMED\",\"message\":\"*\"}}\n"
                               "one < closed 1007\n");
    }
    say(conversation, "one", frame, sizeof(frame) - 1);
    converse(conversation, "one < {\"a\":\"op\",\"c\":\"n\",\"d\":\"\xc3\xa9\",\"v\":0,\"src\":\"$one\",\"seq\":1}\n");
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

/* The store looks, then an operation is committed and told, and only then its answer comes. */
static void a_list_that_is_older_than_the_news_hides_no_operation(void **state)
{
    static const char op[] = "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":2,\"op\":[\"x\"]}";
    static const char query[] = "{\"a\":\"qs\",\"id\":1,\"c\":\"n\",\"r\":[[\"a\",1]]}";
    struct conversation *conversation = *state;

    converse(conversation,
             "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\"}}\n"
             "one < ...\ntwo ! connect\ntwo < ...\ndisk ! hold\n");
    say(conversation, "one", op, strlen(op));
    say(conversation, "two", query, strlen(query));
    assert_true(store_sim_step(conversation->store));
    converse(conversation,
             "disk ! release\none < ...\n"
             "two < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"src\":\"$one\",\"seq\":2,\"op\":[\"x\"]}\n"
             "two < {\"a\":\"qs\",\"id\":1}\n");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static const char *const life[] = {
    "{\"a\":\"hs\",\"id\":null,\"protocol\":1,\"protocolMinor\":2}",
    "{\"a\":\"bs\",\"c\":\"n\",\"b\":[\"a\",\"b\"]}",
    "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\"}}",
    "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":2,\"op\":[\"x\"]}",
    "{\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":3,\"op\":[7,\"x\"]}",
    "{\"a\":\"f\",\"c\":\"n\",\"d\":\"a\",\"v\":0}",
    "{\"a\":\"pp\"}",
    "{\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}",
    "{\"a\":\"u\",\"c\":\"n\",\"d\":\"b\"}",
    "{\"a\":\"f\",\"c\":\"n\"}",
    "{\"a\":\"qs\",\"id\":1,\"c\":\"n\"}",
    "{\"a\":\"op\",\"c\":\"n\",\"d\":\"b\",\"v\":0,\"seq\":4,\"create\":{\"type\":\"text-unicode\"}}",
    "{\"a\":\"qs\",\"id\":2,\"c\":\"n\",\"r\":[[\"a\",1],[\"b\",null],[\"none\",null]]}",
    "{\"a\":\"op\",\"c\":\"n\",\"d\":\"b\",\"v\":1,\"seq\":5,\"del\":true}",
    "{\"a\":\"qu\",\"id\":1}",
    "{\"a\":\"qf\",\"id\":3,\"c\":\"n\"}",
};

/* Whoever is closed is gone; who comes after him finds a server that works, and his operation once or not at all. */
static bool lives_through(size_t n, enum alloc_fault_kind kind)
{
    struct conversation *conversation;
    void *made;
    bool met;

    assert_int_equal(conversation_setup(&made), 0);
    conversation = made;
    converse(conversation,
             "one ! connect\none < ...\ntwo ! connect\ntwo > {\"a\":\"s\",\"c\":\"n\",\"d\":\"a\"}\ntwo < ...\n");
    alloc_fault_arm(n, kind);
    for (size_t i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
        say(conversation, "one", life[i], strlen(life[i]));
        store_sim_settle(conversation->store);
    }
    met = alloc_fault_disarm();
    skip_unread(conversation, "one");
    skip_unread(conversation, "two");
    converse(conversation,
             "one ! end\ntwo ! end\n"
             "three > {\"a\":\"op\",\"c\":\"n\",\"d\":\"z\",\"v\":0,\"seq\":1,\"create\":{\"type\":\"text-unicode\"}}\n"
             "three < {\"a\":\"op\",\"c\":\"n\",\"d\":\"z\",\"v\":0,\"src\":\"$three\",\"seq\":1}\n");
    (void)conversation_teardown(&made);
    return met;
}

static void every_allocation_fails_once(void **state)
{
    size_t n = 0;

    while (lives_through(n, ALLOC_FAULT_ONCE))
        n++;
    assert_true(n > 20);
}

static void every_allocation_fails_from_then_on(void **state)
{
    size_t n = 0;

    while (lives_through(n, ALLOC_FAULT_FROM_THEN_ON))
        n++;
    assert_true(n > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, conversation_setup, conversation_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_operation_of_20000_nested_lists_is_over_the_limit),
        TEST(a_text_of_one_mebibyte_passes),
        TEST(large_fields_are_not_echoed),
        TEST(a_document_beyond_its_limit_is_refused),
        TEST(names_of_128_bytes_pass_and_of_129_do_not),
        TEST(reading_pauses_when_too_much_is_unanswered),
        TEST(reading_pauses_when_many_documents_are_waited_for),
        TEST(reading_pauses_for_the_documents_of_a_list),
        TEST(subscriptions_have_a_ceiling),
        TEST(subscriptions_have_a_ceiling_before_they_are_answered),
        TEST(bulk_requests_have_a_ceiling),
        TEST(a_subscription_to_many_documents_is_served_and_ends_clean),
        TEST(a_document_that_is_too_large_to_be_sent_is_refused),
        TEST(presence_from_far_behind_is_refused_without_reading),
        TEST(presence_whose_outcome_is_certain_reads_no_further),
        TEST(a_frame_cut_anywhere_hurts_nobody),
        TEST(a_list_that_is_older_than_the_news_hides_no_operation),
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(every_allocation_fails_from_then_on),
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
