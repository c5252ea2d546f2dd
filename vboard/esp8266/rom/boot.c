// What the mask ROM does between a reset and the program's entry.
//
// An ESP8266 image: 8 bytes of header, then segments (address, size, data), then padding up to a byte at
// (end | 15) that is the XOR of all segment bytes with 0xEF. Byte 2 of the header is the mode in which the flash is read
// from there on, and left to the program; byte 3 the ROM does not look at.
#include "../board.h"
#include "cache.h"
#include "chip.h"
#include "controller.h"
#include "host.h"
#include "net.h"
#include "nor.h"
#include "power.h"
#include "print.h"
#include "rom.h"
#include "watchdog.h"

enum {
    IMAGE_MAGIC = 0xe9,
    CHECKSUM_SEED = 0xef,
    HEADER_SIZE = 8,
    SEGMENT_HEADER_SIZE = 8,
    BUFFER_SIZE = 16,          // the ROM reads through a buffer of 16 bytes, and says so in its lines
    ROM_CHIP_SIZE = 0x400000,  // what `flashchip` has, whatever the chip
};

static struct {
    bool is_on;
    uint32_t cause;  // of the boot in progress
    uint32_t next;   // what the next reset's cause will be
    uint32_t resets;
    uint32_t bites;
} power;

void boot_enter(uint32_t entry);
_Noreturn void boot_returned(void);
_Noreturn void board_boot(void);
_Noreturn void board_reset(void);

// The mask ROM hangs here: it prints the number of a line of its source as a string. Nothing resets it.
static _Noreturn void brick(const char *why, uint32_t value) {
    ets_printf("ets_main.c ");
    board_say("brick: nothing bootable, %s 0x%x; the ROM hangs", why, value);
    power_off(EXIT_BRICK);
}

// Memory comes up with anything in it; the same anything each time, so that runs can be repeated.
static void scramble(uint32_t vaddr, uint32_t size) {
    uint32_t x = vaddr;
    for (uint32_t *p = (uint32_t *)(uintptr_t)vaddr; size >= 4; size -= 4) {
        x = x * 1664525 + 1013904223;  // Numerical Recipes' generator
        *p++ = x;
    }
}

static void power_on(void) {
    power.is_on = true;
    power.cause = RESET_POWER_ON;
    scramble(DRAM_VADDR, DRAM_SIZE);
    scramble(IRAM_VADDR, IRAM_SIZE);
    scramble(RTC_MEMORY_VADDR, RTC_MEMORY_SIZE);
    chip_power_on();
}

static bool within(uint32_t vaddr, uint32_t size, uint32_t base, uint32_t base_size) {
    return vaddr >= base && vaddr - base <= base_size && size <= base_size - (vaddr - base);
}

// The XOR of all bytes, by words: IRAM has no others.
static uint8_t xor_of(const uint32_t *data, uint32_t size) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < size / 4; i++) {
        sum ^= data[i];
    }
    sum ^= sum >> 16;
    return (uint8_t)(sum ^ (sum >> 8));
}

// Copy one segment; returns where the next begins. (Here the ROM does less: it runs into an exception, or on.)
static uint32_t load_segment(uint32_t addr, const uint32_t header[2], uint8_t *checksum, uint32_t *room) {
    uint32_t vaddr = header[0];
    uint32_t size = header[1];
    if (((vaddr | size) & 3) != 0) {
        brick("a segment is not made of whole words:", vaddr | size);
    }
    if (!within(vaddr, size, IRAM_VADDR, IRAM_SIZE) && !within(vaddr, size, DRAM_VADDR, DRAM_SIZE)) {
        ets_printf("load 0x%08x, len %u\n", vaddr, size);
        brick("a segment lies outside of RAM:", vaddr);
    }
    controller_read_pieces(addr, (void *)(uintptr_t)vaddr, size, BUFFER_SIZE);
    *checksum ^= xor_of((const uint32_t *)(uintptr_t)vaddr, size);
    uint32_t tail = (size - *room) % BUFFER_SIZE;
    ets_printf("load 0x%08x, len %u, room %u \ntail %u\nchksum 0x%02x\n", vaddr, size, *room, tail, *checksum);
    *room = (2 * BUFFER_SIZE - tail - SEGMENT_HEADER_SIZE) % BUFFER_SIZE;
    return addr + size;
}

