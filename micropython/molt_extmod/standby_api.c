// Standby mode on the device: what `_molt` has of it, and an upgrade that is prepared there.

#include "standby_api.h"

#include <string.h>

#include "device.h"
#include "frozen.h"
#include "molt/error.h"
#include "molt/status.h"
#include "molt_idf.h"
#include "pending.h"
#include "py/runtime.h"
#include "standby/standby.h"
#include "upgrade_obj.h"

static bool has_trials(const molt_standby_t *standby) {
    molt_flash_t flash;
    molt_target_t target;
    molt_device_flash(&flash);
    molt_standby_target(&target, molt_idf_chip, standby);
    return molt_standby_has_trials(&target, &flash);
}

// standby() -> (None, or what is in the way of it; address of the loader's sector; address and size of the app partition; whether
// firmwares can be put in on trial)
static mp_obj_t standby(void) {
    molt_standby_t standby;
    int err = molt_device_standby(&standby);
    if (err && standby.defect == MOLT_STANDBY_FINE) {
        molt_raise(err, "flash cannot be read");
    }
    const char *text = molt_standby_text(&standby);
    mp_obj_t items[] = {
        err ? mp_obj_new_str(text, strlen(text)) : mp_const_none,
        MP_OBJ_NEW_SMALL_INT(standby.loader_addr),
        MP_OBJ_NEW_SMALL_INT(standby.app.addr),
        MP_OBJ_NEW_SMALL_INT(standby.app.size),
        mp_obj_new_bool(!err && has_trials(&standby)),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_standby_obj, standby);

// Read what became of the last upgrade. Returns false where the device is not in standby mode.
static bool read_status(molt_target_t *target, molt_flash_t *flash, molt_status_t *status) {
    molt_standby_t standby;
    if (molt_device_standby(&standby) != 0) {
        return false;
    }
    molt_standby_target(target, molt_idf_chip, &standby);
    molt_device_flash(flash);
    uint8_t *sector = m_new(uint8_t, flash->geometry.sector_size);
    int err = molt_status_read(target, flash, NULL, sector, status);
    m_del(uint8_t, sector, flash->geometry.sector_size);
    if (err) {
        molt_raise(err, "flash cannot be read");
    }
    return true;
}

// standby_status() -> None, or (outcome, as molt_outcome_t; starts of the loader; CRC of the image that was wanted; whether the firmware is
// on trial; how many starts are left; whether the boot loader counts them)
static mp_obj_t standby_status(void) {
    molt_flash_t flash;
    molt_target_t target;
    molt_status_t status;
    if (!read_status(&target, &flash, &status)) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(status.outcome),
        MP_OBJ_NEW_SMALL_INT(status.boot_count),
        mp_obj_new_int_from_uint(status.image_crc),
        mp_obj_new_bool(status.is_on_trial),
        MP_OBJ_NEW_SMALL_INT(status.starts_left),
        mp_obj_new_bool(status.is_counted),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_standby_status_obj, standby_status);

// standby_confirm() -> whether the firmware was on trial; it stays.
static mp_obj_t standby_confirm(void) {
    molt_flash_t flash;
    molt_target_t target;
    molt_status_t status;
    if (!read_status(&target, &flash, &status) || !status.is_on_trial) {
        return mp_const_false;
    }
    uint8_t *sector = m_new(uint8_t, flash.geometry.sector_size);
    int err = molt_standby_confirm(&target, &flash, sector);
    m_del(uint8_t, sector, flash.geometry.sector_size);
    if (err) {
        molt_raise(err, "flash cannot be written; call confirm() again");
    }
    return mp_const_true;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_standby_confirm_obj, standby_confirm);

// standby_install() -> the address of the loader's sector
static mp_obj_t standby_install(void) {
    molt_flash_t flash;
    molt_standby_t standby;
    int err = molt_device_standby(&standby);
    if (err != MOLT_ERR_NOENT && err != MOLT_ERR_CORRUPT) {
        molt_device_check(err, &standby);
        molt_raise(MOLT_ERR_EXIST, "the standby loader is installed already");
    }
    // Of what an upgrade asks the part that no installation changes.
    molt_device_check(0, &standby);
    molt_device_flash(&flash);
    uint8_t *buf = m_new(uint8_t, MOLT_STANDBY_BUF_SIZE);
    err = molt_standby_install(&flash, molt_idf_chip->standby, buf, &standby);
    m_del(uint8_t, buf, MOLT_STANDBY_BUF_SIZE);
    switch (err) {
        case 0:
            return MP_OBJ_NEW_SMALL_INT(standby.loader_addr);
        case MOLT_ERR_BUSY:
            molt_raise(err, "an upgrade is prepared; a reset carries it out, molt.cancel() takes it back");
        case MOLT_ERR_NOTSUP:
            molt_raise(err, molt_standby_text(&standby));
        default:
            molt_raise(err, "flash cannot be written; call install() again");
    }
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_standby_install_obj, standby_install);

static mp_obj_t standby_uninstall(void) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    uint8_t *buf = m_new(uint8_t, MOLT_STANDBY_BUF_SIZE);
    int err = molt_standby_uninstall(&flash, molt_idf_chip->standby, buf);
    m_del(uint8_t, buf, MOLT_STANDBY_BUF_SIZE);
    switch (err) {
        case 0:
            return mp_const_none;
        case MOLT_ERR_NOENT:
            molt_raise(err, "the standby loader is not installed");
        case MOLT_ERR_BUSY:
            molt_raise(err, "an upgrade is prepared, or the firmware is on trial; molt.cancel() or molt.confirm() ends that");
        default:
            molt_raise(err, "flash cannot be written; call uninstall() again");
    }
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_standby_uninstall_obj, standby_uninstall);

