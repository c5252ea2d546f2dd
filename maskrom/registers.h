// The board's registers, from 0x3ff00000 and 0x60000000 on: what the mask ROM and the boot loaders use of them. Registers
// that do nothing hold what is written to them.
#ifndef MASKROM_REGISTERS_H
#define MASKROM_REGISTERS_H

#include "board.h"

void registers_power_on(board_t *board);
void registers_reset(board_t *board, uint32_t cause);

// As lx106_bus_t has them.
int registers_load(board_t *board, uint32_t vaddr, uint32_t size, uint32_t *value);
int registers_store(board_t *board, uint32_t vaddr, uint32_t size, uint32_t value);

bool registers_cache_is_on(const board_t *board);

// Has the watchdog come to the end of its second stage? To be asked often.
bool registers_watchdog_bites(board_t *board);

// From board.c: let the time pass until then.
void board_skip_to(board_t *board, uint64_t then_ns);

#endif
