/* Requests that wait and streams of events, without a network and with a clock that is turned by hand. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/rest_follow.h"
#include "tests/lib/alloc_fault.h"
#include "tests/unit/api/conversation.h"

#define TEXT_BYTES 65536

struct fixture {
    struct conversation *conversation;
    struct rest_waits waits;
    struct rest_context context;
    int n_resting; /* times that somebody began to rest */
};

/* Who asks, and what carries it to him. */
struct client {
    struct rest_wait wait;
    int status;         /* 0: not answered */
    struct frame *body; /* a reference, or NULL */
    struct rest_stream *stream;
    int n_ready;
    char text[TEXT_BYTES]; /* read from the stream, with a NUL */
    size_t n_text;
};

static void on_resting(void *arg)
{
    ((struct fixture *)arg)->n_resting++;
}

static int setup(void **state)
{
    struct fixture *f = sim_alloc(sizeof(*f));
    void *made;

    assert_int_equal(conversation_setup(&made), 0);
    f->conversation = made;
    rest_waits_init(&f->waits);
    f->waits.on_resting = on_resting;
    f->waits.arg = f;
    f->context = (struct rest_context){
        .hub = f->conversation->hub, .waits = &f->waits, .body_max_bytes = 1 << 20, .queue_max_bytes = 4096
    };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *made = f->conversation;

    assert_int_equal(f->waits.n_waiting + f->waits.n_streams, 0);
    rest_waits_finish(&f->waits);
    (void)conversation_teardown(&made);
    free(f);
    return 0;
}

static void on_answer(void *arg, const struct rest_response *answer)
{
    struct client *client = arg;

    assert_int_equal(client->status, 0);
    client->status = answer->status;
    if (answer->body)
        client->body = frame_ref(answer->body);
    client->stream = answer->stream;
}

static void on_ready(void *arg)
{
    ((struct client *)arg)->n_ready++;
}

static void ask(struct fixture *f, struct client *client, const char *method, const char *path, const char *query,
                const char *body)
{
    static const struct rest_header headers[] = { { "content-type", { "text/plain", 10 } },
                                                  { "if-match", { "*", 1 } } };
    const struct rest_request request = { .method = method,
                                          .path = bytes_of_string(path),
                                          .query = bytes_of_string(query),
                                          .headers = headers,
                                          .n_headers = body ? 2 : 0,
                                          .body = bytes_of_string(body),
                                          .has_body = body,
                                          .principal = principal_anyone,
                                          .wait = &client->wait };

    memset(client, 0, sizeof(*client));
    rest_handle(&f->context, &request, on_answer, client);
    if (client->stream) {
        client->stream->ready = on_ready;
        client->stream->arg = client;
    }
    store_sim_settle(f->conversation->store);
}

static int put_text(struct fixture *f, const char *text)
{
    struct client writer;

    f->conversation->n_random++; /* chance comes round after 256 bytes, and no src may come twice */
    ask(f, &writer, "PUT", "/v1/docs/n/a", "", text);
    frame_unref(writer.body);
    return writer.status;
}

static void create(struct fixture *f)
{
    converse(f->conversation, "maker > {\"a\":\"op\",\"c\":\"n\",\"d\":\"a\",\"v\":0,\"seq\":1,\"create\":{\"type\":"
                              "\"text-unicode\",\"data\":\"x\"}}\nmaker < ...\n");
}

static void let_go(struct client *client)
{
    frame_unref(client->body);
    rest_stream_close(client->stream);
}

static void pass_seconds(struct fixture *f, unsigned n)
{
    while (n--)
        rest_waits_second(&f->waits);
}

