/* Preloaded into a server: the time of day as a test wants it.
 *
 *     LD_PRELOAD=clock_preload.so CLOCK_FILE=f pilcrowd ...
 *
 * The file holds one number of 64 bits, in the machine's order: milliseconds since 1970, or 0 for the real time. The
 * test may write it while the server runs. Clocks that only count on, which timers use, stay as they are. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real_gettime)(clockid_t, struct timespec *);
static volatile const uint64_t *now_ms;

__attribute__((constructor)) static void clock_start(void)
{
    const char *path = getenv("CLOCK_FILE");
    int fd;

    *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    if (!path)
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        abort();
    now_ms = mmap(NULL, sizeof(*now_ms), PROT_READ, MAP_SHARED, fd, 0);
    if (now_ms == MAP_FAILED)
        abort();
}

int clock_gettime(clockid_t id, struct timespec *into)
{
    uint64_t ms = now_ms ? *now_ms : 0;

    if (id != CLOCK_REALTIME || !ms)
        return real_gettime(id, into);
    into->tv_sec = (time_t)(ms / 1000);
    into->tv_nsec = (long)(ms % 1000) * 1000000;
    return 0;
}
