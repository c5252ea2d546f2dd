// The cells of the NOR flash chip on a host file: operations, their counts, and the cut.
#include "nor.h"

#include <stddef.h>

#include "../exits.h"
#include "cells.h"
#include "host.h"
#include "say.h"
#include "tear.h"

#define CUT_NEVER UINT32_MAX

static struct {
    uint32_t size;
    bool is_off;  // the power went in an operation
    int log_fd;   // negative: no log
    uint32_t cut_at;
    enum tear cut_tear;
    const char *cut_tear_name;
    uint32_t sector_erases;
    uint32_t block_erases;
    uint32_t chip_erases;
    uint32_t page_programs;
    uint32_t bytes_read;
    uint64_t time_ns;
} nor;

static _Noreturn void broken(const char *what, const char *value) {
    board_say("%s %s", what, value);
    host_exit(EXIT_BROKEN);
}

bool nor_cut_at(uint32_t operation, const char *tear) {
    nor.cut_at = operation;
    nor.cut_tear_name = tear;
    nor.cut_tear = tear_of_name(tear);
    return nor.cut_tear != TEAR_UNKNOWN;
}

static void read_cut_option(const char *option) {
    uint32_t at = 0;
    const char *p = option;
    for (; *p >= '0' && *p <= '9'; p++) {
        at = at * 10 + (uint32_t)(*p - '0');
    }
    if (p == option || (*p != ':' && *p != '\0') || !nor_cut_at(at, *p == ':' ? p + 1 : "before")) {
        broken("not an operation to cut, N or N:TEAR:", option);
    }
}

void nor_power_on(void) {
    const char *path = host_option("flash");
    const char *cut = host_option("cut");
    const char *log = host_option("log");
    if (path == NULL) {
        broken("no flash file given:", "flash=FILE");
    }
    nor.size = cells_open(path);
    if (nor.size < 512 * 1024 || nor.size > 16 * 1024 * 1024 || (nor.size & (nor.size - 1)) != 0) {
        broken("a flash chip is 512 KB to 16 MB, a power of two; this file is not:", path);
    }
    nor.log_fd = log != NULL ? host_open(log, HOST_O_CREATE_EMPTY) : -1;
    nor.cut_at = CUT_NEVER;
    if (cut != NULL) {
        read_cut_option(cut);
    }
}

void nor_power_again(void) {
    nor.is_off = false;
    nor.cut_at = CUT_NEVER;
    nor.sector_erases = nor.block_erases = nor.chip_erases = nor.page_programs = nor.bytes_read = 0;
}

uint32_t nor_size(void) {
    return nor.size;
}

void nor_pass(uint64_t ns) {
    nor.time_ns += ns;
}

uint64_t nor_time_ns(void) {
    return nor.time_ns;
}

uint64_t nor_time_us(void) {
    return nor.time_ns / 1000;
}

uint32_t nor_operation_count(void) {
    return nor.sector_erases + nor.block_erases + nor.chip_erases + nor.page_programs;
}

void nor_count_read(uint32_t size) {
    nor.bytes_read += size;
}

void nor_read(uint32_t addr, void *buffer, uint32_t size) {
    nor_count_read(size);
    nor_peek(addr, buffer, size);
}

void nor_peek(uint32_t addr, void *buffer, uint32_t size) {
    uint8_t *to = buffer;
    while (size > 0) {
        addr &= nor.size - 1;
        uint32_t piece = size < nor.size - addr ? size : nor.size - addr;
        cells_read(addr, to, piece);
        addr += piece;
        to += piece;
        size -= piece;
    }
}

// Put the outcome of an operation within one sector into the cells: erased, or programmed with data; torn, or whole.
// `done` bytes of the operation lie in sectors before.
static void change_sector(uint32_t addr, uint32_t size, const uint8_t *data, struct torn *torn, uint32_t done) {
    if (data == NULL && torn == NULL && size == NOR_SECTOR_SIZE) {
        cells_blank(addr);
        return;
    }
    uint8_t *p = cells_borrow(addr);
    for (uint32_t i = 0; i < size; i++) {
        uint8_t after = data == NULL ? 0xff : (uint8_t)(p[i] & data[done + i]);
        p[i] = torn == NULL ? after : tear_byte(torn, done + i, p[i], after);
    }
    cells_store(addr, p, size);
}

static void change(uint32_t addr, uint32_t size, const uint8_t *data, struct torn *torn) {
    for (uint32_t done = 0; done < size;) {
        uint32_t room = NOR_SECTOR_SIZE - (addr + done) % NOR_SECTOR_SIZE;
        uint32_t piece = size - done < room ? size - done : room;
        change_sector(addr + done, piece, data, torn, done);
        done += piece;
    }
}

static void operate(const char *kind, uint32_t *count, uint32_t addr, uint32_t size, const uint8_t *data) {
    uint32_t number = nor_operation_count();
    addr &= nor.size - 1;
    if (nor.is_off) {
        return;
    }
    cells_operation(number);
    bool is_cut = number == nor.cut_at;
    if (nor.log_fd >= 0) {
        board_write_text(nor.log_fd, "%u %s 0x%06x %u%s\n", number, kind, addr, size, is_cut ? " cut" : "");
    }
    if (is_cut) {
        struct torn torn;
        tear_begin(&torn, nor.cut_tear, number, data == NULL, size);
        change(addr, size, data, &torn);
        board_say("power cut at operation %u (%s at 0x%06x), %s", number, kind, addr, nor.cut_tear_name);
        nor.is_off = true;
        cells_power_lost();
        return;
    }
    change(addr, size, data, NULL);
    (*count)++;
    cells_changed(addr, size);
}

void nor_erase(uint32_t addr, uint32_t size) {
    if (size == NOR_SECTOR_SIZE) {
        operate("sector", &nor.sector_erases, addr, size, NULL);
    } else if (size == NOR_BLOCK_SIZE) {
        operate("block", &nor.block_erases, addr, size, NULL);
    } else {
        operate("chip", &nor.chip_erases, 0, nor.size, NULL);
    }
}

void nor_program(uint32_t addr, const void *data, uint32_t size) {
    operate("page", &nor.page_programs, addr, size, data);
}

void nor_end_log(void) {
    nor.log_fd = -1;
}

void nor_log_status(uint32_t value, uint32_t size, const char *writer) {
    if (nor.log_fd >= 0) {
        board_write_text(nor.log_fd, "- status 0x%04x %u %s\n", value, size, writer);
    }
}

void nor_write_stats(int fd) {
    uint64_t us = nor_time_us();
    board_write_text(fd,
        "\"operations\": %u, \"sector_erases\": %u, \"block_erases\": %u, \"chip_erases\": %u, \"page_programs\": %u, "
        "\"bytes_read\": %u, \"flash_seconds\": %u.%06u, ",
        nor_operation_count(), nor.sector_erases, nor.block_erases, nor.chip_erases, nor.page_programs, nor.bytes_read,
        (uint32_t)(us / 1000000), (uint32_t)(us % 1000000));
}
