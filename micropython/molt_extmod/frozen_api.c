// What Python calls: molt.frozen.add() and the like, also as esp.add_frozen() and so on.

#include <string.h>

#include "extmod/vfs.h"
#include "frozen.h"
#include "molt/error.h"
#include "py/frozenmod.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "upgrade_obj.h"

static molt_store_t *opened(void) {
    if (!molt_frozen.is_open) {
        molt_raise(MOLT_ERR_NOSPC, molt_frozen.why);
    }
    return &molt_frozen.store;
}

static MP_NORETURN void raise_store(int err) {
    if (err == MOLT_ERR_CORRUPT) {
        molt_raise(MOLT_ERR_IO, "the store of frozen modules is damaged; molt.frozen.reset() and a reset empty it");
    }
    molt_raise(err, "flash does not keep what is written; nothing was changed");
}

// --- the file ---------------------------------------------------------------------------------------------------

typedef struct source {
    mp_obj_t file;
    uint32_t off;
} source_t;

static uint32_t seek(mp_obj_t file, mp_off_t off, int whence) {
    int error;
    mp_off_t res = mp_stream_seek(file, off, whence, &error);
    if (res == (mp_off_t)-1) {
        mp_raise_OSError(error);
    }
    return (uint32_t)res;
}

static int source_read(void *ctx, uint32_t off, void *buf, uint32_t size) {
    source_t *source = ctx;
    int error = 0;
    if (off != source->off) {
        seek(source->file, (mp_off_t)off, MP_SEEK_SET);
    }
    mp_uint_t got = mp_stream_rw(source->file, buf, size, &error, MP_STREAM_RW_READ);
    source->off = off + got;
    if (error) {
        mp_raise_OSError(error);
    }
    return got == size ? 0 : MOLT_ERR_IO;
}

// The module's name in the file's: without directories and ".mpy".
static const char *name_of(const char *path, size_t path_size, size_t *size) {
    const char *name = path + path_size;
    const char *end = name;
    while (name > path && name[-1] != '/') {
        name--;
    }
    *size = end - name;
    if (*size > 4 && memcmp(end - 4, ".mpy", 4) == 0) {
        *size -= 4;
    }
    return name;
}

static bool is_named(const char *name, size_t size, const char *other) {
    return strlen(other) == size && memcmp(name, other, size) == 0;
}

// Refuse names that cannot be, that have to stay the firmware's, or that would never be found.
static void check_name(const char *name, size_t size) {
    if (size > MOLT_RECORD_NAME_MAX) {
        molt_raise(MOLT_ERR_INVAL, "the module's name is too long: 63 characters at most");
    }
    if (!molt_store_is_name(name, size)) {
        molt_raise(MOLT_ERR_INVAL, "this cannot be a module's name: letters, digits and '_', dots between them");
    }
    if (molt_store_is_reserved(name, size)) {
        molt_raise(MOLT_ERR_INVAL, "this name is the firmware's own; choose another");
    }
}

// --- files that come first --------------------------------------------------------------------------------------

// Whether a file or folder on sys.path before ".frozen" has the module's name. *found: its path.
static bool is_shadowed(const char *name, size_t size, vstr_t *found) {
    size_t count;
    mp_obj_t *entries;
    mp_obj_get_array(mp_sys_path, &count, &entries);
    for (size_t i = 0; i < count; i++) {
        size_t entry_size;
        const char *entry = mp_obj_str_get_data(entries[i], &entry_size);
        if (entry_size == 7 && memcmp(entry, ".frozen", 7) == 0) {
            break;
        }
        vstr_reset(found);
        if (entry_size) {
            vstr_add_strn(found, entry, entry_size);
            vstr_add_char(found, '/');
        }
        for (size_t k = 0; k < size; k++) {
            vstr_add_char(found, name[k] == '.' ? '/' : name[k]);
            bool is_end = k + 1 == size || name[k + 1] == '.';
            if (is_end && mp_import_stat(vstr_null_terminated_str(found)) == MP_IMPORT_STAT_DIR) {
                return true;  // the package is looked for there, and only there
            }
        }
        static const char *const endings[] = { ".py", ".mpy" };
        size_t stem = vstr_len(found);
        for (size_t k = 0; k < 2; k++) {
            found->len = stem;
            vstr_add_str(found, endings[k]);
            if (mp_import_stat(vstr_null_terminated_str(found)) == MP_IMPORT_STAT_FILE) {
                return true;
            }
        }
    }
    return false;
}

// boot.py and main.py: at start MicroPython looks for frozen ones first, for files then.
static bool is_run_at_start(const char *name, size_t size) {
    return is_named(name, size, "boot") || is_named(name, size, "main");
}

// Whether the firmware itself has a module of that name, or one that is no package where the name has a package.
static bool is_built_in(const char *name, size_t size) {
    char path[MOLT_RECORD_NAME_MAX + 1];
    for (size_t i = 0; i <= size; i++) {
        bool is_end = i == size || name[i] == '.';
        path[i] = is_end ? 0 : name[i];
        if (is_end && molt_frozen_is_built_in(path)) {
            return true;
        }
        path[i] = name[i] == '.' ? '/' : path[i];
    }
    return false;
}

