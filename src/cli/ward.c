#include "cli/ward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"

const char *ward_signal_name(int signal)
{
    const char *name = sigabbrev_np(signal);
    static char full[16];

    (void)snprintf(full, sizeof(full), "SIG%s", name ? name : "?");
    return full;
}

/* What LMDB and the store say on the way out is of no use to anybody: it is said better by the parent. */
static void child_run(const struct ward *ward, int fd)
{
    static const int deaths[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGPIPE };
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    FILE *to = fdopen(fd, "w");

    for (size_t i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++)
        (void)signal(deaths[i], SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    if (nowhere >= 0)
        (void)dup2(nowhere, STDERR_FILENO);
    if (!to)
        _exit(1);
    (void)setvbuf(to, NULL, _IOLBF, 0); /* a line is there before the next thing is tried */
    _exit(ward->work(ward->arg, to));
}

/* The whole lines that have come. */
static void lines_take(const struct ward *ward, struct buffer *bytes)
{
    char *at = bytes->at, *end = at + bytes->n_bytes, *newline;

    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        json_t *line = json_loadb(at, (size_t)(newline - at), JSON_ALLOW_NUL, NULL);

        if (line)
            ward->on_line(ward->arg, line);
        json_decref(line);
        at = newline + 1;
    }
    bytes->n_bytes = (size_t)(end - at);
    if (bytes->n_bytes)
        memmove(bytes->at, at, bytes->n_bytes);
}

/* Until the child has closed its end. false: nothing came for too long. */
static bool listen_to(const struct ward *ward, int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    struct buffer bytes;
    ssize_t n = 1;
    int ready = 1;

    buffer_init(&bytes, WARD_LINE_MAX);
    while (n > 0 || (n < 0 && errno == EINTR)) {
        char *room;

        ready = poll(&poll_fd, 1, WARD_SILENCE_SECONDS * 1000);
        if (ready == 0)
            break;
        room = buffer_room(&bytes, 65536);
        n = room ? read(fd, room, 65536) : 0;
        if (n > 0) {
            buffer_grew(&bytes, (size_t)n);
            lines_take(ward, &bytes);
        }
    }
    buffer_finish(&bytes);
    return ready != 0;
}

enum ward_end ward_run(const struct ward *ward, int *how)
{
    int fds[2], status = 0;
    bool heard;
    pid_t child;

    if (pipe2(fds, O_CLOEXEC)) {
        *how = -errno;
        return WARD_FAILED;
    }
    (void)fflush(NULL); /* lest it be written twice */
    child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        child_run(ward, fds[1]);
    }
    *how = child < 0 ? -errno : 0;
    (void)close(fds[1]);
    heard = child < 0 || listen_to(ward, fds[0]);
    (void)close(fds[0]);
    if (child < 0)
        return WARD_FAILED;
    if (!heard)
        (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!heard)
        return WARD_HUNG;
    *how = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    return WIFSIGNALED(status) ? WARD_DIED : *how ? WARD_FAILED : WARD_ENDED;
}
