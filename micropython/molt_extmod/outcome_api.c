// On the ESP32 family, in standby mode or with OTA slots: what came of the last upgrade, and what is prepared.

#include <string.h>

#include "device.h"
#include "frozen.h"
#include "image/image.h"
#include "molt/error.h"
#include "molt/status.h"
#include "pending.h"
#include "py/runtime.h"
#include "standby_api.h"
#include "upgrade/plan.h"
#include "upgrade_obj.h"

// slots() -> None, or (number of the slot that runs, None for the factory partition; number and size of the one that an upgrade
// goes to)
static mp_obj_t slots(void) {
    molt_idf_way_t way;
    molt_target_t target;
    int err = molt_device_find(&way, &target);
    if (!way.has_slots) {
        return mp_const_none;
    }
    molt_device_check(err, &way);
    mp_obj_t items[] = {
        target.running_slot == MOLT_SLOT_NONE ? mp_const_none : MP_OBJ_NEW_SMALL_INT(target.running_slot),
        MP_OBJ_NEW_SMALL_INT(target.slot),
        MP_OBJ_NEW_SMALL_INT(target.mapped_size),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_slots_obj, slots);

// Read what became of the last upgrade. Returns false where there can be none.
static bool read_status(molt_target_t *target, molt_flash_t *flash, molt_status_t *status) {
    molt_idf_way_t way;
    if (!molt_idf_has_status(molt_device_find(&way, target), &way)) {
        return false;
    }
    molt_device_flash(flash);
    uint8_t *sector = m_new(uint8_t, flash->geometry.sector_size);
    int err = molt_status_read(target, flash, NULL, sector, status);
    m_del(uint8_t, sector, flash->geometry.sector_size);
    if (err) {
        molt_raise(err, "flash cannot be read");
    }
    return true;
}

// outcome() -> None, or (outcome, as molt_outcome_t; starts of the loader; CRC of the image that was wanted; whether the firmware is
// on trial; how many starts are left; whether the boot loader counts them)
static mp_obj_t outcome(void) {
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
MP_DEFINE_CONST_FUN_OBJ_0(molt_outcome_obj, outcome);

static int keep_firmware(const molt_target_t *target, const molt_flash_t *flash) {
    uint8_t *sector = m_new(uint8_t, flash->geometry.sector_size);
    int err = molt_status_confirm(target, flash, sector);
    m_del(uint8_t, sector, flash->geometry.sector_size);
    return err;
}

// confirm() -> whether the firmware was on trial; it stays.
static mp_obj_t confirm(void) {
    molt_flash_t flash;
    molt_target_t target;
    molt_status_t status;
    if (!read_status(&target, &flash, &status) || !status.is_on_trial) {
        return mp_const_false;
    }
    int err = keep_firmware(&target, &flash);
    if (err) {
        molt_raise(err, "flash cannot be written; call confirm() again");
    }
    return mp_const_true;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_confirm_obj, confirm);

typedef struct prepared {
    uint32_t size, crc;
    bool erases_fs;
} prepared_t;

typedef struct slot_reader {
    const molt_flash_t *flash;
    uint32_t addr;
} slot_reader_t;

static int read_slot(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const slot_reader_t *slot = ctx;
    uint8_t bytes[MOLT_IMAGE_WORK_MIN];
    for (uint32_t done = 0; done < size;) {
        uint32_t piece = size - done < sizeof bytes ? size - done : sizeof bytes;
        int err = slot->flash->read(slot->flash->ctx, slot->addr + off + done, bytes, (piece + 3) & ~3u);
        if (err) {
            return err;
        }
        memcpy((uint8_t *)buf + done, bytes, piece);
        done += piece;
    }
    return 0;
}

// What the image in the slot says of its size.
static bool read_prepared_slot(const molt_flash_t *flash, const molt_target_t *target, prepared_t *prepared) {
    slot_reader_t slot = { flash, target->image_addr };
    const molt_reader_t reader = { &slot, target->mapped_size, read_slot };
    molt_image_t *image = m_new(molt_image_t, 1);
    bool is_image = molt_image_probe(&reader, image) == 0;
    prepared->size = image->image_size;
    m_del(molt_image_t, image, 1);
    return is_image;
}

// What the next reset puts in, of a plan that is read into `sector`.
static bool read_prepared_plan(const molt_flash_t *flash, const molt_target_t *target, uint8_t *sector, prepared_t *prepared) {
    molt_plan_t plan;
    if (flash->read(flash->ctx, target->plan_addr, sector, flash->geometry.sector_size) != 0
        || molt_plan_open(&plan, &flash->geometry, sector) != 0) {
        return false;
    }
    *prepared = (prepared_t){ plan.image_size, plan.image_crc, plan.fs_size != 0 };
    return true;
}

static bool read_prepared(const molt_flash_t *flash, const molt_target_t *target, uint8_t *sector, prepared_t *prepared) {
    molt_status_t status;
    if (molt_status_read(target, flash, NULL, sector, &status) != 0 || !status.is_prepared) {
        return false;
    }
    *prepared = (prepared_t){ .crc = status.image_crc };
    return target->otadata_addr ? read_prepared_slot(flash, target, prepared)
                                : read_prepared_plan(flash, target, sector, prepared);
}

// Flash, and the target of a device that can upgrade. Returns false where it cannot.
static bool find_device(molt_flash_t *flash, molt_target_t *target) {
    molt_idf_way_t way;
    molt_device_flash(flash);
    return molt_device_find(&way, target) == 0;
}

// pending() -> None, or (image size, image CRC, whether the filesystem will be erased)
static mp_obj_t pending(void) {
    molt_flash_t flash;
    molt_target_t target;
    prepared_t prepared;
    if (!find_device(&flash, &target)) {
        return mp_const_none;
    }
    uint8_t *sector = m_new(uint8_t, flash.geometry.sector_size);
    bool is_pending = read_prepared(&flash, &target, sector, &prepared);
    m_del(uint8_t, sector, flash.geometry.sector_size);
    if (!is_pending) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(prepared.size),
        mp_obj_new_int_from_uint(prepared.crc),
        mp_obj_new_bool(prepared.erases_fs),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_pending_obj, pending);

// cancel() -> whether an upgrade was prepared; the next reset puts the firmware's first byte back, or starts what runs now.
static mp_obj_t cancel(void) {
    molt_flash_t flash;
    molt_target_t target;
    if (!find_device(&flash, &target)) {
        return mp_const_false;
    }
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
