#include "storage/lmdb/guard.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/lmdb/store_lmdb.h"

#define NAME_MAX_BYTES 272

static const int deaths[] = { SIGSEGV, SIGBUS };
#define N_DEATHS (sizeof(deaths) / sizeof(deaths[0]))

static struct {
    bool is_installed;
    struct sigaction before[N_DEATHS];
    char program[32], path[PATH_MAX];
} guard;

static _Thread_local struct {
    const char *what; /* NULL: outside */
    char name[NAME_MAX_BYTES];
} inside;

void guard_enter(const char *what)
{
    inside.name[0] = 0;
    inside.what = what;
}

void guard_leave(void)
{
    inside.what = NULL;
}

void guard_reading(struct store_name name)
{
    if (guard.is_installed)
        (void)snprintf(inside.name, sizeof(inside.name), "%.*s/%.*s", (int)name.collection.n_bytes,
                       (const char *)name.collection.at, (int)name.id.n_bytes, (const char *)name.id.at);
}

/* ---- speaking: only what may be called in a handler -------------------------------------------------------------- */

static void append(char *line, size_t n_line, const char *text)
{
    size_t at = strlen(line);

    for (; *text && at + 1 < n_line; text++)
        line[at++] = *text;
    line[at] = 0;
}

static void speak(const char *how)
{
    char line[2 * PATH_MAX + 512] = "";

    append(line, sizeof(line), guard.program);
    append(line, sizeof(line), ": the store in ");
    append(line, sizeof(line), guard.path);
    append(line, sizeof(line), " seems to be damaged: ");
    append(line, sizeof(line), how);
    append(line, sizeof(line), ", while ");
    append(line, sizeof(line), inside.name[0] ? "reading " : inside.what);
    append(line, sizeof(line), inside.name);
    append(line, sizeof(line), ". Run: pilcrow --data ");
    append(line, sizeof(line), guard.path);
    append(line, sizeof(line), " check\n");
    if (write(STDERR_FILENO, line, strlen(line)) < 0)
        return; /* there is nobody to be told */
}

/* Whoever was there before has the last word: what has failed fails once more; what was sent is sent again. */
static void on_signal(int signal, siginfo_t *info, void *context)
{
    if (inside.what && info->si_code > 0)
        speak(signal == SIGBUS ? "SIGBUS, the file is cut off, or the disk can't be read"
                               : "SIGSEGV, LMDB was led astray");
    inside.what = NULL;
    for (size_t i = 0; i < N_DEATHS; i++)
        if (deaths[i] == signal)
            (void)sigaction(signal, &guard.before[i], NULL);
    if (info->si_code <= 0)
        (void)raise(signal);
}

static void on_assert(MDB_env *env, const char *what)
{
    (void)env;
    if (guard.is_installed && inside.what)
        speak(what);
    inside.what = NULL;
    abort();
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void guard_asserts(MDB_env *env)
{
    (void)mdb_env_set_assert(env, on_assert);
}

void store_lmdb_explain_deaths(const char *program, const char *path)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

    (void)snprintf(guard.program, sizeof(guard.program), "%s", program);
    (void)snprintf(guard.path, sizeof(guard.path), "%s", path);
    guard.is_installed = true;
    for (size_t i = 0; i < N_DEATHS; i++)
        (void)sigaction(deaths[i], &action, &guard.before[i]);
}
