// Which devices: names and addresses, from the command line and from a file.
#ifndef MOLT_CMD_HOSTS_H
#define MOLT_CMD_HOSTS_H

#include <stdint.h>

// Longest name with its port, as DNS has it, and most devices of one call.
#define HOSTS_NAME_MAX 260
#define HOSTS_COUNT_MAX 10000

typedef struct hosts {
    char (*names)[HOSTS_NAME_MAX];  // "lamp.local" or "10.0.0.7:8080"
    uint32_t count;
} hosts_t;

// Collect the `count` names at `words`, then those in the file or pipe `path` (NULL: none): one a line, # begins a comment. Each has to be
// a name or an IPv4 address, perhaps with a port, and be there once. `count` or `path` says something.
// Returns 0, or 1 after having said what is wrong. Call hosts_free() in either case.
int hosts_load(hosts_t *hosts, const char **words, uint32_t count, const char *path);
void hosts_free(hosts_t *hosts);

#endif
