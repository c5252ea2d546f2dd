// The board's memories as host memory: see memory.h.
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "machine.h"
#include "mmu.h"

#define HOST_PAGE 4096u
#define C_JR_RA 0x8082u  // "ret", two bytes

static uint8_t *ram, *cache_ram, *rtc_ram, *rom, *rom_data;
static bool is_code[RAM_SIZE / HOST_PAGE];  // pages of IRAM that something was executed from

static const struct place {
    uint32_t vaddr;
    uint32_t size;
    uint8_t **bytes;
    bool is_ram;
} places[] = { { DRAM_VADDR, RAM_SIZE, &ram, true }, { IRAM_VADDR, RAM_SIZE, &ram, true },
    { CACHE_RAM_VADDR, CACHE_RAM_SIZE, &cache_ram, true }, { RTC_RAM_VADDR, RTC_RAM_SIZE, &rtc_ram, true },
    { ROM_VADDR, ROM_SIZE, &rom, false }, { ROM_DATA_VADDR, ROM_DATA_SIZE, &rom_data, false } };

static uint8_t *allocate(uint32_t size) {
    uint8_t *bytes = aligned_alloc(HOST_PAGE, size);
    if (bytes == NULL) {
        fputs("vboard: out of memory\n", stderr);
        exit(EXIT_BROKEN);
    }
    memset(bytes, 0, size);
    return bytes;
}

void memory_create(void) {
    ram = allocate(RAM_SIZE);
    cache_ram = allocate(CACHE_RAM_SIZE);
    rtc_ram = allocate(RTC_RAM_SIZE);
    rom = allocate(ROM_SIZE);
    rom_data = allocate(ROM_DATA_SIZE);
    // Each ROM function returns; what it does is done when it is entered.
    for (uint32_t i = 0; i < ROM_SIZE; i += 2) {
        rom[i] = C_JR_RA & 0xff;
        rom[i + 1] = C_JR_RA >> 8;
    }
}

static void scramble(uint8_t *bytes, uint32_t size, uint32_t seed) {
    uint32_t x = seed;
    for (uint32_t i = 0; i < size; i += 4) {
        x = x * 1664525 + 1013904223;  // Numerical Recipes' generator
        memcpy(bytes + i, &x, 4);
    }
}

void memory_power_on(void) {
    scramble(ram, RAM_SIZE, DRAM_VADDR);
    scramble(cache_ram, CACHE_RAM_SIZE, CACHE_RAM_VADDR);
    scramble(rtc_ram, RTC_RAM_SIZE, RTC_RAM_VADDR);
    for (uint32_t i = 0; i < RAM_SIZE / HOST_PAGE; i++) {
        if (is_code[i]) {
            machine_forget_code(IRAM_VADDR + i * HOST_PAGE, HOST_PAGE);
            is_code[i] = false;
        }
    }
    machine_forget_code(CACHE_RAM_VADDR, CACHE_RAM_SIZE);
    machine_forget_code(RTC_RAM_VADDR, RTC_RAM_SIZE);
}

static const struct place *place_of(uint32_t vaddr, uint32_t size) {
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint32_t off = vaddr - places[i].vaddr;
        if (off < places[i].size && size <= places[i].size - off) {
            return &places[i];
        }
    }
    return NULL;
}

uint8_t *memory_at(uint32_t vaddr, uint32_t size) {
    const struct place *place = place_of(vaddr, size);
    return place != NULL ? *place->bytes + (vaddr - place->vaddr) : NULL;
}

bool memory_read(uint32_t vaddr, void *to, uint32_t size) {
    const uint8_t *bytes = memory_at(vaddr, size);
    if (bytes != NULL) {
        memcpy(to, bytes, size);
        return true;
    }
    uint8_t *next = to;
    while (size > 0) {
        uint32_t room = MMU_PAGE_SIZE - vaddr % MMU_PAGE_SIZE;
        uint32_t piece = size < room ? size : room;
        bytes = mmu_at(vaddr);
        if (bytes == NULL) {
            return false;
        }
        memcpy(next, bytes, piece);
        next += piece;
        vaddr += piece;
        size -= piece;
    }
    return true;
}

bool memory_write(uint32_t vaddr, const void *from, uint32_t size) {
    const struct place *place = place_of(vaddr, size);
    if (place == NULL || !place->is_ram) {
        return size == 0;
    }
    uint32_t off = vaddr - place->vaddr;
    memmove(*place->bytes + off, from, size);
    if (*place->bytes != ram) {
        machine_forget_code(vaddr, size);
        return true;
    }
    for (uint32_t page = off / HOST_PAGE; size > 0 && page <= (off + size - 1) / HOST_PAGE; page++) {
        if (is_code[page]) {
            machine_forget_code(IRAM_VADDR + page * HOST_PAGE, HOST_PAGE);
            is_code[page] = false;
        }
    }
    return true;
}

void memory_note_code(uint32_t vaddr) {
    uint32_t off = vaddr - IRAM_VADDR;
    if (off < RAM_SIZE) {
        is_code[off / HOST_PAGE] = true;
    }
}
