/* Requests over HTTP without a network, answered from a simulated store that goes when the test lets it. */
#include <stdlib.h>

#include "api/rest.h"
#include "api/rest_cache.h"
#include "tests/unit/api/conversation.h"

struct fixture {
    struct conversation *conversation;
    struct rest_context context;
};

struct answer {
    int status; /* 0: there is none yet */
    char etag[64];
    struct frame *body; /* a reference, or NULL */
};

static int setup(void **state)
{
    struct fixture *f = sim_alloc(sizeof(*f));
    void *made;

    assert_int_equal(conversation_setup(&made), 0);
    f->conversation = made;
    f->context = (struct rest_context){ .hub = f->conversation->hub, .body_max_bytes = 1 << 20 };
    assert_int_equal(rest_cache_create(1 << 20, &f->context.cache), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *made = f->conversation;

    (void)conversation_teardown(&made);
    rest_cache_destroy(f->context.cache);
    free(f);
    return 0;
}

static void on_answer(void *arg, const struct rest_response *response)
{
    struct answer *answer = arg;
    struct bytes etag = rest_header_value(response->headers, response->n_headers, "etag");

    assert_int_equal(answer->status, 0);
    answer->status = response->status;
    answer->body = response->body ? frame_ref(response->body) : NULL;
    assert_true(etag.n_bytes < sizeof(answer->etag));
    if (etag.n_bytes)
        memcpy(answer->etag, etag.at, etag.n_bytes);
}

/* header NULL: none. Whoever asks lets go of the body. */
static void ask(struct fixture *f, struct answer *answer, const char *method, const char *path, const char *query,
                const char *header, const char *value)
{
    const struct rest_header headers[] = { { header, bytes_of_string(value) } };
    const struct rest_request request = { .method = method,
                                          .path = bytes_of_string(path),
                                          .query = bytes_of_string(query),
                                          .headers = headers,
                                          .n_headers = header != NULL,
                                          .principal = principal_anyone };

    *answer = (struct answer){ 0 };
    rest_handle(&f->context, &request, on_answer, answer);
    store_sim_settle(f->conversation->store);
}

static void a_purge_under_a_condition_keeps_what_was_written_since(void **state)
{
    struct fixture *f = *state;
    struct conversation *conversation = f->conversation;
    struct answer read, purge;

    converse(conversation, "one > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,"
                           "\"create\":{\"type\":\"text-unicode\",\"data\":\"x\"}}\n"
                           "one < ...\n");
    ask(f, &read, "GET", "/v1/docs/n/a", "", NULL, NULL);
    frame_unref(read.body);
    store_sim_hold(conversation->store, SIM_FIND);
    converse(conversation, "two > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"seq\":1,\"op\":[1,\"y\"]}\n");
    ask(f, &purge, "DELETE", "/v1/docs/n/a", "purge=true", "if-match", read.etag);
    assert_int_equal(purge.status, 0);
    store_sim_hold(conversation->store, 0);
    converse(conversation, "two < {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":1,\"src\":\"$two\",\"seq\":1}\n");
    assert_int_equal(purge.status, 412);
    frame_unref(purge.body);
    ask(f, &read, "GET", "/v1/docs/n/a", "", NULL, NULL);
    assert_int_equal(read.status, 200);
    assert_true(bytes_equal(bytes_of(read.body->content, read.body->n_bytes), bytes_of_string("xy")));
    frame_unref(read.body);
}

/* Whoever asks is given the same frame, so that it is compressed once. */
static void the_contract_is_made_once_in_each_form(void **state)
{
    static const char *const codings[] = { "identity", "gzip" };
    struct fixture *f = *state;
    struct answer answers[2][3];

    for (size_t i = 0; i < 6; i++)
        ask(f, &answers[i % 2][i / 2], "GET", "/openapi.json", "", "accept-encoding", codings[i % 2]);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 1; j < 3; j++) {
            assert_ptr_equal(answers[i][j].body, answers[i][0].body);
            assert_string_equal(answers[i][j].etag, answers[i][0].etag);
        }
    }
    assert_string_not_equal(answers[0][0].etag, answers[1][0].etag);
    assert_true(answers[1][0].body->n_bytes < answers[0][0].body->n_bytes / 2);
    for (size_t i = 0; i < 6; i++)
        frame_unref(answers[i % 2][i / 2].body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_purge_under_a_condition_keeps_what_was_written_since),
        TEST(the_contract_is_made_once_in_each_form),
    };

    return cmocka_run_group_tests_name("rest requests", tests, NULL, NULL);
}