// Whether the next reset upgrades; then the plan, opened in `sector`.
static bool open_pending(const molt_flash_t *flash, const molt_target_t *target, molt_plan_t *plan, uint8_t *sector) {
    molt_status_t status;
    if (molt_status_read(target, flash, NULL, sector, &status) != 0 || !status.is_prepared) {
        return false;
    }
    return flash->read(flash->ctx, target->plan_addr, sector, flash->geometry.sector_size) == 0
           && molt_plan_open(plan, &flash->geometry, sector) == 0;
}

// pending() -> None, or (image size, image CRC, whether the filesystem will be erased)
static mp_obj_t pending(void) {
    molt_flash_t flash;
    molt_target_t target;
    molt_standby_t standby;
    molt_plan_t plan;
    if (molt_device_standby(&standby) != 0) {
        return mp_const_none;
    }
    molt_standby_target(&target, molt_idf_chip, &standby);
    molt_device_flash(&flash);
    uint8_t *sector = m_new(uint8_t, flash.geometry.sector_size);
    bool is_pending = open_pending(&flash, &target, &plan, sector);
    m_del(uint8_t, sector, flash.geometry.sector_size);
    if (!is_pending) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(plan.image_size),
        mp_obj_new_int_from_uint(plan.image_crc),
        mp_obj_new_bool(plan.fs_size != 0),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_pending_obj, pending);

// cancel() -> whether an upgrade was prepared; the next reset puts the firmware's first byte back.
static mp_obj_t cancel(void) {
    molt_flash_t flash;
    molt_target_t target;
    molt_standby_t standby;
    if (molt_device_standby(&standby) != 0) {
        return mp_const_false;
    }
    molt_standby_target(&target, molt_idf_chip, &standby);
    molt_device_flash(&flash);
    uint8_t *sector = m_new(uint8_t, flash.geometry.sector_size);
    int err = molt_status_cancel(&target, &flash, sector);
    m_del(uint8_t, sector, flash.geometry.sector_size);
    if (err && err != MOLT_ERR_NOENT) {
        molt_raise(err, "flash cannot be written; the upgrade stays prepared");
    }
    return mp_obj_new_bool(err == 0);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_cancel_obj, cancel);

// resident() -> None: there is no such mode.
static mp_obj_t resident(void) {
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_resident_obj, resident);

// What molt adds to `esp`.
void molt_esp_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    (void)self_in;
    if (dest[0] == MP_OBJ_NULL) {
        dest[0] = (mp_obj_t)molt_frozen_of_esp(attr);
    }
}
MP_REGISTER_MODULE_DELEGATION(esp_module, molt_esp_attr);