/* What the stream has for him now. Returns 0 at its end, -EAGAIN, or what broke it. */
static int read_all(struct client *client)
{
    ssize_t n;

    client->n_text = 0;
    while ((n = rest_stream_read(client->stream, client->text + client->n_text, TEXT_BYTES - 1 - client->n_text)) > 0)
        client->n_text += (size_t)n;
    client->text[client->n_text] = '\0';
    return (int)n;
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word))) {
        text += strlen(word);
        n++;
    }
    return n;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void all_who_wait_are_given_the_same_bytes(void **state)
{
    struct fixture *f = *state;
    struct client clients[3];

    create(f);
    for (int i = 0; i < 3; i++) {
        ask(f, &clients[i], "GET", "/v1/docs/n/a/ops", "from=1&wait=9", NULL);
        assert_int_equal(clients[i].status, 0);
        assert_non_null(clients[i].wait.give_up);
    }
    assert_int_equal(f->waits.n_waiting, 3);
    assert_int_equal(put_text(f, "xy"), 200);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(clients[i].status, 200);
        assert_ptr_equal(clients[i].body, clients[0].body);
        assert_null(clients[i].wait.give_up);
        let_go(&clients[i]);
    }
}

static void a_wait_is_over_after_its_seconds(void **state)
{
    struct fixture *f = *state;
    struct client client;

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/ops", "from=1&wait=5", NULL);
    pass_seconds(f, 5);
    assert_int_equal(client.status, 0);
    pass_seconds(f, 1);
    assert_int_equal(client.status, 204);
    let_go(&client);
}

static void whoever_gives_up_is_answered_and_told_nothing_more(void **state)
{
    struct fixture *f = *state;
    struct client client;

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/ops", "from=1&wait=5", NULL);
    client.wait.give_up(&client.wait);
    assert_int_equal(client.status, 204);
    assert_int_equal(put_text(f, "xy"), 200);
    let_go(&client);
}

static void nobody_begins_to_wait_when_nobody_is_there(void **state)
{
    struct fixture *f = *state;
    struct client client;

    create(f);
    f->context.is_draining = true;
    ask(f, &client, "GET", "/v1/docs/n/a/ops", "from=1&wait=5", NULL);
    assert_int_equal(client.status, 204);
    let_go(&client);
}

static void a_failed_commit_is_no_news(void **state)
{
    struct fixture *f = *state;
    struct sim_fault fault = { .calls = SIM_APPEND, .n_strikes = 1, .r = -EIO };
    struct client waiting, following;

    create(f);
    ask(f, &waiting, "GET", "/v1/docs/n/a/ops", "from=1&wait=9", NULL);
    ask(f, &following, "GET", "/v1/docs/n/a/stream", "after=1", NULL);
    store_sim_fault(f->conversation->store, &fault);
    assert_int_equal(put_text(f, "lost"), 503);
    assert_int_equal(waiting.status, 0);
    assert_int_equal(read_all(&following), -EAGAIN);
    assert_int_equal(following.n_text, 0);
    assert_int_equal(put_text(f, "kept"), 200);
    assert_int_equal(waiting.status, 200);
    assert_int_equal(read_all(&following), -EAGAIN);
    assert_int_equal(count(following.text, "event: op\nid: 2\n"), 1);
    let_go(&waiting);
    let_go(&following);
}

/* ---- following --------------------------------------------------------------------------------------------------- */

static void a_heartbeat_every_15_seconds_unless_something_waits(void **state)
{
    struct fixture *f = *state;
    struct client client;

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/stream", "after=1", NULL);
    assert_int_equal(read_all(&client), -EAGAIN);
    pass_seconds(f, 14);
    assert_int_equal(client.n_ready, 0);
    pass_seconds(f, 1);
    assert_int_equal(client.n_ready, 1);
    pass_seconds(f, 60);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_string_equal(client.text, ":\n\n");
    let_go(&client);
}

static void the_carrier_is_told_once_of_many_events(void **state)
{
    struct fixture *f = *state;
    struct client client;

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/stream", "after=1", NULL);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(put_text(f, "1"), 200);
    assert_int_equal(put_text(f, "2"), 200);
    assert_int_equal(client.n_ready, 1);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(count(client.text, "event: op\n"), 2);
    let_go(&client);
}

