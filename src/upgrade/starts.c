// The log of starts.

#include "upgrade/starts.h"

#include "base/bytes.h"

uint32_t molt_starts_note(const molt_flash_t *flash, uint32_t plan_addr, const molt_plan_t *plan, uint32_t number) {
    uint32_t begin = plan->journal_off + plan->set_size;
    uint32_t end = begin + plan->log_size;
    uint32_t entry = number | ~number << 16;
    uint32_t next = begin;
    uint32_t count = 0;
    for (uint32_t off = begin; off < end; off += 4) {
        uint32_t present = load32_le(plan->sector + off);
        if ((uint16_t)~present == present >> 16) {
            count = present == entry ? count + 1 : 0;
        }
        // Behind whatever a torn program or a lost page has left, too.
        if (present != UINT32_MAX) {
            next = off + 4;
        }
    }
    if (count < MOLT_STARTS_MAX && next < end) {
        (void)flash->prog(flash->ctx, plan_addr + next, &entry, sizeof entry);
    }
    return count < MOLT_STARTS_FREE ? 0 : 1u << (count - MOLT_STARTS_FREE);
}
