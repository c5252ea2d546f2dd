// What the ESP32-S3 has of its own.
#ifndef MOLT_ESP32_CHIP_H
#define MOLT_ESP32_CHIP_H

// The RTC watchdog: RTC_CNTL_WDTFEED_REG; RTC_CNTL_WDTWPROTECT_REG with its key. Source of these and of the super watchdog's:
// ESP-IDF, rtc_cntl_reg.h and rwdt_ll.h for ESP32-S3.
#define WDT_FEED_ADDR 0x600080acu
#define WDT_FEED_BIT 0x80000000u
#define WDT_PROTECT_ADDR 0x600080b0u
#define WDT_PROTECT_KEY 0x50d83aa1u

// The super watchdog: RTC_CNTL_SWD_CONF_REG; RTC_CNTL_SWD_WPROTECT_REG with its key.
#define SWD_ADDR 0x600080b4u
#define SWD_AUTO_FEED_BIT 0x80000000u
#define SWD_PROTECT_ADDR 0x600080b8u
#define SWD_PROTECT_KEY 0x8f1d312au

// SPI1, to which the flash is connected beside the cache's SPI0. Source: ESP-IDF, spi_mem_reg.h for ESP32-S3.
#define SPI1_ADDR 0x60002000u
#define SPI1_OFF_CMD 0x00u
#define SPI1_OFF_ADDR 0x04u
#define SPI1_OFF_CTRL 0x08u
#define SPI1_OFF_CLOCK 0x14u
#define SPI1_OFF_USER 0x18u
#define SPI1_OFF_USER1 0x1cu
#define SPI1_OFF_USER2 0x20u
#define SPI1_OFF_MOSI_DLEN 0x24u
#define SPI1_OFF_MISO_DLEN 0x28u
#define SPI1_OFF_W0 0x58u
#define SPI1_ADDR_SHIFT 0
// 20 MHz: a quarter of 80 MHz. SPI_MEM_CLKCNT_N 3, SPI_MEM_CLKCNT_H 1, SPI_MEM_CLKCNT_L 3.
#define SPI1_CLOCK 0x00030103u

// Where an extension is loaded to: as extension_iram in chip.ld.
#define EXTENSION_VADDR 0x40381000u

// The data bus has the same RAM at other addresses: as constants_off in chip.ld.
#define CONSTANTS_OFF 0xff910000u
#define CONSTANTS_COPIED 0

#endif
