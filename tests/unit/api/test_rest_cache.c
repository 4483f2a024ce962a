/* Bodies that are given again: found by version and form, bounded, gone with their documents. */
#include <sched.h>
#include <stdio.h>

#include "api/gzip.h"
#include "api/rest.h"
#include "api/rest_cache.h"
#include "base/helper.h"
#include "tests/unit/api/conversation.h"

#define ROOM_BYTES 4000

static const char text, json; /* stand for representations */
static const struct rest_form as_text = { &text, false }, as_gzip = { &text, true }, as_json = { &json, false };

struct fixture {
    struct hub *hub; /* without a store: its documents are never read */
    struct rest_cache *cache;
    struct document *document;
};

static struct document *document_of(struct fixture *f, const char *id)
{
    struct document *document;

    assert_int_equal(hub_document(f->hub, (struct store_name){ bytes_of_string("c"), bytes_of_string(id) }, &document),
                     0);
    return document;
}

static int setup(void **state)
{
    static struct fixture f;
    struct hub_config config = hub_defaults;

    config.n_idle_max = 0;
    assert_int_equal(hub_create(&config, &f.hub), 0);
    assert_int_equal(rest_cache_create(ROOM_BYTES, &f.cache), 0);
    f.document = document_of(&f, "a");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    document_unref(f->document);
    hub_destroy(f->hub);
    rest_cache_destroy(f->cache);
    return 0;
}

/* A body of that many bytes, kept; the frame is the cache's alone. */
static void keep(struct fixture *f, struct document *document, uint64_t version, struct rest_form form, size_t n_bytes)
{
    char content[2 * ROOM_BYTES] = { 0 };
    struct frame *frame = frame_create(bytes_of(content, n_bytes));

    assert_non_null(frame);
    rest_cache_keep(f->cache, document, version, form, (struct rest_body){ frame, form.takes_gzip });
    frame_unref(frame);
}

/* How many bytes it has; -1: it is not there. */
static int found(struct fixture *f, struct document *document, uint64_t version, struct rest_form form)
{
    struct rest_body body = rest_cache_find(f->cache, document, version, form);

    assert_int_equal(body.is_gzip, body.frame && form.takes_gzip);
    return body.frame ? (int)body.frame->n_bytes : -1;
}

static void an_answer_is_found_by_version_and_form(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(found(f, f->document, 0, as_text), -1);
    keep(f, f->document, 3, as_text, 10);
    keep(f, f->document, 3, as_gzip, 11);
    assert_int_equal(found(f, f->document, 3, as_text), 10);
    assert_int_equal(found(f, f->document, 3, as_gzip), 11);
    assert_int_equal(found(f, f->document, 3, as_json), -1);
    assert_int_equal(found(f, f->document, 2, as_text), -1);
    assert_int_equal(found(f, f->document, 4, as_text), -1);
}

static void a_newer_version_takes_the_place_of_the_older(void **state)
{
    struct fixture *f = *state;

    keep(f, f->document, 3, as_text, 10);
    keep(f, f->document, 4, as_json, 12);
    assert_int_equal(found(f, f->document, 3, as_text), -1);
    assert_int_equal(found(f, f->document, 4, as_text), -1);
    assert_int_equal(found(f, f->document, 4, as_json), 12);
    keep(f, f->document, 3, as_text, 10); /* who was slow */
    assert_int_equal(found(f, f->document, 3, as_text), -1);
    assert_int_equal(found(f, f->document, 4, as_json), 12);
}

static void what_was_used_longest_ago_makes_room(void **state)
{
    struct fixture *f = *state;
    struct document *other = document_of(f, "b");

    keep(f, f->document, 1, as_text, 1200);
    keep(f, f->document, 1, as_json, 1200);
    assert_int_equal(found(f, f->document, 1, as_text), 1200);
    keep(f, other, 7, as_text, 1500);
    assert_int_equal(found(f, f->document, 1, as_json), -1);
    assert_int_equal(found(f, f->document, 1, as_text), 1200);
    assert_int_equal(found(f, other, 7, as_text), 1500);
    document_unref(other);
}

static void what_is_larger_than_the_room_is_not_kept(void **state)
{
    struct fixture *f = *state;

    keep(f, f->document, 1, as_text, 10);
    keep(f, f->document, 1, as_json, ROOM_BYTES);
    assert_int_equal(found(f, f->document, 1, as_json), -1);
    assert_int_equal(found(f, f->document, 1, as_text), 10);
}

