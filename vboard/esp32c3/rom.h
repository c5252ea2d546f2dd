// The mask ROM: its functions at their true addresses, and the first stage of booting.
#ifndef VBOARD_ESP32C3_ROM_H
#define VBOARD_ESP32C3_ROM_H

#include <stdbool.h>
#include <stdint.h>

// Where an entry point returns to that should not: entry_returned of the tables.
#define ROM_RETURNED_VADDR (ROM_VADDR + soc->rom_code_size - 0x10u)

// The processor is at vaddr, in the ROM: do what the function there does. It returns by itself.
void rom_call(uint32_t vaddr);

// Arguments and result of the function that is being called.
uint32_t rom_arg(unsigned i);
void rom_return(uint32_t value);

// Memory of the program's, moved; a crash report if there is none.
void rom_load(const char *function, uint32_t vaddr, void *to, uint32_t size);
void rom_store(const char *function, uint32_t vaddr, const void *from, uint32_t size);

// An ecall of the board's own second-stage boot loader; false: it is another's.
bool rom_second_stage(uint32_t pc);

// The ROM's data, as after any reset.
void rom_reset(void);

// Load the second-stage boot loader from flash 0, or from the file of the option "bootloader". Returns its entry point.
uint32_t rom_first_stage(void);

#endif
