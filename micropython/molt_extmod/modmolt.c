// The built-in module _molt, on which molt.py stands.

#include <string.h>

#include "extmod/vfs.h"
#include "extmod/vfs_lfs.h"
#if MICROPY_VFS_FAT
#include "extmod/vfs_fat.h"
#endif
#include "base/sha256.h"
#include "device.h"
#include "frozen.h"
#include "lib/littlefs/lfs2.h"
#include "modmolt.h"
#include "molt/error.h"
#include "pending.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "upgrade/report.h"
#include "upgrade_obj.h"
#if MOLT_STANDBY
#include "standby_api.h"
#else
#include "map_glue.h"
#include "resident_api.h"
#endif

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

// A file that is opened beside the program's own to see which one it is. Opening and closing can raise where the block device
// is the program's, and littlefs would be left with a pointer to it, and with a cache that it takes for filled: it notes what
// it reads before it has read it.
typedef struct probe {
    struct lfs2_file_config config;
    lfs2_file_t file;
} probe_t;

static void forget_probe(lfs2_t *lfs, const probe_t *probe) {
    lfs->rcache.block = (lfs2_block_t)-1;
    for (lfs2_file_t **at = (lfs2_file_t **)&lfs->mlist; *at; at = &(*at)->next) {
        if (*at == &probe->file) {
            *at = probe->file.next;
            return;
        }
    }
}

static bool is_writer(const lfs2_file_t *file) {
    return file->type == LFS2_TYPE_REG && (file->flags & LFS2_O_WRONLY);
}

static bool find_writer(lfs2_t *lfs, probe_t *probe, const char *path) {
    bool is_found = false;
    if (lfs2_file_opencfg(lfs, &probe->file, path, LFS2_O_RDONLY, &probe->config) == 0) {
        for (const lfs2_file_t *open = (const lfs2_file_t *)lfs->mlist; open; open = open->next) {
            is_found = is_found || (open != &probe->file && is_same_file(open, &probe->file) && is_writer(open));
        }
        (void)lfs2_file_close(lfs, &probe->file);
    }
    return is_found;
}

// Whether the program has the file at `path` open for writing: what it will hold is not known then.
static bool has_writer(lfs2_object_t *volume, const char *path) {
    probe_t *probe = m_new0(probe_t, 1);
    probe->config.buffer = m_new(uint8_t, volume->config.cache_size);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        forget_probe(&volume->lfs, probe);
        nlr_jump(nlr.ret_val);
    }
    bool is_found = find_writer(&volume->lfs, probe, path);
    nlr_pop();
    m_del(uint8_t, probe->config.buffer, volume->config.cache_size);
    m_del(probe_t, probe, 1);
    return is_found;
}

