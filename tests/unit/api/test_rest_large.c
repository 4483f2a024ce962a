/* Large bodies over HTTP are read by the helper. It begins when it is dispatched: until then everything that a test
 * does comes first, and nobody waits for it. */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/rest.h"
#include "base/helper.h"
#include "tests/lib/alloc_fault.h"
#include "tests/unit/api/conversation.h"

#define BODY_MAX_BYTES (1 << 20)

struct fixture {
    struct conversation *conversation;
    struct rest_context context;
    struct helper *helper;
    sem_t woken;
    bool gives_bodies; /* they may be taken */
};

struct answer {
    int status; /* 0: there is none yet */
    char etag[64];
    struct frame *body; /* a reference, or NULL */
};

struct request {
    const char *method, *path, *type, *name, *value; /* name: of one more header; NULL: none */
};

static void wake(void *arg)
{
    (void)sem_post(arg);
}

static int setup(void **state)
{
    struct fixture *f = sim_alloc(sizeof(*f));
    void *made;

    if (conversation_setup(&made) || sem_init(&f->woken, 0, 0) || helper_create(wake, &f->woken, &f->helper))
        return -1;
    f->conversation = made;
    f->conversation->config.helper = f->helper;
    conversation_restart(f->conversation);
    f->context = (struct rest_context){ .hub = f->conversation->hub, .body_max_bytes = BODY_MAX_BYTES };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *made = f->conversation;

    (void)conversation_teardown(&made);
    helper_destroy(f->helper);
    (void)sem_destroy(&f->woken);
    free(f);
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

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

/* The body is gone when it returns, as that of a carrier is, unless it was for the taking, and taken. */
static void handle(struct fixture *f, const struct request *what, struct bytes body, struct answer *answer)
{
    const struct rest_header headers[] = { { "content-type", bytes_of_string(what->type) },
                                           { what->name, bytes_of_string(what->name ? what->value : "") } };
    struct buffer sent;
    struct rest_request request = { .method = what->method,
                                    .path = bytes_of_string(what->path),
                                    .headers = headers,
                                    .n_headers = what->name ? 2 : 1,
                                    .body_in = f->gives_bodies ? &sent : NULL,
                                    .has_body = true,
                                    .principal = principal_anyone };

    alloc_fault_pause();
    buffer_init(&sent, BODY_MAX_BYTES);
    assert_int_equal(buffer_append(&sent, body.at, body.n_bytes), 0);
    alloc_fault_resume();
    request.body = buffer_bytes(&sent);
    *answer = (struct answer){ 0 };
    rest_handle(&f->context, &request, on_answer, answer);
    buffer_finish(&sent);
}

static void ask(struct fixture *f, const struct request *what, struct bytes body, struct answer *answer)
{
    handle(f, what, body, answer);
    store_sim_settle(f->conversation->store);
}

static void let_read(struct fixture *f)
{
    while (helper_n_errands(f->helper)) {
        assert_int_equal(sem_wait(&f->woken), 0);
        helper_dispatch(f->helper);
        store_sim_settle(f->conversation->store);
    }
}

static void expect(struct answer *answer, int status)
{
    assert_int_equal(answer->status, status);
    frame_unref(answer->body);
    answer->body = NULL;
}

/* At once. */
static void given(struct fixture *f, const char *method, const char *path, const char *type, const char *body,
                  int status)
{
    struct answer answer;

    ask(f, &(struct request){ method, path, type, status == 201 ? NULL : "if-match", "*" }, bytes_of_string(body),
        &answer);
    expect(&answer, status);
}

static void expect_content(struct fixture *f, const char *path, struct bytes content)
{
    struct answer answer;

    ask(f, &(struct request){ "GET", path, "", NULL, NULL }, bytes_of(NULL, 0), &answer);
    let_read(f);
    assert_int_equal(answer.status, 200);
    assert_true(bytes_equal(bytes_of(answer.body->content, answer.body->n_bytes), content));
    frame_unref(answer.body);
}

/* So many bytes: what stands between `before` and `after` is xxx. One at a time. */
static struct bytes padded(const char *before, const char *after, size_t n_bytes)
{
    static char text[BODY_MAX_BYTES];
    size_t n_after = strlen(after);

    assert_true(n_bytes <= sizeof(text));
    memset(text, 'x', n_bytes);
    memcpy(text, before, strlen(before));
    memcpy(text + n_bytes - n_after, after, n_after);
    return bytes_of(text, n_bytes);
}

static struct bytes large(const char *before, const char *after)
{
    return padded(before, after, HELPER_WORTH_BYTES);
}

/* ---- who waits --------------------------------------------------------------------------------------------------- */

#define TEXT  "text/plain"
#define JSON  "application/json"
#define OP    "application/vnd.pilcrow.op+json"
#define PATCH "application/json-patch+json"
#define MERGE "application/merge-patch+json"

static const struct row {
    const char *method, *suffix, *type, *before, *after;
    int status;
} rows[] = {
    { "PUT", "/text", TEXT, "", "", 201 },
    { "PUT", "/text", TEXT, "", "\xff", 428 },
    { "PUT", "/utf8", TEXT, "", "\xff", 400 },
    { "PUT", "/made", JSON, "{\"a\":\"", "\"}", 201 },
    { "PUT", "/none", JSON, "{\"a\":nul,\"b\":\"", "\"}", 400 },
    { "PUT", "/none", "image/png", "", "", 415 },
    { "POST", "", JSON, "{\"a\":\"", "\"}", 201 },
    { "POST", "", JSON, "{\"__proto__\":\"", "\"}", 422 },
    { "POST", "/doc/ops", OP, "{\"v\":1,\"op\":[{\"p\":[\"b\"],\"oi\":\"", "\"}]}", 200 },
    { "POST", "/doc/ops", OP, "{\"v\":1,\"op\":[{\"p\":[\"b\",\"c\"],\"oi\":\"", "\"}]}", 422 },
    { "POST", "/doc/ops", OP, "{\"v\":1,\"op\":[{\"p\":\"", "\"}]}", 400 },
    { "POST", "/doc/ops", OP, "{\"v\":9,\"op\":[{\"p\":[\"b\"],\"oi\":\"", "\"}]}", 409 },
    { "POST", "/doc/ops", OP, "[\"", "\"]", 400 },
    { "POST", "/doc/ops", OP, "[nul,\"", "\"]", 400 },
    { "POST", "/doc/ops", OP, "{\"v\":1,\"op\":[],\"del\":true,\"x\":\"", "\"}", 400 },
    { "POST", "/doc/ops", OP, "{\"v\":1,\"op\":[],\"src\":\"", "\",\"seq\":1}", 400 },
    { "POST", "/gone/ops", OP, "{\"v\":0,\"op\":[{\"p\":[\"b\"],\"oi\":\"", "\"}]}", 404 },
    { "PATCH", "/doc", OP, "{\"v\":2,\"op\":[{\"p\":[\"c\"],\"oi\":\"", "\"}]}", 200 },
    { "PATCH", "/doc", PATCH, "[{\"op\":\"add\",\"path\":\"/d\",\"value\":\"", "\"}]", 200 },
    { "PATCH", "/doc", PATCH, "[{\"op\":\"test\",\"path\":\"/d\",\"value\":\"", "?\"}]", 409 },
    { "PATCH", "/doc", PATCH, "{\"op\":\"", "\"}", 400 },
    { "PATCH", "/doc", PATCH, "[{\"__proto__\":\"", "\"}]", 400 },
    { "PATCH", "/doc", PATCH, "[nul,\"", "\"]", 400 },
    { "PATCH", "/doc", MERGE, "{\"e\":\"", "\"}", 200 },
    { "PATCH", "/doc", MERGE, "{\"e\":nul,\"b\":\"", "\"}", 400 },
    { "POST", "/doc/restore", JSON, "{\"x\":\"", "\"}", 400 },
    { "POST", "/doc/restore", JSON, "{\"version\":nul,\"x\":\"", "\"}", 400 },
    { "POST", "/doc/restore", JSON, "{\"version\":77,\"x\":\"", "\"}", 404 },
};

/* key: of what may be repeated; NULL: none. */
static void send_row(struct fixture *f, const struct row *row, const char *collection, const char *key, size_t n_bytes,
                     struct answer *answer)
{
    struct bytes body = padded(row->before, row->after, n_bytes);
    char path[64];

    (void)snprintf(path, sizeof(path), "/v1/docs/%s%s", collection, row->suffix);
    ask(f, &(struct request){ row->method, path, row->type, key ? "idempotency-key" : NULL, key }, body, answer);
}

static bool are_equal(const struct frame *a, const struct frame *b)
{
    return bytes_equal(bytes_of(a->content, a->n_bytes), bytes_of(b->content, b->n_bytes));
}

static bool waits_for_nobody(const struct row *row)
{
    return row->status == 415 || row->status == 428;
}

static void expect_to_wait(struct fixture *f, const struct row *row, const char *collection,
                           const struct answer *wanted)
{
    struct answer waiting, other;

    send_row(f, row, collection, NULL, HELPER_WORTH_BYTES, &waiting);
    assert_int_equal(waiting.status, waits_for_nobody(row) ? row->status : 0);
    ask(f, &(struct request){ "GET", "/v1/docs/other/doc", "", NULL, NULL }, bytes_of(NULL, 0), &other);
    expect(&other, 200);
    let_read(f);
    if (row->status >= 400)
        assert_true(are_equal(waiting.body, wanted->body));
    expect(&waiting, row->status);
}

/* Whatever the answer is, it is the one that a body of a byte less is given at once. */
static void a_large_body_waits_for_the_helper_and_others_do_not(void **state)
{
    struct fixture *f = *state;

    given(f, "PUT", "/v1/docs/small/doc", JSON, "{}", 201);
    given(f, "PUT", "/v1/docs/large/doc", JSON, "{}", 201);
    given(f, "PUT", "/v1/docs/taken/doc", JSON, "{}", 201);
    given(f, "PUT", "/v1/docs/other/doc", TEXT, "others", 201);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer small;

        send_row(f, &rows[i], "small", NULL, HELPER_WORTH_BYTES - 1, &small);
        assert_int_equal(small.status, rows[i].status);
        assert_int_equal(helper_n_errands(f->helper), 0);
        f->gives_bodies = false;
        expect_to_wait(f, &rows[i], "large", &small);
        f->gives_bodies = true;
        expect_to_wait(f, &rows[i], "taken", &small);
        frame_unref(small.body);
    }
}

