// What a rollout looks like: a table that moves on a terminal, a line for each change elsewhere, JSON at the end.
#ifndef MOLT_CMD_SHOW_H
#define MOLT_CMD_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "rollout.h"

typedef struct show {
    bool is_terminal;
    bool is_quiet;        // only what failed, and the end
    bool is_json;         // nothing but JSON at the end, and on stderr what failed
    int host_width;       // columns
    uint32_t row_count;   // that stand on the terminal and are painted over
    uint64_t painted_ms;  // when they were
    uint8_t *shown;       // of each device: the state of which a line was printed
    uint64_t begun_ms;
} show_t;

// 0, or 1 after having said what is wrong. Call show_end() in either case.
int show_begin(show_t *show, const hosts_t *hosts, bool is_json, bool is_quiet);
void show_end(show_t *show);

// What rollout_run() calls; ctx is the show_t.
rollout_watcher_t show_watcher(show_t *show);

// The last lines, or the JSON.
void show_summary(show_t *show, const rollout_t *rollout, const char *path);

#endif
