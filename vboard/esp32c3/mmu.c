// The flash cache and its table: see mmu.h.
#include "mmu.h"

#include <stddef.h>

#include "board.h"
#include "flashfile.h"
#include "machine.h"

enum { WINDOW_I, WINDOW_D, WINDOWS };

static const uint32_t window_vaddr[WINDOWS] = { WINDOW_I_VADDR, WINDOW_D_VADDR };

static struct {
    uint32_t entries[MMU_ENTRIES];
    const uint8_t *shown[WINDOWS][MMU_ENTRIES];  // what Unicorn has there
    bool is_shut[WINDOWS];
    bool is_on;
    bool is_suspended;
} mmu;

// The page of flash that an entry shows in a window, or NULL.
static const uint8_t *page_of(unsigned window, uint32_t entry) {
    uint32_t value = mmu.entries[entry];
    uint64_t addr = (uint64_t)(value & 0xff) * MMU_PAGE_SIZE;
    if (!mmu.is_on || mmu.is_suspended || mmu.is_shut[window] || (value & MMU_INVALID) != 0 || addr >= flashfile_size()) {
        return NULL;
    }
    return flashfile_bytes() + addr;
}

// Unicorn is told what the table says. (A page that it is given when an instruction is wanted from it, it does not keep apart from none.)
static void show(unsigned window, uint32_t entry) {
    const uint8_t *page = page_of(window, entry), **shown = &mmu.shown[window][entry];
    uint32_t vaddr = window_vaddr[window] + entry * MMU_PAGE_SIZE;
    if (page == *shown) {
        return;
    }
    if (*shown != NULL) {
        machine_unmap_flash(vaddr, window == WINDOW_I);
    }
    if (page != NULL) {
        machine_map_flash(vaddr, page, window == WINDOW_I);
    }
    *shown = page;
}

static void show_all(void) {
    for (uint32_t entry = 0; entry < MMU_ENTRIES; entry++) {
        show(WINDOW_I, entry);
        show(WINDOW_D, entry);
    }
}

void mmu_reset(void) {
    for (uint32_t entry = 0; entry < MMU_ENTRIES; entry++) {
        mmu.entries[entry] = MMU_INVALID;
    }
    mmu.is_on = mmu.is_suspended = false;
    mmu.is_shut[WINDOW_I] = mmu.is_shut[WINDOW_D] = true;
    show_all();
}

uint32_t mmu_read(uint32_t entry) {
    return mmu.entries[entry];
}

void mmu_write(uint32_t entry, uint32_t value) {
    mmu.entries[entry] = value;
    show(WINDOW_I, entry);
    show(WINDOW_D, entry);
}

void mmu_map(uint32_t vaddr, uint32_t flash_addr, uint32_t page_count) {
    uint32_t first = vaddr / MMU_PAGE_SIZE % MMU_ENTRIES;
    for (uint32_t i = 0; i < page_count && first + i < MMU_ENTRIES; i++) {
        mmu_write(first + i, flash_addr / MMU_PAGE_SIZE + i);
    }
}

void mmu_enable_cache(bool is_on) {
    mmu.is_on = is_on;
    show_all();
}

bool mmu_cache_is_on(void) {
    return mmu.is_on;
}

void mmu_suspend_cache(bool is_suspended) {
    mmu.is_suspended = is_suspended;
    show_all();
}

void mmu_shut_buses(bool instructions, bool data) {
    mmu.is_shut[WINDOW_I] = instructions;
    mmu.is_shut[WINDOW_D] = data;
    show_all();
}

uint32_t mmu_shut_bits(void) {
    return (mmu.is_shut[WINDOW_I] ? 1u : 0u) | (mmu.is_shut[WINDOW_D] ? 2u : 0u);
}

// The window and the entry of an address; false: it is in neither window.
static bool find(uint32_t vaddr, unsigned *window, uint32_t *entry) {
    for (*window = 0; *window < WINDOWS; ++*window) {
        uint32_t off = vaddr - window_vaddr[*window];
        if (off < WINDOW_SIZE) {
            *entry = off / MMU_PAGE_SIZE;
            return true;
        }
    }
    return false;
}

const uint8_t *mmu_at(uint32_t vaddr) {
    unsigned window;
    uint32_t entry;
    const uint8_t *page = find(vaddr, &window, &entry) ? page_of(window, entry) : NULL;
    return page != NULL ? page + vaddr % MMU_PAGE_SIZE : NULL;
}

void mmu_flash_changed(uint32_t addr, uint32_t size) {
    for (uint32_t entry = 0; entry < MMU_ENTRIES; entry++) {
        uint32_t page_addr = (mmu.entries[entry] & 0xff) * MMU_PAGE_SIZE;
        uint32_t first = addr > page_addr ? addr : page_addr;
        uint32_t end = addr + size < page_addr + MMU_PAGE_SIZE ? addr + size : page_addr + MMU_PAGE_SIZE;
        if (mmu.shown[WINDOW_I][entry] != NULL && first < end) {
            machine_forget_code(WINDOW_I_VADDR + entry * MMU_PAGE_SIZE + first % MMU_PAGE_SIZE, end - first);
        }
    }
}
