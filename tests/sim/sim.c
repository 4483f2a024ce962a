/* Runs the simulation: so many seeds, each in a process of its own, so that a run that dies takes nothing with it.
 *
 *     sim [--seeds N] [--first N] [--seed N] [--steps N] [--trace]
 *         [--sabotage KIND] [--must-be-caught]     the test of the test: ends well when a violation is found
 *
 * Prints TAP: one test for each scenario. A failing run is one line, which replays it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/sim/run.h"
#include "tests/sim/violation.h"

static const struct scenario scenarios[] = {
    { .name = "calm" },
    { .name = "people come and go", .replaced = 3 },
    { .name = "lines are cut", .cut = 15, .replaced = 4 },
    { .name = "the server restarts", .cut = 5, .restart = 6, .replaced = 2 },
    { .name = "the power goes", .cut = 5, .power = 8 },
    { .name = "commits fail", .cut = 5, .append_fails = 20 },
    { .name = "reading fails", .cut = 5, .restart = 4, .read_fails = 20 },
    { .name = "somebody else writes, too", .cut = 5, .foreign = 20 },
    { .name = "readers come and go", .cut = 10, .leave = 30, .replaced = 4 },
    { .name = "documents come and go", .cut = 10, .restart = 1, .deletes = 60 },
    { .name = "everybody creates", .cut = 15, .leave = 5, .creates_race = true },
    { .name = "everything at once",
      .cut = 10,
      .restart = 2,
      .power = 3,
      .append_fails = 8,
      .read_fails = 8,
      .foreign = 8,
      .leave = 8,
      .deletes = 15,
      .replaced = 2 },
};
#define N_SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static const char *const sabotages[] = {
    [SABOTAGE_NONE] = "none",     [SABOTAGE_EARLY_ACK] = "early-ack", [SABOTAGE_DUPLICATE] = "duplicate",
    [SABOTAGE_LOSS] = "loss",     [SABOTAGE_REORDER] = "reorder",     [SABOTAGE_FORGET] = "forget",
    [SABOTAGE_SIDES] = "sides",   [SABOTAGE_TWICE] = "twice",         [SABOTAGE_TIP] = "tip",
    [SABOTAGE_GHOSTS] = "ghosts",
};

enum sabotage sim_sabotage;

static struct {
    uint64_t first, n_seeds;
    size_t n_steps;
    bool must_be_caught, is_traced;
} options = { .first = 1, .n_seeds = 1000, .n_steps = 1400 };

/* Between a run's process and ours. */
static struct report {
    volatile size_t step;
    uint64_t fingerprint;
    size_t n_clients, n_edits, n_acknowledged, n_cuts, n_starts, n_refused, n_gaps, n_shown;
    char invariant[64], message[512];
} * report;

static struct run run; /* of a run's process */

static void on_violation(const char *invariant, const char *message)
{
    (void)snprintf(report->invariant, sizeof(report->invariant), "%s", invariant);
    (void)snprintf(report->message, sizeof(report->message), "%s", message);
    report->n_clients = run.n_clients;
    _exit(1);
}

static void run_here(uint64_t seed, size_t n_steps)
{
    sim_on_violation = on_violation;
    log_setup(LOG_ERROR, false);
    run = (struct run){
        .seed = seed,
        .n_steps = n_steps,
        .scenario = &scenarios[seed % N_SCENARIOS],
        .is_traced = options.is_traced,
    };
    run_all(&run, &report->step);
    report->fingerprint = run.fingerprint;
    report->n_clients = run.n_clients;
    report->n_edits = run.n_edits;
    report->n_acknowledged = run.n_acknowledged;
    report->n_cuts = run.n_cuts;
    report->n_starts = run.n_starts;
    report->n_refused = run.n_refused;
    report->n_gaps = run.n_gaps;
    report->n_shown = run.n_shown;
}

/* Whether it held. */
static bool run_seed(uint64_t seed, size_t n_steps)
{
    int status;
    pid_t pid;

    *report = (struct report){ 0 };
    (void)fflush(stdout);
    pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0) {
        run_here(seed, n_steps);
        exit(0); /* the leak checker, where there is one, has its word */
    }
    if (waitpid(pid, &status, 0) != pid)
        abort();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (!report->invariant[0])
        (void)snprintf(report->invariant, sizeof(report->invariant), "%s",
                       WIFSIGNALED(status) ? "the process died" : "the sanitizer found something");
    return false;
}

/* The fewest steps that still fail, as far as halving finds them. */
static size_t shrink(uint64_t seed, size_t n_steps)
{
    size_t failing = n_steps, stride = n_steps / 2;

    if (report->step < n_steps)
        failing = report->step + 1;
    for (; stride; stride /= 2)
        while (failing > stride && !run_seed(seed, failing - stride))
            failing -= stride;
    (void)run_seed(seed, failing);
    return failing;
}