/* ---- what comes meanwhile ---------------------------------------------------------------------------------------- */

static void a_replacement_sees_what_was_written_while_it_was_read(void **state)
{
    struct fixture *f = *state;
    const char *path = "/v1/docs/n/a";
    struct answer made, strict, any;

    ask(f, &(struct request){ "PUT", path, TEXT, NULL, NULL }, bytes_of_string("one"), &made);
    expect(&made, 201);
    ask(f, &(struct request){ "PUT", path, TEXT, "if-match", made.etag }, large("", ""), &strict);
    assert_int_equal(strict.status, 0);
    given(f, "PUT", path, TEXT, "two", 200);
    let_read(f);
    expect(&strict, 412);
    expect_content(f, path, bytes_of_string("two"));

    ask(f, &(struct request){ "PUT", path, TEXT, "if-match", "*" }, large("1", ""), &any);
    given(f, "PUT", path, TEXT, "three", 200);
    let_read(f);
    expect(&any, 200);
    expect_content(f, path, large("1", ""));
}

/* The same body says something else then. */
static void what_is_of_another_type_by_then_is_read_again(void **state)
{
    struct fixture *f = *state;
    const char *path = "/v1/docs/n/a";
    struct answer answer;

    given(f, "PUT", path, TEXT, "text", 201);
    ask(f, &(struct request){ "PUT", path, JSON, "if-match", "*" }, large("\"", "\""), &answer);
    given(f, "DELETE", path, TEXT, "", 204);
    given(f, "PUT", path, JSON, "{}", 201);
    let_read(f);
    expect(&answer, 200);
    expect_content(f, path, large("\"", "\""));

    ask(f, &(struct request){ "PUT", path, JSON, "if-match", "*" }, large("{\"a\":\"", "\"}"), &answer);
    given(f, "DELETE", path, TEXT, "", 204);
    given(f, "PUT", path, TEXT, "text", 201);
    let_read(f);
    expect(&answer, 400);
    expect_content(f, path, bytes_of_string("text"));
}

