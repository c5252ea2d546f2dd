#include "frozen_names.h"

#include <string.h>

#include "extmod/vfs.h"
#include "frozen.h"
#include "py/frozenmod.h"
#include "py/objmodule.h"
#include "py/runtime.h"
#include "upgrade_obj.h"

#if MOLT_FROZEN

// What `import` does with these lists is in py/builtinimport.c and py/objmodule.c.

static bool is_text(const char *bytes, size_t size, const char *text) {
    return strlen(text) == size && memcmp(bytes, text, size) == 0;
}

static bool ends_with(const char *bytes, size_t size, const char *text) {
    size_t end = strlen(text);
    return size >= end && memcmp(bytes + size - end, text, end) == 0;
}

size_t molt_frozen_first_part(const char *name, size_t size) {
    size_t end = 0;
    while (end < size && name[end] != '.') {
        end++;
    }
    return end;
}

static bool is_in(const mp_map_t *map, const char *name, size_t size) {
    qstr found = qstr_find_strn(name, size);
    return found != MP_QSTRnull && mp_map_lookup((mp_map_t *)map, MP_OBJ_NEW_QSTR(found), MP_MAP_LOOKUP) != NULL;
}

// Of the modules in C some can be extended: sys.path is searched before them. The others are taken before anything else, and
// so are the extensible ones by their names with a "u" in front.
static bool is_always_built_in(const char *name, size_t size) {
    return is_in(&mp_builtin_module_map, name, size) || is_text(name, size, "usys")
           || (size > 1 && name[0] == 'u' && is_in(&mp_builtin_extensible_module_map, name + 1, size - 1));
}

bool molt_frozen_takes_place(const char *name, size_t size) {
    size = molt_frozen_first_part(name, size);
    return !is_always_built_in(name, size) && is_in(&mp_builtin_extensible_module_map, name, size);
}

bool molt_frozen_is_run_at_start(const char *name, size_t size) {
    return is_text(name, size, "boot") || is_text(name, size, "main");
}

// --- what import finds ------------------------------------------------------------------------------------------

// Whether the folder `entry` of sys.path has a module or package `first`; *path is it then.
static bool has_file(const char *entry, size_t entry_size, const char *first, size_t first_size, vstr_t *path) {
    static const char *const endings[] = { "", ".py", ".mpy" };
    vstr_reset(path);
    if (entry_size) {
        vstr_add_strn(path, entry, entry_size);
        vstr_add_char(path, '/');
    }
    vstr_add_strn(path, first, first_size);
    size_t stem = vstr_len(path);
    for (size_t i = 0; i < MP_ARRAY_SIZE(endings); i++) {
        path->len = stem;
        vstr_add_str(path, endings[i]);
        if (mp_import_stat(vstr_null_terminated_str(path)) == (i ? MP_IMPORT_STAT_FILE : MP_IMPORT_STAT_DIR)) {
            return true;
        }
    }
    return false;
}

// Behind ".frozen": each part but the last has to be a package, and the last none.
static molt_import_t import_of_frozen(const char *name, size_t size) {
    char path[MOLT_RECORD_NAME_MAX + 1];
    for (size_t i = 0; i <= size; i++) {
        bool is_last = i == size;
        if (!is_last && name[i] != '.') {
            path[i] = name[i];
            continue;
        }
        path[i] = 0;
        bool is_package = mp_find_frozen_module(path, NULL, NULL) == MP_IMPORT_STAT_DIR;
        if (is_last ? molt_frozen_is_built_in(path) : !is_package) {
            return MOLT_IMPORT_FIRMWARE;
        }
        if (is_last && is_package) {
            return MOLT_IMPORT_PACKAGE;
        }
        path[i] = '/';
    }
    return MOLT_IMPORT_IT;
}

molt_import_t molt_frozen_import_of(const char *name, size_t size, vstr_t *path) {
    size_t first_size = molt_frozen_first_part(name, size);
    size_t count;
    mp_obj_t *entries;
    if (is_always_built_in(name, first_size)) {
        return MOLT_IMPORT_BUILT_IN;
    }
    if (!molt_frozen.is_on) {
        return MOLT_IMPORT_NOTHING;
    }
    mp_obj_get_array(mp_sys_path, &count, &entries);
    for (size_t i = 0; i < count; i++) {
        size_t entry_size;
        const char *entry = mp_obj_str_get_data(entries[i], &entry_size);
        if (is_text(entry, entry_size, ".frozen")) {
            return import_of_frozen(name, size);
        }
        if (has_file(entry, entry_size, name, first_size, path)) {
            return MOLT_IMPORT_FILE;
        }
    }
    return MOLT_IMPORT_NOTHING;
}

// --- the name of a file's module --------------------------------------------------------------------------------

