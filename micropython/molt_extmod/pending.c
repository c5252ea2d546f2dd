// An upgrade that is prepared on an ESP8266, and what molt adds to `esp`.

#include "pending.h"

#include "device.h"
#include "frozen.h"
#include "modmolt.h"
#include "molt/error.h"
#include "py/runtime.h"
#include "resident_api.h"
#include "upgrade/plan.h"
#include "upgrade/prepare.h"
#include "upgrade_obj.h"

// Read the sector with the plan that the next reset carries out into `sector`, fresh from the heap, and open it: 0 or
// molt_plan_open()'s error. It is the boot sector or, in resident mode, a slot of the reserved region.
static int open_pending(molt_flash_t *flash, molt_plan_t *plan, uint8_t **sector) {
    molt_state_t state;
    uint32_t reserved_addr;
    uint32_t addr = 0;
    if (molt_device_is_resident(flash, &reserved_addr, &state) && state.kind == MOLT_STATE_UPGRADE) {
        addr = molt_state_plan_addr(flash, reserved_addr, state.plan);
    }
    *sector = m_new(uint8_t, flash->geometry.sector_size);
    int err = flash->read(flash->ctx, addr, *sector, flash->geometry.sector_size);
    return err ? err : molt_plan_open(plan, &flash->geometry, *sector);
}

// pending() -> None, or (image size, image CRC, whether the filesystem will be erased)
static mp_obj_t molt_pending(void) {
    molt_flash_t flash;
    molt_plan_t plan;
    uint8_t *sector;
    int err = open_pending(&flash, &plan, &sector);
    m_del(uint8_t, sector, flash.geometry.sector_size);
    if (err) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(plan.image_size),
        mp_obj_new_int_from_uint(plan.image_crc),
        mp_obj_new_bool(plan.fs_size != 0),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_pending_obj, molt_pending);

// cancel() -> whether an upgrade was prepared; it is not any more.
static mp_obj_t molt_cancel(void) {
    molt_flash_t flash;
    molt_plan_t plan;
    uint8_t *sector;
    int err = open_pending(&flash, &plan, &sector);
    if (err) {
        return mp_const_false;
    }
    err = molt_prepare_cancel(&flash, &plan);
    m_del(uint8_t, sector, flash.geometry.sector_size);
    if (err == MOLT_ERR_CORRUPT) {
        molt_raise(err, "the saved first sector is not what was saved; the upgrade stays prepared");
    }
    if (err) {
        molt_raise(err, "the boot sector cannot be written; do not switch off, try again");
    }
    return mp_const_true;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_cancel_obj, molt_cancel);

// esp.DFU(erase_all=False): carry out what was prepared, now. Does not return.
static mp_obj_t esp_dfu(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    static const mp_arg_t allowed_args[] = { { MP_QSTR_erase_all, MP_ARG_BOOL, { .u_bool = false } } };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed_args)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed_args), allowed_args, args);
    molt_flash_t flash;
    molt_plan_t plan;
    uint8_t *sector;
    if (open_pending(&flash, &plan, &sector) != 0) {
        molt_raise(MOLT_ERR_NOENT, "no upgrade is prepared; molt.fwupdate(file_name, reset=False) prepares one");
    }
    if (args[0].u_bool && plan.fs_size == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("the upgrade was prepared without erase_all; molt.cancel() and prepare it with"));
    }
    molt_flush();
    molt_device_restart();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(esp_dfu_obj, 0, esp_dfu);

void molt_esp_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    (void)self_in;
    if (dest[0] == MP_OBJ_NULL) {
        dest[0] = (mp_obj_t)(attr == MP_QSTR_DFU ? &esp_dfu_obj : molt_frozen_of_esp(attr));
    }
}
MP_REGISTER_MODULE_DELEGATION(esp_module, molt_esp_attr);
