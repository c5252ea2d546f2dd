// The registers of the peripherals.
//
// Each is a word that keeps what was stored, but for those that do something: UART0, SPI1, the RTC with its watchdogs, timer group 0's
// watchdog, the system timer, the random number generator, the flash cache and its table.
#ifndef VBOARD_ESP32C3_PERIPHERALS_H
#define VBOARD_ESP32C3_PERIPHERALS_H

#include <stdbool.h>
#include <stdint.h>

void peripherals_reset(bool of_rtc);  // of the digital core only, or of the RTC, too

uint32_t peripheral_read(uint32_t vaddr, unsigned size);
void peripheral_write(uint32_t vaddr, unsigned size, uint32_t value);

// A register as plain memory, for the part of the board that it belongs to.
uint32_t *peripheral_word(uint32_t vaddr);

#endif
