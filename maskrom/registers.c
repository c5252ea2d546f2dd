// The board's registers.

#include "registers.h"

#include <string.h>

#define DPORT_VADDR 0x3ff00000u
#define REGISTERS_VADDR 0x60000000u

// Offsets from DPORT_VADDR, and bits.
#define CACHE_CONTROL 0x00cu
#define CACHE_FLUSH 0x001u
#define CACHE_FLUSHED 0x002u
#define CACHE_ON 0x100u
#define CACHE_BUSY 0x200u

// Offsets from REGISTERS_VADDR, and bits.
enum {
    UART0_FIFO = 0x000,
    UART0_DIVIDER = 0x014,
    UART0_STATUS = 0x01c,
    SPI0 = 0x200,
    GPIO_IN = 0x318,
    RTC = 0x700,
    RTC_CONTROL = 0x700,
    RTC_CAUSE = 0x714,
    RTC_COUNTER = 0x71c,
    RTC_END = 0x800,
    WATCHDOG = 0x900,
    WATCHDOG_STAGE0 = 0x904,
    WATCHDOG_STAGE1 = 0x908,
    WATCHDOG_FEED = 0x914,
    RTC_MEMORY = 0x1000,
    RTC_MEMORY_END = 0x1400,
};
#define UART_STATUS_SENDING 16u  // how many bytes wait to be sent: 8 bits from here on
#define RTC_CONTROL_RESET (1u << 31)
// The pins that choose where to boot from, as sampled: 3, the flash. Above them is what the ROM prints behind the comma.
#define STRAPS (3u << 16 | 6u << 29)
#define WATCHDOG_ON 0x1u
#define WATCHDOG_RESPONSE 0x6u  // 0: an interrupt after stage 0, a reset after stage 1. The others do not reset
#define WATCHDOG_FOOD 0x73u
// A stage n lasts 2^n of these.
#define WATCHDOG_UNIT_NS 800000ull
#define RTC_TICK_NS 6667u
#define CYCLES_PER_US 52u
#define UART_BITS 10u

static uint32_t *reg(board_t *board, uint32_t off) {
    return &board->registers[off / 4];
}

static uint32_t get(const board_t *board, uint32_t off) {
    return board->registers[off / 4];
}

void registers_power_on(board_t *board) {
    memset(board->registers, 0, sizeof board->registers);
    memset(board->dport, 0, sizeof board->dport);
    spi_reset(&board->spi);
    *reg(board, RTC_CAUSE) = BOARD_CAUSE_POWER;
    board->has_reset = false;
}

// The RTC, its memory, and RAM keep what they have.
void registers_reset(board_t *board, uint32_t cause) {
    if (!board->keeps_registers) {
        memset(board->registers, 0, RTC);
        memset(reg(board, RTC_END), 0, RTC_MEMORY - RTC_END);
        memset(reg(board, RTC_MEMORY_END), 0, BOARD_REGISTERS_SIZE - RTC_MEMORY_END);
        memset(board->dport, 0, sizeof board->dport);
        spi_reset(&board->spi);
    }
    *reg(board, WATCHDOG) &= ~WATCHDOG_ON;
    *reg(board, RTC_CAUSE) = cause;
    board->has_reset = false;
}

bool registers_cache_is_on(const board_t *board) {
    return board->dport[CACHE_CONTROL / 4] & CACHE_ON;
}

static uint64_t watchdog_end_ns(const board_t *board) {
    uint32_t stage = get(board, board->watchdog_stage ? WATCHDOG_STAGE1 : WATCHDOG_STAGE0) & 15;
    return board->watchdog_since_ns + (WATCHDOG_UNIT_NS << stage);
}

static void feed(board_t *board) {
    board->watchdog_stage = 0;
    board->watchdog_since_ns = board_now_ns(board);
}

bool registers_watchdog_bites(board_t *board) {
    uint32_t control = get(board, WATCHDOG);
    if (!(control & WATCHDOG_ON) || board_now_ns(board) < watchdog_end_ns(board)) {
        return false;
    }
    bool bites = board->watchdog_stage == 1 && !(control & WATCHDOG_RESPONSE);
    // Stage 0 ends with an interrupt, which nobody here takes.
    board->watchdog_since_ns = watchdog_end_ns(board);
    board->watchdog_stage ^= 1;
    return bites;
}

// A wait is skipped, but not the watchdog's time in it.
static void skip_wait(board_t *board, uint64_t then_ns) {
    if (get(board, WATCHDOG) & WATCHDOG_ON && watchdog_end_ns(board) < then_ns) {
        then_ns = watchdog_end_ns(board);
    }
    board_skip_to(board, then_ns);
}

static uint64_t uart_byte_ns(const board_t *board) {
    return (uint64_t)get(board, UART0_DIVIDER) * UART_BITS * 1000 / CYCLES_PER_US;
}

