#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int memory_create(char **out)
{
    const char *elsewhere = getenv("TMPDIR");
    const char *parents[] = { "/dev/shm", elsewhere ? elsewhere : "/tmp" };
    int r = -ENOENT;

    for (size_t i = 0; r && i < sizeof(parents) / sizeof(parents[0]); i++) {
        char *path;

        if (asprintf(&path, "%s/pilcrow-memory-XXXXXX", parents[i]) < 0)
            return -ENOMEM;
        if (mkdtemp(path)) {
            *out = path;
            return 0;
        }
        r = -errno;
        free(path);
    }
    return r;
}

void memory_remove(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        (void)closedir(directory);
    (void)rmdir(path);
}
