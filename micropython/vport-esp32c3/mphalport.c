// The UART, time, and errors of IDF's as MicroPython has them.
#include "py/mphal.h"

#include "board.h"
#include "extmod/misc.h"
#include "py/mperrno.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "py/stream.h"

#if VPORT_NET
#include "link.h"
#endif

#define POLL_MS (VPORT_NET ? 10 : 50)  // a wait at the prompt, without a look at what has been scheduled
#define TICK_MS 1

static uint8_t stdin_bytes[260];
ringbuf_t stdin_ringbuf = { stdin_bytes, sizeof stdin_bytes, 0, 0 };

// Takes what has come, but no more than there is room for: the rest stays where it is.
void vport_poll(void) {
    uint8_t c;
    while (ringbuf_free(&stdin_ringbuf) > 0 && uart_rx_one_char(&c) == 0) {
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(&stdin_ringbuf, c);
        }
    }
#if VPORT_NET
    link_poll();
#endif
}

// Whoever has nothing to do but to wait leaves the processor for a tick, as the port does. Without a network time does not pass by
// itself: who waits makes it.
void vport_idle(void) {
#if VPORT_NET
    vboard_wait(TICK_MS);
#endif
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        vport_poll();
        int c = ringbuf_get(&stdin_ringbuf);
        if (c >= 0) {
            return c;
        }
        int dupterm_c = mp_os_dupterm_rx_chr();
        if (dupterm_c >= 0) {
            return dupterm_c;
        }
        mp_handle_pending(true);
        vboard_wait(POLL_MS);
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    vport_poll();
    if ((flags & MP_STREAM_POLL_RD) != 0 && ringbuf_avail(&stdin_ringbuf) > 0) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t size) {
    vboard_write(text, size);
    int copied = mp_os_dupterm_tx_strn(text, size);
    return copied >= 0 && (size_t)copied < size ? (mp_uint_t)copied : size;
}

uint64_t mp_hal_time_ns(void) {
    return esp_timer_us() * 1000u;
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)esp_timer_us();
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(esp_timer_us() / 1000u);
}

void mp_hal_delay_us(mp_uint_t us) {
    ets_delay_us(us);
}

void mp_hal_delay_ms(mp_uint_t ms) {
    for (uint64_t end = esp_timer_us() + (uint64_t)ms * 1000u; esp_timer_us() < end;) {
        MICROPY_EVENT_POLL_HOOK
#if !VPORT_NET
        ets_delay_us(1000);
#endif
    }
}

// As the esp32 port has it, where the text of an error is its number's.
void check_esp_err_(esp_err_t code) {
    if (code == ESP_OK) {
        return;
    }
    int error = -code;
    if (code == ESP_ERR_NO_MEM) {
        error = MP_ENOMEM;
    } else if (code == ESP_ERR_TIMEOUT) {
        error = MP_ETIMEDOUT;
    } else if (code == ESP_ERR_NOT_SUPPORTED) {
        error = MP_EOPNOTSUPP;
    }
    const char *text = esp_err_to_name(code);
    mp_obj_t args[2] = { mp_obj_new_int(error), mp_obj_new_str(text, strlen(text)) };
    nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, 2, 0, args));
}
