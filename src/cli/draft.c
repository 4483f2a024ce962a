#include "cli/draft.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/file.h"

#define NAME_SHOWN_BYTES 60

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int say_errno(const char *what)
{
    return cli_say(CLI_FAILED, "%s: %s", what, strerror(errno));
}

static bool suits(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int write_whole(const char *path, struct bytes text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const char *at = text.at;
    size_t n_left = text.n_bytes;

    if (fd < 0)
        return say_errno(path);
    while (n_left) {
        ssize_t n = write(fd, at, n_left);

        if (n < 0) {
            (void)say_errno(path);
            (void)close(fd);
            return CLI_FAILED;
        }
        at += n;
        n_left -= (size_t)n;
    }
    return close(fd) ? say_errno(path) : CLI_OK;
}

int draft_create(struct bytes name, const char *suffix, struct bytes text, struct draft *out)
{
    const char *place = getenv("TMPDIR"), *at = name.at;
    char shown[NAME_SHOWN_BYTES + 1];
    size_t n = name.n_bytes < NAME_SHOWN_BYTES ? name.n_bytes : NAME_SHOWN_BYTES;
    int n_folder = snprintf(out->folder, sizeof(out->folder), "%s/pilcrow-XXXXXX", place && *place ? place : "/tmp");
    int status;

    if (n_folder < 0 || (size_t)n_folder >= sizeof(out->folder))
        return cli_say(CLI_FAILED, "TMPDIR is too long a path");
    if (!mkdtemp(out->folder))
        return say_errno(out->folder);
    for (size_t i = 0; i < n; i++)
        shown[i] = (char)(suits(at[i]) ? at[i] : '_');
    shown[n] = '\0';
    (void)snprintf(out->path, sizeof(out->path), "%s/%s%s", out->folder, shown, suffix);
    status = write_whole(out->path, text);
    if (status)
        draft_remove(out);
    return status;
}

int draft_read(const struct draft *draft, struct buffer *into)
{
    return file_read(draft->path, into);
}

void draft_remove(const struct draft *draft)
{
    DIR *folder = opendir(draft->folder);
    const struct dirent *entry;

    if (!folder)
        return;
    while ((entry = readdir(folder)))
        (void)unlinkat(dirfd(folder), entry->d_name, 0); /* not . and .., nor what is no file */
    (void)closedir(folder);
    (void)rmdir(draft->folder);
}

/* ---- the editor -------------------------------------------------------------------------------------------------- */

static const char *editor(void)
{
    const char *visual = getenv("VISUAL"), *other = getenv("EDITOR");

    if (visual && *visual)
        return visual;
    return other && *other ? other : "vi";
}

/* So that `code --wait` works, the shell splits it, and adds the path. Never returns. */
__attribute__((noreturn)) static void become_editor(const struct draft *draft)
{
    char command[4096];
    int n = snprintf(command, sizeof(command), "%s \"$@\"", editor());

    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGQUIT, SIG_DFL);
    if (n > 0 && (size_t)n < sizeof(command))
        (void)execl("/bin/sh", "sh", "-c", command, editor(), draft->path, (char *)NULL);
    _exit(127);
}

static int editor_status(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return say_errno("waiting for the editor");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return CLI_OK;
    if (WIFEXITED(status))
        return cli_say(CLI_FAILED, "the editor (%s) ended with %d; nothing was changed", editor(), WEXITSTATUS(status));
    return cli_say(CLI_FAILED, "the editor (%s) was ended by signal %d; nothing was changed", editor(),
                   WTERMSIG(status));
}

int draft_edit(const struct draft *draft)
{
    void (*interrupt)(int), (*quit)(int);
    pid_t child;
    int status;

    if (strcmp(editor(), "vi") == 0 && !isatty(STDIN_FILENO))
        return cli_say(CLI_USAGE, "vi needs a terminal; name another editor in EDITOR, or use pilcrow put");
    interrupt = signal(SIGINT, SIG_IGN);
    quit = signal(SIGQUIT, SIG_IGN);
    child = fork();
    if (child == 0)
        become_editor(draft);
    status = child < 0 ? say_errno("fork") : editor_status(child);
    (void)signal(SIGINT, interrupt);
    (void)signal(SIGQUIT, quit);
    return status;
}
