// A firmware for many devices.

#include "rollout.h"

#include <stdlib.h>

#include "say.h"

// How long nothing is looked at where nothing happens.
#define TICK_MS 100

static bool is_stopped(const rollout_t *rollout) {
    return rollout->stop || rollout->is_interrupted;
}

static void begin_next(rollout_t *rollout) {
    uint32_t limit = rollout->is_proved ? rollout->options.jobs : 1;
    while (!is_stopped(rollout) && rollout->next < rollout->count && rollout->under_way_count < limit) {
        push_begin(&rollout->devices[rollout->next++], &rollout->options.push, rollout->pool);
        rollout->under_way_count++;
    }
}

// Before a device has shown that the firmware runs, whatever fails stops it all: that may be wrong with all of them. After that, only
// an upgrade that went wrong does; a device that could not be begun with is as it was.
static void settle(rollout_t *rollout, push_t *push) {
    bool keeps_going = rollout->options.keeps_going;
    rollout->under_way_count--;
    if (push->state == PUSH_UPGRADED || push->state == PUSH_SAME) {
        rollout->is_proved = true;
    } else if (push->state == PUSH_FAILED && rollout->stop == NULL) {
        bool stops = rollout->is_proved ? push->is_changed && !keeps_going : push->is_changed || !keeps_going;
        rollout->stop = stops ? push : NULL;
    }
    http_close(&push->http);
}

static void look(rollout_t *rollout, push_t *push, const rollout_watcher_t *watcher) {
    if (!push_is_under_way(push)) {
        settle(rollout, push);
        watcher->on_done(watcher->ctx, rollout, push);
    }
}

static void wake_due(rollout_t *rollout) {
    uint64_t now_ms = http_now_ms();
    for (uint32_t i = 0; i < rollout->next; i++) {
        push_t *push = &rollout->devices[i];
        if (push_is_under_way(push) && push->due_ms && push->due_ms <= now_ms) {
            push_wake(push);
        }
    }
}

int rollout_run(rollout_t *rollout, const hosts_t *hosts, const rollout_options_t *options, http_pool_t *pool,
    const rollout_watcher_t *watcher, const volatile sig_atomic_t *interrupted) {
    *rollout = (rollout_t){ .count = hosts->count, .options = *options, .pool = pool };
    rollout->devices = calloc(hosts->count, sizeof *rollout->devices);
    if (rollout->devices == NULL) {
        rollout->count = 0;
        return say_fail("there is not enough memory; close other programs");
    }
    for (uint32_t i = 0; i < hosts->count; i++) {
        rollout->devices[i].host = hosts->names[i];
    }
    begin_next(rollout);
    while (rollout->under_way_count) {
        http_work(pool, TICK_MS);
        for (http_t *http = http_next(pool); http; http = http_next(pool)) {
            push_t *push = http->owner;
            push_on_answer(push);
            look(rollout, push, watcher);
        }
        wake_due(rollout);
        rollout->is_interrupted = *interrupted != 0;
        begin_next(rollout);
        watcher->on_time(watcher->ctx, rollout);
    }
    return rollout_tally(rollout, PUSH_UPGRADED) + rollout_tally(rollout, PUSH_SAME) != rollout->count;
}

void rollout_free(rollout_t *rollout) {
    for (uint32_t i = 0; i < rollout->count; i++) {
        http_close(&rollout->devices[i].http);
    }
    free(rollout->devices);
    rollout->devices = NULL;
    rollout->count = 0;
}

uint32_t rollout_tally(const rollout_t *rollout, push_state_t state) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < rollout->count; i++) {
        count += rollout->devices[i].state == state;
    }
    return count;
}
