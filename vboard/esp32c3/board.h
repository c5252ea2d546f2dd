// The virtual ESP32 in numbers: where memory and registers lie, of the chip that the board has.
//
// The chips are a table, socs.c. [Technical Reference Manuals: system and memory, reset and clock, watchdog timers, SPI; the names are
// shorter]
#ifndef VBOARD_ESP32C3_BOARD_H
#define VBOARD_ESP32C3_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "../exits.h"

#define ROM_VADDR 0x40000000u
#define PERIPHERALS_VADDR 0x60000000u  // words
#define PERIPHERALS_SIZE 0xd1000u
#define UART0_VADDR 0x60000000u

// The largest of any chip.
#define RAM_SIZE_MAX 0x80000u
#define MMU_ENTRIES_MAX 512u
#define WINDOWS_MAX 2u

// A field of the eFuses: of the word at so many bytes from their beginning.
struct field {
    uint32_t off, shift, count;
};

struct rom_entry {
    uint32_t vaddr;
    const char *name;
    void (*function)(void);  // NULL: there is nothing to do, and 0 is returned
};

struct soc {
    const char *name;    // as the option "board" has it
    const char *banner;  // the ROM's first lines
    uint32_t chip_id;    // in the headers of its images
    // One RAM, which instructions may see at another address than data does; the cache gives more where it needs less.
    uint32_t dram_vaddr, iram_vaddr, ram_size;
    uint32_t cache_ram_vaddr, cache_ram_size;
    uint32_t rtc_ram_vaddr, rtc_ram_size;
    uint32_t rom_size, rom_data_vaddr, rom_data_size;  // part of the ROM as data; of some there is no other address
    uint32_t rom_code_size;                            // at the end of this are the functions that only the board has
    // The ROM's own data at the end of the RAM, and its stack below: struct of the flash chip (id, size, block, sector, page, status
    // mask), and rom_spiflash_legacy_data, a pointer to it.
    uint32_t rom_stack_vaddr, rom_flash_data_vaddr, rom_flash_pointer_vaddr;
    // What the second-stage boot loader needs for itself while it loads. [bootloader.memory.ld.in of IDF]
    uint32_t kept_code_vaddr, kept_data_vaddr;
    // Mapped flash: one table for both windows, which are one on some.
    uint32_t window_i_vaddr, window_d_vaddr;
    uint32_t mmu_entries, mmu_page_mask, mmu_valid, mmu_invalid;
    uint32_t mmu_table_vaddr;  // the table as words; 0: by an index and a content register
    uint32_t mmu_index_vaddr, mmu_content_vaddr;
    uint32_t mmu_page_size_vaddr;                   // bits 3 and 4; 0: pages have 64 KB
    uint32_t mmu_page_sizes[4];                     // what they say
    uint32_t cache_enable_vaddr, cache_shut_vaddr;  // 0: the ROM's functions only
    uint32_t spi1_vaddr, efuse_vaddr, timer0_vaddr, systimer_vaddr, random_vaddr;
    // What is done as soon as it is wanted: bits of registers that always read as 1, or as 0.
    struct done {
        uint32_t vaddr, ones, zeros;
    } done[4];
    // Registers that a reset of the digital core leaves.
    uint32_t rtc_vaddr, rtc_size;
    uint32_t reset_vaddr, reset_bit, reset_cpu_vaddr, reset_cpu_bit, cause_vaddr;
    uint32_t watchdog_config_vaddr, watchdog_hold_vaddr, watchdog_feed_vaddr, watchdog_key_vaddr;
    uint32_t super_config_vaddr, super_key_vaddr, super_key, super_auto_feed, super_disable, super_feed;
    // Which revision the chip is, and what is burnt of it where nobody says otherwise.
    struct field revision_minor, revision_minor_high, revision_major, block_minor, block_major;
    struct burnt {
        uint32_t off, value;
    } burnt[2];
    const struct rom_entry *entries;
    uint32_t entry_count;
};

// The chip that the board has.
extern const struct soc *soc;

// Choose it by the option "board"; false: there is none of that name.
bool soc_choose(void);

// Reset causes. [rom/rtc.h: RESET_REASON]
#define RESET_POWER_ON 1u
#define RESET_SOFTWARE 3u
#define RESET_TIMER_WATCHDOG 7u
#define RESET_RTC_WATCHDOG_CORE 9u
#define RESET_TIMER_WATCHDOG_CPU 11u
#define RESET_SOFTWARE_CPU 12u
#define RESET_RTC_WATCHDOG_CPU 13u
#define RESET_RTC_WATCHDOG 16u
#define RESET_SUPER_WATCHDOG 18u

#endif