static bool check_seed(uint64_t seed)
{
    size_t first_step;

    if (run_seed(seed, options.n_steps))
        return true;
    if (options.must_be_caught || options.is_traced) {
        (void)printf("# found at seed %" PRIu64 ": %s: %s\n", seed, report->invariant, report->message);
        return false;
    }
    first_step = report->step;
    (void)printf("# FAILED %s: seed %" PRIu64 ", %zu clients, step %zu of %zu. ./dev test sim --seed %" PRIu64 "\n",
                 report->invariant, seed, report->n_clients, first_step, options.n_steps, seed);
    first_step = shrink(seed, options.n_steps);
    (void)printf("#   --steps %zu is enough: %s: %s\n", first_step, report->invariant, report->message);
    return false;
}

static int run_scenario(size_t scenario)
{
    size_t n_runs = 0, n_failed = 0, n_edits = 0, n_acknowledged = 0, n_cuts = 0, n_starts = 0, n_gaps = 0,
           n_refused = 0, n_shown = 0;

    for (uint64_t seed = options.first; seed < options.first + options.n_seeds && n_failed < 5; seed++) {
        if (seed % N_SCENARIOS != scenario)
            continue;
        n_runs++;
        n_failed += !check_seed(seed);
        n_edits += report->n_edits;
        n_acknowledged += report->n_acknowledged;
        n_cuts += report->n_cuts;
        n_starts += report->n_starts;
        n_gaps += report->n_gaps;
        n_refused += report->n_refused;
        n_shown += report->n_shown;
    }
    (void)printf("%sok %zu - %s # %zu runs, %zu edits, %zu acknowledgements, %zu cuts, %zu starts, %zu gaps, %zu "
                 "refusals, %zu carets\n",
                 n_failed ? "not " : "", scenario + 1, scenarios[scenario].name, n_runs, n_edits, n_acknowledged,
                 n_cuts, n_starts, n_gaps, n_refused, n_shown);
    return n_failed != 0;
}

/* Or else a seed would be no bug report. */
static bool replays(uint64_t seed)
{
    uint64_t fingerprint;

    if (!run_seed(seed, options.n_steps))
        return true; /* a failure is reported by its scenario */
    fingerprint = report->fingerprint;
    free(malloc(5000)); /* the same, also when memory lies elsewhere */
    if (run_seed(seed, options.n_steps) && report->fingerprint != fingerprint)
        (void)printf("# seed %" PRIu64 " is another run the second time\n", seed);
    return report->fingerprint == fingerprint;
}

static int run_scenarios(void)
{
    int failed = 0;
    bool same = true;

    (void)printf("1..%zu\n", N_SCENARIOS + 1);
    for (size_t i = 0; i < N_SCENARIOS; i++)
        failed |= run_scenario(i);
    for (uint64_t seed = options.first; seed < options.first + 2 * N_SCENARIOS; seed++)
        same = replays(seed) && same;
    (void)printf("%sok %zu - a seed is the same run every time\n", same ? "" : "not ", N_SCENARIOS + 1);
    return failed || !same;
}

static int run_one(void)
{
    bool held;

    (void)printf("1..1\n");
    held = check_seed(options.first);
    (void)printf("%sok 1 - seed %" PRIu64 ", %s # %zu clients, %zu edits, %zu acknowledgements\n", held ? "" : "not ",
                 options.first, scenarios[options.first % N_SCENARIOS].name, report->n_clients, report->n_edits,
                 report->n_acknowledged);
    return !held;
}

static int run_sabotaged(void)
{
    uint64_t seed = options.first;

    (void)printf("1..1\n");
    while (seed < options.first + options.n_seeds && check_seed(seed))
        seed++;
    if (seed < options.first + options.n_seeds)
        (void)printf("ok 1 - %s is caught # after %" PRIu64 " seeds\n", sabotages[sim_sabotage],
                     seed - options.first + 1);
    else
        (void)printf("not ok 1 - %s is not caught in %" PRIu64 " seeds\n", sabotages[sim_sabotage], options.n_seeds);
    return seed == options.first + options.n_seeds;
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static int usage(void)
{
    (void)fprintf(stderr, "usage: sim [--seeds N] [--first N] [--seed N] [--steps N] [--trace] [--sabotage KIND] "
                          "[--must-be-caught]\n");
    return 2;
}

static bool read_sabotage(const char *name)
{
    for (size_t i = 0; i < sizeof(sabotages) / sizeof(sabotages[0]); i++) {
        if (strcmp(sabotages[i], name) == 0) {
            sim_sabotage = (enum sabotage)i;
            return true;
        }
    }
    return false;
}

static bool read_option(const char *name, const char *value)
{
    uint64_t number = strtoull(value, NULL, 10);

    if (strcmp(name, "--seeds") == 0)
        options.n_seeds = number;
    else if (strcmp(name, "--first") == 0)
        options.first = number;
    else if (strcmp(name, "--steps") == 0)
        options.n_steps = number;
    else if (strcmp(name, "--sabotage") == 0)
        return read_sabotage(value);
    else if (strcmp(name, "--seed") == 0) {
        options.first = number;
        options.n_seeds = 1;
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--must-be-caught") == 0)
            options.must_be_caught = true;
        else if (strcmp(argv[i], "--trace") == 0)
            options.is_traced = true;
        else if (i + 1 == argc || !read_option(argv[i], argv[i + 1]))
            return usage();
        else
            i++;
    }
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        return 1;
    if (options.must_be_caught)
        return run_sabotaged();
    return options.n_seeds == 1 ? run_one() : run_scenarios();
}
