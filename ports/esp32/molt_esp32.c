// The chips of the ESP32 family, with the loaders of ports/esp32/prebuilt. Who builds for one of them names that one, and the linker
// leaves out the others.

#include "molt_esp32.h"

#include <stddef.h>

#include "esp32c3_inflate.h"
#include "esp32c3_loader.h"
#include "esp32c3_trial.h"

// Of a RISC-V chip's loader, the offset of the word with the plan's address: riscv/start.S.
#define RISCV_PLAN_ADDR_OFF 4

// Source: ESP32-C3 Technical Reference Manual, memory map; ESP-IDF, esp_chip_id_t. The code's address is that of chip.ld.
static const molt_standby_chip_t esp32c3 = {
    .chip_id = 5,
    .boot_addr = 0,
    .code = esp32c3_loader,
    .code_size = sizeof esp32c3_loader,
    .code_vaddr = 0x40380000,
    .plan_addr_off = RISCV_PLAN_ADDR_OFF,
    .trial_code = esp32c3_trial,
    .trial_size = sizeof esp32c3_trial,
    .data_vaddr = 0x3c000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32c3 = {
    .chip = MOLT_CHIP_ESP32C3,
    .extension = { .image = esp32c3_inflate, .size = sizeof esp32c3_inflate },
    .standby = &esp32c3,
};

const molt_target_t *const molt_esp32_targets[] = { &molt_esp32c3, NULL };
