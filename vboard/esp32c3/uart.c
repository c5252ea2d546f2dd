// UART0: see uart.h. Bytes are never lost and take no time.
#include "uart.h"

#include <string.h>
#include <time.h>

#include "board.h"
#include "clock.h"
#include "host.h"
#include "net.h"
#include "power.h"
#include "runs.h"

#define FIFO_VADDR UART0_VADDR
#define STATUS_VADDR (UART0_VADDR + 0x1c)
#define FIFO_SIZE 128u

static struct {
    uint8_t bytes[FIFO_SIZE];  // as deep as the chip's
    uint32_t head;
    uint32_t count;
    bool has_ended;
} input;

static struct {
    char text[4096];
    uint32_t size;
} output;

void uart_flush(void) {
    host_write(HOST_STDOUT, output.text, output.size);
    output.size = 0;
}

void uart_put(char c) {
    if (!runs_hear(c)) {
        return;
    }
    output.text[output.size++] = c;
    if (c == '\n' || output.size == sizeof output.text) {
        uart_flush();
    }
}

void uart_put_text(const char *text, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        uart_put(text[i]);
    }
}

void uart_end_input(void) {
    input.count = 0;
    input.has_ended = true;
}

// Takes what the host has, if anything; whether there is a character now.
static bool fill(uint32_t wait_us) {
    if (input.count > 0) {
        return true;
    }
    uart_flush();
    if (input.has_ended || !host_readable(HOST_STDIN, wait_us)) {
        return false;
    }
    int got = host_read(HOST_STDIN, input.bytes, sizeof input.bytes);
    input.has_ended = got <= 0;
    input.head = 0;
    input.count = got > 0 ? (uint32_t)got : 0;
    return input.count > 0;
}

int uart_get(void) {
    if (!fill(0)) {
        return -1;
    }
    input.count--;
    return input.bytes[input.head++];
}

bool uart_wait(uint32_t ms) {
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    if (net_is_there() && input.count == 0) {
        uart_flush();
        net_wait(ms * 1000);
        ms = 0;
    }
    bool is_filled = fill(ms * 1000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    if (input.has_ended) {
        power_off(0);
    }
    if (!is_filled) {
        int64_t us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
        clock_pass_world_us((uint64_t)us);
    }
    return is_filled;
}

bool uart_read(uint32_t vaddr, uint32_t *value) {
    if (vaddr == FIFO_VADDR) {
        int c = uart_get();
        *value = c >= 0 ? (uint32_t)c : 0;
    } else if (vaddr == STATUS_VADDR) {
        *value = fill(0) ? input.count : 0;
    } else {
        return false;
    }
    return true;
}

bool uart_write(uint32_t vaddr, uint32_t value) {
    if (vaddr != FIFO_VADDR) {
        return false;
    }
    uart_put((char)value);
    return true;
}
