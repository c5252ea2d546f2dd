// Tasks, events and software timers.
#ifndef VSDK_OS_TYPE_H
#define VSDK_OS_TYPE_H

#include "c_types.h"

typedef uint32_t os_signal_t;
typedef uint32_t os_param_t;

typedef struct {
    os_signal_t sig;
    os_param_t par;
} os_event_t;

typedef void (*os_task_t)(os_event_t *event);
typedef void os_timer_func_t(void *arg);

typedef struct os_timer {
    struct os_timer *next;
    uint32_t expire_us;  // system_get_time() at which it fires
    uint32_t period_us;  // 0: once
    os_timer_func_t *func;
    void *arg;
} os_timer_t;

#endif  // VSDK_OS_TYPE_H
