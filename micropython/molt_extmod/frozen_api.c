// What Python calls: molt.frozen.add() and the like, also as esp.add_frozen() and so on.

#include <string.h>

#include "extmod/vfs.h"
#include "frozen.h"
#include "frozen_names.h"
#include "molt/error.h"
#include "py/frozenmod.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "upgrade_obj.h"

#if MOLT_FROZEN

static molt_store_t *opened(void) {
    if (!molt_frozen.is_open) {
        molt_raise(molt_frozen.why_err, molt_frozen.why);
    }
    return &molt_frozen.store;
}

static MP_NORETURN void raise_store(int err) {
    if (err == MOLT_ERR_CORRUPT) {
        molt_raise(MOLT_ERR_IO,
            molt_frozen.store.is_newer
                ? "the store of frozen modules is that of a later molt, whose modules are left alone; molt.frozen.reset() empties it"
                : "the store of frozen modules is damaged; a reset repairs it, and keeps the modules that are listed");
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

// --- what import will find --------------------------------------------------------------------------------------

static void warn(const char *name, size_t size) {
    vstr_t path;
    vstr_init(&path, 32);
    molt_import_t found = molt_frozen_import_of(name, size, &path);
    const char *file = vstr_null_terminated_str(&path);
    if (found == MOLT_IMPORT_FILE && molt_frozen_is_run_at_start(name, size)) {
        mp_printf(&mp_plat_print, "molt: it runs at start in place of %s\n", file);
    } else if (found == MOLT_IMPORT_FILE) {
        mp_printf(&mp_plat_print, "molt: %s will be imported in its place; remove it\n", file);
    } else if (found == MOLT_IMPORT_FIRMWARE) {
        mp_printf(&mp_plat_print, "molt: the firmware has a module of this name, which will be imported in its place\n");
    } else if (found == MOLT_IMPORT_PACKAGE) {
        mp_printf(&mp_plat_print, "molt: the package %.*s will be imported in its place; name this one %.*s.__init__\n",
            (int)size, name, (int)size, name);
    } else if (found == MOLT_IMPORT_NOTHING) {
        mp_printf(&mp_plat_print, "molt: import does not look for it: '.frozen' is not on sys.path, or the modules are off\n");
    } else if (molt_frozen_takes_place(name, size)) {
        size_t first = strcspn(name, ".");
        mp_printf(&mp_plat_print, "molt: from now on it is imported in place of the firmware's built-in %.*s, which is u%.*s\n",
            (int)MIN(first, size), name, (int)MIN(first, size), name);
    }
    vstr_clear(&path);
}

// --- the functions ----------------------------------------------------------------------------------------------

static MP_NORETURN void raise_room(const molt_store_t *store, uint32_t need, uint32_t spare) {
    uint32_t end = store->end_addr;
    uint32_t free = end > store->floor_addr ? end - store->floor_addr : 0;
    uint32_t dead = store->dead_size;
    vstr_t text;
    vstr_init(&text, 64);
    vstr_printf(
        &text, "no room: %u bytes needed, %u free, of which links take %u", (unsigned)need, (unsigned)free, (unsigned)spare);
    if (dead) {
        molt_store_want_compaction(&molt_frozen.store);
        vstr_printf(&text, "; a reset frees %u more", (unsigned)dead);
    }
    molt_raise(MOLT_ERR_NOSPC, vstr_null_terminated_str(&text));
}

static const uint8_t *map(void *ctx, uint32_t addr) {
    (void)ctx;
    return molt_mapped(addr);
}

// Bytes of links that are still to be made, by looking again: those of modules that were deleted meanwhile are not.
static uint32_t find_wanted(void) {
    uint32_t size = 0;
    (void)molt_relink_wanted(&molt_frozen.store, molt_frozen.links_addr, &molt_frozen_target, map, NULL, &size);
    return molt_frozen.wanted_size = size;
}

static uint32_t links_room(uint32_t size) {
    return molt_relink_room(&molt_frozen.store, molt_frozen.links_addr, size);
}

// Whether the file is an .mpy that this firmware can take; raises if not. Returns the size of its link.
static uint32_t check_mpy(const molt_reader_t *reader, const char *name, size_t name_size) {
    molt_mpy_t mpy;
    molt_link_size_t size;
    int err = molt_link_measure(&size, &mpy, reader, &molt_frozen_target, name, name_size);
    if (err && mpy.defect != MOLT_MPY_FINE) {
        molt_raise(err, molt_mpy_defect_text(mpy.defect));
    }
    if (err) {
        raise_store(err);
    }
    return molt_frozen_is_linkable(&size) ? size.link_size : MOLT_LINK_HEADER_SIZE;
}

static void add(source_t *source, const char *name, size_t name_size) {
    molt_store_t *store = opened();
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_record_t record;
    molt_reader_t reader = { source, seek(source->file, 0, MP_SEEK_END), source_read };
    source->off = reader.size;
    uint32_t link_size = check_mpy(&reader, name, name_size);
    uint32_t end = store->end_addr;
    uint32_t spare = links_room(molt_frozen.wanted_size + link_size);
    int err = molt_store_put(store, name, name_size, &reader, spare, work, &record);
    if (err == MOLT_ERR_NOSPC) {
        spare = links_room(find_wanted() + link_size);
        err = molt_store_put(store, name, name_size, &reader, spare, work, &record);
    }
    molt_frozen.wanted_size += store->end_addr != end ? link_size : 0;
    molt_frozen_forget_cache();
    if (err == MOLT_ERR_NOSPC) {
        raise_room(store, MOLT_RECORD_HEADER_SIZE + reader.size, spare);
    }
    if (err) {
        raise_store(err);
    }
    if (MOLT_STANDBY && molt_frozen_is_native(&record)) {
        mp_printf(&mp_plat_print, "molt: it has native code, with which it is loaded into RAM, as from a file\n");
    }
}

// Only look whether it could be added.
static void look_at(source_t *source, const char *name, size_t name_size) {
    molt_reader_t reader = { source, seek(source->file, 0, MP_SEEK_END), source_read };
    source->off = reader.size;
    (void)check_mpy(&reader, name, name_size);
}

static void with_file(mp_obj_t path, const char *name, size_t name_size, void (*act)(source_t *, const char *, size_t)) {
    mp_obj_t open_args[] = { path, MP_OBJ_NEW_QSTR(MP_QSTR_rb) };
    source_t source = { mp_vfs_open(2, open_args, (mp_map_t *)&mp_const_empty_map), 0 };
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        act(&source, name, name_size);
        nlr_pop();
    } else {
        mp_stream_close(source.file);
        nlr_jump(nlr.ret_val);
    }
    mp_stream_close(source.file);
}

// --- a folder ---------------------------------------------------------------------------------------------------

static bool is_mpy(const char *path, size_t size) {
    return size > 4 && memcmp(path + size - 4, ".mpy", 4) == 0;
}

// Append what lies in the folder `path` to `list`.
static void list_folder(mp_obj_t list, mp_obj_t path) {
    mp_obj_t item;
    mp_obj_t entries = mp_vfs_ilistdir(1, &path);
    while ((item = mp_iternext(entries)) != MP_OBJ_STOP_ITERATION) {
        size_t count;
        mp_obj_t *fields;
        vstr_t full;
        mp_obj_get_array(item, &count, &fields);
        vstr_init(&full, 32);
        size_t size;
        const char *text = mp_obj_str_get_data(path, &size);
        vstr_add_strn(&full, text, size);
        if (size == 0 || text[size - 1] != '/') {
            vstr_add_char(&full, '/');
        }
        text = mp_obj_str_get_data(fields[0], &size);
        vstr_add_strn(&full, text, size);
        mp_obj_list_append(list, mp_obj_new_str_from_vstr(&full));
    }
}

// The name of the module in the .mpy file at `path`, which counts from a folder that is to be `package`.
static mp_obj_t name_in(mp_obj_t package, const char *path, size_t size) {
    size_t package_size = 0;
    const char *name = package == mp_const_none ? "" : mp_obj_str_get_data(package, &package_size);
    vstr_t full;
    vstr_init(&full, 32);
    vstr_add_strn(&full, name, package_size);
    vstr_add_char(&full, '.');
    for (size_t i = path[0] == '/'; i < size - 4; i++) {
        vstr_add_char(&full, path[i] == '/' ? '.' : path[i]);
    }
    return mp_obj_new_str_from_vstr(&full);
}

// The .mpy files below the folder `path`, as a list of (path, module's name).
static mp_obj_t find_files(mp_obj_t path, mp_obj_t package) {
    mp_obj_t folders = mp_obj_new_list(0, NULL);
    mp_obj_t files = mp_obj_new_list(0, NULL);
    size_t root_size;
    (void)mp_obj_str_get_data(path, &root_size);
    list_folder(folders, path);
    for (size_t i = 0; i < ((mp_obj_list_t *)MP_OBJ_TO_PTR(folders))->len; i++) {
        mp_obj_t each = ((mp_obj_list_t *)MP_OBJ_TO_PTR(folders))->items[i];
        size_t size;
        const char *text = mp_obj_str_get_data(each, &size);
        if (mp_vfs_import_stat(text) == MP_IMPORT_STAT_DIR) {
            list_folder(folders, each);
            continue;
        }
        if (!is_mpy(text, size)) {
            mp_printf(&mp_plat_print, "molt: %s is no .mpy and is left out\n", text);
            continue;
        }
        mp_obj_t items[] = { each, name_in(package, text + root_size, size - root_size) };
        if (package == mp_const_none) {
            vstr_t name;
            vstr_init(&name, 32);
            molt_frozen_name_of(text, size, &name);
            items[1] = mp_obj_new_str_from_vstr(&name);
        }
        mp_obj_list_append(files, mp_obj_new_tuple(2, items));
    }
    return files;
}

// Everything is looked at before the first one is put in.
static void add_folder(mp_obj_t path, mp_obj_t package) {
    size_t count;
    mp_obj_t *files;
    mp_obj_get_array(find_files(path, package), &count, &files);
    if (count == 0) {
        molt_raise(MOLT_ERR_NOENT, "there is no .mpy file in this directory; mpy-cross makes them of .py files");
    }
    for (size_t i = 0; i < 2 * count; i++) {
        mp_obj_t *pair;
        size_t name_size;
        mp_obj_get_array_fixed_n(files[i % count], 2, &pair);
        const char *name = mp_obj_str_get_data(pair[1], &name_size);
        if (i < count) {
            molt_frozen_check_name(name, name_size);
        }
        with_file(pair[0], name, name_size, i < count ? look_at : add);
        if (i >= count) {
            mp_printf(&mp_plat_print, "molt: %s is %s\n", mp_obj_str_get_str(pair[0]), name);
            warn(name, name_size);
        }
    }
}

static void add_file(mp_obj_t path_in, mp_obj_t name_in) {
    size_t path_size, name_size;
    const char *path = mp_obj_str_get_data(path_in, &path_size);
    vstr_t derived;
    const char *name;
    vstr_init(&derived, 32);
    if (name_in != mp_const_none) {
        name = mp_obj_str_get_data(name_in, &name_size);
    } else {
        molt_frozen_name_of(path, path_size, &derived);
        name = derived.buf;
        name_size = derived.len;
    }
    molt_frozen_check_name(name, name_size);
    with_file(path_in, name, name_size, add);
    if (molt_frozen_first_part(derived.buf, derived.len) < derived.len) {
        mp_printf(&mp_plat_print, "molt: %s is %.*s\n", path, (int)name_size, name);
    }
    warn(name, name_size);
    vstr_clear(&derived);
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
    mp_import_stat_t stat = mp_vfs_import_stat(mp_obj_str_get_str(args[ARG_file_name].u_obj));
    opened();
    if (stat == MP_IMPORT_STAT_NO_EXIST) {
        molt_raise(MOLT_ERR_NOENT, "there is no such file; look at its name and directory");
    }
    (stat == MP_IMPORT_STAT_DIR ? add_folder : add_file)(args[ARG_file_name].u_obj, args[ARG_module_name].u_obj);
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(frozen_add_obj, 0, frozen_add);

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
static MP_DEFINE_CONST_FUN_OBJ_1(frozen_delete_obj, frozen_delete);

// How a record is linked: True, False (from the next reset on) or None (it is loaded into RAM: it cannot be linked, or
// there was no room for its link when this start tried).
static mp_obj_t linked(const molt_record_t *record, bool is_linkable) {
    molt_link_t link;
    if (molt_frozen_find_link(record, &link)) {
        return link.is_linked ? mp_const_true : mp_const_none;
    }
    return is_linkable && record->header_addr < molt_frozen.tried_addr ? mp_const_false : mp_const_none;
}

static bool is_hidden(const char *name, size_t size) {
    vstr_t path;
    vstr_init(&path, 32);
    molt_import_t found = molt_frozen_import_of(name, size, &path);
    vstr_clear(&path);
    return found != MOLT_IMPORT_IT && !(found == MOLT_IMPORT_FILE && molt_frozen_is_run_at_start(name, size));
}

// ls() -> [(name, size, flash offset, linked, compatible, shadowed)]
static mp_obj_t frozen_ls(void) {
    molt_store_t *store = opened();
    uint32_t at = 0;
    molt_record_t record;
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
        mp_obj_t items[] = {
            mp_obj_new_str(name, record.name_size),
            MP_OBJ_NEW_SMALL_INT(record.mpy_size),
            MP_OBJ_NEW_SMALL_INT(record.mpy_addr),
            linked(&record, is_compatible && molt_frozen_is_linkable(&size)),
            mp_obj_new_bool(is_compatible),
            mp_obj_new_bool(is_hidden(name, record.name_size)),
        };
        mp_obj_list_append(list, mp_obj_new_tuple(MP_ARRAY_SIZE(items), items));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_ls_obj, frozen_ls);

// modules() -> [{'name': ..., 'size': ..., ...}]: ls() by names
static mp_obj_t frozen_modules(void) {
    static const qstr_short_t keys[] = { MP_QSTR_name, MP_QSTR_size, MP_QSTR_addr, MP_QSTR_linked, MP_QSTR_compatible,
        MP_QSTR_shadowed };
    size_t count;
    mp_obj_t *items;
    mp_obj_t list = frozen_ls();
    mp_obj_get_array(list, &count, &items);
    for (size_t i = 0; i < count; i++) {
        mp_obj_t *fields;
        mp_obj_t dict = mp_obj_new_dict(MP_ARRAY_SIZE(keys));
        mp_obj_get_array_fixed_n(items[i], MP_ARRAY_SIZE(keys), &fields);
        for (size_t k = 0; k < MP_ARRAY_SIZE(keys); k++) {
            mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(keys[k]), fields[k]);
        }
        items[i] = dict;
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_modules_obj, frozen_modules);

// reset() -> True; all modules are gone, the room comes back with the next reset
static mp_obj_t frozen_reset(void) {
    int err = molt_frozen.is_tripped || (molt_frozen.is_open && molt_frozen.store.is_newer) ? molt_frozen_wipe()
                                                                                            : molt_store_reset(opened());
    if (err) {
        raise_store(err);
    }
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_reset_obj, frozen_reset);

// free() -> (bytes free now, bytes free after a reset that compacts)
static mp_obj_t frozen_free(void) {
    const molt_store_t *store = opened();
    uint32_t free = store->end_addr > store->floor_addr ? store->end_addr - store->floor_addr : 0;
    uint32_t links = links_room(find_wanted());
    free = free > links ? free - links : 0;
    mp_obj_t items[] = { MP_OBJ_NEW_SMALL_INT(free), MP_OBJ_NEW_SMALL_INT(free + store->dead_size) };
    return mp_obj_new_tuple(2, items);
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_free_obj, frozen_free);

bool molt_frozen_extent(molt_region_t *region) {
    if (MOLT_STANDBY) {
        return false;
    }
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
    return mp_obj_new_bool(molt_store_needs_compaction(&molt_frozen.store));
}
static MP_DEFINE_CONST_FUN_OBJ_0(frozen_compact_obj, frozen_compact);

const void *molt_frozen_of_esp(qstr name) {
    switch (name) {
        case MP_QSTR_add_frozen:
            return &frozen_add_obj;
        case MP_QSTR_del_frozen:
            return &frozen_delete_obj;
        case MP_QSTR_ls_frozen:
            return &frozen_ls_obj;
        case MP_QSTR_reset_frozen:
            return &frozen_reset_obj;
        default:
            return NULL;
    }
}

static const mp_rom_map_elem_t frozen_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_frozen) },
    { MP_ROM_QSTR(MP_QSTR_add), MP_ROM_PTR(&frozen_add_obj) },
    { MP_ROM_QSTR(MP_QSTR_delete), MP_ROM_PTR(&frozen_delete_obj) },
    { MP_ROM_QSTR(MP_QSTR_ls), MP_ROM_PTR(&frozen_ls_obj) },
    { MP_ROM_QSTR(MP_QSTR_modules), MP_ROM_PTR(&frozen_modules_obj) },
    { MP_ROM_QSTR(MP_QSTR_reset), MP_ROM_PTR(&frozen_reset_obj) },
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&frozen_free_obj) },
    { MP_ROM_QSTR(MP_QSTR_compact), MP_ROM_PTR(&frozen_compact_obj) },
    { MP_ROM_QSTR(MP_QSTR_extent), MP_ROM_PTR(&frozen_extent_obj) },
};
static MP_DEFINE_CONST_DICT(frozen_globals, frozen_globals_table);

const mp_obj_module_t molt_frozen_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&frozen_globals,
};

#endif
