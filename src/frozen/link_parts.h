// The parts of a link's life that only relinking needs.
#ifndef MOLT_FROZEN_LINK_PARTS_H
#define MOLT_FROZEN_LINK_PARTS_H

#include "frozen/link.h"

#define MOLT_LINK_VERSION 1
// Highest number of a qstr that a link may use: it is kept in 16 bits.
#define MOLT_LINK_QSTR_MAX 60000u

// A header without data, which notes that the module cannot be linked.
void molt_link_refuse(uint32_t words[MOLT_LINK_HEADER_SIZE / 4], molt_link_t *link);

// Where the link at `addr` lies and what it is for, unchecked: for links that molt_link_next() has seen.
int molt_link_peek(const molt_flash_t *flash, uint32_t addr, molt_link_t *link);

// The data has its CRC: 0, MOLT_ERR_CORRUPT, or the driver's error.
//   work  256 bytes, 4-aligned
int molt_link_check(const molt_flash_t *flash, const molt_link_t *link, void *work);

// Write a link that molt_link_build() made for this address.
//   words  changed in no way; its first word, the magic, is left out
// Returns 0, MOLT_ERR_NOSPC (it would reach to limit_addr), MOLT_ERR_CORRUPT (it begins within a sector whose rest is not erased), MOLT_ERR_IO
// (read back otherwise), or the driver's error.
// Power cut: molt_link_next() sees nothing new, or MOLT_ERR_CORRUPT there, or the whole link.
int molt_link_write(
    const molt_flash_t *flash, uint32_t addr, uint32_t limit_addr, const uint32_t *words, const molt_link_t *link);

// djb2 as in py/qstr.c, 16 bits, never 0.
uint32_t molt_link_hash(const uint8_t *bytes, uint32_t size);

#endif
