// Resident mode on the device: what `_molt` has of it. The sequence of an upgrade is in molt.py.

#include "resident_api.h"

#include "device.h"
#include "molt/error.h"
#include "molt_esp8266.h"
#include "py/runtime.h"
#include "resident/resident.h"
#include "upgrade_obj.h"

bool molt_device_is_resident(molt_flash_t *flash, uint32_t *reserved_addr, molt_state_t *state) {
    molt_device_flash(flash);
    return molt_resident_find(flash, reserved_addr) == 0 && molt_state_read(flash, *reserved_addr, state) == 0;
}

// resident() -> None, or (address of the reserved region, kind, result, starts in this state, starts of a trial)
static mp_obj_t resident(void) {
    molt_flash_t flash;
    molt_state_t state;
    uint32_t reserved_addr;
    if (!molt_device_is_resident(&flash, &reserved_addr, &state)) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        MP_OBJ_NEW_SMALL_INT(reserved_addr),
        MP_OBJ_NEW_SMALL_INT(state.kind),
        MP_OBJ_NEW_SMALL_INT(state.result),
        MP_OBJ_NEW_SMALL_INT(state.tally),
        MP_OBJ_NEW_SMALL_INT(state.trial_starts),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_resident_obj, resident);

// A sector's worth of heap for the time of one call.
static uint8_t *new_sector(const molt_flash_t *flash) {
    return m_new(uint8_t, flash->geometry.sector_size);
}

// resident_install(address, size of the reserved region, whether what it holds may be lost)
static mp_obj_t resident_install(mp_obj_t addr_in, mp_obj_t size_in, mp_obj_t force_in) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    molt_region_t reserved = { (uint32_t)mp_obj_get_int(addr_in), (uint32_t)mp_obj_get_int(size_in) };
    uint8_t *buf = new_sector(&flash);
    int err = 0;
    if (reserved.size && !mp_obj_is_true(force_in)) {
        err = molt_resident_check_free(&flash, &reserved);
    }
    if (!err) {
        err = molt_resident_install(&flash, &reserved, &molt_esp8266.resident, &molt_esp8266.overlay, buf);
    }
    m_del(uint8_t, buf, flash.geometry.sector_size);
    switch (err) {
        case 0:
            return mp_const_none;
        case MOLT_ERR_EXIST:
            molt_raise(err, "resident mode is installed already");
        case MOLT_ERR_BUSY:
            molt_raise(err, "an upgrade is prepared; a reset carries it out, molt.cancel() takes it back");
        case MOLT_ERR_NOSPC:
            molt_raise(err, "molt's reserved sectors (molt.map()) hold something that is not molt's, or an installation that was "
                            "cut short; molt.install(force=True) overwrites it");
        case MOLT_ERR_RANGE:
            molt_raise(err, "this device's flash map has no sectors for resident mode; molt.migrate() gives it some");
        case MOLT_ERR_NOTSUP:
            molt_raise(err, "this firmware would be loaded over the resident boot loader, or one of another version is there");
        case MOLT_ERR_CORRUPT:
            molt_raise(err, "the firmware in flash does not have the checksum that it needs");
        default:
            molt_raise(err, "flash cannot be written; sector 0 is as it was");
    }
}
MP_DEFINE_CONST_FUN_OBJ_3(molt_resident_install_obj, resident_install);

static mp_obj_t resident_uninstall(void) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    uint8_t *buf = new_sector(&flash);
    int err = molt_resident_uninstall(&flash, buf);
    m_del(uint8_t, buf, flash.geometry.sector_size);
    if (err == MOLT_ERR_NOENT) {
        molt_raise(err, "resident mode is not installed");
    }
    if (err == MOLT_ERR_BUSY) {
        molt_raise(err, "an upgrade or a trial is in progress; molt.confirm() or molt.cancel() ends it");
    }
    if (err) {
        molt_raise(err, "sector 0 cannot be written; do not switch off, try again");
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_resident_uninstall_obj, resident_uninstall);

// resident_end() -> whether there was an upgrade to take back, or a trial to end
static mp_obj_t resident_end(void) {
    molt_flash_t flash;
    uint32_t reserved_addr;
    molt_device_flash(&flash);
    int err = molt_resident_find(&flash, &reserved_addr);
    if (!err) {
        err = molt_resident_confirm(&flash, reserved_addr);
    }
    if (err && err != MOLT_ERR_NOENT) {
        molt_raise(err, "the state log cannot be written; nothing has changed");
    }
    return mp_obj_new_bool(err == 0);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_resident_end_obj, resident_end);