// flush(): write what the program has put into files of littlefs and not flushed yet, as their flush() does. A reset would
// lose it. (Of other filesystems' files nobody has a list.)
mp_obj_t molt_flush(void) {
    for (mp_vfs_mount_t *mount = MP_STATE_VM(vfs_mount_table); mount; mount = mount->next) {
        if (!mp_obj_is_type(mount->obj, &mp_type_vfs_lfs2)) {
            continue;
        }
        lfs2_t *lfs = &((lfs2_object_t *)MP_OBJ_TO_PTR(mount->obj))->lfs;
        for (lfs2_file_t *open = (lfs2_file_t *)lfs->mlist; open; open = open->next) {
            int err = is_writer(open) ? lfs2_file_sync(lfs, open) : 0;
            if (err) {
                molt_raise(err, "what is written to an open file cannot be flushed; close the file, or make room for it");
            }
        }
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(molt_flush_obj, molt_flush);

// lookup(path) -> (mount point, path inside it, block device, whether it is a littlefs) of the filesystem that holds an
// absolute path. Block device: None where it has none that is known of.
static mp_obj_t molt_lookup(mp_obj_t path_in) {
    const char *inside;
    const char *path = mp_obj_str_get_str(path_in);
    mp_vfs_mount_t *mount = mp_vfs_lookup_path(path, &inside);
    if (mount == MP_VFS_NONE || mount == MP_VFS_ROOT) {
        molt_raise(MOLT_ERR_NOENT, "no filesystem is mounted there");
    }
    mp_obj_t device = mp_const_none;
    bool is_littlefs = mp_obj_is_type(mount->obj, &mp_type_vfs_lfs2);
    if (is_littlefs) {
        lfs2_object_t *volume = MP_OBJ_TO_PTR(mount->obj);
        if (has_writer(volume, inside)) {
            molt_raise(MOLT_ERR_BUSY, "the file is open for writing; close it first");
        }
        device = volume->blockdev.readblocks[1];  // the object whose method this is
    }
#if MICROPY_VFS_FAT
    if (mp_obj_is_type(mount->obj, &mp_fat_vfs_type)) {
        device = ((fs_user_mount_t *)MP_OBJ_TO_PTR(mount->obj))->blockdev.readblocks[1];
    }
#endif
    mp_obj_t items[] = {
        mp_obj_new_str(mount->str, mount->len),
        mp_obj_new_str(inside, strlen(inside)),
        device,
        mp_obj_new_bool(is_littlefs),
    };
    return mp_obj_new_tuple(MP_ARRAY_SIZE(items), items);
}
static MP_DEFINE_CONST_FUN_OBJ_1(molt_lookup_obj, molt_lookup);

// sha256(file) -> the digest of an open file's bytes, from where it is to its end
static mp_obj_t molt_file_sha256(mp_obj_t file_in) {
    molt_sha256_t sha;
    uint8_t bytes[MOLT_SHA256_SIZE];
    uint8_t buf[512];
    mp_uint_t got;
    mp_get_stream_raise(file_in, MP_STREAM_OP_READ);
    molt_sha256_init(&sha);
    do {
        int error = 0;
        got = mp_stream_rw(file_in, buf, sizeof buf, &error, MP_STREAM_RW_READ);
        if (error) {
            mp_raise_OSError(error);
        }
        molt_sha256_update(&sha, buf, got);
        molt_device_feed();
        mp_handle_pending(true);
    } while (got);
    molt_sha256_finish(bytes, &sha);
    return mp_obj_new_bytes(bytes, sizeof bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(molt_file_sha256_obj, molt_file_sha256);

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
    { MP_ROM_QSTR(MP_QSTR_lookup), MP_ROM_PTR(&molt_lookup_obj) },
    { MP_ROM_QSTR(MP_QSTR_flush), MP_ROM_PTR(&molt_flush_obj) },
    { MP_ROM_QSTR(MP_QSTR_sha256), MP_ROM_PTR(&molt_file_sha256_obj) },
    { MP_ROM_QSTR(MP_QSTR_pending), MP_ROM_PTR(&molt_pending_obj) },
    { MP_ROM_QSTR(MP_QSTR_cancel), MP_ROM_PTR(&molt_cancel_obj) },
    { MP_ROM_QSTR(MP_QSTR_report), MP_ROM_PTR(&molt_report_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident), MP_ROM_PTR(&molt_resident_obj) },
#if MOLT_STANDBY
    { MP_ROM_QSTR(MP_QSTR_standby), MP_ROM_PTR(&molt_standby_obj) },
    { MP_ROM_QSTR(MP_QSTR_slots), MP_ROM_PTR(&molt_slots_obj) },
    { MP_ROM_QSTR(MP_QSTR_outcome), MP_ROM_PTR(&molt_outcome_obj) },
    { MP_ROM_QSTR(MP_QSTR_confirm), MP_ROM_PTR(&molt_confirm_obj) },
    { MP_ROM_QSTR(MP_QSTR_standby_install), MP_ROM_PTR(&molt_standby_install_obj) },
    { MP_ROM_QSTR(MP_QSTR_standby_uninstall), MP_ROM_PTR(&molt_standby_uninstall_obj) },
#else
    { MP_ROM_QSTR(MP_QSTR_map), MP_ROM_PTR(&molt_map_obj) },
    { MP_ROM_QSTR(MP_QSTR_map_find), MP_ROM_PTR(&molt_map_find_obj) },
    { MP_ROM_QSTR(MP_QSTR_programmed), MP_ROM_PTR(&molt_programmed_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_install), MP_ROM_PTR(&molt_resident_install_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_uninstall), MP_ROM_PTR(&molt_resident_uninstall_obj) },
    { MP_ROM_QSTR(MP_QSTR_resident_end), MP_ROM_PTR(&molt_resident_end_obj) },
#endif
#if MOLT_FROZEN
    { MP_ROM_QSTR(MP_QSTR_frozen), MP_ROM_PTR(&molt_frozen_module) },
#endif
};
static MP_DEFINE_CONST_DICT(molt_globals, molt_globals_table);

const mp_obj_module_t molt_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&molt_globals,
};
MP_REGISTER_MODULE(MP_QSTR__molt, molt_module);