static void uart_send(board_t *board, uint32_t value) {
    uint64_t now_ns = board_now_ns(board);
    if (board->uart) {
        fputc((int)(value & 0xff), board->uart);
    }
    board->uart_until_ns = (board->uart_until_ns > now_ns ? board->uart_until_ns : now_ns) + uart_byte_ns(board);
}

// Who asks while bytes are being sent waits for them.
static uint32_t uart_status(board_t *board) {
    uint64_t now_ns = board_now_ns(board);
    if (board->uart_until_ns <= now_ns) {
        return 0;
    }
    uint64_t left = (board->uart_until_ns - now_ns) / (uart_byte_ns(board) + 1) + 1;
    skip_wait(board, board->uart_until_ns);
    return (uint32_t)(left < 127 ? left : 127) << UART_STATUS_SENDING;
}

static void spi_write(board_t *board, uint32_t off, uint32_t value) {
    uint64_t status_read_count = board->nor.status_read_count;
    uint64_t ns = spi_store(&board->spi, off, value, board_now_ns(board));
    board_skip_to(board, board_now_ns(board) + ns);
    // Who reads the chip's status while it is busy waits for it.
    if (board->nor.status_read_count != status_read_count) {
        skip_wait(board, board->nor.busy_until_ns);
    }
    if (board->nor.is_cut || board->spi.has_unknown) {
        lx106_ask_to_stop(&board->cpu);
    }
}

static uint32_t read_register(board_t *board, uint32_t off) {
    if (off - SPI0 < SPI_REGISTERS_SIZE) {
        return spi_load(&board->spi, off - SPI0);
    }
    switch (off) {
        case UART0_FIFO:
            return 0;
        case UART0_STATUS:
            return uart_status(board);
        case GPIO_IN:
            return STRAPS;
        case RTC_COUNTER:
            return (uint32_t)(board_now_ns(board) / RTC_TICK_NS);
        default:
            return get(board, off);
    }
}

static void write_register(board_t *board, uint32_t off, uint32_t value) {
    uint32_t old = get(board, off);
    if (off - SPI0 < SPI_REGISTERS_SIZE) {
        spi_write(board, off - SPI0, value);
        return;
    }
    *reg(board, off) = value;
    switch (off) {
        case UART0_FIFO:
            uart_send(board, value);
            break;
        case RTC_CONTROL:
            *reg(board, off) &= ~RTC_CONTROL_RESET;
            board->has_reset = value & RTC_CONTROL_RESET;
            if (board->has_reset) {
                lx106_ask_to_stop(&board->cpu);
            }
            break;
        case WATCHDOG:
            if (value & ~old & WATCHDOG_ON) {
                feed(board);
            }
            break;
        case WATCHDOG_FEED:
            if (value == WATCHDOG_FOOD) {
                feed(board);
            }
            break;
        default:
            break;
    }
}

// The flush that Cache_Read_Disable() and its like ask for is done at once.
static uint32_t read_dport(board_t *board, uint32_t off) {
    uint32_t value = board->dport[off / 4];
    if (off == CACHE_CONTROL) {
        value = (value & CACHE_FLUSH ? value | CACHE_FLUSHED : value) & ~CACHE_BUSY;
    }
    return value;
}

// There are two pages of these, 128 KB apart; the second has what the ROM uses of the radio.
static bool is_dport(uint32_t vaddr) {
    return (vaddr & ~0x20000u) - DPORT_VADDR < BOARD_DPORT_SIZE;
}

static int refuse(board_t *board, uint32_t vaddr, int cause) {
    if (board->wrong_vaddr == 0) {
        board->wrong_vaddr = vaddr;
    }
    return cause;
}

int registers_load(board_t *board, uint32_t vaddr, uint32_t size, uint32_t *value) {
    bool is_word = size == 4 && vaddr % 4 == 0;
    if (is_word && is_dport(vaddr)) {
        *value = read_dport(board, vaddr & (BOARD_DPORT_SIZE - 1));
        return LX106_FINE;
    }
    if (is_word && vaddr - REGISTERS_VADDR < BOARD_REGISTERS_SIZE) {
        *value = read_register(board, vaddr - REGISTERS_VADDR);
        return LX106_FINE;
    }
    return refuse(board, vaddr, LX106_LOAD_PROHIBITED);
}

int registers_store(board_t *board, uint32_t vaddr, uint32_t size, uint32_t value) {
    bool is_word = size == 4 && vaddr % 4 == 0;
    if (is_word && is_dport(vaddr)) {
        board->dport[(vaddr & (BOARD_DPORT_SIZE - 1)) / 4] = value;
        lx106_forget_code(&board->cpu);
        return LX106_FINE;
    }
    if (is_word && vaddr - REGISTERS_VADDR < BOARD_REGISTERS_SIZE) {
        write_register(board, vaddr - REGISTERS_VADDR, value);
        return LX106_FINE;
    }
    return refuse(board, vaddr, LX106_STORE_PROHIBITED);
}
