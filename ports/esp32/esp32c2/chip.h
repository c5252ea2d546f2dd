// What the ESP32-C2 (ESP8684) has of its own. Sources: ESP8684 Technical Reference Manual, "Low-Power Management", RTC_CNTL
// registers; ESP-IDF, soc/rtc_cntl_reg.h and hal/rwdt_ll.h for it; esptool's targets.
#ifndef MOLT_ESP32_CHIP_H
#define MOLT_ESP32_CHIP_H

// The RTC watchdog: RTC_CNTL_WDTFEED_REG; RTC_CNTL_WDTWPROTECT_REG with its key.
#define WDT_FEED_ADDR 0x60008098u
#define WDT_FEED_BIT 0x80000000u
#define WDT_PROTECT_ADDR 0x6000809cu
#define WDT_PROTECT_KEY 0x50d83aa1u

// The super watchdog: RTC_CNTL_SWD_CONF_REG; RTC_CNTL_SWD_WPROTECT_REG with its key.
#define SWD_ADDR 0x600080a0u
#define SWD_AUTO_FEED_BIT 0x80000000u
#define SWD_PROTECT_ADDR 0x600080a4u
#define SWD_PROTECT_KEY 0x8f1d312au

// From an address of RAM on the data bus to the same on the instruction bus. Source: ESP8684 Technical Reference Manual, "System and
// Memory": internal SRAM 1 is at 0x3fca0000 and at 0x40380000.
#define CODE_VADDR_OFF 0x6e0000u

// Where an extension is loaded to: as extension_iram in chip.ld.
#define EXTENSION_VADDR 0x40384000u

#endif
