// The UART: standard input and output of the run. The end of the input switches the board off, once the
// program waits for more of it: one that only looks may still have something to do.
//
// Only the ROM functions are modelled, not the UART's registers; bytes are never lost and take no time.
#include "../board.h"
#include "host.h"
#include "net.h"
#include "power.h"
#include "rom.h"
#include "watchdog.h"

enum {
    SLICE_MS = 100,    // longest wait without a look at the watchdog
    NET_SLICE_MS = 2,  // and without a look at the UART, where the network is waited for
};

static struct {
    uint8_t fifo[128];  // as deep as the chip's
    uint32_t head;
    uint32_t count;
    bool has_ended;
} input;

// Takes what the host has, if anything; whether there is a character now.
static bool fill(uint32_t wait_us) {
    if (input.count > 0) {
        return true;
    }
    if (input.has_ended || !host_readable(HOST_STDIN, wait_us)) {
        return false;
    }
    int got = host_read(HOST_STDIN, input.fifo, sizeof input.fifo);
    input.has_ended = got <= 0;
    input.head = 0;
    input.count = got > 0 ? (uint32_t)got : 0;
    return input.count > 0;
}

// Under --icount runs are to be alike, however long the host takes to send something. So no time passes while the
// program waits, it waits in one go, and who only looks is shown what came before; what the host has meanwhile is
// looked up once in POLLS looks, for a program that never waits.
static bool is_repeatable(void) {
    return host_option("icount") != NULL;
}

static bool look(void) {
    enum { POLLS = 4096 };
    static uint32_t polls;
    return input.count > 0 || ((!is_repeatable() || ++polls % POLLS == 0) && fill(0));
}

// The program has nothing else to do.
static bool wait_for(uint32_t us) {
    bool is_filled = fill(us > 0 && is_repeatable() ? UINT32_MAX : us);
    if (input.has_ended) {
        power_off(0);
    }
    return is_filled;
}

int uart_rx_one_char(uint8_t *c) {
    watchdog_check();
    if (!look()) {
        return 1;
    }
    *c = input.fifo[input.head++];
    input.count--;
    return 0;
}

uint8_t uart_rx_one_char_block(void) {
    uint8_t c;
    while (uart_rx_one_char(&c) != 0) {
        wait_for(SLICE_MS * 1000);
    }
    return c;
}

int uart_tx_one_char(uint8_t c) {
    host_write(HOST_STDOUT, &c, 1);
    watchdog_check();
    return 0;
}

void vboard_write(const void *text, uint32_t size) {
    host_write(HOST_STDOUT, text, size);
    watchdog_check();
}

bool vboard_wait(uint32_t ms) {
    int net = net_descriptor();
    uint32_t longest = net < 0 ? SLICE_MS : NET_SLICE_MS;
    for (;;) {
        watchdog_check();
        uint32_t slice = ms < longest ? ms : longest;
        if (wait_for(net < 0 ? slice * 1000 : 0) || (net >= 0 && host_readable(net, slice * 1000))) {
            return true;
        }
        ms -= slice;
        if (ms == 0) {
            return false;
        }
    }
}

void Uart_Init(uint8_t uart) {
    (void)uart;
}

void uart_div_modify(uint8_t uart, uint32_t divisor) {
    (void)uart;
    (void)divisor;
}

void *GetUartDevice(void) {
    return (void *)(uintptr_t)0x3fffde10;  // UartDev [eagle.rom.addr.v6.ld]; the ROM keeps nothing in it
}
