// A trial's code: what is asked at each start while a firmware is on trial. It stands in the plan and runs wherever that was read to, so
// it is position-independent: its own functions are called relative to it, and those of the mask ROM at their addresses.

#include "base/crc32.h"
#include "rom.h"
#include "upgrade/trial.h"

uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size) {
    // From a register: a call's distance to the mask ROM would depend on where the code is.
    __typeof__(&crc32_le) volatile function = crc32_le;
    return function(crc, data, size);
}

__attribute__((externally_visible)) uint32_t molt_trial_entry(
    const molt_flash_t *flash, uint32_t plan_addr, uint32_t image_addr, const uint8_t *sector, uint8_t *buf, bool is_new);

uint32_t molt_trial_entry(
    const molt_flash_t *flash, uint32_t plan_addr, uint32_t image_addr, const uint8_t *sector, uint8_t *buf, bool is_new) {
    return molt_trial_ask(flash, plan_addr, image_addr, sector, buf, is_new);
}
