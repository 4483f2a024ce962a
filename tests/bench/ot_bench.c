/* How fast the engine works through a file of cases; ot.mjs writes the file and times the npm package on the same.
 *
 *   ot_bench transform|compose TYPE FILE    lines [op, other]
 *   ot_bench apply TYPE FILE                a line with the document, then a line for each operation on the one before
 *   ot_bench rope FILE                      lines [position, n_deleted, inserted] in code points, from an empty text
 *   ot_bench random N_BYTES                 edits of a few characters anywhere in a text of that length
 *   ot_bench memory N_BYTES                 what a text of that length occupies
 *
 * Parsing is not timed: the package gets its operations parsed as well. The cases are gone through until the time is
 * long enough. Prints {"n":N,"seconds":S}, for memory {"n":bytes}. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ot/json/utf8.h"
#include "ot/ot.h"
#include "ot/structures/rope.h"

#define ENOUGH_SECONDS 1.0

static void must(bool is_right, const char *what)
{
    if (is_right)
        return;
    (void)fprintf(stderr, "ot_bench: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void print_rate(size_t n, double seconds)
{
    printf("{\"n\":%zu,\"seconds\":%.6f}\n", n, seconds);
}

/* ---- cases ------------------------------------------------------------------------------------------------------- */

struct cases {
    struct ot_json **at;
    size_t n, capacity;
};

static void add_case(struct cases *cases, const char *line, size_t n_bytes)
{
    if (cases->n == cases->capacity) {
        cases->capacity = cases->capacity ? 2 * cases->capacity : 1024;
        cases->at = realloc(cases->at, cases->capacity * sizeof(struct ot_json *));
        must(cases->at, "no memory");
    }
    must(ot_json_parse(line, n_bytes, NULL, &cases->at[cases->n++], NULL) == 0, "a line is no JSON");
}

static struct cases read_cases(const char *path)
{
    struct cases cases = { NULL, 0, 0 };
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;

    must(file, path);
    while ((n = getline(&line, &capacity, file)) > 0)
        add_case(&cases, line, (size_t)n);
    free(line);
    (void)fclose(file);
    must(cases.n, "no cases");
    return cases;
}

static struct ot_op *op_of(const struct ot_type *type, const struct ot_json *json)
{
    struct ot_op *op = NULL;
    struct ot_error error = { "" };

    must(ot_op_parse(type, json, NULL, &op, &error) == 0, error.message);
    return op;
}

/* ---- transform, compose ------------------------------------------------------------------------------------------ */

static struct ot_op *combine(bool is_transform, const struct ot_op *op, const struct ot_op *other)
{
    struct ot_op *out = NULL;
    struct ot_error error = { "" };
    int r = is_transform ? ot_op_transform(op, other, OT_LEFT, NULL, &out, &error)
                         : ot_op_compose(op, other, NULL, &out, &error);

    must(r == 0, error.message);
    return out;
}

