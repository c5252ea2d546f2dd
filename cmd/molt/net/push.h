// One device of a rollout: the firmware is uploaded, the device upgrades, comes back, and its firmware is confirmed. A state machine that
// is driven by answers (push_on_answer) and by time (push_wake); nothing here waits.
#ifndef MOLT_CMD_PUSH_H
#define MOLT_CMD_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "payload.h"

#define PUSH_VERSION_MAX 64
#define PUSH_BOOT_MAX 24

typedef struct push_options {
    const payload_t *payload;
    const payload_form_t *fallback;  // bytes of the image to fall back on, sent where the device has none; may have no bytes
    bool wants_trial;
    bool leaves_confirming;  // to the device's own program
    bool drop_frozen;
    bool wants_raw;
    uint32_t wait_s;  // until a device that upgrades is back, and confirmed, beyond what it says that it takes
} push_options_t;

typedef enum push_state {
    PUSH_NOT_BEGUN,
    PUSH_ASKING,
    PUSH_UPLOADING,
    PUSH_PREPARING,   // the device stores the plan
    PUSH_UPGRADING,   // it has been told to; until it is back
    PUSH_CONFIRMING,  // it is back, and its firmware on trial
    PUSH_UPGRADED,
    PUSH_SAME,  // it runs this firmware already
    PUSH_FAILED,
} push_state_t;

typedef struct push {
    const char *host;
    push_state_t state;
    bool is_changed;  // failed after it was told to upgrade: not as it was before, or nobody knows
    char error[HTTP_TEXT_MAX + 200];
    char from[PUSH_VERSION_MAX];  // the version that ran, that is to run, and that was seen last; "" where not known
    char to[PUSH_VERSION_MAX];
    char now[PUSH_VERSION_MAX];
    char boot[PUSH_BOOT_MAX];    // what it calls the time since its last restart; "": an older molt_web, which does not
    uint32_t delta_next;         // delta files before this one were refused
    bool is_gzip_refused;        // so was the packed image
    const payload_form_t *form;  // what is sent; NULL until that is chosen
    uint32_t got;                // bytes of it that the device has
    uint32_t broken_count;       // connections that broke and were taken up again
    double seconds;              // that the device says its boot loader needs
    uint64_t begun_ms;
    uint64_t ended_ms;
    // The rest is push.c's own.
    const push_options_t *options;
    http_pool_t *pool;
    http_t http;
    int step;
    uint64_t due_ms;  // when to go on; 0 while a request is under way
    uint32_t tries;
    uint32_t restart_count;  // uploads that had to begin again
    uint32_t short_count;    // times that it had all of this form and could not check it now
    uint32_t order_count;    // times that it was told to upgrade
    uint64_t ordered_ms;
    bool is_boot_known;      // `boot` is of now: no connection broke since
    bool has_sent_fallback;  // with this form
} push_t;

// Begin with a device that has not been begun.
void push_begin(push_t *push, const push_options_t *options, http_pool_t *pool);

// push->http has its answer.
void push_on_answer(push_t *push);

// push->due_ms has come.
void push_wake(push_t *push);

static inline bool push_is_under_way(const push_t *push) {
    return push->state > PUSH_NOT_BEGUN && push->state < PUSH_UPGRADED;
}

// Bytes of the image that the device has or are on their way to it.
uint32_t push_sent(const push_t *push);

#endif
