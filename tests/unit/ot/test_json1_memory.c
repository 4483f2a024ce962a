#include "tests/unit/ot/json1_random.h"

#include "tests/lib/alloc_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* json1 with every allocation failed in turn: each function answers -ENOMEM and leaves everything as it was. The leak
 * check of the address sanitizer is part of the test. */

#define LONG "a text of more than fourteen bytes"

static const char document_json[] = "{\"" LONG "\":{\"n\":1,\"text\":\"" LONG "\"},\"list\":[1,[2,\"" LONG
                                    "\"],{\"k\":\"" LONG "\"},4,5],\"s\":\"short\","
                                    "\"rich\":[{\"insert\":\"some text\"}]}";

/* Moves, removes, inserts that are edited and dropped into, edits of all kinds; more nodes than a builder begins with.
 */
static const char op_json[] = "[[\"" LONG "\",{\"p\":0},[\"n\",{\"r\":true}],[\"text\",{\"p\":1}]],"
                              "[\"fresh\",{\"i\":{\"a\":\"" LONG "\",\"b\":[1,2]}},[\"a\",{\"es\":[2,\"" LONG
                              "\",{\"d\":1}]}],[\"b\",1,{\"d\":0}]],"
                              "[\"list\",[0,{\"p\":2},1,{\"es\":[\"" LONG
                              "\"]}],[1,\"k\",{\"es\":[{\"d\":3}]}],[3,{\"d\":1}],[4,{\"r\":true,\"d\":2}]],"
                              "[\"rich\",{\"et\":\"rich-text\",\"e\":[{\"retain\":4},{\"insert\":\"" LONG
                              "\"}]}],[\"s\",{\"es\":[5,\"" LONG "\"]}]]";

/* Meets it without a conflict. */
static const char other_json[] =
    "[[\"" LONG "\",[\"n\",{\"r\":true}],[\"text\",{\"es\":[\"" LONG "\"]}]],"
    "[\"list\",[1,{\"p\":0}],[2,{\"i\":[[\"" LONG "\"]]}],[3,{\"r\":true}]],[\"moved\",{\"d\":0},1,{\"es\":[3,\"x\"]}],"
    "[\"s\",{\"es\":[{\"d\":2}]}]]";

/* Meets it with several. */
static const char rival_json[] =
    "[[\"" LONG "\",{\"r\":true}],[\"fresh\",{\"i\":\"" LONG "\"}],[\"list\",[2,{\"r\":true}],[3,{\"p\":0}]],"
    "[\"s\",{\"r\":true}],[\"t\",{\"d\":0}]]";

/* Comes after it. */
static const char next_json[] =
    "[[\"fresh\",{\"p\":0},[\"a\",{\"es\":[1,\"" LONG
    "\"]}],[\"b\",[0,{\"r\":true}],[1,{\"p\":1}]],[\"c\",{\"i\":\"" LONG "\"}]],"
    "[\"later\",{\"d\":0}],[\"list\",[0,1,{\"es\":[\"" LONG "\"]}],[3,{\"d\":1}]],"
    "[\"rich\",{\"et\":\"rich-text\",\"e\":[{\"insert\":\"y\"}]}],[\"s\",{\"es\":[\"z\"]}]]";

static struct fixture {
    struct ot_json *data, *op_json, *path;
    struct ot_op *op, *other, *rival, *next, *into_x, *into_y;
    struct ot_snapshot *document, *after;
} fixture;

static int set_up(void **state)
{
    (void)state;
    fixture.data = json_of(document_json);
    fixture.op_json = json_of(op_json);
    fixture.path = json_of("[\"" LONG "\",\"text\",3]");
    fixture.document = json1_document(document_json);
    fixture.op = json1_op_from(op_json);
    fixture.other = json1_op_from(other_json);
    fixture.rival = json1_op_from(rival_json);
    fixture.next = json1_op_from(next_json);
    fixture.into_x = json1_op_from("[[\"x\",\"in\",{\"d\":0}],[\"y\",{\"p\":0}]]");
    fixture.into_y = json1_op_from("[[\"x\",{\"p\":0}],[\"y\",\"in\",{\"d\":0}]]");
    fixture.after = applied(fixture.document, fixture.op);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ot_json_unref(fixture.data);
    ot_json_unref(fixture.op_json);
    ot_json_unref(fixture.path);
    ot_op_unref(fixture.op);
    ot_op_unref(fixture.other);
    ot_op_unref(fixture.rival);
    ot_op_unref(fixture.next);
    ot_op_unref(fixture.into_x);
    ot_op_unref(fixture.into_y);
    ot_snapshot_destroy(fixture.document);
    ot_snapshot_destroy(fixture.after);
    return 0;
}