static void warn(const char *name, size_t size) {
    vstr_t found;
    vstr_init(&found, 32);
    if (is_shadowed(name, size, &found)) {
        const char *text = is_run_at_start(name, size) ? "molt: it runs at start in place of %s\n"
            : "molt: %s will be imported in its place; remove it\n";
        mp_printf(&mp_plat_print, text, vstr_null_terminated_str(&found));
    }
    vstr_clear(&found);
    if (is_built_in(name, size)) {
        mp_printf(&mp_plat_print, "molt: the firmware has a module of this name, which will be imported in its place\n");
    }
}

// --- the functions ----------------------------------------------------------------------------------------------

static MP_NORETURN void raise_room(const molt_store_t *store, uint32_t need) {
    uint32_t end = store->end_addr;
    uint32_t free = end > store->floor_addr ? end - store->floor_addr : 0;
    uint32_t dead = store->dead_size;
    vstr_t text;
    vstr_init(&text, 64);
    vstr_printf(&text, "no room: %u bytes needed, %u free", (unsigned)need, (unsigned)free);
    if (dead) {
        molt_store_want_compaction(&molt_frozen.store);
        vstr_printf(&text, "; a reset frees %u more", (unsigned)dead);
    }
    molt_raise(MOLT_ERR_NOSPC, vstr_null_terminated_str(&text));
}

static void add(source_t *source, const char *name, size_t name_size) {
    molt_store_t *store = opened();
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_mpy_t mpy;
    molt_link_size_t size;
    molt_record_t record;
    molt_reader_t reader = { source, seek(source->file, 0, MP_SEEK_END), source_read };
    source->off = reader.size;
    int err = molt_link_measure(&size, &mpy, &reader, &molt_frozen_target, name, name_size);
    if (err && mpy.defect != MOLT_MPY_FINE) {
        molt_raise(MOLT_ERR_INVAL, molt_mpy_defect_text(mpy.defect));
    }
    uint32_t spare = size.is_linkable ? size.link_size : MOLT_LINK_HEADER_SIZE;
    // The link begins where those in use end, below the floor.
    uint32_t slack = store->floor_addr - molt_frozen.links_addr;
    spare = spare > slack ? (spare - slack + 4095) & ~4095u : 0;
    err = err ? err : molt_store_put(store, name, name_size, &reader, spare, work, &record);
    if (err == MOLT_ERR_NOSPC) {
        raise_room(store, MOLT_RECORD_HEADER_SIZE + reader.size + spare);
    }
    if (err) {
        raise_store(err);
    }
}

static mp_obj_t open_file(mp_obj_t path_in) {
    const char *path = mp_obj_str_get_str(path_in);
    mp_import_stat_t stat = mp_vfs_import_stat(path);
    if (stat != MP_IMPORT_STAT_FILE) {
        molt_raise(stat == MP_IMPORT_STAT_DIR ? MOLT_ERR_ISDIR : MOLT_ERR_NOENT,
            stat == MP_IMPORT_STAT_DIR ? "this is a directory; name an .mpy file in it" : "there is no such file; look at its name and directory");
    }
    mp_obj_t open_args[] = { path_in, MP_OBJ_NEW_QSTR(MP_QSTR_rb) };
    return mp_vfs_open(2, open_args, (mp_map_t *)&mp_const_empty_map);
}

// add(file_name, module_name=None) -> True
static mp_obj_t frozen_add(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_file_name, ARG_module_name };
    static const mp_arg_t allowed_args[] = {
        { MP_QSTR_file_name, MP_ARG_REQUIRED | MP_ARG_OBJ, { .u_obj = MP_OBJ_NULL } },
        { MP_QSTR_module_name, MP_ARG_OBJ, { .u_rom_obj = MP_ROM_NONE } },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed_args)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed_args), allowed_args, args);
    size_t path_size, name_size;
    const char *path = mp_obj_str_get_data(args[ARG_file_name].u_obj, &path_size);
    const char *name;
    if (args[ARG_module_name].u_obj != mp_const_none) {
        name = mp_obj_str_get_data(args[ARG_module_name].u_obj, &name_size);
    } else {
        name = name_of(path, path_size, &name_size);
    }
    check_name(name, name_size);
    opened();
    source_t source = { open_file(args[ARG_file_name].u_obj), 0 };
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        add(&source, name, name_size);
        nlr_pop();
    } else {
        mp_stream_close(source.file);
        nlr_jump(nlr.ret_val);
    }
    mp_stream_close(source.file);
    warn(name, name_size);
    return mp_const_true;
}
MP_DEFINE_CONST_FUN_OBJ_KW(molt_frozen_add_obj, 0, frozen_add);

// delete(module_name) -> whether there was one
static mp_obj_t frozen_delete(mp_obj_t name_in) {
    size_t size;
    const char *name = mp_obj_str_get_data(name_in, &size);
    int err = molt_store_delete(opened(), name, size);
    if (err && err != MOLT_ERR_NOENT) {
        raise_store(err);
    }
    return mp_obj_new_bool(!err);
}
MP_DEFINE_CONST_FUN_OBJ_1(molt_frozen_delete_obj, frozen_delete);

