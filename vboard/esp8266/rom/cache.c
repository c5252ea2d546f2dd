// The flash window at 0x40200000.
//
// QEMU has plain RAM there. It is filled from the flash when the cache is switched on, and filled with poison when
// it is switched off, so that whatever runs or reads there then comes to grief as on the chip. The filling is quick
// (0.15 ms), but all code in it has to be translated again (7 ms with MicroPython), and a program switches the
// cache off for each flash command. So, unless poison=always, this is done only at a reset, at the first few times
// after it and at some later ones; at the others, switching off and on costs what has changed in the flash. (The
// plugin needs no poison to notice: with it, poison=boot, only at a reset, will do.)
#include "cache.h"

#include <stdbool.h>

#include "../board.h"
#include "controller.h"
#include "host.h"
#include "nor.h"
#include "rom.h"

enum {
    WINDOW_SECTORS = WINDOW_SIZE / NOR_SECTOR_SIZE,
    CACHE_UNIT = 0x4000,  // the cache takes IRAM in units of 16 KB
    NOTHING = -1,
    POISON_FIRST = 4,    // so many times after a reset the window is poisoned
    POISON_EVERY = 256,  // and then each time after so many
};

enum poison_policy { POISON_SOMETIMES, POISON_ALWAYS, POISON_AT_BOOT };

static struct {
    bool is_on;
    enum poison_policy policy;
    uint32_t times_off;  // since the reset
    bool iram_is_poisoned;
    bool is_noise;  // what the window shows
    int megabyte;   // of the flash that the window shows, or would show if the cache were on; or NOTHING
    uint8_t stale[WINDOW_SECTORS];
    bool any_stale;
} cache;

static uint8_t *const window = (uint8_t *)(uintptr_t)WINDOW_VADDR;

static void signal_plugin(uint32_t what) {
    *(volatile uint32_t *)(uintptr_t)what = 1;
}

static void poison(uint32_t vaddr, uint32_t size) {
    uint32_t *p = (uint32_t *)(uintptr_t)vaddr;
    for (uint32_t *end = p + size / 4; p < end; p += 8) {
        p[0] = p[1] = p[2] = p[3] = p[4] = p[5] = p[6] = p[7] = POISON;
    }
}

static void poison_window(void) {
    poison(WINDOW_VADDR, WINDOW_SIZE);
    cache.megabyte = NOTHING;
}

static void refresh_sector(uint32_t sector) {
    controller_fetch(
        (uint32_t)cache.megabyte * WINDOW_SIZE + sector * NOR_SECTOR_SIZE, window + sector * NOR_SECTOR_SIZE, NOR_SECTOR_SIZE);
    cache.stale[sector] = 0;
}

static void refresh(int megabyte) {
    if (cache.megabyte != megabyte) {
        cache.megabyte = megabyte;
        controller_fetch((uint32_t)megabyte * WINDOW_SIZE, window, WINDOW_SIZE);
        memset(cache.stale, 0, sizeof cache.stale);
    } else if (cache.any_stale) {
        for (uint32_t i = 0; i < WINDOW_SECTORS; i++) {
            if (cache.stale[i]) {
                refresh_sector(i);
            }
        }
    }
    cache.any_stale = false;
}

static enum poison_policy policy_of(const char *option) {
    if (option == NULL) {
        return POISON_SOMETIMES;
    }
    return strcmp(option, "always") == 0 ? POISON_ALWAYS : POISON_AT_BOOT;
}

static bool poison_is_due(void) {
    uint32_t times = cache.times_off++;
    return cache.policy == POISON_ALWAYS
           || (cache.policy == POISON_SOMETIMES && (times < POISON_FIRST || times % POISON_EVERY == 0));
}

void cache_reset(void) {
    cache.policy = policy_of(host_option("poison"));
    cache.times_off = 0;
    cache.is_on = false;
    cache.iram_is_poisoned = false;
    signal_plugin(SIGNAL_WINDOW_CLOSED);
    signal_plugin(SIGNAL_CACHE_NONE);
    poison_window();
}

void cache_flash_changed(uint32_t addr, uint32_t size) {
    if (cache.megabyte == NOTHING) {
        return;
    }
    for (uint32_t done = 0; done < size; done += NOR_SECTOR_SIZE) {
        // A small chip is seen several times over in the window.
        uint32_t first = (addr + done - (uint32_t)cache.megabyte * WINDOW_SIZE) & (nor_size() - 1);
        for (uint32_t at = first; at < WINDOW_SIZE; at += nor_size()) {
            cache.stale[at / NOR_SECTOR_SIZE] = 1;
            cache.any_stale = true;
        }
    }
    if (cache.is_on) {
        refresh(cache.megabyte);
    }
}

void cache_note_command(const char *function) {
    (void)function;
    if (cache.is_on) {
        signal_plugin(SIGNAL_BUS_CLASH);
    }
}

void Cache_Read_Enable(uint32_t odd_megabyte, uint32_t megabyte_pair, uint32_t is_32k) {
    if (cache.is_noise != controller_reads_noise()) {
        cache.is_noise = !cache.is_noise;
        cache.megabyte = NOTHING;
    }
    refresh((int)((megabyte_pair << 1) | (odd_megabyte & 1)));
    if (!cache.iram_is_poisoned) {
        uint32_t taken = is_32k ? 2 * CACHE_UNIT : CACHE_UNIT;
        poison(CACHE_IRAM_END - taken, taken);
        cache.iram_is_poisoned = true;
    }
    cache.is_on = true;
    signal_plugin(is_32k ? SIGNAL_CACHE_32K : SIGNAL_CACHE_16K);
    signal_plugin(SIGNAL_WINDOW_OPEN);
}

void Cache_Read_Disable(void) {
    signal_plugin(SIGNAL_WINDOW_CLOSED);
    signal_plugin(SIGNAL_CACHE_NONE);
    cache.is_on = false;
    if (poison_is_due()) {
        poison_window();
    }
}
