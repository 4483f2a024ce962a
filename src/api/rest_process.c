/* Figures of the process, for /metrics: what the system says of it. Linux; what it does not say is left out. */
#include "api/rest_process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double cpu_seconds(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_SELF, &usage) ? 0 : seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static uint64_t resident_bytes(void)
{
    char line[128] = "", *at;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    (void)fclose(file);
    (void)strtoull(line, &at, 10); /* all that is mapped */
    return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t n_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (!directory)
        return 0;
    while (readdir(directory))
        n++;
    (void)closedir(directory);
    return n > 3 ? n - 3 : 0; /* "." and "..", and the one that reads them */
}

static uint64_t n_descriptors_max(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) ? 0 : limit.rlim_cur;
}

void process_figures(struct process_figures *out)
{
    *out = (struct process_figures){ .cpu_seconds = cpu_seconds(),
                                     .resident_bytes = resident_bytes(),
                                     .n_descriptors = n_open_descriptors(),
                                     .n_descriptors_max = n_descriptors_max() };
}
