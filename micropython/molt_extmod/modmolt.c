// The built-in module _molt, on which molt.py stands, and what molt adds to `esp`.

#include <string.h>

#include "extmod/vfs.h"
#include "extmod/vfs_lfs.h"
#include "lib/littlefs/lfs2.h"
#include "flash.h"
#include "frozen.h"
#include "map_glue.h"
#include "molt/error.h"
#include "molt/plan.h"
#include "molt/prepare.h"
#include "molt/report.h"
#include "py/runtime.h"
#include "resident_api.h"
#include "upgrade_obj.h"

// A VfsLfs2 object. Source: extmod/vfs_lfs.c, MicroPython 1.25 and 1.26.
typedef struct lfs2_object {
    mp_obj_base_t base;
    mp_vfs_blockdev_t blockdev;
    bool enable_mtime;
    vstr_t cur_dir;
    struct lfs2_config config;
    lfs2_t lfs;
} lfs2_object_t;

static bool is_same_file(const lfs2_file_t *a, const lfs2_file_t *b) {
    // littlefs does not mind the order of the two blocks of a directory.
    bool is_same_pair = (a->m.pair[0] == b->m.pair[0] && a->m.pair[1] == b->m.pair[1])
                        || (a->m.pair[0] == b->m.pair[1] && a->m.pair[1] == b->m.pair[0]);
    return a->type == b->type && a->id == b->id && is_same_pair;
}

// Whether the program has the file at `path` open for writing: what it will hold is not known then.
static bool has_writer(lfs2_object_t *volume, const char *path) {
    lfs2_file_t file;
    struct lfs2_file_config config = { .buffer = m_new(uint8_t, volume->config.cache_size) };
    bool is_found = false;
    if (lfs2_file_opencfg(&volume->lfs, &file, path, LFS2_O_RDONLY, &config) == 0) {
        for (const lfs2_file_t *open = (const lfs2_file_t *)volume->lfs.mlist; open; open = open->next) {
            is_found = is_found || (open != &file && is_same_file(open, &file) && (open->flags & LFS2_O_WRONLY));
        }
        (void)lfs2_file_close(&volume->lfs, &file);
    }
    m_del(uint8_t, config.buffer, volume->config.cache_size);
    return is_found;
}

// lookup(path) -> (mount point, path inside it, block device) of the littlefs that holds an absolute path.
static mp_obj_t molt_lookup(mp_obj_t path_in) {
    const char *inside;
    const char *path = mp_obj_str_get_str(path_in);
    mp_vfs_mount_t *mount = mp_vfs_lookup_path(path, &inside);
    if (mount == MP_VFS_NONE || mount == MP_VFS_ROOT) {
        molt_raise(MOLT_ERR_NOENT, "no filesystem is mounted there");
    }
    if (!mp_obj_is_type(mount->obj, &mp_type_vfs_lfs2)) {
        molt_raise(MOLT_ERR_NOTSUP, "the file has to be on the device's own littlefs (VfsLfs2); copy it there");
    }
    lfs2_object_t *volume = MP_OBJ_TO_PTR(mount->obj);
    if (has_writer(volume, inside)) {
        molt_raise(MOLT_ERR_BUSY, "the file is open for writing; close it first");
    }
    mp_obj_t items[] = {
        mp_obj_new_str(mount->str, mount->len),
        mp_obj_new_str(inside, strlen(inside)),
        volume->blockdev.readblocks[1],  // the object whose method this is
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(molt_lookup_obj, molt_lookup);

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
static MP_DEFINE_CONST_FUN_OBJ_0(molt_pending_obj, molt_pending);

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
static MP_DEFINE_CONST_FUN_OBJ_0(molt_cancel_obj, molt_cancel);

// report(bytes) -> None, or (image CRC, 0 pending | 1 done | 2 restored, starts of the boot loader)
static mp_obj_t molt_report(mp_obj_t bytes_in) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(bytes_in, &buf, MP_BUFFER_READ);
    molt_report_t report;
    if (buf.len < MOLT_REPORT_SIZE || molt_report_parse(&report, buf.buf) != 0) {
        return mp_const_none;
    }
    mp_obj_t items[] = {
        mp_obj_new_int_from_uint(report.image_crc),
        MP_OBJ_NEW_SMALL_INT(report.result),
        MP_OBJ_NEW_SMALL_INT(report.start_count),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(molt_report_obj, molt_report);

static const mp_rom_map_elem_t molt_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__molt) },
    { MP_ROM_QSTR(MP_QSTR_Upgrade), MP_ROM_PTR(&molt_upgrade_type) },
    { MP_ROM_QSTR(MP_QSTR_map), MP_ROM_PTR(&molt_map_obj) },
    { MP_ROM_QSTR(MP_QSTR_map_find), MP_ROM_PTR(&molt_map_find_obj) },
    { MP_ROM_QSTR(MP_QSTR_programmed), MP_ROM_PTR(&molt_programmed_obj) },
    { MP_ROM_QSTR(MP_QSTR_lookup), MP_ROM_PTR(&molt_lookup_obj) },
    { MP_ROM_QSTR(MP_QSTR_pending), MP_ROM_PTR(&molt_pending_obj) },
    { MP_ROM_QSTR(MP_QSTR_cancel), MP_ROM_PTR(&molt_cancel_obj) },
    { MP_ROM_QSTR(MP_QSTR_report), MP_ROM_PTR(&molt_report_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident), MP_ROM_PTR(&molt_resident_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_install), MP_ROM_PTR(&molt_resident_install_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_uninstall), MP_ROM_PTR(&molt_resident_uninstall_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_commit), MP_ROM_PTR(&molt_resident_commit_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_end), MP_ROM_PTR(&molt_resident_end_obj) },
    { MP_ROM_QSTR(MP_QSTR_frozen), MP_ROM_PTR(&molt_frozen_module) },
};
static MP_DEFINE_CONST_DICT(molt_globals, molt_globals_table);

const mp_obj_module_t molt_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&molt_globals,
};
MP_REGISTER_MODULE(MP_QSTR__molt, molt_module);

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
        molt_raise(MOLT_ERR_INVAL, "the upgrade was prepared without erase_all; molt.cancel() and prepare it with");
    }
    molt_esp8266_restart();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(esp_dfu_obj, 0, esp_dfu);

void molt_esp_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    static const struct {
        qstr_short_t name;
        mp_const_obj_t object;
    } added[] = {
        { MP_QSTR_DFU, &esp_dfu_obj },
        { MP_QSTR_add_frozen, &molt_frozen_add_obj },
        { MP_QSTR_del_frozen, &molt_frozen_delete_obj },
        { MP_QSTR_ls_frozen, &molt_frozen_ls_obj },
        { MP_QSTR_reset_frozen, &molt_frozen_reset_obj },
    };
    (void)self_in;
    for (size_t i = 0; i < MP_ARRAY_SIZE(added) && dest[0] == MP_OBJ_NULL; i++) {
        if (attr == added[i].name) {
            dest[0] = (mp_obj_t)added[i].object;
        }
    }
}
MP_REGISTER_MODULE_DELEGATION(esp_module, molt_esp_attr);