static void a_client_who_does_not_read_is_late(void **state)
{
    struct fixture *f = *state;
    struct client client;
    int n = 0;

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/stream", "after=1", NULL);
    assert_int_equal(read_all(&client), -EAGAIN);
    for (; !client.stream->is_late; n++) {
        char text[] = { (char)('a' + n % 26), '\0' };

        assert_int_equal(put_text(f, text), 200);
    }
    assert_in_range(n, 10, 40); /* of events of some 200 bytes, of which 4096 may wait */
    assert_int_equal(client.n_ready, 2);
    assert_int_equal(read_all(&client), -ENOBUFS);
    assert_int_equal(client.n_text, 0);
    let_go(&client);
}

/* What was missed is 40 kB, and news comes while it is being read: neither is too much. */
static void what_was_missed_has_no_ceiling(void **state)
{
    struct fixture *f = *state;
    struct client client;
    char text[402] = { 0 };
    size_t n = 0, n_firsts = 0, n_lasts = 0;

    create(f);
    for (int i = 0; i < 40; i++) {
        memset(text, 'a' + i % 26, sizeof(text) - 1);
        assert_int_equal(put_text(f, text), 200);
    }
    ask(f, &client, "GET", "/v1/docs/n/a/stream", "after=0", NULL);
    assert_int_equal(put_text(f, "news"), 200);
    for (int i = 0; i < 20; i++) { /* what is not in memory any more comes from the log, a slice at a time */
        assert_int_equal(read_all(&client), -EAGAIN);
        n += count(client.text, "event: op\n");
        n_firsts += count(client.text, "\nid: 1\n");
        n_lasts += count(client.text, "\nid: 42\n");
        store_sim_settle(f->conversation->store);
    }
    assert_int_equal(n, 42);
    assert_int_equal(n_firsts, 1);
    assert_int_equal(n_lasts, 1);
    let_go(&client);
}

static void snapshots_rest_between_changes(void **state)
{
    struct fixture *f = *state;
    struct client client;

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/stream", "snapshots=true", NULL);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(count(client.text, "\"data\":\"x\""), 1);
    assert_int_equal(put_text(f, "1"), 200);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(count(client.text, "\"data\":\"1\""), 1); /* the first at once */
    assert_int_equal(f->n_resting, 1);
    assert_int_equal(put_text(f, "2"), 200);
    assert_int_equal(put_text(f, "3"), 200);
    assert_true(rest_waits_rest(&f->waits));
    store_sim_settle(f->conversation->store);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(client.n_text, 0);
    assert_true(rest_waits_rest(&f->waits));
    store_sim_settle(f->conversation->store);
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(count(client.text, "event: snapshot\n"), 1);
    assert_int_equal(count(client.text, "\"data\":\"3\""), 1);
    (void)rest_waits_rest(&f->waits);
    assert_false(rest_waits_rest(&f->waits)); /* nobody rests any more */
    let_go(&client);
}

/* It is shown what there is when it has read what there was; it is never late. */
static void a_slow_client_is_shown_fewer_snapshots(void **state)
{
    struct fixture *f = *state;
    struct client client;
    char text[3000] = { 0 };

    create(f);
    ask(f, &client, "GET", "/v1/docs/n/a/stream", "snapshots=true", NULL);
    for (int i = 0; i < 10; i++) {
        memset(text, '0' + i, sizeof(text) - 1);
        assert_int_equal(put_text(f, text), 200);
        (void)rest_waits_rest(&f->waits);
        store_sim_settle(f->conversation->store);
    }
    assert_int_equal(read_all(&client), -EAGAIN);
    assert_int_equal(count(client.text, "event: snapshot\n"), 2);
    assert_int_equal(count(client.text, "\nid: 1\n") + count(client.text, "\nid: 11\n"), 2);
    let_go(&client);
}

