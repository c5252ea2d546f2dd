// The virtual ESP8266 in numbers: where memory lies.
//
// Read by the mask ROM (C and assembly), by the plugin and by the tests, so only #defines.
#ifndef VBOARD_BOARD_H
#define VBOARD_BOARD_H

#include "../exits.h"

// Memory of the chip. [ESP8266 Technical Reference, and the SDK's linker scripts]
#define ROM_VADDR 0x40000000
#define ROM_SIZE 0x10000  // the chip's mask ROM; all of its entry points lie in here
#define IRAM_VADDR 0x40100000
#define IRAM_SIZE 0x10000
#define CACHE_IRAM_END (IRAM_VADDR + IRAM_SIZE)  // the flash cache takes 16 or 32 KB below this
#define WINDOW_VADDR 0x40200000
#define WINDOW_SIZE 0x100000
#define DRAM_VADDR 0x3ffe8000
#define DRAM_SIZE 0x14000                   // what an image may load; ROM data and stack lie above
#define DRAM_END 0x40000000                 // and end here
#define FLASHCHIP_POINTER_VADDR 0x3fffc714  // `flashchip`, a pointer
#define FLASHCHIP_VADDR 0x3fffc718          // to this struct
#define SPI0_VADDR 0x60000200               // the flash's SPI controller
#define WDT_CTRL_VADDR 0x60000900           // bit 0: it runs
#define WDT_STAGE0_VADDR 0x60000904
#define WDT_STAGE1_VADDR 0x60000908
#define WDT_FEED_VADDR 0x60000914
#define WDT_FEED_VALUE 0x73
#define RTC_MEMORY_VADDR 0x60001100  // 256 bytes of the system's, then 512 of the user's
#define RTC_MEMORY_SIZE 0x300

// CCOUNT counts this often in a microsecond: QEMU's lx106 runs at 40 MHz, where a chip has 80 or 160.
#define CCOUNT_PER_US 40

// Memory that only the virtual board has: the bodies of the ROM functions and their data live beyond the
// chip's mask ROM, so that no byte of the chip's RAM is spent on them.
#define BODY_END 0x40100000
#define RESET_VADDR 0x50000000  // where QEMU's reset goes

// Stores to these words tell the plugin what it cannot see by itself.
#define SIGNAL_WINDOW_CLOSED 0x400fff00  // flash cache off: nothing may touch the window
#define SIGNAL_WINDOW_OPEN 0x400fff04
#define SIGNAL_CACHE_16K 0x400fff08  // 16 or 32 KB of IRAM now belong to the cache
#define SIGNAL_CACHE_32K 0x400fff0c
#define SIGNAL_CACHE_NONE 0x400fff10
#define SIGNAL_BUS_CLASH 0x400fff14  // a flash command was given while the cache was on

// What fills memory that must not be used: as an instruction, ILL.N; as a pointer, a fault.
#define POISON 0xf06df06d

#endif
