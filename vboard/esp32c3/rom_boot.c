// What the mask ROM does between a reset and the second-stage boot loader.
//
// It loads the image at flash 0: header of 24 bytes, segments (address, size, data), the checksum at (end | 15). It does not look at the
// chip, and of a wrong SHA-256 it only speaks, which is left out here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "flashfile.h"
#include "host.h"
#include "memory.h"
#include "mmu.h"
#include "nor.h"
#include "power.h"
#include "rom.h"
#include "say.h"
#include "uart.h"

enum { HEADER_SIZE = 24, SEGMENT_HEADER_SIZE = 8, IMAGE_MAGIC = 0xe9, CHECKSUM_SEED = 0xef, FILE_MAX = 0x10000 };

// The second line's mode: all others than DIO look like this one, as the board has no lines.
enum { MODE_DIO = 2 };
#define DIO_LINES "SPIWP:0xee\r\nmode:DIO, clock div:2\r\n"
#define OTHER_LINES "SPIWP:0xee\r\nmode:QIO, clock div:2\r\n"

static void print(const char *format, uint32_t a, uint32_t b) {
    char line[120];
    int size = snprintf(line, sizeof line, format, a, b);
    uart_put_text(line, (uint32_t)size);
}

static const char *cause_name(uint32_t cause) {
    switch (cause) {
        case RESET_POWER_ON:
            return "POWERON";
        case RESET_SOFTWARE:
            return "RTC_SW_SYS_RST";
        case RESET_SOFTWARE_CPU:
            return "RTC_SW_CPU_RST";
        case RESET_TIMER_WATCHDOG:
            return "TG0WDT_SYS_RST";
        case RESET_TIMER_WATCHDOG_CPU:
            return "TG0WDT_CPU_RST";
        case RESET_RTC_WATCHDOG_CORE:
            return "RTCWDT_SYS_RST";
        case RESET_RTC_WATCHDOG_CPU:
            return "RTCWDT_CPU_RST";
        case RESET_RTC_WATCHDOG:
            return "RTCWDT_RTC_RST";
        default:
            return "SUPER_WDT_RST";
    }
}

static void print_banner(void) {
    char line[160];
    int size = snprintf(line, sizeof line, "%s\r\nrst:0x%x (%s),boot:0xd (SPI_FAST_FLASH_BOOT)\r\n", soc->banner, power_cause(),
        cause_name(power_cause()));
    uart_put_text("\r\n", 2);
    uart_put_text(line, (uint32_t)size);
}

// Another boot loader than that in flash.
static const uint8_t *file_image(uint32_t *size) {
    static uint8_t *bytes;
    static uint32_t file_size;
    const char *path = host_option("bootloader");
    if (bytes == NULL) {
        int fd = host_open(path, HOST_O_READ);
        bytes = calloc(1, FILE_MAX);
        int got = fd >= 0 && bytes != NULL ? host_read(fd, bytes, FILE_MAX) : -1;
        if (got <= 0) {
            board_say("cannot read the boot loader %s", path);
            host_exit(EXIT_BROKEN);
        }
        file_size = (uint32_t)got;
    }
    *size = file_size;
    return bytes;
}

static uint32_t word_at(const uint8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Load one segment. Returns where the next begins.
static uint32_t load_segment(const uint8_t *image, uint32_t size, uint32_t next, uint8_t *checksum) {
    if (next > size || size - next < SEGMENT_HEADER_SIZE) {
        power_brick("the boot loader's image at 0 ends too early");
    }
    uint32_t vaddr = word_at(image + next), length = word_at(image + next + 4);
    next += SEGMENT_HEADER_SIZE;
    print("load:0x%08x,len:0x%x\r\n", vaddr, length);
    if (length > size - next || !memory_write(vaddr, image + next, length)) {
        power_brick("the boot loader's image at 0 has a segment that no RAM is for");
    }
    for (uint32_t i = 0; i < length; i++) {
        *checksum ^= image[next + i];
    }
    nor_count_read(length);
    power_note_loader(vaddr, length);
    return next + length;
}

uint32_t rom_first_stage(void) {
    uint32_t size = flashfile_size(), next = HEADER_SIZE;
    const uint8_t *image = host_option("bootloader") != NULL ? file_image(&size) : flashfile_bytes();
    uint8_t checksum = CHECKSUM_SEED;
    print_banner();
    if (image[0] != IMAGE_MAGIC) {
        print("invalid header: 0x%08x\r\n", word_at(image), 0);
        power_brick("no image at 0: its magic is not 0xe9");
    }
    uart_put_text(image[2] == MODE_DIO ? DIO_LINES : OTHER_LINES, sizeof DIO_LINES - 1);
    for (unsigned i = 0; i < image[1]; i++) {
        next = load_segment(image, size, next, &checksum);
    }
    if ((next | 15) >= size || image[next | 15] != checksum) {
        print("Checksum failure. Calculated 0x%x stored 0x%x\r\n", checksum, image[next | 15]);
        power_brick("the boot loader's image at 0 has a wrong checksum");
    }
    // The ROM leaves the cache on, and both buses open.
    mmu_enable_cache(true);
    mmu_shut_buses(false, false);
    print("entry 0x%08x\r\n", word_at(image + 4), 0);
    return word_at(image + 4);
}
