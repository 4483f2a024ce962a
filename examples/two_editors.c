/* Two people edit one text at the same time, and end with the same one.
 *
 *     cc two_editors.c $(pkg-config --cflags --libs pilcrow-ot) */
#include <pilcrow/ot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print(void *arg, const char *at, size_t n_bytes)
{
    return fwrite(at, 1, n_bytes, arg) == n_bytes ? 0 : -1;
}

static void must(int r)
{
    if (r)
        exit(1);
}

static struct ot_op *operation(const char *text)
{
    struct ot_json *json = NULL;
    struct ot_op *op = NULL;

    must(ot_json_parse(text, strlen(text), NULL, &json, NULL));
    must(ot_op_parse(ot_type_find("text-unicode", 12), json, NULL, &op, NULL));
    ot_json_unref(json);
    return op;
}

int main(void)
{
    struct ot_op *ink = operation("[5,\"blue \"]"), *paper = operation("[{\"d\":4},\"My\"]"), *rebased = NULL;
    struct ot_snapshot *document = NULL;
    struct ot_json *text = NULL;

    must(ot_json_from_text("Your pen", 8, &text));
    must(ot_snapshot_create(ot_type_find("text-unicode", 12), text, NULL, &document, NULL));
    must(ot_snapshot_apply(document, paper, NULL, NULL));
    must(ot_op_transform(ink, paper, OT_LEFT, NULL, &rebased, NULL)); /* ink's was made for "Your pen" */
    must(ot_snapshot_apply(document, rebased, NULL, NULL));
    must(ot_snapshot_write_text(document, print, stdout));
    return puts("") == EOF;
}
