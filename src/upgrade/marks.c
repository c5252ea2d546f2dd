// The marks of a plan that has a sector of its own.

#include "upgrade/marks.h"

#include "base/bytes.h"

// Of the 32 bits of a mark so many have to be 0.
#define BITS_MIN 16u

uint32_t molt_marks_read(const molt_geometry_t *geometry, const uint8_t *sector) {
    uint32_t marks = 0;
    for (uint32_t mark = 0; mark < MOLT_MARK_COUNT; mark++) {
        uint32_t count = 0;
        for (uint32_t zeros = ~load32_le(sector + mark * molt_page_size(geometry)); zeros; zeros &= zeros - 1) {
            count++;
        }
        marks |= (count >= BITS_MIN ? 1u : 0u) << mark;
    }
    return marks;
}

int molt_marks_make(const molt_flash_t *flash, uint32_t plan_addr, molt_mark_t mark) {
    static const uint32_t made = 0;
    return flash->prog(flash->ctx, plan_addr + (uint32_t)mark * molt_page_size(&flash->geometry), &made, sizeof made);
}
