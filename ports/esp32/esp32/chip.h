// What the classic ESP32 has of its own.
#ifndef MOLT_ESP32_CHIP_H
#define MOLT_ESP32_CHIP_H

// The RTC watchdog: RTC_CNTL_WDTFEED_REG; RTC_CNTL_WDTWPROTECT_REG with its key. There is no super watchdog. Source: ESP32 Technical
// Reference Manual, "Watchdog Timers"; ESP-IDF, rtc_cntl_reg.h and rwdt_ll.h.
#define WDT_FEED_ADDR 0x3ff480a0u
#define WDT_FEED_BIT 0x80000000u
#define WDT_PROTECT_ADDR 0x3ff480a4u
#define WDT_PROTECT_KEY 0x50d83aa1u

// SPI1, to which the flash is connected beside the cache's SPI0. Source: ESP-IDF, spi_reg.h. Addresses begin at the register's bit 31.
#define SPI1_ADDR 0x3ff42000u
#define SPI1_OFF_CMD 0x00u
#define SPI1_OFF_ADDR 0x04u
#define SPI1_OFF_CTRL 0x08u
#define SPI1_OFF_CLOCK 0x18u
#define SPI1_OFF_USER 0x1cu
#define SPI1_OFF_USER1 0x20u
#define SPI1_OFF_USER2 0x24u
#define SPI1_OFF_MOSI_DLEN 0x28u
#define SPI1_OFF_MISO_DLEN 0x2cu
#define SPI1_OFF_W0 0x80u
#define SPI1_ADDR_SHIFT 8
// 20 MHz: a quarter of the 80 MHz of the bus. SPI_CLKCNT_N 3, SPI_CLKCNT_H 1, SPI_CLKCNT_L 3.
#define SPI1_CLOCK 0x00003043u

// Where an extension is loaded to: as extension_iram in chip.ld.
#define EXTENSION_VADDR 0x40084000u

// IRAM is read by words only, so there is a copy of the constants in DRAM: as constants_off in chip.ld.
#define CONSTANTS_OFF 0xfff30000u
#define CONSTANTS_COPIED 1

#endif
