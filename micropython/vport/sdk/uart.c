// The port's UART driver (uart.h) over the mask ROM's two UART functions.
//
// The virtual board's UART has no registers and no interrupt: a byte is sent when it is given, and the
// event loop looks for received ones. They are taken only while there is room, so that none is ever lost.
// At a prompt the board is asked to wait, so that the host's processor rests.

#include "uart.h"
#include "ets_sys.h"
#include "sdk.h"
#include "user_interface.h"

#include "py/mphal.h"
#include "py/runtime.h"

// Mask ROM; the port uses the names uart_tx_one_char and uart_rx_one_char for functions of its own.
#define rom_uart_tx_one_char ((int (*)(uint8_t byte))0x40003b30)
#define rom_uart_rx_one_char ((int (*)(uint8_t * byte))0x40003b8c)

// The board's own, where a chip has nothing: wait until there is input, at most that long.
#define vboard_wait ((bool (*)(uint32_t ms))0x4000ff20)
#define WAIT_MS 10

extern UartDevice UartDev;

void vport_wait(int timeout_ms);

uint8 uart_ringbuf_array[UART0_STATIC_RXBUF_LEN];
static ringbuf_t uart_ringbuf = { uart_ringbuf_array, sizeof(uart_ringbuf_array), 0, 0 };

void ICACHE_FLASH_ATTR sdk_uart_poll(void) {
    ringbuf_t *ring = uart_attached_to_dupterm ? &stdin_ringbuf : &uart_ringbuf;
    uint8_t byte;
    while (ringbuf_free(ring) > 0 && rom_uart_rx_one_char(&byte) == 0) {
        if (uart_attached_to_dupterm && byte == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(ring, byte);
        }
    }
    if (uart_attached_to_dupterm) {
        mp_hal_signal_input();
    }
}

// The linker puts this in front of the port's mp_hal_stdin_rx_chr().
int __real_mp_hal_stdin_rx_chr(void);
int __wrap_mp_hal_stdin_rx_chr(void);
int ICACHE_FLASH_ATTR __wrap_mp_hal_stdin_rx_chr(void) {
    for (;;) {
        mp_event_handle_nowait();
        sdk_uart_poll();
        if (ringbuf_avail(&stdin_ringbuf) > 0) {
            break;
        }
        vboard_wait(WAIT_MS);
    }
    return __real_mp_hal_stdin_rx_chr();
}

// MicroPython has nothing to do for so long; negative: until something comes.
void ICACHE_FLASH_ATTR vport_wait(int timeout_ms) {
    vboard_wait(timeout_ms >= 0 && timeout_ms < WAIT_MS ? (uint32_t)timeout_ms : WAIT_MS);
}

void ICACHE_FLASH_ATTR uart_init(UartBautRate uart0_baud, UartBautRate uart1_baud) {
    (void)uart1_baud;
    UartDev.baut_rate = uart0_baud;
}

void ICACHE_FLASH_ATTR uart_setup(uint8 uart) {
    (void)uart;
}

void ICACHE_FLASH_ATTR uart_os_config(int uart) {
    (void)uart;
}

void uart_tx_one_char(uint8 uart, uint8 byte) {
    if (uart == UART0) {
        rom_uart_tx_one_char(byte);
    }
}

void ICACHE_FLASH_ATTR uart_flush(uint8 uart) {
    (void)uart;
}

int ICACHE_FLASH_ATTR uart_txdone(uint8 uart) {
    (void)uart;
    return true;
}

int ICACHE_FLASH_ATTR uart_tx_any_room(uint8 uart) {
    (void)uart;
    return true;
}

int ICACHE_FLASH_ATTR uart_rx_any(uint8 uart) {
    (void)uart;
    return ringbuf_avail(&uart_ringbuf) > 0;
}

int ICACHE_FLASH_ATTR uart_rx_char(void) {
    return ringbuf_get(&uart_ringbuf);
}

bool ICACHE_FLASH_ATTR uart_rx_wait(uint32_t timeout_us) {
    uint32_t start = system_get_time();
    while (!uart_rx_any(UART0)) {
        if (system_get_time() - start >= timeout_us) {
            return false;
        }
        mp_event_handle_nowait();
    }
    return true;
}

int ICACHE_FLASH_ATTR uart0_get_rxbuf_len(void) {
    return uart_ringbuf.size;
}

void ICACHE_FLASH_ATTR uart0_set_rxbuf(uint8 *buf, int len) {
    uart_ringbuf = (ringbuf_t){ buf, (uint16_t)len, 0, 0 };
}
