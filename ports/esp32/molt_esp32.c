// The chips of the ESP32 family, with the loaders of ports/esp32/prebuilt. Who builds for one of them names that one, and the linker
// leaves out the others.
//
// Sources: the Technical Reference Manuals, memory map; ESP-IDF, esp_chip_id_t and soc/ext_mem_defs.h; esptool's targets, where the
// second-stage boot loader is. The code's address is that of the chip's chip.ld.

#include "molt_esp32.h"

#include <stddef.h>

#include "esp32_delta.h"
#include "esp32_delta_rest.h"
#include "esp32_inflate.h"
#include "esp32_loader.h"
#include "esp32c2_delta.h"
#include "esp32c2_delta_rest.h"
#include "esp32c2_inflate.h"
#include "esp32c2_loader.h"
#include "esp32c2_trial.h"
#include "esp32c3_delta.h"
#include "esp32c3_delta_rest.h"
#include "esp32c3_inflate.h"
#include "esp32c3_loader.h"
#include "esp32c3_trial.h"
#include "esp32c61_delta.h"
#include "esp32c61_delta_rest.h"
#include "esp32c61_inflate.h"
#include "esp32c61_loader.h"
#include "esp32c61_trial.h"
#include "esp32c6_delta.h"
#include "esp32c6_delta_rest.h"
#include "esp32c6_inflate.h"
#include "esp32c6_loader.h"
#include "esp32h2_delta.h"
#include "esp32h2_delta_rest.h"
#include "esp32h2_inflate.h"
#include "esp32h2_loader.h"
#include "esp32h2_trial.h"
#include "esp32s2_delta.h"
#include "esp32s2_delta_rest.h"
#include "esp32s2_inflate.h"
#include "esp32s2_loader.h"
#include "esp32s3_delta.h"
#include "esp32s3_delta_rest.h"
#include "esp32s3_inflate.h"
#include "esp32s3_loader.h"

// The offset of the word with the plan's address in a loader: riscv/start.S and xtensa/start.S.
#define RISCV_PLAN_ADDR_OFF 4
#define XTENSA_PLAN_ADDR_OFF 8

static const molt_standby_chip_t esp32 = {
    .chip_id = 0,
    .boot_addr = 0x1000,
    .code = esp32_loader,
    .code_size = sizeof esp32_loader,
    .code_vaddr = 0x40080000,
    .plan_addr_off = XTENSA_PLAN_ADDR_OFF,
    .data_vaddr = 0x3f400000,
    .instruction_vaddr = 0x400d0000,
};

const molt_target_t molt_esp32 = {
    .chip = MOLT_CHIP_ESP32,
    .extension = { .image = esp32_inflate, .size = sizeof esp32_inflate },
    .delta = { .image = esp32_delta, .size = sizeof esp32_delta },
    .delta_rest = { .image = esp32_delta_rest, .size = sizeof esp32_delta_rest },
    .standby = &esp32,
};

