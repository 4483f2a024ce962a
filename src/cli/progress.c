#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define WIDTH         30
#define DRAWN_SECONDS 0.1
#define SURE_SECONDS  2 /* before that nobody says how long it takes */

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void progress_begin(struct progress *progress, const char *what)
{
    *progress = (struct progress){ .what = what, .is_shown = isatty(STDERR_FILENO), .started = now() };
}

static void draw(const struct progress *progress, uint64_t done, uint64_t total, double seconds)
{
    double share = total ? (double)done / (double)total : 0;
    int n = share < 1 ? (int)(share * WIDTH) : WIDTH;

    if (!total)
        (void)fprintf(stderr, "\r\033[K%s  %llu", progress->what, (unsigned long long)done);
    else
        (void)fprintf(stderr, "\r\033[K%s  [%.*s%*s]  %d %%", progress->what, n, "##############################",
                      WIDTH - n, "", (int)(share * 100));
    if (share > 0 && share < 1 && seconds > SURE_SECONDS)
        (void)fprintf(stderr, "    %.0f s left", seconds / share - seconds);
    (void)fflush(stderr);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    double time;

    if (!progress->is_shown)
        return;
    time = now();
    if (time - progress->drawn < DRAWN_SECONDS)
        return;
    progress->drawn = time;
    draw(progress, done, total, time - progress->started);
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown && progress->drawn > 0)
        (void)fprintf(stderr, "\r\033[K");
    progress->is_shown = false;
}
