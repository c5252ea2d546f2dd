// Standby mode on the device: what `_molt` has of its installation.

#include "standby_api.h"

#include <string.h>

#include "device.h"
#include "molt/error.h"
#include "py/runtime.h"
#include "standby/standby.h"
#include "upgrade_obj.h"

static const char *slots_text(void) {
    const molt_standby_t standby = { .defect = MOLT_STANDBY_OTA };
    return molt_standby_text(&standby);
}

static bool has_trials(const molt_target_t *target) {
    molt_flash_t flash;
    molt_device_flash(&flash);
    return molt_standby_has_trials(target, &flash);
}

// standby() -> (None, or what is in the way of it; address of the loader's sector; address and size of the app partition; whether
// firmwares can be put in on trial)
static mp_obj_t standby(void) {
    molt_idf_way_t way;
    molt_target_t target;
    int err = molt_device_find(&way, &target);
    if (!way.has_slots && err && way.standby.defect == MOLT_STANDBY_FINE) {
        molt_raise(err, molt_idf_text(&way));
    }
    const char *text = way.has_slots ? slots_text() : molt_idf_text(&way);
    mp_obj_t items[] = {
        err || way.has_slots ? mp_obj_new_str(text, strlen(text)) : mp_const_none,
        MP_OBJ_NEW_SMALL_INT(way.has_slots ? 0 : way.standby.loader_addr),
        MP_OBJ_NEW_SMALL_INT(way.has_slots ? 0 : way.standby.app.addr),
        MP_OBJ_NEW_SMALL_INT(way.has_slots ? 0 : way.standby.app.size),
        mp_obj_new_bool(!err && !way.has_slots && has_trials(&target)),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_standby_obj, standby);

// standby_install() -> the address of the loader's sector
static mp_obj_t standby_install(void) {
    molt_flash_t flash;
    molt_idf_way_t way;
    molt_target_t target;
    int err = molt_device_find(&way, &target);
    if (way.has_slots) {
        molt_raise(MOLT_ERR_NOTSUP, slots_text());
    }
    if (err != MOLT_ERR_NOENT && err != MOLT_ERR_CORRUPT) {
        molt_device_check(err, &way);
        molt_raise(MOLT_ERR_EXIST, "the standby loader is installed already");
    }
    // Of what an upgrade asks the part that no installation changes.
    molt_device_check(0, &way);
    molt_device_flash(&flash);
    uint8_t *buf = m_new(uint8_t, MOLT_STANDBY_BUF_SIZE);
    err = molt_standby_install(&flash, molt_idf_chip->standby, buf, &way.standby);
    m_del(uint8_t, buf, MOLT_STANDBY_BUF_SIZE);
    switch (err) {
        case 0:
            return MP_OBJ_NEW_SMALL_INT(way.standby.loader_addr);
        case MOLT_ERR_BUSY:
            molt_raise(err, "an upgrade is prepared; a reset carries it out, molt.cancel() takes it back");
        case MOLT_ERR_NOTSUP:
            molt_raise(err, molt_idf_text(&way));
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