static void bench_pairs(bool is_transform, const struct ot_type *type, const struct cases *cases)
{
    struct ot_op **ops = calloc(2 * cases->n, sizeof(struct ot_op *));
    double began, seconds = 0;
    size_t n = 0;

    must(ops, "no memory");
    for (size_t i = 0; i < 2 * cases->n; i++)
        ops[i] = op_of(type, ot_json_at(cases->at[i / 2], i % 2));
    for (began = now(); seconds < ENOUGH_SECONDS; seconds = now() - began) {
        for (size_t i = 0; i < cases->n; i++)
            ot_op_unref(combine(is_transform, ops[2 * i], ops[2 * i + 1]));
        n += cases->n;
    }
    print_rate(n, seconds);
    for (size_t i = 0; i < 2 * cases->n; i++)
        ot_op_unref(ops[i]);
    free(ops);
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static void bench_apply(const struct ot_type *type, const struct cases *cases)
{
    struct ot_op **ops = calloc(cases->n, sizeof(struct ot_op *));
    struct ot_error error = { "" };
    double seconds = 0;
    size_t n = 0;

    must(ops, "no memory");
    for (size_t i = 1; i < cases->n; i++)
        ops[i] = op_of(type, cases->at[i]);
    while (seconds < ENOUGH_SECONDS) {
        struct ot_snapshot *document = NULL;
        double began;

        must(ot_snapshot_create(type, cases->at[0], NULL, &document, &error) == 0, error.message);
        began = now();
        for (size_t i = 1; i < cases->n; i++)
            must(ot_snapshot_apply(document, ops[i], NULL, &error) == 0, error.message);
        seconds += now() - began;
        n += cases->n - 1;
        ot_snapshot_destroy(document);
    }
    print_rate(n, seconds);
    for (size_t i = 1; i < cases->n; i++)
        ot_op_unref(ops[i]);
    free(ops);
}

/* ---- the rope ---------------------------------------------------------------------------------------------------- */

struct edit {
    size_t at_cp, n_deleted, n_bytes;
    const char *text;
};

static void apply_edit(struct rope *rope, const struct edit *edit)
{
    must(rope_delete(rope, edit->at_cp, edit->at_cp + edit->n_deleted) == 0, "no memory");
    must(rope_insert(rope, edit->at_cp, edit->text, edit->n_bytes) == 0, "no memory");
}

static void bench_rope(const struct cases *cases)
{
    struct edit *edits = calloc(cases->n, sizeof(*edits));
    double began, seconds = 0;
    size_t n = 0;

    must(edits, "no memory");
    for (size_t i = 0; i < cases->n; i++) {
        edits[i].at_cp = (size_t)ot_json_number(ot_json_at(cases->at[i], 0));
        edits[i].n_deleted = (size_t)ot_json_number(ot_json_at(cases->at[i], 1));
        edits[i].text = ot_json_string(ot_json_at(cases->at[i], 2), &edits[i].n_bytes);
    }
    for (began = now(); seconds < ENOUGH_SECONDS; seconds = now() - began) {
        struct rope rope;

        rope_init(&rope);
        for (size_t i = 0; i < cases->n; i++)
            apply_edit(&rope, &edits[i]);
        n += cases->n;
        rope_finish(&rope);
    }
    print_rate(n, seconds);
    free(edits);
}

static void make_text(struct rope *rope, size_t n_bytes)
{
    static const char sentence[] = "It was a dark and stormy night; the rain fell in torrents, except at occasional "
                                   "intervals \xe2\x80\x93 when it didn\xe2\x80\x99t.\n";

    rope_init(rope);
    while (rope->sums.n_bytes < n_bytes)
        must(rope_insert(rope, rope->sums.n_cps, sentence, sizeof(sentence) - 1) == 0, "no memory");
}

/* xorshift64: the rope is measured, not the dice. */
static uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void bench_random(size_t n_bytes)
{
    struct rope rope;
    uint64_t state = 88172645463325252ull;
    double began, seconds = 0;
    size_t n = 0;

    make_text(&rope, n_bytes);
    for (began = now(); seconds < ENOUGH_SECONDS; seconds = now() - began) {
        for (int i = 0; i < 10000; i++) {
            size_t at_cp = dice(&state) % (rope.sums.n_cps - 8);
            struct edit edit = { at_cp, i % 2 ? 3 : 0, i % 2 ? 0 : 3, "abc" };

            apply_edit(&rope, &edit);
        }
        n += 10000;
    }
    print_rate(n, seconds);
    rope_finish(&rope);
}

/* Of a document that was opened, not written. */
static void print_memory(size_t n_bytes)
{
    char *text = malloc(n_bytes);
    struct ot_snapshot *document = NULL;
    struct ot_json *json = NULL;
    struct mallinfo2 before, after;

    must(text, "no memory");
    memset(text, 'x', n_bytes);
    must(ot_json_from_text(text, n_bytes, &json) == 0, "no memory");
    before = mallinfo2();
    must(ot_snapshot_create(ot_type_find("text-unicode", 12), json, NULL, &document, NULL) == 0, "no memory");
    after = mallinfo2();
    printf("{\"n\":%zu}\n", after.uordblks + after.hblkhd - before.uordblks - before.hblkhd);
    ot_snapshot_destroy(document);
    ot_json_unref(json);
    free(text);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const struct ot_type *type = argc > 3 ? ot_type_find(argv[2], strlen(argv[2])) : NULL;
    struct cases cases = { NULL, 0, 0 };

    must(argc == 3 || (argc == 4 && type), "ot_bench transform|compose|apply TYPE FILE | rope FILE | random|memory N");
    if (argc == 4 || strcmp(what, "rope") == 0)
        cases = read_cases(argv[argc - 1]);
    if (strcmp(what, "rope") == 0)
        bench_rope(&cases);
    else if (strcmp(what, "random") == 0)
        bench_random(strtoull(argv[2], NULL, 10));
    else if (strcmp(what, "memory") == 0)
        print_memory(strtoull(argv[2], NULL, 10));
    else if (strcmp(what, "apply") == 0)
        bench_apply(type, &cases);
    else
        bench_pairs(strcmp(what, "transform") == 0, type, &cases);
    for (size_t i = 0; i < cases.n; i++)
        ot_json_unref(cases.at[i]);
    free(cases.at);
    return 0;
}
