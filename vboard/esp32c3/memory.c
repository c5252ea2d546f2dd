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
static bool is_code[RAM_SIZE_MAX / HOST_PAGE];  // pages of IRAM that something was executed from

static struct place {
    uint32_t vaddr;
    uint32_t size;
    uint8_t **bytes;
    bool is_ram;
} places[6];

// Of a chip that has none of it, nothing.
static uint8_t *allocate(uint32_t size) {
    uint8_t *bytes = aligned_alloc(HOST_PAGE, size != 0 ? size : HOST_PAGE);
    if (bytes == NULL) {
        fputs("vboard: out of memory\n", stderr);
        exit(EXIT_BROKEN);
    }
    memset(bytes, 0, size);
    return bytes;
}

void memory_create(void) {
    ram = allocate(soc->ram_size);
    cache_ram = allocate(soc->cache_ram_size);
    rtc_ram = allocate(soc->rtc_ram_size);
    rom = allocate(soc->rom_size);
    rom_data = allocate(soc->rom_data_size);
    const struct place all[] = { { soc->dram_vaddr, soc->ram_size, &ram, true }, { soc->iram_vaddr, soc->ram_size, &ram, true },
        { soc->cache_ram_vaddr, soc->cache_ram_size, &cache_ram, true },
        { soc->rtc_ram_vaddr, soc->rtc_ram_size, &rtc_ram, true }, { ROM_VADDR, soc->rom_size, &rom, false },
        { soc->rom_data_vaddr, soc->rom_data_size, &rom_data, false } };
    memcpy(places, all, sizeof places);
    // Each ROM function returns; what it does is done when it is entered.
    for (uint32_t i = 0; i < soc->rom_size; i += 2) {
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
    scramble(ram, soc->ram_size, soc->dram_vaddr);
    scramble(cache_ram, soc->cache_ram_size, soc->cache_ram_vaddr);
    scramble(rtc_ram, soc->rtc_ram_size, soc->rtc_ram_vaddr);
    for (uint32_t i = 0; i < soc->ram_size / HOST_PAGE; i++) {
        if (is_code[i]) {
            machine_forget_code(soc->iram_vaddr + i * HOST_PAGE, HOST_PAGE);
            is_code[i] = false;
        }
    }
    machine_forget_code(soc->cache_ram_vaddr, soc->cache_ram_size);
    machine_forget_code(soc->rtc_ram_vaddr, soc->rtc_ram_size);
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
        uint32_t room = mmu_page_size() - vaddr % mmu_page_size();
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
            machine_forget_code(soc->iram_vaddr + page * HOST_PAGE, HOST_PAGE);
            is_code[page] = false;
        }
    }
    return true;
}

void memory_note_code(uint32_t vaddr) {
    uint32_t off = vaddr - soc->iram_vaddr;
    if (off < soc->ram_size) {
        is_code[off / HOST_PAGE] = true;
    }
}
