// Software timers and busy waiting.
#ifndef VSDK_OSAPI_H
#define VSDK_OSAPI_H

#include "os_type.h"

void os_delay_us(uint16_t us);

void os_timer_setfn(os_timer_t *timer, os_timer_func_t *func, void *arg);
void os_timer_arm(os_timer_t *timer, uint32_t ms, bool repeat);
void os_timer_arm_us(os_timer_t *timer, uint32_t us, bool repeat);
void os_timer_disarm(os_timer_t *timer);

#endif  // VSDK_OSAPI_H
