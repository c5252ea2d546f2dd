// A firmware for many devices: one first, the canary; when that runs it, several at a time. It stops where an upgrade went wrong; what is under
// way then comes to its end, and nothing new is begun.
#ifndef MOLT_CMD_ROLLOUT_H
#define MOLT_CMD_ROLLOUT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "hosts.h"
#include "http.h"
#include "push.h"

typedef struct rollout_options {
    push_options_t push;
    uint32_t jobs;  // at a time, after the canary
    bool keeps_going;
} rollout_options_t;

typedef struct rollout {
    push_t *devices;  // in the order in which they are begun
    uint32_t count;
    uint32_t next;  // the first that is not begun
    uint32_t under_way_count;
    bool is_proved;      // a device runs the firmware, and can be reached
    const push_t *stop;  // the one at which it stopped; NULL if it did not
    bool is_interrupted;
    rollout_options_t options;
    http_pool_t *pool;
} rollout_t;

// Called whenever something has happened, ten times a second at least, and for each device once when it is done with.
typedef struct rollout_watcher {
    void *ctx;
    void (*on_done)(void *ctx, const rollout_t *rollout, const push_t *push);
    void (*on_time)(void *ctx, const rollout_t *rollout);
} rollout_watcher_t;

// Do it all. `interrupted` (not NULL) is looked at: where it is set nothing new is begun.
// Returns 0 if each device runs the firmware, else 1. The caller frees by rollout_free().
int rollout_run(rollout_t *rollout, const hosts_t *hosts, const rollout_options_t *options, http_pool_t *pool,
    const rollout_watcher_t *watcher, const volatile sig_atomic_t *interrupted);
void rollout_free(rollout_t *rollout);

// How many devices are in a state.
uint32_t rollout_tally(const rollout_t *rollout, push_state_t state);

#endif
