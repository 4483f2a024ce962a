#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES (16 * 1024 * 1024)
#define READ_BYTES     (16 * 1024)
#define READS_AT_ONCE  16
#define FAMILY_MOST    256

void fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

uint64_t random_between(uint64_t from, uint64_t to)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return from + (state * 0x2545f4914f6cdd1d >> 16) % (to - from);
}

void raise_descriptors(unsigned n_lines)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        fail("getrlimit: %s", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < n_lines + 16)
        fail("%u lines are more than this process may open", n_lines);
}

clockid_t cpu_clock(pid_t pid)
{
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock))
        fail("there is no process %d", (int)pid);
    return clock;
}

double seconds_of(clockid_t clock)
{
    struct timespec at;

    if (clock_gettime(clock, &at))
        fail("the server's process is gone");
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* 0 if there is no such process; what its children used that have ended, as far as it has waited for them. */
static pid_t parent_of(pid_t pid, double *ended_s)
{
    char path[64], stat[1024];
    unsigned long user = 0, system = 0;
    size_t n;
    int parent = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    n = fread(stat, 1, sizeof(stat) - 1, file);
    (void)fclose(file);
    stat[n] = 0;
    /* Behind the name: state, parent, eleven more, and the times. */
    if (!strrchr(stat, ')') ||
        sscanf(strrchr(stat, ')') + 1, " %*c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &parent, &user,
               &system) != 3)
        return 0;
    *ended_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    return parent;
}

static bool is_among(pid_t pid, const pid_t *all, size_t n)
{
    while (n > 0 && all[n - 1] != pid)
        n--;
    return n > 0;
}

/* Adds those whose parents are among them; how many they are now. */
static size_t add_children(pid_t *all, size_t n)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    double ended_s;

    if (!processes)
        fail("/proc can't be read");
    while ((entry = readdir(processes)) && n < FAMILY_MOST) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && !is_among(pid, all, n) && is_among(parent_of(pid, &ended_s), all, n))
            all[n++] = pid;
    }
    (void)closedir(processes);
    return n;
}

double family_seconds(pid_t pid)
{
    pid_t all[FAMILY_MOST] = { pid };
    size_t n = 0, n_known = 1;
    double sum = 0;

    while (n < n_known) {
        n = n_known;
        n_known = add_children(all, n);
    }
    for (size_t i = 0; i < n; i++) {
        double ended_s = 0;
        clockid_t clock;

        if (parent_of(all[i], &ended_s) && !clock_getcpuclockid(all[i], &clock))
            sum += seconds_of(clock) + ended_s;
        else if (i == 0)
            fail("there is no process %d", (int)pid);
    }
    return sum;
}

long resident_bytes(pid_t pid)
{
    char path[64];
    long total, resident = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    file = fopen(path, "re");
    if (!file || fscanf(file, "%ld %ld", &total, &resident) != 2)
        fail("%s can't be read", path);
    (void)fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void line_watch(struct line *line, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = line->owner };

    if (epoll_ctl(line->epoll, operation, line->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

void line_open(struct line *line, int epoll, void *owner, struct traffic *traffic, int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1;

    *line = (struct line){ .epoll = epoll, .owner = owner, .traffic = traffic };
    buffer_init(&line->input, LINE_MAX_BYTES);
    buffer_init(&line->output, LINE_MAX_BYTES);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    line->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (line->fd < 0 || connect(line->fd, (struct sockaddr *)&address, sizeof(address)))
        fail("no line to port %d: %s", port, strerror(errno));
    (void)setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    line_watch(line, EPOLL_CTL_ADD, EPOLLIN);
}

void line_close(struct line *line)
{
    (void)close(line->fd);
    buffer_finish(&line->input);
    buffer_finish(&line->output);
}

void line_flush(struct line *line)
{
    ssize_t n;

    if (line->output.error)
        fail("too much to send");
    while (line->n_sent < line->output.n_bytes) {
        n = send(line->fd, line->output.at + line->n_sent, line->output.n_bytes - line->n_sent,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            line_watch(line, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0)
            fail("send: %s", strerror(errno));
        line->n_sent += (size_t)n;
        line->traffic->bytes_out += (uint64_t)n;
    }
    line->n_sent = 0;
    buffer_reset(&line->output);
}

void line_on_room(struct line *line)
{
    line_watch(line, EPOLL_CTL_MOD, EPOLLIN);
    line_flush(line);
}

bool line_read(struct line *line)
{
    for (int i = 0; i < READS_AT_ONCE; i++) {
        char *room = buffer_room(&line->input, READ_BYTES);
        ssize_t n;

        if (!room)
            fail("more than %d bytes came and make no sense", LINE_MAX_BYTES);
        n = recv(line->fd, room, READ_BYTES, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0)
            return false;
        buffer_grew(&line->input, (size_t)n);
        line->traffic->bytes_in += (uint64_t)n;
        if (n < READ_BYTES)
            break;
    }
    return true;
}

void line_take(struct line *line, size_t n_bytes)
{
    line->input.n_bytes -= n_bytes;
    memmove(line->input.at, line->input.at + n_bytes, line->input.n_bytes);
}
