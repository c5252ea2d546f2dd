// The flash cache and its table: which page of flash is seen where.
//
// One table for both windows: what is at 0x42000000 + n * 64 KB is at 0x3c000000 + n * 64 KB, too; on some chips the two are one.
// Mapped pages are the flash's cells themselves, so that an operation shows at once.
#ifndef VBOARD_ESP32C3_MMU_H
#define VBOARD_ESP32C3_MMU_H

#include <stdbool.h>
#include <stdint.h>

void mmu_reset(void);  // every entry invalid, the cache off, both buses shut

uint32_t mmu_page_size(void);
void mmu_set_page_size(uint32_t size);  // of all pages; of some chips it is one of several
uint32_t mmu_window_size(void);
uint32_t mmu_none(void);  // the value of an entry that shows nothing

uint32_t mmu_read(uint32_t entry);
void mmu_write(uint32_t entry, uint32_t value);
void mmu_map(uint32_t vaddr, uint32_t flash_addr, uint32_t page_count);  // entries that are not there are left out

void mmu_enable_cache(bool is_on);
bool mmu_cache_is_on(void);
void mmu_suspend_cache(bool is_suspended);
void mmu_shut_buses(bool instructions, bool data);
uint32_t mmu_shut_bits(void);

// The byte of flash that is at vaddr, or NULL.
const uint8_t *mmu_at(uint32_t vaddr);

void mmu_flash_changed(uint32_t addr, uint32_t size);

#endif
