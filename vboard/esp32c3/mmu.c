// The flash cache and its table: see mmu.h.
#include "mmu.h"

#include <stddef.h>

#include "board.h"
#include "flashfile.h"
#include "machine.h"

enum { WINDOW_I, WINDOW_D };
enum { PAGE_SIZE_DEFAULT = 0x10000 };

static struct {
    uint32_t entries[MMU_ENTRIES_MAX];
    const uint8_t *shown[WINDOWS_MAX][MMU_ENTRIES_MAX];  // what Unicorn has there
    bool is_shut[WINDOWS_MAX];
    bool is_on;
    bool is_suspended;
    uint32_t page_size;
} mmu = { .page_size = PAGE_SIZE_DEFAULT };

static uint32_t window_vaddr(unsigned window) {
    return window == WINDOW_I ? soc->window_i_vaddr : soc->window_d_vaddr;
}

// Where code and data are seen in one window it is the first, and is shut when both buses are.
static unsigned window_count(void) {
    return soc->window_i_vaddr == soc->window_d_vaddr ? 1 : WINDOWS_MAX;
}

static bool is_shut(unsigned window) {
    return window_count() == 1 ? mmu.is_shut[WINDOW_I] && mmu.is_shut[WINDOW_D] : mmu.is_shut[window];
}

uint32_t mmu_page_size(void) {
    return mmu.page_size;
}

uint32_t mmu_window_size(void) {
    return soc->mmu_entries * mmu.page_size;
}

uint32_t mmu_none(void) {
    return soc->mmu_invalid;
}

// The page of flash that an entry shows in a window, or NULL.
static const uint8_t *page_of(unsigned window, uint32_t entry) {
    uint32_t value = mmu.entries[entry];
    bool is_valid = soc->mmu_valid != 0 ? (value & soc->mmu_valid) != 0 : (value & soc->mmu_invalid) == 0;
    uint64_t addr = (uint64_t)(value & soc->mmu_page_mask) * mmu.page_size;
    if (!mmu.is_on || mmu.is_suspended || is_shut(window) || !is_valid || addr >= flashfile_size()) {
        return NULL;
    }
    return flashfile_bytes() + addr;
}

// Unicorn is told what the table says. (A page that it is given when an instruction is wanted from it, it does not keep apart from none.)
static void show(unsigned window, uint32_t entry) {
    const uint8_t *page = page_of(window, entry), **shown = &mmu.shown[window][entry];
    uint32_t vaddr = window_vaddr(window) + entry * mmu_page_size();
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

static void show_entry(uint32_t entry) {
    for (unsigned window = 0; window < window_count(); window++) {
        show(window, entry);
    }
}

static void show_all(void) {
    for (uint32_t entry = 0; entry < soc->mmu_entries; entry++) {
        show_entry(entry);
    }
}

void mmu_set_page_size(uint32_t size) {
    if (size == mmu.page_size) {
        return;
    }
    bool was_on = mmu.is_on;
    mmu.is_on = false;  // all pages go, at their old addresses
    show_all();
    mmu.is_on = was_on;
    mmu.page_size = size;
    show_all();
}

void mmu_reset(void) {
    for (uint32_t entry = 0; entry < soc->mmu_entries; entry++) {
        mmu.entries[entry] = mmu_none();
    }
    mmu.is_on = mmu.is_suspended = false;
    mmu.is_shut[WINDOW_I] = mmu.is_shut[WINDOW_D] = true;
    show_all();
    mmu.page_size = soc->mmu_page_size_vaddr != 0 ? soc->mmu_page_sizes[0] : PAGE_SIZE_DEFAULT;
}

uint32_t mmu_read(uint32_t entry) {
    return mmu.entries[entry];
}

void mmu_write(uint32_t entry, uint32_t value) {
    mmu.entries[entry] = value;
    show_entry(entry);
}

void mmu_map(uint32_t vaddr, uint32_t flash_addr, uint32_t page_count) {
    uint32_t first = vaddr / mmu_page_size() % soc->mmu_entries;
    for (uint32_t i = 0; i < page_count && first + i < soc->mmu_entries; i++) {
        mmu_write(first + i, (flash_addr / mmu_page_size() + i) | soc->mmu_valid);
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
    for (*window = 0; *window < window_count(); ++*window) {
        uint32_t off = vaddr - window_vaddr(*window);
        if (off < mmu_window_size()) {
            *entry = off / mmu_page_size();
            return true;
        }
    }
    return false;
}

const uint8_t *mmu_at(uint32_t vaddr) {
    unsigned window;
    uint32_t entry;
    const uint8_t *page = find(vaddr, &window, &entry) ? page_of(window, entry) : NULL;
    return page != NULL ? page + vaddr % mmu_page_size() : NULL;
}

void mmu_flash_changed(uint32_t addr, uint32_t size) {
    for (uint32_t entry = 0; entry < soc->mmu_entries; entry++) {
        uint32_t page_addr = (mmu.entries[entry] & soc->mmu_page_mask) * mmu_page_size();
        uint32_t first = addr > page_addr ? addr : page_addr;
        uint32_t end = addr + size < page_addr + mmu_page_size() ? addr + size : page_addr + mmu_page_size();
        if (mmu.shown[WINDOW_I][entry] != NULL && first < end) {
            machine_forget_code(soc->window_i_vaddr + entry * mmu_page_size() + first % mmu_page_size(), end - first);
        }
    }
}
