/* A data directory in memory, for --memory: gone with the server. One that is killed leaves it behind. */
#ifndef MEMORY_H
#define MEMORY_H

/* A new, empty directory in /dev/shm, or in $TMPDIR where there is none. *out: its path; the caller frees it.
 * Returns 0 or -errno. */
__attribute__((warn_unused_result)) int memory_create(char **out);

/* Removes it, with what a store leaves there. */
void memory_remove(const char *path);

#endif
