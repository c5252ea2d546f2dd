// From the reset to the prompt and back, as the esp32 port's main.c does it, without its tasks, threads and radio.
#include <string.h>

#include "board.h"
#include "esp_flash.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "machine_port.h"
#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/persistentcode.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"

#if VPORT_NET
#include "extmod/modnetwork.h"
#include "link.h"
#endif

#define HEAP_SIZE (128 * 1024)  // about what the C3 has for Python when the radio is off
#define CODE_SIZE (16 * 1024)

void app_main(void);

extern uint8_t stack_bottom[], stack_top[];  // link.ld

static uint8_t heap[HEAP_SIZE] __attribute__((section(".noinit"), aligned(16)));
static uint8_t native_code[CODE_SIZE] __attribute__((section(".iram.bss"), aligned(4)));
static size_t native_code_size;

// As later ports do (1.26): where the table has no filesystem there is one behind its last partition.
static void add_filesystem(void) {
    uint32_t end = 0;
    if (esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "vfs") != NULL
        || esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "ffat") != NULL) {
        return;
    }
    esp_partition_iterator_t i = esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; i != NULL; i = esp_partition_next(i)) {
        const esp_partition_t *part = esp_partition_get(i);
        end = part->address + part->size > end ? part->address + part->size : end;
    }
    if (end > 0 && esp_flash_default_chip->size > end) {
        esp_partition_register_external(esp_flash_default_chip, end, esp_flash_default_chip->size - end, "vfs",
            ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT, NULL);
    }
}

static void run(void) {
    mp_cstack_init_with_top(stack_top, (size_t)(stack_top - stack_bottom));
    gc_init(heap, heap + sizeof heap);
    mp_init();
#if VPORT_NET
    mod_network_init();
#endif
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
    readline_init0();
    pyexec_frozen_module("_boot.py", false);
    int result = pyexec_file_if_exists("boot.py");
    if ((result & PYEXEC_FORCED_EXIT) == 0 && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && result != 0) {
        result = pyexec_file_if_exists("main.py");
    }
    while ((result & PYEXEC_FORCED_EXIT) == 0) {
        result = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        result = result != 0 ? PYEXEC_FORCED_EXIT : 0;
    }
    gc_sweep_all();
    native_code_size = 0;
    mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
    machine_deinit();
    mp_deinit();
}

void app_main(void) {
    esp_flash_get_physical_size(NULL, &esp_flash_default_chip->size);
    add_filesystem();
    machine_init();
#if VPORT_NET
    static const uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };
    link_start(mac);
#endif
    for (;;) {
        run();
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

_Noreturn void nlr_jump_fail(void *value) {
    ets_printf("NLR jump failed, val=%p\n", value);
    esp_restart();
}

// Native code runs from IRAM: RAM by the data bus has no instructions.
void *esp_native_code_commit(void *code, size_t size, void *reloc) {
    size = (size + 3) & ~(size_t)3;
    if (size > sizeof native_code - native_code_size) {
        m_malloc_fail(size);
    }
    void *to = native_code + native_code_size;
    if (reloc != NULL) {
        mp_native_relocate(reloc, code, (uintptr_t)to);
    }
    memcpy(to, code, size);
    native_code_size += size;
    return to;
}
