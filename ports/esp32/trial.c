// A trial's code: what is asked at each start while a firmware is on trial. It stands in the plan and runs wherever that was read to, so
// it is position-independent: its own functions are called relative to where it is, and the mask ROM's at their addresses.

#include "upgrade/trial.h"
#include "arch.h"
#include "base/crc32.h"
#include "rom.h"

uint32_t molt_crc32(uint32_t crc, const void *data, uint32_t size) {
    return arch_far(crc32_le)(crc, data, size);
}

__attribute__((externally_visible)) uint32_t molt_trial_entry(
    const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code);

uint32_t molt_trial_entry(
    const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code) {
    return molt_trial_ask(flash, plan_addr, sector, buf, code);
}
