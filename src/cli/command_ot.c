/* The transform calculator: requests as lines, or one from the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "ot/ot.h"

#define LINE_MAX_BYTES ((size_t)256 << 20)

static int answer_line(const char *line, size_t n_bytes)
{
    struct buffer answer;
    int r, status;

    buffer_init(&answer, LINE_MAX_BYTES);
    r = ot_calculate_line(line, n_bytes, buffer_write, &answer);
    status = r ? cli_say(CLI_FAILED, "%s", strerror(-r)) : cli_print(buffer_bytes(&answer));
    buffer_finish(&answer);
    return status;
}

static int answer_lines(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    int status = CLI_OK;

    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* who asks through a pipe may wait for the answer before he asks on */
    while (!status && (n = getline(&line, &capacity, stdin)) >= 0)
        status = answer_line(line, n && line[n - 1] == '\n' ? (size_t)n - 1 : (size_t)n);
    if (ferror(stdin))
        status = cli_say(CLI_FAILED, "standard input: %s", strerror(errno));
    free(line);
    return status;
}

/* A word that is JSON stands for itself, any other for a string: left, right. */
static int append_word(struct buffer *request, const char *word)
{
    size_t n_bytes = strlen(word);
    struct ot_json *json = NULL;
    int r = ot_json_parse(word, n_bytes, NULL, &json, NULL);

    ot_json_unref(json);
    return r ? ot_json_write_string(word, n_bytes, buffer_write, request) : buffer_append(request, word, n_bytes);
}

static int write_request(struct buffer *request, int n_words, char **words)
{
    int r;

    (void)buffer_append_string(request, "{\"type\":");
    r = ot_json_write_string(words[0], strlen(words[0]), buffer_write, request);
    (void)buffer_append_string(request, ",\"fn\":");
    if (!r)
        r = ot_json_write_string(words[1], strlen(words[1]), buffer_write, request);
    (void)buffer_append_string(request, ",\"args\":[");
    for (int i = 2; !r && i < n_words; i++) {
        (void)buffer_append_string(request, i > 2 ? "," : "");
        r = append_word(request, words[i]);
    }
    return r ? r : buffer_append_string(request, "]}");
}

/* The answer without its wrapping. */
static int print_answer(const struct buffer *answer)
{
    struct ot_json *json = NULL;
    const struct ot_json *ok, *error;
    struct buffer text;
    const char *message = NULL;
    size_t n_bytes = 0;
    int status = CLI_FAILED;

    buffer_init(&text, LINE_MAX_BYTES);
    if (ot_json_parse(answer->at, answer->n_bytes, NULL, &json, NULL))
        goto out;
    ok = ot_json_get(json, "ok", 2);
    error = ot_json_get(json, "error", 5);
    if (ok && ot_json_write(ok, buffer_write, &text) == 0 && buffer_append_string(&text, "\n") == 0)
        status = cli_print(buffer_bytes(&text));
    else if (error)
        message = ot_json_string(error, &n_bytes);
    if (message)
        (void)cli_say(CLI_FAILED, "%.*s", (int)n_bytes, message);
out:
    ot_json_unref(json);
    buffer_finish(&text);
    return status;
}

static int answer_words(int n_words, char **words)
{
    struct buffer request, answer;
    int r, status;

    buffer_init(&request, LINE_MAX_BYTES);
    buffer_init(&answer, LINE_MAX_BYTES);
    r = write_request(&request, n_words, words);
    if (!r)
        r = ot_calculate_line(request.at, request.n_bytes, buffer_write, &answer);
    status = r ? cli_say(CLI_FAILED, "%s", r < 0 ? strerror(-r) : "that is no UTF-8") : print_answer(&answer);
    buffer_finish(&request);
    buffer_finish(&answer);
    return status;
}

static int run(struct cli *cli, int n_words, char **words)
{
    if (cli->options[OPTION_LINES])
        return n_words ? cli_usage(&command_ot) : answer_lines();
    if (n_words < 2)
        return cli_usage(&command_ot);
    return answer_words(n_words, words);
}

const struct command command_ot = {
    "ot",
    "[TYPE FN ARG...]",
    "the transform calculator",
    "    pilcrow ot text-unicode transform '[1,\"a\"]' '[1,\"b\"]' left\n"
    "    pilcrow ot json0 apply '{\"n\":1}' '[{\"p\":[\"n\"],\"na\":2}]'\n"
    "    echo '{\"type\":\"text-unicode\",\"fn\":\"compose\",\"args\":[[\"a\"],[1,\"b\"]]}' | pilcrow ot --lines\n\n"
    "TYPE is text-unicode, rich-text, json0 or json1. FN is one of create(data), apply(doc, op), compose(op, op),\n"
    "transform(op, other, left|right), invert(op), invertWithDoc(op, doc), makeInvertible(op, doc), normalize(op),\n"
    "checkOp(op), transformPosition(position, op), transformPresence(range, op, isOwn) of rich-text, and\n"
    "transformNoConflict(op, other, left|right) of json1. An ARG that is no JSON stands for itself as a string.\n"
    "--lines answers one request a line, {\"ok\":...} or {\"error\":...,\"code\":...}, until the end of input.\n",
    ACCESS_NONE,
    run,
    OPTIONS(OPTION_LINES),
    .group = GROUP_TOOLS,
};