static void an_unloaded_document_takes_its_answers_along(void **state)
{
    struct fixture *f = *state;
    struct document *other = document_of(f, "b");

    for (int i = 0; i < 10; i++) {
        keep(f, other, 1, as_text, ROOM_BYTES / 2);
        document_unref(other);
        assert_null(hub_find(f->hub, (struct store_name){ bytes_of_string("c"), bytes_of_string("b") }));
        other = document_of(f, "b");
        assert_int_equal(found(f, other, 1, as_text), -1);
    }
    keep(f, f->document, 1, as_text, ROOM_BYTES / 2); /* there is room: nothing is counted any more */
    keep(f, other, 1, as_text, ROOM_BYTES / 4);
    assert_int_equal(found(f, f->document, 1, as_text), ROOM_BYTES / 2);
    document_unref(other);
}

static void a_frame_that_is_being_sent_outlives_its_answer(void **state)
{
    struct fixture *f = *state;
    struct frame *frame;

    keep(f, f->document, 1, as_text, 10);
    frame = frame_ref(rest_cache_find(f->cache, f->document, 1, as_text).frame);
    keep(f, f->document, 2, as_text, 20);
    assert_int_equal(frame->n_references, 1);
    frame_unref(frame);
}

/* ---- what requests keep ------------------------------------------------------------------------------------------ */

static void no_wake(void *arg)
{
    (void)arg;
}

static void on_answer(void *arg, const struct rest_response *answer)
{
    *(int *)arg = answer->status;
}

/* Its status; 0: there is no answer yet. */
static void ask(struct conversation *conversation, struct rest_context *context, const char *method, const char *query,
                struct bytes body, int *out)
{
    static const struct rest_header headers[] = { { "content-type", { "text/plain", 10 } },
                                                  { "accept-encoding", { "gzip", 4 } },
                                                  { "if-none-match", { "*", 1 } } };
    const struct rest_request request = { .method = method,
                                          .path = bytes_of_string("/v1/docs/n/a"),
                                          .query = bytes_of_string(query),
                                          .headers = headers,
                                          .n_headers = body.at ? 3 : 2,
                                          .body = body,
                                          .has_body = body.at,
                                          .principal = principal_anyone };

    *out = 0;
    rest_handle(context, &request, on_answer, out);
    store_sim_settle(conversation->store);
}

static void what_a_purge_overtakes_is_not_kept(void **state)
{
    struct rest_context context = { .body_max_bytes = 1 << 20 };
    static char content[2 * GZIP_ASIDE_BYTES];
    struct conversation *conversation;
    struct document *document;
    struct helper *helper;
    int put, get, purge;
    void *made;

    assert_int_equal(conversation_setup(&made), 0);
    conversation = made;
    assert_int_equal(helper_create(no_wake, NULL, &helper), 0);
    assert_int_equal(rest_cache_create(1 << 20, &context.cache), 0);
    conversation->config.helper = helper;
    conversation_restart(conversation);
    context.hub = conversation->hub;

    memset(content, 'x', sizeof(content));
    ask(conversation, &context, "PUT", "", bytes_of(content, sizeof(content)), &put);
    ask(conversation, &context, "GET", "", bytes_of(NULL, 0), &get);
    assert_int_equal(put, 201);
    assert_int_equal(get, 0); /* it is being compressed */
    ask(conversation, &context, "DELETE", "purge=true", bytes_of(NULL, 0), &purge);
    assert_int_equal(purge, 204);
    while (helper_n_errands(helper)) {
        helper_dispatch(helper);
        (void)sched_yield();
    }
    assert_int_equal(get, 200);
    document = hub_find(conversation->hub, (struct store_name){ bytes_of_string("n"), bytes_of_string("a") });
    assert_non_null(document);
    assert_null(document_companion(document));
    document_unref(document);

    (void)conversation_teardown(&made);
    helper_destroy(helper);
    rest_cache_destroy(context.cache);
    (void)state;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_found_by_version_and_form),         TEST(a_newer_version_takes_the_place_of_the_older),
        TEST(what_was_used_longest_ago_makes_room),           TEST(what_is_larger_than_the_room_is_not_kept),
        TEST(an_unloaded_document_takes_its_answers_along),   TEST(a_frame_that_is_being_sent_outlives_its_answer),
        cmocka_unit_test(what_a_purge_overtakes_is_not_kept),
    };

    return cmocka_run_group_tests_name("rest cache", tests, NULL, NULL);
}