static const molt_standby_chip_t esp32c2 = {
    .chip_id = 12,
    .boot_addr = 0,
    .code = esp32c2_loader,
    .code_size = sizeof esp32c2_loader,
    .code_vaddr = 0x40380000,
    .plan_addr_off = RISCV_PLAN_ADDR_OFF,
    .trial = { .image = esp32c2_trial, .size = sizeof esp32c2_trial },
    .data_vaddr = 0x3c000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32c2 = {
    .chip = MOLT_CHIP_ESP32C2,
    .extension = { .image = esp32c2_inflate, .size = sizeof esp32c2_inflate },
    .delta = { .image = esp32c2_delta, .size = sizeof esp32c2_delta },
    .delta_rest = { .image = esp32c2_delta_rest, .size = sizeof esp32c2_delta_rest },
    .standby = &esp32c2,
};

static const molt_standby_chip_t esp32c3 = {
    .chip_id = 5,
    .boot_addr = 0,
    .code = esp32c3_loader,
    .code_size = sizeof esp32c3_loader,
    .code_vaddr = 0x40380000,
    .plan_addr_off = RISCV_PLAN_ADDR_OFF,
    .trial = { .image = esp32c3_trial, .size = sizeof esp32c3_trial },
    .data_vaddr = 0x3c000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32c3 = {
    .chip = MOLT_CHIP_ESP32C3,
    .extension = { .image = esp32c3_inflate, .size = sizeof esp32c3_inflate },
    .delta = { .image = esp32c3_delta, .size = sizeof esp32c3_delta },
    .delta_rest = { .image = esp32c3_delta_rest, .size = sizeof esp32c3_delta_rest },
    .standby = &esp32c3,
};

static const molt_standby_chip_t esp32c6 = {
    .chip_id = 13,
    .boot_addr = 0,
    .code = esp32c6_loader,
    .code_size = sizeof esp32c6_loader,
    .code_vaddr = 0x40800000,
    .plan_addr_off = RISCV_PLAN_ADDR_OFF,
    .data_vaddr = 0x42000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32c6 = {
    .chip = MOLT_CHIP_ESP32C6,
    .extension = { .image = esp32c6_inflate, .size = sizeof esp32c6_inflate },
    .delta = { .image = esp32c6_delta, .size = sizeof esp32c6_delta },
    .delta_rest = { .image = esp32c6_delta_rest, .size = sizeof esp32c6_delta_rest },
    .standby = &esp32c6,
};

static const molt_standby_chip_t esp32c61 = {
    .chip_id = 20,
    .boot_addr = 0,
    .code = esp32c61_loader,
    .code_size = sizeof esp32c61_loader,
    .code_vaddr = 0x40800000,
    .plan_addr_off = RISCV_PLAN_ADDR_OFF,
    .trial = { .image = esp32c61_trial, .size = sizeof esp32c61_trial },
    .data_vaddr = 0x42000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32c61 = {
    .chip = MOLT_CHIP_ESP32C61,
    .extension = { .image = esp32c61_inflate, .size = sizeof esp32c61_inflate },
    .delta = { .image = esp32c61_delta, .size = sizeof esp32c61_delta },
    .delta_rest = { .image = esp32c61_delta_rest, .size = sizeof esp32c61_delta_rest },
    .standby = &esp32c61,
};

static const molt_standby_chip_t esp32h2 = {
    .chip_id = 16,
    .boot_addr = 0,
    .code = esp32h2_loader,
    .code_size = sizeof esp32h2_loader,
    .code_vaddr = 0x40800000,
    .plan_addr_off = RISCV_PLAN_ADDR_OFF,
    .trial = { .image = esp32h2_trial, .size = sizeof esp32h2_trial },
    .data_vaddr = 0x42000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32h2 = {
    .chip = MOLT_CHIP_ESP32H2,
    .extension = { .image = esp32h2_inflate, .size = sizeof esp32h2_inflate },
    .delta = { .image = esp32h2_delta, .size = sizeof esp32h2_delta },
    .delta_rest = { .image = esp32h2_delta_rest, .size = sizeof esp32h2_delta_rest },
    .standby = &esp32h2,
};

static const molt_standby_chip_t esp32s2 = {
    .chip_id = 2,
    .boot_addr = 0x1000,
    .code = esp32s2_loader,
    .code_size = sizeof esp32s2_loader,
    .code_vaddr = 0x40030000,
    .plan_addr_off = XTENSA_PLAN_ADDR_OFF,
    .data_vaddr = 0x3f000000,
    .instruction_vaddr = 0x40080000,
};

const molt_target_t molt_esp32s2 = {
    .chip = MOLT_CHIP_ESP32S2,
    .extension = { .image = esp32s2_inflate, .size = sizeof esp32s2_inflate },
    .delta = { .image = esp32s2_delta, .size = sizeof esp32s2_delta },
    .delta_rest = { .image = esp32s2_delta_rest, .size = sizeof esp32s2_delta_rest },
    .standby = &esp32s2,
};

static const molt_standby_chip_t esp32s3 = {
    .chip_id = 9,
    .boot_addr = 0,
    .code = esp32s3_loader,
    .code_size = sizeof esp32s3_loader,
    .code_vaddr = 0x40380000,
    .plan_addr_off = XTENSA_PLAN_ADDR_OFF,
    .data_vaddr = 0x3c000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32s3 = {
    .chip = MOLT_CHIP_ESP32S3,
    .extension = { .image = esp32s3_inflate, .size = sizeof esp32s3_inflate },
    .delta = { .image = esp32s3_delta, .size = sizeof esp32s3_delta },
    .delta_rest = { .image = esp32s3_delta_rest, .size = sizeof esp32s3_delta_rest },
    .standby = &esp32s3,
};

// No loader so far: for devices with OTA slots.
static const molt_standby_chip_t esp32c5 = {
    .chip_id = 23,
    .boot_addr = 0x2000,
    .data_vaddr = 0x42000000,
    .instruction_vaddr = 0x42000000,
};
const molt_target_t molt_esp32c5 = { .chip = MOLT_CHIP_ESP32C5, .standby = &esp32c5 };

static const molt_standby_chip_t esp32p4 = {
    .chip_id = 18,
    .boot_addr = 0x2000,
    .data_vaddr = 0x40000000,
    .instruction_vaddr = 0x40000000,
};
const molt_target_t molt_esp32p4 = { .chip = MOLT_CHIP_ESP32P4, .standby = &esp32p4 };

const molt_target_t *const molt_esp32_targets[] = { &molt_esp32, &molt_esp32c2, &molt_esp32c3, &molt_esp32c6, &molt_esp32c61,
    &molt_esp32h2, &molt_esp32s2, &molt_esp32s3, NULL };

const molt_target_t *const molt_esp32_without_loader[] = { &molt_esp32c5, &molt_esp32p4, NULL };

const molt_target_t *const molt_esp32_untried[] = { &molt_esp32s2, &molt_esp32s3, NULL };