static void of_two_who_create_one_document_the_smaller_is_first(void **state)
{
    struct fixture *f = *state;
    const char *path = "/v1/docs/n/a";
    struct answer first, any;

    ask(f, &(struct request){ "PUT", path, TEXT, "if-none-match", "*" }, large("", ""), &first);
    ask(f, &(struct request){ "PUT", path, TEXT, NULL, NULL }, large("", ""), &any);
    given(f, "PUT", path, TEXT, "small", 201);
    let_read(f);
    expect(&first, 412);
    expect(&any, 428);
    expect_content(f, path, bytes_of_string("small"));
}

static void an_operation_is_transformed_over_what_came_meanwhile(void **state)
{
    struct fixture *f = *state;
    const char *path = "/v1/docs/n/a";
    struct answer any, strict;
    char content[8];

    given(f, "PUT", path, TEXT, ".", 201);
    ask(f, &(struct request){ "POST", "/v1/docs/n/a/ops", OP, NULL, NULL }, large("{\"v\":1,\"op\":[1,\"", "\"]}"),
        &any);
    ask(f, &(struct request){ "POST", "/v1/docs/n/a/ops", OP, "if-match", "\"v0-other\"" },
        large("{\"v\":1,\"op\":[1,\"", "\"]}"), &strict);
    given(f, "PUT", path, TEXT, "ab.", 200);
    let_read(f);
    expect(&any, 200);
    expect(&strict, 412);
    ask(f, &(struct request){ "GET", path, "", NULL, NULL }, bytes_of(NULL, 0), &any);
    let_read(f);
    memcpy(content, any.body->content, 5);
    assert_memory_equal(content, "ab.xx", 5);
    expect(&any, 200);
}

