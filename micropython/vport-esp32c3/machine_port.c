// What the esp32 port's module machine has that needs no pins. Included by extmod/modmachine.c.
#include "machine_port.h"
#include "esp_system.h"

// The port's numbers.
enum { MP_PWRON_RESET = 1, MP_HARD_RESET, MP_WDT_RESET, MP_DEEPSLEEP_RESET, MP_SOFT_RESET };

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(MP_HARD_RESET) }, \
        { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(MP_PWRON_RESET) }, \
        { MP_ROM_QSTR(MP_QSTR_WDT_RESET), MP_ROM_INT(MP_WDT_RESET) }, \
        { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP_RESET), MP_ROM_INT(MP_DEEPSLEEP_RESET) }, \
        { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(MP_SOFT_RESET) },

static bool is_soft_reset;

void machine_init(void) {
    is_soft_reset = false;
}

void machine_deinit(void) {
    is_soft_reset = true;
}

static mp_int_t mp_machine_reset_cause(void) {
    if (is_soft_reset) {
        return MP_SOFT_RESET;
    }
    switch (esp_reset_reason()) {
        case ESP_RST_POWERON:
            return MP_PWRON_RESET;
        case ESP_RST_INT_WDT:
        case ESP_RST_TASK_WDT:
        case ESP_RST_WDT:
            return MP_WDT_RESET;
        case ESP_RST_SW:
        case ESP_RST_PANIC:
            return MP_HARD_RESET;
        default:
            return 0;
    }
}

static _Noreturn void mp_machine_reset(void) {
    esp_restart();
}

static mp_obj_t mp_machine_unique_id(void) {
    return mp_obj_new_bytes((const byte *)"\x02\0\0\0\0\x01", 6);
}

static mp_obj_t mp_machine_get_freq(void) {
    return mp_obj_new_int(160000000);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    (void)args;
    mp_raise_NotImplementedError(MP_ERROR_TEXT("the virtual board has one frequency"));
}

static void mp_machine_idle(void) {
    MICROPY_EVENT_POLL_HOOK
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    mp_hal_delay_ms(n_args > 0 ? (mp_uint_t)mp_obj_get_int(args[0]) : 0);
}

static _Noreturn void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    (void)args;
    mp_raise_NotImplementedError(MP_ERROR_TEXT("the virtual board does not sleep"));
}
