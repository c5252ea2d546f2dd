// The tests' own ROM: it does what the first byte of the flash chip says, and prints what comes of it.

#include "probe.h"

#include "ports/esp8266/rom.h"

#define REG(vaddr) (*(volatile uint32_t *)(vaddr))
#define UART REG(0x60000000u)
#define CMD REG(0x60000200u)
#define ADDR REG(0x60000204u)
#define CTRL REG(0x60000208u)
#define RD_STATUS REG(0x60000210u)
#define USER REG(0x6000021cu)
#define USER1 REG(0x60000220u)
#define USER2 REG(0x60000224u)
#define W0 REG(0x60000240u)
#define W1 REG(0x60000244u)

// From probe_start.S.
extern uint32_t cause_count;
extern uint32_t causes[16];
extern uint32_t stub_result;
extern uint32_t stub_calls[4];

void probe_main(void);

static void put(uint32_t c) {
    UART = c;
}

void put_hex(uint32_t value) {
    uint32_t started = 0;
    for (int i = 28; i >= 0; i -= 4) {
        uint32_t digit = value >> i & 15;
        started |= digit | (i == 0);
        if (started) {
            put(digit < 10 ? '0' + digit : 'a' + digit - 10);
        }
    }
    put(' ');
}

// ---- the flash chip, by registers

static void wait_ready(void) {
    do {
        RD_STATUS = 0;
        CMD = 1u << 27;
    } while (RD_STATUS & 1);
}

static uint32_t read_word(uint32_t addr) {
    ADDR = addr | 4u << 24;
    CMD = 1u << 31;
    return W0;
}

static void enable(void) {
    CMD = 1u << 30;
}

static void program_word(uint32_t addr, uint32_t value) {
    W0 = value;
    ADDR = addr | 4u << 24;
    CMD = 1u << 25;
}

static void erase(uint32_t cmd, uint32_t addr) {
    enable();
    ADDR = addr;
    CMD = cmd;
    wait_ready();
}

static void write_status(uint32_t value, uint32_t is_two) {
    enable();
    CTRL = is_two << 22;
    RD_STATUS = value;
    CMD = 1u << 26;
    wait_ready();
}

// An opcode by the USER registers, with a byte of answer.
static uint32_t ask(uint32_t opcode) {
    USER = 1u << 31 | 1u << 28;
    USER1 = 7u << 8;
    USER2 = 7u << 28 | opcode;
    W0 = 0;
    CMD = 1u << 18;
    return W0;
}

// ---- what the tests look at

// Words by instructions of 3 bytes, which the exception's handler can skip.
static void load_word(uint32_t vaddr) {
    __asm__ volatile("_l32i %0, %0, 0" : "+r"(vaddr) : : "memory");
}

static void store_word(uint32_t vaddr) {
    __asm__ volatile("_s32i %0, %0, 0" : : "r"(vaddr) : "memory");
}

static void exceptions(void) {
    volatile uint8_t *iram = (volatile uint8_t *)0x40100000u;
    volatile uint16_t *halves = (volatile uint16_t *)0x40100002u;
    REG(0x40100000u) = 0x12345678;
    put_hex(REG(0x40100000u));
    (void)*iram;
    *iram = 1;
    *halves = 1;
    (void)*(volatile uint8_t *)0x40000040u;
    load_word(0x3ffe8002u);
    store_word(0x3ffe8001u);
    load_word(0x50000000u);
    store_word(0x40000000u);
    load_word(0x40200000u);
    (void)*(volatile uint8_t *)0x60000014u;
    __asm__ volatile("syscall");
    put_hex(REG(0x40100000u));
    put(':');
    for (uint32_t i = 0; i < cause_count; i++) {
        put_hex(causes[i]);
    }
}

static void flash_bits(void) {
    erase(1u << 24, 0x5678);
    put_hex(read_word(0x5000));
    enable();
    program_word(0x5000, 0xffff00f0);
    wait_ready();
    enable();
    program_word(0x5000, 0x0ff0ffff);
    wait_ready();
    put_hex(read_word(0x5000));
    put_hex(read_word(0x4ffc));
    put_hex(read_word(0x6000));
    erase(1u << 23, 0x12345);
    put_hex(read_word(0x1fffc));
    put_hex(read_word(0x20000));
    CMD = 1u << 28;
    put_hex(W0);
}

static void flash_faults(void) {
    program_word(0x5000, 0);  // not enabled
    wait_ready();
    put_hex(read_word(0x5000));
    enable();
    program_word(0x50fe, 0);  // leaves its page
    wait_ready();
    enable();
    ADDR = 0x5000;
    CMD = 1u << 24;
    put_hex(read_word(0x6000) != 0x11111111u);  // while it erases; the FIFO keeps what it had
    wait_ready();
    write_status(0x1c, 0);
    enable();
    program_word(0x6000, 0);  // protected
    wait_ready();
    put_hex(read_word(0x6000));
}

static void quad(void) {
    CTRL = 1u << 13 | 1u << 24;
    put_hex(read_word(0x6000) == 0x11111111u);
    CTRL = 0;
    write_status(0x0200, 1);
    put_hex(ask(0x35));
    CTRL = 1u << 13 | 1u << 24;
    put_hex(read_word(0x6000) == 0x11111111u);
    write_status(0x00, 0);
    put_hex(ask(0x35));
    put_hex(ask(0x05));
}

static void resets(void) {
    uint32_t cause = REG(0x60000714u);
    put_hex(cause);
    if (cause == 1) {
        REG(0x3ffe9000u) = 0xcafe;
        REG(0x60000904u) = 5;
        REG(0x60000908u) = 5;
        REG(0x60000900u) = 0x39;
        for (uint32_t i = 0; i < 40; i++) {
            for (uint32_t j = 0; j < 10000; j++) {
                __asm__ volatile("");
            }
            REG(0x60000914u) = 0x73;
        }
        put('f');
        for (;;) {
        }
    }
    put_hex(REG(0x3ffe9000u));
    put_hex(REG(0x60000900u) & 1);
    if (cause == 4) {
        REG(0x60000700u) |= 1u << 31;
        put('!');
    }
}

// What the boot loaders call, for each result of the ROM's function behind it.
static void flash_calls(void) {
    for (stub_result = 0; stub_result < 3; stub_result++) {
        for (uint32_t which = 0; which < 4; which++) {
            int result = which == 0   ? flash_read(0, 0x1000, (void *)0x3ffe9000, 0x40)
                         : which == 1 ? flash_prog(0, 0x2000, (const void *)0x3ffe9000, 0x80)
                         : which == 2 ? flash_erase_sector(0, 0x5000)
                                      : flash_erase_block(0, 0x30000);
            put_hex((uint32_t)result);
            for (uint32_t i = 0; i < (which < 2 ? 4 : 2); i++) {
                put_hex(stub_calls[i]);
            }
        }
    }
}

void probe_main(void) {
    uint32_t what = read_word(0) & 0xff;
    cause_count = 0;
    switch (what) {
        case 'c':
            flash_calls();
            break;
        case 's':
            sums();
            break;
        case 'e':
            exceptions();
            break;
        case 'b':
            flash_bits();
            break;
        case 'f':
            flash_faults();
            break;
        case 'q':
            quad();
            break;
        case 'r':
            resets();
            break;
        case 'u':
            __asm__ volatile(".byte 0x00, 0x00, 0xf0");  // RST0 15 is SUBX8
            __asm__ volatile(".byte 0x04, 0x00, 0x00");  // MAC16
            break;
        default:
            __asm__ volatile("waiti 0");
    }
}