static void one_key_is_one_operation_however_often_it_is_read(void **state)
{
    static const struct row writes[] = {
        { "PUT", "/doc", JSON, "{\"a\":\"", "\"}", 201 },
        { "POST", "", JSON, "{\"a\":\"", "\"}", 201 },
        { "PATCH", "/doc", PATCH, "[{\"op\":\"add\",\"path\":\"/b\",\"value\":\"", "\"}]", 200 },
        { "PATCH", "/doc", OP, "{\"v\":2,\"op\":[{\"p\":[\"c\"],\"oi\":\"", "\"}]}", 200 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        const char key[] = { (char)('a' + (char)i), '\0' };
        struct answer answers[3];

        for (size_t k = 0; k < 3; k++) {
            if (k == 2)
                let_read(f); /* the third comes when the others have been answered */
            send_row(f, &writes[i], "n", key, HELPER_WORTH_BYTES, &answers[k]);
        }
        let_read(f);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(answers[k].status, writes[i].status);
            assert_string_equal(answers[k].etag, answers[0].etag);
            assert_true(are_equal(answers[k].body, answers[0].body));
        }
        for (size_t k = 0; k < 3; k++)
            frame_unref(answers[k].body);
    }
}

/* ---- trouble ----------------------------------------------------------------------------------------------------- */

static void without_memory_for_a_copy_it_is_to_come_again(void **state)
{
    struct fixture *f = *state;
    bool has_met = true;
    size_t n_refused = 0;

    for (size_t n = 0; has_met; n++) {
        struct bytes body = large("{\"v\":0,\"create\":{\"type\":\"text-unicode\",\"data\":\"", "\"}}");
        struct answer answer;
        char path[64];

        (void)snprintf(path, sizeof(path), "/v1/docs/n/a%zu/ops", n);
        alloc_fault_arm(n, ALLOC_FAULT_ONCE);
        handle(f, &(struct request){ "POST", path, OP, NULL, NULL }, body, &answer);
        has_met = alloc_fault_disarm();
        store_sim_settle(f->conversation->store);
        let_read(f);
        n_refused += answer.status == 503;
        if (answer.status != 200)
            assert_int_equal(answer.status, 503);
        frame_unref(answer.body);
    }
    assert_true(n_refused >= 3); /* of the call, its copy, that of the body */
}

static void what_is_being_read_when_the_helper_ends_is_answered(void **state)
{
    struct fixture *f = *state;
    struct answer answers[2];

    for (size_t i = 0; i < 2; i++)
        ask(f, &(struct request){ "PATCH", "/v1/docs/n/a", MERGE, NULL, NULL }, large("{nul,\"", "\"}"), &answers[i]);
    helper_destroy(f->helper);
    f->helper = NULL;
    for (size_t i = 0; i < 2; i++)
        expect(&answers[i], 400);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_large_body_waits_for_the_helper_and_others_do_not),
        CASE(a_replacement_sees_what_was_written_while_it_was_read),
        CASE(what_is_of_another_type_by_then_is_read_again),
        CASE(of_two_who_create_one_document_the_smaller_is_first),
        CASE(an_operation_is_transformed_over_what_came_meanwhile),
        CASE(one_key_is_one_operation_however_often_it_is_read),
        CASE(without_memory_for_a_copy_it_is_to_come_again),
        CASE(what_is_being_read_when_the_helper_ends_is_answered),
    };

    return cmocka_run_group_tests_name("large bodies over HTTP", tests, NULL, NULL);
}
