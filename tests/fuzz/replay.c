/* Gives every file of the folders named to the fuzz target it is linked with, each in memory exactly as long as the
 * file; one line of TAP a folder, after a line that names the file, so that a crash tells. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long n_bytes = -1;

    if (file && fseek(file, 0, SEEK_END) == 0)
        n_bytes = ftell(file);
    if (n_bytes >= 0)
        data = malloc(n_bytes ? (size_t)n_bytes : 1);
    if (!data || fseek(file, 0, SEEK_SET) != 0 || fread(data, 1, (size_t)n_bytes, file) != (size_t)n_bytes) {
        (void)fprintf(stderr, "%s can't be read\n", path);
        abort();
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(data, (size_t)n_bytes);
    free(data);
}

static size_t replay_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    size_t n = 0;

    while (directory && (entry = readdir(directory))) {
        char path[1024];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        printf("# %s\n", entry->d_name);
        (void)fflush(stdout);
        replay_file(path);
        n++;
    }
    if (directory)
        (void)closedir(directory);
    return n;
}

int main(int argc, char **argv)
{
    int n_empty = 0;

    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        size_t n = replay_folder(argv[i]);
        const char *name = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];

        n_empty += n == 0; /* a corpus that is gone proves nothing */
        printf("%s %d - corpus %s, %zu files\n", n ? "ok" : "not ok", i, name, n);
    }
    return n_empty || argc < 2 ? 1 : 0;
}