static void a_stream_that_is_closed_while_it_reads_is_gone(void **state)
{
    struct fixture *f = *state;
    struct client client, writer;

    create(f);
    for (int i = 0; i < 2; i++) {
        store_sim_hold(f->conversation->store, SIM_APPEND);
        ask(f, &writer, "PUT", "/v1/docs/n/a", "", i ? "1" : "0");
        assert_int_equal(writer.status, 0);
        ask(f, &client, "GET", "/v1/docs/n/a/stream", i ? "after=0" : "", NULL);
        let_go(&client);
        store_sim_hold(f->conversation->store, 0);
        store_sim_settle(f->conversation->store);
        assert_int_equal(writer.status, 200);
        let_go(&writer);
    }
}

static void no_line_ends_within_an_event(void **state)
{
    static const char body[] = "{\"op\":\n[\r\n\"x\\n\"\r]\n}";
    const struct record record = { .author = bytes_of_string("ink"), .body = bytes_of_string(body) };
    struct committed_op *op = committed_op_create(1, &record);
    struct frame *event = event_of_op((struct store_name){ bytes_of_string("n"), bytes_of_string("a") }, op);
    const char *data = memmem(event->content, event->n_bytes, "data: ", 6);
    size_t n_left = event->n_bytes - (size_t)(data - event->content);

    assert_ptr_equal(memchr(data, '\n', n_left), event->content + event->n_bytes - 2);
    assert_null(memchr(event->content, '\r', event->n_bytes));
    frame_unref(event);
    committed_op_unref(op);
    (void)state;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Returns whether an allocation has failed. Whatever then becomes of them: afterwards nothing is left. */
static bool lives_through(size_t n, enum alloc_fault_kind kind)
{
    struct client *clients = sim_alloc(4 * sizeof(*clients));
    static const char *const asked[][2] = { { "/v1/docs/n/a/ops", "from=1&wait=9" },
                                            { "/v1/docs/n/a/stream", "" },
                                            { "/v1/docs/n/a/stream", "after=0" },
                                            { "/v1/docs/n/a/stream", "snapshots=true" } };
    struct fixture *f;
    void *made;
    bool met;

    assert_int_equal(setup(&made), 0);
    f = made;
    create(f);
    alloc_fault_arm(n, kind);
    for (int i = 0; i < 4; i++)
        ask(f, &clients[i], "GET", asked[i][0], asked[i][1], NULL);
    (void)put_text(f, "xy");
    pass_seconds(f, 15);
    met = alloc_fault_disarm();
    for (int i = 0; i < 4; i++) {
        if (clients[i].stream)
            (void)read_all(&clients[i]);
        let_go(&clients[i]);
    }
    store_sim_settle(f->conversation->store);
    (void)teardown(&made);
    free(clients);
    return met;
}

static void every_allocation_fails_once(void **state)
{
    size_t n = 0;

    while (lives_through(n, ALLOC_FAULT_ONCE))
        n++;
    assert_true(n > 20);
    (void)state;
}

static void every_allocation_fails_from_then_on(void **state)
{
    size_t n = 0;

    while (lives_through(n, ALLOC_FAULT_FROM_THEN_ON))
        n++;
    assert_true(n > 20);
    (void)state;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(all_who_wait_are_given_the_same_bytes),
        CASE(a_wait_is_over_after_its_seconds),
        CASE(whoever_gives_up_is_answered_and_told_nothing_more),
        CASE(nobody_begins_to_wait_when_nobody_is_there),
        CASE(a_failed_commit_is_no_news),
        CASE(a_heartbeat_every_15_seconds_unless_something_waits),
        CASE(the_carrier_is_told_once_of_many_events),
        CASE(a_client_who_does_not_read_is_late),
        CASE(what_was_missed_has_no_ceiling),
        CASE(snapshots_rest_between_changes),
        CASE(a_slow_client_is_shown_fewer_snapshots),
        CASE(a_stream_that_is_closed_while_it_reads_is_gone),
        cmocka_unit_test(no_line_ends_within_an_event),
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(every_allocation_fails_from_then_on),
    };

    return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
