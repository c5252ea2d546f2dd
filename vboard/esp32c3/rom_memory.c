// The ROM's memory and arithmetic functions, and its cache functions.
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "board.h"
#include "crash.h"
#include "machine.h"
#include "memory.h"
#include "mmu.h"
#include "rom.h"
#include "rom_functions.h"

// ---- memory

enum { SIZE_MAX_SANE = 0x1000000 };  // no memory of the chip is larger

static uint8_t *buffer_for(const char *function, uint32_t size) {
    if (size > SIZE_MAX_SANE) {
        crash_call(function, "its size is larger than the chip");
    }
    uint8_t *buffer = malloc(size + 1);
    if (buffer == NULL) {
        abort();
    }
    return buffer;
}

static void fill(const char *function, uint32_t vaddr, int value, uint32_t size) {
    uint8_t *buffer = buffer_for(function, size);
    memset(buffer, value, size);
    rom_store(function, vaddr, buffer, size);
    free(buffer);
}

static void copy(const char *function) {
    uint32_t size = rom_arg(2);
    uint8_t *buffer = buffer_for(function, size);
    rom_load(function, rom_arg(1), buffer, size);
    rom_store(function, rom_arg(0), buffer, size);
    free(buffer);
}

void rom_memset(void) {
    fill("memset", rom_arg(0), (int)rom_arg(1), rom_arg(2));
}

void rom_bzero(void) {
    fill("bzero", rom_arg(0), 0, rom_arg(1));
}

void rom_memcpy(void) {
    copy("memcpy");
}

void rom_memmove(void) {
    copy("memmove");
}

void rom_memcmp(void) {
    uint32_t size = rom_arg(2);
    uint8_t *a = buffer_for("memcmp", size), *b = buffer_for("memcmp", size);
    rom_load("memcmp", rom_arg(0), a, size);
    rom_load("memcmp", rom_arg(1), b, size);
    rom_return((uint32_t)memcmp(a, b, size));
    free(a);
    free(b);
}

static uint8_t byte_at(const char *function, uint32_t vaddr) {
    uint8_t byte;
    rom_load(function, vaddr, &byte, 1);
    return byte;
}

void rom_strlen(void) {
    uint32_t size = 0;
    while (byte_at("strlen", rom_arg(0) + size) != 0) {
        size++;
    }
    rom_return(size);
}

void rom_strcmp(void) {
    uint8_t a, b;
    uint32_t i = 0;
    do {
        a = byte_at("strcmp", rom_arg(0) + i);
        b = byte_at("strcmp", rom_arg(1) + i);
        i++;
    } while (a != 0 && a == b);
    rom_return((uint32_t)(a - b));
}

void rom_crc32_le(void) {
    uint32_t size = rom_arg(2);
    uint8_t *buffer = buffer_for("crc32_le", size);
    rom_load("crc32_le", rom_arg(1), buffer, size);
    rom_return((uint32_t)crc32(rom_arg(0), buffer, size));
    free(buffer);
}

// ---- arithmetic: a division by zero as the M extension has it

static uint64_t wide(unsigned i) {
    return rom_arg(i) | (uint64_t)rom_arg(i + 1) << 32;
}

static void return_wide(uint64_t value) {
    machine_set_reg(REG_A1, (uint32_t)(value >> 32));
    rom_return((uint32_t)value);
}

void rom___udivsi3(void) {
    rom_return(rom_arg(1) != 0 ? rom_arg(0) / rom_arg(1) : UINT32_MAX);
}

void rom___umodsi3(void) {
    rom_return(rom_arg(1) != 0 ? rom_arg(0) % rom_arg(1) : rom_arg(0));
}

static bool overflows(int64_t a, int64_t b, int64_t least) {
    return a == least && b == -1;
}

void rom___divsi3(void) {
    int32_t a = (int32_t)rom_arg(0), b = (int32_t)rom_arg(1);
    rom_return(b == 0 ? UINT32_MAX : overflows(a, b, INT32_MIN) ? (uint32_t)a : (uint32_t)(a / b));
}

void rom___modsi3(void) {
    int32_t a = (int32_t)rom_arg(0), b = (int32_t)rom_arg(1);
    rom_return(b == 0 ? (uint32_t)a : overflows(a, b, INT32_MIN) ? 0 : (uint32_t)(a % b));
}

void rom___udivdi3(void) {
    return_wide(wide(2) != 0 ? wide(0) / wide(2) : UINT64_MAX);
}

void rom___umoddi3(void) {
    return_wide(wide(2) != 0 ? wide(0) % wide(2) : wide(0));
}

void rom___divdi3(void) {
    int64_t a = (int64_t)wide(0), b = (int64_t)wide(2);
    return_wide(b == 0 ? UINT64_MAX : overflows(a, b, INT64_MIN) ? (uint64_t)a : (uint64_t)(a / b));
}

void rom___moddi3(void) {
    int64_t a = (int64_t)wide(0), b = (int64_t)wide(2);
    return_wide(b == 0 ? (uint64_t)a : overflows(a, b, INT64_MIN) ? 0 : (uint64_t)(a % b));
}

void rom___ashldi3(void) {
    return_wide(wide(0) << (rom_arg(2) & 63));
}

void rom___lshrdi3(void) {
    return_wide(wide(0) >> (rom_arg(2) & 63));
}

void rom___ashrdi3(void) {
    return_wide((uint64_t)((int64_t)wide(0) >> (rom_arg(2) & 63)));
}

// ---- the flash cache

void rom_Cache_Disable_ICache(void) {
    mmu_enable_cache(false);
    rom_return(0);
}

void rom_Cache_Enable_ICache(void) {
    mmu_enable_cache(true);
}

void rom_Cache_Suspend_ICache(void) {
    mmu_suspend_cache(true);
    rom_return(0);
}

void rom_Cache_Resume_ICache(void) {
    mmu_suspend_cache(false);
}

void rom_Cache_MMU_Init(void) {
    for (uint32_t entry = 0; entry < soc->mmu_entries; entry++) {
        mmu_write(entry, mmu_none());
    }
}

// External memory or flash, address in the window, address in flash, page size in KB, pages, fixed.
static void set_mmu(const char *function, uint32_t window_vaddr) {
    enum { ERROR_VADDR = 3 };
    uint32_t vaddr = rom_arg(1), flash_addr = rom_arg(2), page_kb = rom_arg(3), pages = rom_arg(4);
    if (page_kb != mmu_page_size() / 1024 || flash_addr % mmu_page_size() != 0 || vaddr % mmu_page_size() != 0) {
        crash_call(function, "the addresses are not those of pages of 64 KB");
    }
    if (pages > 0 && vaddr - window_vaddr >= mmu_window_size()) {
        rom_return(ERROR_VADDR);
        return;
    }
    mmu_map(vaddr, flash_addr, pages);
    rom_return(0);
}

void rom_Cache_Ibus_MMU_Set(void) {
    set_mmu("Cache_Ibus_MMU_Set", soc->window_i_vaddr);
}

void rom_Cache_Dbus_MMU_Set(void) {
    set_mmu("Cache_Dbus_MMU_Set", soc->window_d_vaddr);
}
