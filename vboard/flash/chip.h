// The SPI NOR flash chip as its commands show it: status register, write enable, block protection, quad enable.
//
// The kinds of chips differ in where the quad-enable bit (QE) is and in what reaches it:
//
//   winbond     bit 1 of the second status byte; 01h writes it with its second byte, and clears it without one
//   macronix    bit 6 of the first status byte; 01h writes it with its first byte
//   gigadevice  bit 1 of the second status byte, which 01h does not reach
//   fixed       none: quad reads always work
//
// The status register is non-volatile but for WIP and WEL: it is kept in a host file across power cycles.
#ifndef VBOARD_FLASH_CHIP_H
#define VBOARD_FLASH_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#define CHIP_STATUS_WIP 0x01u  // an operation is in progress
#define CHIP_STATUS_WEL 0x02u  // the next program, erase or status write will be obeyed
#define CHIP_STATUS_BP 0x1cu   // BP0 to BP2: how much of the chip is protected
#define CHIP_STATUS_TB 0x20u   // protected from the bottom on instead of up to the top

void chip_power_on(void);
void chip_power_again(void);  // after a cut: what is not kept without power is as at the first time

// The commands. A chip that is busy obeys none but the reading of its status.
uint8_t chip_read_status(void);                                            // 05h
uint8_t chip_read_second_status(void);                                     // 35h
void chip_write_enable(void);                                              // 06h
void chip_write_disable(void);                                             // 04h
void chip_write_status(uint32_t value, uint32_t size);                     // 01h; size is 1 or 2
void chip_program(uint32_t addr, const void *data, uint32_t size);         // 02h
void chip_erase(uint32_t addr, uint32_t size);                             // 20h, d8h, c7h
void chip_read(uint32_t addr, void *buffer, uint32_t size, bool is_quad);  // noise if it is quad and QE is clear
void chip_peek(uint32_t addr, void *buffer, uint32_t size, bool is_quad);  // the same for the cache: not counted

bool chip_reads_noise(bool is_quad);
bool chip_is_stuck(void);  // busy for ever

// Status writes are counted apart while the ROM boots.
void chip_note_booting(bool is_booting);
void chip_write_stats(int fd);  // the end of a line of JSON

#endif
