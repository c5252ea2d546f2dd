// The marks of a plan that has a sector of its own.

#include "upgrade/marks.h"

#include "base/bytes.h"

// Of the 32 bits of a mark so many have to be 0.
#define BITS_MIN 16u

// Offsets of a mark's two words: at the beginning of the page that has its number, and in the middle of the next one.
static uint32_t first_off(const molt_geometry_t *geometry, uint32_t mark) {
    return mark * molt_page_size(geometry);
}

static uint32_t second_off(const molt_geometry_t *geometry, uint32_t mark) {
    return (mark + 1) % MOLT_MARK_COUNT * molt_page_size(geometry) + molt_page_size(geometry) / 2;
}

static bool mark_is_made(const uint8_t *word) {
    return count_zeros(load32_le(word)) >= BITS_MIN;
}

uint32_t molt_marks_read(const molt_geometry_t *geometry, const uint8_t *sector) {
    uint32_t marks = 0;
    for (uint32_t mark = 0; mark < MOLT_MARK_COUNT; mark++) {
        bool is_made = mark_is_made(sector + first_off(geometry, mark)) || mark_is_made(sector + second_off(geometry, mark));
        marks |= (is_made ? 1u : 0u) << mark;
    }
    return marks;
}

int molt_marks_make(const molt_flash_t *flash, uint32_t plan_addr, molt_mark_t mark) {
    static const uint32_t made = 0;
    int err = flash->prog(flash->ctx, plan_addr + first_off(&flash->geometry, mark), &made, sizeof made);
    return err ? err : flash->prog(flash->ctx, plan_addr + second_off(&flash->geometry, mark), &made, sizeof made);
}

int molt_marks_make_firm(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector) {
    static const uint32_t made = 0;
    uint32_t marks = molt_marks_read(&flash->geometry, sector);
    int err = 0;
    for (uint32_t i = 0; !err && i < 2 * MOLT_MARK_COUNT; i++) {
        uint32_t off = i % 2 ? second_off(&flash->geometry, i / 2) : first_off(&flash->geometry, i / 2);
        // What is whole stays untouched: a cut that takes its page must not find the other one's missing.
        if (molt_mark_is_in(marks, i / 2) && load32_le(sector + off) != made) {
            err = flash->prog(flash->ctx, plan_addr + off, &made, sizeof made);
        }
    }
    return err;
}

int molt_marks_break_image(const molt_flash_t *flash, uint32_t addr) {
    uint32_t word;
    uint32_t again = 0;
    int err = flash->read(flash->ctx, addr, &word, sizeof word);
    if (!err) {
        err = flash->read(flash->ctx, addr, &again, sizeof again);
    }
    // The other bytes as they are: no 1 goes over a 0.
    again &= word & ~0xffu;
    return err ? err : flash->prog(flash->ctx, addr, &again, sizeof again);
}
