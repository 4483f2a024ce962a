#include "cli/token_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* The first line without its end, if nothing in it would end the header it goes into, or say two things there. */
static bool is_secret(char *line)
{
    size_t n = strcspn(line, "\r\n");

    if (n == 0 || n == CLI_TOKEN_MAX - 1)
        return false;
    line[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (line[i] <= ' ' || line[i] > '~')
            return false;
    }
    return true;
}

/* ssh refuses such a key. Secrets that a container mounts look like this everywhere, so here it is said only. */
static void warn_if_open(const char *path, FILE *file)
{
    struct stat about;

    if (fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) && about.st_mode & S_IROTH)
        (void)cli_say(CLI_OK, "warning: everybody on this machine can read %s; chmod o-r", path);
}

int token_file_read(const char *path, char out[CLI_TOKEN_MAX])
{
    FILE *file = fopen(path, "re");
    int status = CLI_OK;

    if (!file)
        return cli_say(CLI_FAILED, "%s: %s", path, strerror(errno));
    errno = 0;
    if (!fgets(out, CLI_TOKEN_MAX, file)) {
        status = cli_say(CLI_FAILED, "%s: %s", path, errno ? strerror(errno) : "there is no token in it");
        goto out;
    }
    if (is_secret(out))
        warn_if_open(path, file);
    else
        status = cli_say(CLI_FAILED, "%s: its first line is no token", path);
out:
    (void)fclose(file);
    return status;
}
