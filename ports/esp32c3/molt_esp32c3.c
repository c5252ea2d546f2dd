// The ESP32-C3, with the loader of ports/esp32c3/prebuilt.

#include "molt_esp32c3.h"

#include "esp32c3_inflate.h"
#include "esp32c3_loader.h"

// Source: ESP32-C3 Technical Reference Manual, memory map; ESP-IDF, esp_chip_id_t. The code's address is that of loader.ld, the
// offset is start.S's.
static const molt_standby_chip_t standby = {
    .chip_id = 5,
    .boot_addr = 0,
    .code = esp32c3_loader,
    .code_size = sizeof esp32c3_loader,
    .code_vaddr = 0x40380000,
    .plan_addr_off = 4,
    .data_vaddr = 0x3c000000,
    .instruction_vaddr = 0x42000000,
};

const molt_target_t molt_esp32c3 = {
    .chip = MOLT_CHIP_ESP32C3,
    .extension = { .image = esp32c3_inflate, .size = sizeof esp32c3_inflate },
    .standby = &standby,
};
