// The marks of a plan that has a sector of its own, in standby mode: how far the upgrade as a whole has come, beside the steps.
//
// A mark is made by programming a word to 0, and counts as made when most of its bits are 0, so that no single bit that is misread
// makes one or hides one. Each is made twice, in two pages at the beginning of the plan's sector, and one of them is enough: a
// program that is torn may take its page with it. docs/format.md, "marks".
#ifndef MOLT_MARKS_H
#define MOLT_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/geometry.h"
#include "molt/flash.h"

typedef enum molt_mark {
    MOLT_MARK_COMMITTED,  // the plan is to be carried out
    MOLT_MARK_CANCELLED,  // it was taken back before its step 0 was done: the old first sector goes back
    MOLT_MARK_FINISHING,  // all steps are done; what is left is the image's first sector
    MOLT_MARK_PLACED,     // a first sector, the new one or the old one, is in its place, but perhaps for its first byte
    MOLT_MARK_COUNT,
} molt_mark_t;

// Bytes that they take at the front of the sector.
static inline uint32_t molt_marks_size(const molt_geometry_t *geometry) {
    return MOLT_MARK_COUNT * molt_page_size(geometry);
}

// The marks in `sector`, a RAM copy of the plan's sector: bit 1 << molt_mark_t for each that is made.
uint32_t molt_marks_read(const molt_geometry_t *geometry, const uint8_t *sector);

static inline bool molt_mark_is_in(uint32_t marks, molt_mark_t mark) {
    return (marks >> mark & 1) != 0;
}

// Make a mark in the plan's sector at `plan_addr`. Again where it is made already, which makes firm what a cut left weak.
// Returns 0 or the driver's error. Power cut: made or not; no other mark goes. Cost: two programs of 4 bytes.
int molt_marks_make(const molt_flash_t *flash, uint32_t plan_addr, molt_mark_t mark);

// Make firm what a cut has left weak of the marks in `sector`, a RAM copy of the plan's sector, or has taken of them.
// Returns 0 or the driver's error. Power cut: none of them goes, also on a chip that loses a page with a torn program. Cost: up to two
// programs of 4 bytes for each.
int molt_marks_make_firm(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector);

// Program the first byte of the image at `addr` to 0, so that no boot loader takes it for one: with that an upgrade begins.
// Returns 0 or the driver's error. Power cut: it is one, or it is none. Cost: one program of 4 bytes.
int molt_marks_break_image(const molt_flash_t *flash, uint32_t addr);

#endif