static int done(int r, struct ot_op **op)
{
    assert_int_equal(!*op, r != 0);
    ot_op_unref(*op);
    return r;
}

static int create(void *arg)
{
    struct ot_snapshot *document = NULL;
    int r = ot_snapshot_create(json1_type(), fixture.data, NULL, &document, NULL);

    (void)arg;
    assert_int_equal(!document, r != 0);
    ot_snapshot_destroy(document);
    return r;
}

static int parse(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_parse(json1_type(), fixture.op_json, NULL, &op, NULL), &op);
}

static int normalize(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_normalize(json1_type(), fixture.op_json, NULL, &op, NULL), &op);
}

/* The same document until it succeeds: what a failure left behind would show in the end. */
static int apply(void *arg)
{
    struct ot_snapshot **target = arg;
    int r = *target ? 0 : ot_snapshot_share(fixture.document, target);

    return r ? r : ot_snapshot_apply(*target, fixture.op, NULL, NULL);
}

static int apply_and_compare(void *arg)
{
    static struct ot_snapshot *target;
    int r = apply(&target);

    (void)arg;
    if (!r) {
        (void)alloc_fault_disarm();
        assert_same_json1(target, fixture.after);
        ot_snapshot_destroy(target);
        target = NULL;
    }
    return r;
}

static int transform(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_transform(fixture.op, fixture.other, OT_LEFT, NULL, &op, NULL), &op);
}

static int transform_back(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_transform(fixture.other, fixture.op, OT_RIGHT, NULL, &op, NULL), &op);
}

static int resolve(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_transform_resolving(fixture.op, fixture.rival, OT_LEFT, NULL, &op, NULL), &op);
}

static int resolve_back(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_transform_resolving(fixture.rival, fixture.op, OT_RIGHT, NULL, &op, NULL), &op);
}

static int compose(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_compose(fixture.op, fixture.next, NULL, &op, NULL), &op);
}

static int make_invertible(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_make_invertible(fixture.op, fixture.document, &op, NULL), &op);
}

static int move_position(void *arg)
{
    struct ot_json *path = NULL;
    int r = ot_op_transform_position(fixture.op, fixture.path, &path, NULL);

    (void)arg;
    assert_int_equal(!path, r != 0);
    ot_json_unref(path);
    return r;
}

/* Two moves into each other, which are noted in lists. */
static int meet_in_cycle(void *arg)
{
    struct ot_op *op = NULL;

    (void)arg;
    return done(ot_op_transform_resolving(fixture.into_y, fixture.into_x, OT_LEFT, NULL, &op, NULL), &op);
}

#define FAILS(name)                                                                                                    \
    static void name##_without_memory(void **state)                                                                    \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        fail_each(name, NULL);                                                                                         \
    }

FAILS(create)
FAILS(parse)
FAILS(normalize)
FAILS(apply_and_compare)
FAILS(transform)
FAILS(transform_back)
FAILS(resolve)
FAILS(resolve_back)
FAILS(compose)
FAILS(make_invertible)
FAILS(move_position)
FAILS(meet_in_cycle)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_without_memory),        cmocka_unit_test(parse_without_memory),
        cmocka_unit_test(normalize_without_memory),     cmocka_unit_test(apply_and_compare_without_memory),
        cmocka_unit_test(transform_without_memory),     cmocka_unit_test(transform_back_without_memory),
        cmocka_unit_test(resolve_without_memory),       cmocka_unit_test(resolve_back_without_memory),
        cmocka_unit_test(compose_without_memory),       cmocka_unit_test(make_invertible_without_memory),
        cmocka_unit_test(move_position_without_memory), cmocka_unit_test(meet_in_cycle_without_memory),
    };

    return cmocka_run_group_tests_name("json1 without memory", tests, set_up, tear_down);
}