// How a record is linked: True, False (from the next reset on) or None (never: it is loaded into RAM).
static mp_obj_t linked(const molt_record_t *record, bool is_linkable) {
    molt_link_t link;
    if (molt_frozen_find_link(record, &link)) {
        return link.is_linked ? mp_const_true : mp_const_none;
    }
    return is_linkable ? mp_const_false : mp_const_none;
}

// ls() -> [(name, size, flash offset, linked, compatible, shadowed)]
static mp_obj_t frozen_ls(void) {
    molt_store_t *store = opened();
    uint32_t at = 0;
    molt_record_t record;
    vstr_t path;
    vstr_init(&path, 32);
    mp_obj_t list = mp_obj_new_list(0, NULL);
    while (molt_store_next(store, &at, &record) == 1) {
        if (!record.is_live) {
            continue;
        }
        char name[MOLT_RECORD_NAME_MAX + 1];
        molt_mpy_t mpy;
        molt_link_size_t size;
        molt_reader_t reader = molt_frozen_reader(&record);
        molt_store_name(store, &record, name);
        bool is_compatible = molt_link_measure(&size, &mpy, &reader, &molt_frozen_target, "", 0) == 0;
        bool is_hidden = is_built_in(name, record.name_size)
            || (!is_run_at_start(name, record.name_size) && is_shadowed(name, record.name_size, &path));
        mp_obj_t items[] = {
            mp_obj_new_str(name, record.name_size), MP_OBJ_NEW_SMALL_INT(record.mpy_size),
            MP_OBJ_NEW_SMALL_INT(record.mpy_addr), linked(&record, is_compatible && size.is_linkable),
            mp_obj_new_bool(is_compatible), mp_obj_new_bool(is_hidden),
        };
        mp_obj_list_append(list, mp_obj_new_tuple(MP_ARRAY_SIZE(items), items));
    }
    vstr_clear(&path);
    return list;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_frozen_ls_obj, frozen_ls);

// reset() -> True; all modules are gone, the room comes back with the next reset
static mp_obj_t frozen_reset(void) {
    int err = molt_store_reset(opened());
    if (err) {
        raise_store(err);
    }
    return mp_const_true;
}
MP_DEFINE_CONST_FUN_OBJ_0(molt_frozen_reset_obj, frozen_reset);

// free() -> (bytes free now, bytes free after a reset that compacts)
static mp_obj_t frozen_free(void) {
    const molt_store_t *store = opened();
    uint32_t free = store->end_addr > store->floor_addr ? store->end_addr - store->floor_addr : 0;
    mp_obj_t items[] = { MP_OBJ_NEW_SMALL_INT(free), MP_OBJ_NEW_SMALL_INT(free + store->dead_size) };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_free_obj, frozen_free);

bool molt_frozen_extent(molt_region_t *region) {
    uint32_t at = 0;
    uint32_t lowest = 0;
    molt_record_t record;
    while (molt_frozen.is_open && molt_store_next(&molt_frozen.store, &at, &record) == 1) {
        lowest = record.is_live ? record.mpy_addr : lowest;
    }
    if (lowest == 0) {
        return false;
    }
    const molt_region_t *store = &molt_frozen.store.region;
    region->addr = (lowest & ~4095u) - 2 * 4096;
    region->size = store->addr + store->size - region->addr;
    return true;
}

// extent() -> None, or (address, size) of flash that a new firmware must not reach into
static mp_obj_t frozen_extent(void) {
    molt_region_t region;
    if (!molt_frozen_extent(&region)) {
        return mp_const_none;
    }
    mp_obj_t items[] = { MP_OBJ_NEW_SMALL_INT(region.addr), MP_OBJ_NEW_SMALL_INT(region.size) };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_extent_obj, frozen_extent);

// compact() -> whether the next reset will compact
static mp_obj_t frozen_compact(void) {
    int err = molt_store_want_compaction(opened());
    if (err) {
        raise_store(err);
    }
    return mp_obj_new_bool(molt_frozen.store.is_wanted);
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_compact_obj, frozen_compact);

static const mp_rom_map_elem_t frozen_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_frozen) },
    { MP_ROM_QSTR(MP_QSTR_add), MP_ROM_PTR(&molt_frozen_add_obj) },
    { MP_ROM_QSTR(MP_QSTR_delete), MP_ROM_PTR(&molt_frozen_delete_obj) },
    { MP_ROM_QSTR(MP_QSTR_ls), MP_ROM_PTR(&molt_frozen_ls_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&molt_frozen_reset_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&frozen_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_compact), MP_ROM_PTR(&frozen_compact_obj) },
    { MP_ROM_QSTR(MP_QSTR_extent), MP_ROM_PTR(&frozen_extent_obj) },
};
static MP_DEFINE_CONST_DICT(frozen_globals, frozen_globals_table);

const mp_obj_module_t molt_frozen_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&frozen_globals,
};
