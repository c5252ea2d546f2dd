// What the ESP32-C61 has of its own. Sources: ESP32-C61 Technical Reference Manual, "Watchdog Timers"; ESP-IDF,
// soc/lp_wdt_reg.h and hal/lpwdt_ll.h for it; esptool's targets.
#ifndef MOLT_ESP32_CHIP_H
#define MOLT_ESP32_CHIP_H

// The RTC watchdog: LP_WDT_FEED_REG; LP_WDT_WPROTECT_REG with its key.
#define WDT_FEED_ADDR 0x600b1c14u
#define WDT_FEED_BIT 0x80000000u
#define WDT_PROTECT_ADDR 0x600b1c18u
#define WDT_PROTECT_KEY 0x50d83aa1u

// The super watchdog: LP_WDT_SWD_CONFIG_REG; LP_WDT_SWD_WPROTECT_REG with its key.
#define SWD_ADDR 0x600b1c1cu
#define SWD_AUTO_FEED_BIT 0x00040000u
#define SWD_PROTECT_ADDR 0x600b1c20u
#define SWD_PROTECT_KEY 0x50d83aa1u

// Where an extension is loaded to: as extension_iram in chip.ld.
#define EXTENSION_VADDR 0x40804000u

#endif