// Append `path` to the absolute *to, part by part: "." is left out, ".." takes one away.
static void add_path(vstr_t *to, const char *path, size_t size) {
    size_t begin = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && path[i] != '/') {
            continue;
        }
        const char *part = path + begin;
        size_t part_size = i - begin;
        begin = i + 1;
        if (is_text(part, part_size, "..")) {
            while (to->len && to->buf[--to->len] != '/') {
            }
        } else if (part_size && !is_text(part, part_size, ".")) {
            vstr_add_char(to, '/');
            vstr_add_strn(to, part, part_size);
        }
    }
}

// As "/lib/x"; the root is "".
static void make_absolute(vstr_t *to, const char *path, size_t size) {
    vstr_reset(to);
    if (size == 0 || path[0] != '/') {
        size_t cwd_size;
        const char *cwd = mp_obj_str_get_data(mp_vfs_getcwd(), &cwd_size);
        add_path(to, cwd, cwd_size);
    }
    add_path(to, path, size);
}

// Bytes of `folder` with the "/" behind it if the file is below it, else 0.
static size_t below(const vstr_t *file, const vstr_t *folder) {
    bool is_below = file->len > folder->len && memcmp(file->buf, folder->buf, folder->len) == 0 && file->buf[folder->len] == '/';
    return is_below ? folder->len + 1 : 0;
}

static size_t longest_folder(const vstr_t *file) {
    size_t count;
    mp_obj_t *entries;
    vstr_t folder;
    vstr_init(&folder, 32);
    add_path(&folder, "/lib", 4);
    size_t longest = below(file, &folder);
    mp_obj_get_array(mp_sys_path, &count, &entries);
    for (size_t i = 0; i <= count; i++) {
        // The last one is the current directory.
        size_t size = 0;
        const char *entry = i < count ? mp_obj_str_get_data(entries[i], &size) : "";
        if (!is_text(entry, size, ".frozen")) {
            make_absolute(&folder, entry, size);
            longest = MAX(longest, below(file, &folder));
        }
    }
    vstr_clear(&folder);
    return longest;
}

void molt_frozen_name_of(const char *path, size_t size, vstr_t *name) {
    make_absolute(name, path, size);
    vstr_cut_head_bytes(name, longest_folder(name));
    if (ends_with(name->buf, name->len, ".mpy")) {
        name->len -= 4;
    }
    size_t own = 0;
    for (size_t i = 0; i < name->len; i++) {
        if (name->buf[i] == '/') {
            own = i + 1;
        }
    }
    bool is_dotted = own && molt_frozen_first_part(name->buf, name->len) == name->len;
    for (size_t i = 0; is_dotted && i < name->len; i++) {
        name->buf[i] = name->buf[i] == '/' ? '.' : name->buf[i];
    }
    if (!is_dotted || (name->len <= MOLT_RECORD_NAME_MAX && !molt_store_is_name(name->buf, name->len))) {
        vstr_cut_head_bytes(name, own);
    }
}

// --- names that cannot be ---------------------------------------------------------------------------------------

static MP_NORETURN void raise_name(const char *name, size_t size, const char *why) {
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("%.*s: %s"), (int)size, name, why);
}

// "__init__" is the name of no module, and is no folder.
static bool is_init_misplaced(const char *name, size_t size) {
    for (size_t begin = 0; begin < size;) {
        size_t part = molt_frozen_first_part(name + begin, size - begin);
        if (is_text(name + begin, part, "__init__") && (begin == 0 || begin + part < size)) {
            return true;
        }
        begin += part + 1;
    }
    return false;
}

void molt_frozen_check_name(const char *name, size_t size) {
    if (size > MOLT_RECORD_NAME_MAX) {
        raise_name(name, size, "the module's name is too long: 63 characters at most");
    }
    if (ends_with(name, size, ".py") || ends_with(name, size, ".mpy")) {
        raise_name(name, size,
            "this is a file's name, a module's has no ending; of a .py file mpy-cross makes the .mpy file that is needed");
    }
    if (!molt_store_is_name(name, size)) {
        raise_name(name, size,
            "this cannot be a module's name: letters, digits and '_', dots between them; "
            "add_frozen(file_name, 'name') gives it one");
    }
    if (is_init_misplaced(name, size)) {
        raise_name(name, size, "name the package that this begins: add_frozen(file_name, 'package.__init__')");
    }
    if (molt_store_is_reserved(name, size)) {
        raise_name(name, size, "this name is the firmware's own; choose another");
    }
    if (is_always_built_in(name, molt_frozen_first_part(name, size))) {
        raise_name(name, size, "the firmware has a built-in module of this name, which every import takes; choose another");
    }
}

#endif
