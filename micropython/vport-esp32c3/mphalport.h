// What MicroPython wants of the chip.
#ifndef MICROPY_INCLUDED_VPORT_MPHALPORT_H
#define MICROPY_INCLUDED_VPORT_MPHALPORT_H

#include "esp_err.h"
#include "py/ringbuf.h"
#include "shared/runtime/interrupt_char.h"

extern ringbuf_t stdin_ringbuf;

void check_esp_err_(esp_err_t code);
#define check_esp_err(code) check_esp_err_(code)

#define MICROPY_BEGIN_ATOMIC_SECTION() (0)
#define MICROPY_END_ATOMIC_SECTION(state) ((void)(state))

static inline mp_uint_t mp_hal_ticks_cpu(void) {
    uint32_t count;
    __asm__ volatile("csrr %0, 0x7E2" : "=r"(count));
    return count;
}

void mp_hal_delay_us(mp_uint_t us);
#define mp_hal_delay_us_fast(us) mp_hal_delay_us(us)

#endif
