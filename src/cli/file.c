#include "cli/file.h"

#include <errno.h>
#include <stdio.h>

#define READ_BYTES 65536

int file_read(const char *path, struct buffer *into)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    int status = CLI_OK;
    char *room;

    if (!file)
        return cli_say(CLI_FAILED, "%s: %s", path, strerror(errno));
    while ((room = buffer_room(into, READ_BYTES)) != NULL) {
        size_t n = fread(room, 1, READ_BYTES, file);

        buffer_grew(into, n);
        if (n < READ_BYTES)
            break;
    }
    if (into->error)
        status = cli_say(CLI_FAILED, "%s: %s", path, strerror(-into->error));
    else if (ferror(file))
        status = cli_say(CLI_FAILED, "%s: %s", path, strerror(errno ? errno : EIO));
    if (!is_stdin)
        (void)fclose(file);
    return status;
}
