// The virtual ESP32-C3 in numbers: where memory and registers lie.
//
// [ESP32-C3 Technical Reference: system and memory, reset and clock, watchdog timers, SPI; the names are shorter]
#ifndef VBOARD_ESP32C3_BOARD_H
#define VBOARD_ESP32C3_BOARD_H

#include "../exits.h"

// One RAM, which instructions see at another address than data does; the cache gives 16 KB more where it needs less.
#define DRAM_VADDR 0x3fc80000u
#define IRAM_VADDR 0x40380000u
#define RAM_SIZE 0x60000u
#define CACHE_RAM_VADDR 0x4037c000u
#define CACHE_RAM_SIZE 0x4000u
#define RTC_RAM_VADDR 0x50000000u
#define RTC_RAM_SIZE 0x2000u
#define ROM_VADDR 0x40000000u
#define ROM_SIZE 0x60000u
#define ROM_DATA_VADDR 0x3ff00000u  // the upper part of the ROM as data
#define ROM_DATA_SIZE 0x20000u

// Mapped flash: one table for both windows.
#define WINDOW_I_VADDR 0x42000000u
#define WINDOW_D_VADDR 0x3c000000u
#define WINDOW_SIZE 0x800000u
#define MMU_PAGE_SIZE 0x10000u
#define MMU_ENTRIES 128u
#define MMU_INVALID 0x100u

// The ROM's own data at the end of the RAM, and its stack below.
#define ROM_STACK_VADDR 0x3fcde710u
#define ROM_FLASH_DATA_VADDR 0x3fcdfd00u     // struct of the flash chip: id, size, block, sector, page, status mask
#define ROM_FLASH_POINTER_VADDR 0x3fcdfff0u  // rom_spiflash_legacy_data, a pointer to it

// Peripherals: words.
#define PERIPHERALS_VADDR 0x60000000u
#define PERIPHERALS_SIZE 0xd1000u
#define UART0_VADDR 0x60000000u
#define SPI1_VADDR 0x60002000u
#define RTC_VADDR 0x60008000u
#define EFUSE_VADDR 0x60008800u
#define TIMER0_VADDR 0x6001f000u
#define SYSTIMER_VADDR 0x60023000u
#define RANDOM_VADDR 0x600260b0u
#define CACHE_VADDR 0x600c4000u
#define MMU_TABLE_VADDR 0x600c5000u

// eFuses that say which chip it is: v0.4, eFuse block v1.3. [soc/efuse_reg.h]
#define EFUSE_REVISION_OFF 0x50u  // minor revision in bits 18 to 20, of the block in bits 24 to 26
#define EFUSE_REVISION 0x03100000u
#define EFUSE_MAJOR_OFF 0x58u  // minor revision's fourth bit in bit 23, major one in bits 24 and 25
#define EFUSE_BLOCK_MAJOR_OFF 0x6cu
#define EFUSE_BLOCK_MAJOR 1u

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