// The header and the first segment's are read in the mode in which the chip was attached.
static uint32_t load_image(void) {
    union {
        uint8_t bytes[HEADER_SIZE + SEGMENT_HEADER_SIZE];
        uint32_t words[(HEADER_SIZE + SEGMENT_HEADER_SIZE) / 4];
    } header;
    SPIRead(0, header.words, sizeof header);
    if (header.bytes[0] != IMAGE_MAGIC) {
        brick("the magic at flash 0 is", header.bytes[0]);
    }
    SPIReadModeCnfig(header.bytes[2]);
    Wait_SPI_Idle(*(struct flashchip **)(uintptr_t)FLASHCHIP_POINTER_VADDR);
    uint32_t addr = HEADER_SIZE;
    uint32_t room = BUFFER_SIZE;
    uint8_t checksum = CHECKSUM_SEED;
    uint32_t *segment = header.words + HEADER_SIZE / 4;
    for (uint32_t i = 0; i < header.bytes[1]; i++) {
        if (i > 0) {
            controller_read_pieces(addr, segment, SEGMENT_HEADER_SIZE, SEGMENT_HEADER_SIZE);
        }
        addr = load_segment(addr + SEGMENT_HEADER_SIZE, segment, &checksum, &room);
    }
    if (header.bytes[1] > 0) {
        uint32_t stored[4];
        controller_read_pieces(addr & ~15u, stored, sizeof stored, sizeof stored);
        ets_printf("csum 0x%02x\n", stored[3] >> 24);
        if (stored[3] >> 24 != checksum) {
            ets_printf("csum err\n");
            brick("the checksum should be", checksum);
        }
    }
    return header.words[1];
}

static void set_up(void) {
    *(volatile uint32_t *)(uintptr_t)FLASHCHIP_POINTER_VADDR = FLASHCHIP_VADDR;
    SPIParamCfg(0x1640ef, ROM_CHIP_SIZE, NOR_BLOCK_SIZE, NOR_SECTOR_SIZE, NOR_PAGE_SIZE, 0xffff);
    watchdog_reset(power.cause);
    net_reset();
    cache_reset();
    controller_reset();
    chip_note_booting(true);
    spi_flash_attach();
    ets_install_uart_printf();
    ets_printf("\n ets Jan  8 2013,rst cause:%u, boot mode:(3,6)\n\n", power.cause);
    if (power.cause == RESET_WATCHDOG) {
        ets_printf("wdt reset\n");
    }
}

_Noreturn void board_boot(void) {
    power.cause = power.next != 0 ? power.next : RESET_SOFTWARE;
    power.next = 0;
    if (!power.is_on) {
        power_on();
    } else {
        power.resets++;
    }
    set_up();
    uint32_t entry = load_image();
    chip_note_booting(false);
    boot_enter(entry);
    boot_returned();
}

_Noreturn void boot_returned(void) {
    board_say("the image's entry returned");
    power_off(EXIT_CRASH);
}

_Noreturn void power_reset(uint32_t cause) {
    power.next = cause;
    power.bites += cause == RESET_WATCHDOG;
    board_reset();
}

_Noreturn void software_reset(void) {
    power_reset(RESET_SOFTWARE);
}

uint32_t rtc_get_reset_reason(void) {
    return power.cause;
}

static void write_stats(int status) {
    const char *path = host_option("stats");
    if (path == NULL) {
        return;
    }
    bool is_file = path[0] != '-' || path[1] != '\0';
    int fd = is_file ? host_open(path, HOST_O_CREATE_EMPTY) : HOST_STDERR;
    board_write_text(fd, "{\"status\": %d, \"resets\": %u, \"watchdog_bites\": %u, ", status, power.resets, power.bites);
    nor_write_stats(fd);
    chip_write_stats(fd);
}

_Noreturn void power_off(int status) {
    write_stats(status);
    host_exit(status);
}

_Noreturn void power_hang(const char *why) {
    board_say("hang: %s, and no watchdog is armed", why);
    power_off(EXIT_HANG);
}
