// How `import` finds dynamic frozen modules: mp_find_frozen_module() is wrapped by the linker (--wrap). What was
// frozen at build time comes first.

#include <string.h>

#include "frozen.h"
#include "frozen/mpy_visitor.h"
#include "molt/error.h"
#include "py/bc.h"
#include "py/emitglue.h"
#include "py/frozenmod.h"
#include "py/gc.h"
#include "py/mpstate.h"
#include "py/objstr.h"
#include "py/persistentcode.h"
#include "py/qstr.h"
#include "py/reader.h"
#include "py/runtime.h"

mp_import_stat_t __real_mp_find_frozen_module(const char *str, int *frozen_type, void **data);
mp_import_stat_t __wrap_mp_find_frozen_module(const char *str, int *frozen_type, void **data);

#if !MOLT_FROZEN

mp_import_stat_t __wrap_mp_find_frozen_module(const char *str, int *frozen_type, void **data) {
    return __real_mp_find_frozen_module(str, frozen_type, data);
}

#else

// Links in RAM, one behind the other, so that the collector sees them.
MP_REGISTER_ROOT_POINTER(void *molt_frozen_ram_links);

typedef struct ram_link {
    struct ram_link *next;
    uint32_t words[];
} ram_link_t;

bool molt_frozen_is_built_in(const char *path) {
    char file[MOLT_RECORD_NAME_MAX + 4];
    size_t size = strlen(path);
    if (size > MOLT_RECORD_NAME_MAX) {
        return false;
    }
    memcpy(file, path, size);
    memcpy(file + size, ".py", 4);
    return __real_mp_find_frozen_module(file, NULL, NULL) == MP_IMPORT_STAT_FILE;
}

// Compare a path of `size` characters with the beginning of a dotted name.
static bool begins_with(const char *name, const char *path, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = path[i] == '/' ? '.' : path[i];
        if (name[i] != c || path[i] == '.') {
            return false;
        }
    }
    return true;
}

// `foo.py` and `pkg/foo.py` are files, `pkg` is a directory where there is a module whose name goes on behind a dot.
static mp_import_stat_t find(const char *path, molt_record_t *record) {
    size_t size = strlen(path);
    bool is_file = size > 3 && strcmp(path + size - 3, ".py") == 0;
    mp_import_stat_t stat = MP_IMPORT_STAT_NO_EXIST;
    uint32_t at = 0;
    molt_record_t each;
    size -= is_file ? 3 : 0;
    while (molt_store_next(&molt_frozen.store, &at, &each) == 1) {
        char name[MOLT_RECORD_NAME_MAX + 1];
        if (!each.is_live || (is_file ? each.name_size != size : each.name_size <= size)
            || molt_store_name(&molt_frozen.store, &each, name) != 0 || !begins_with(name, path, size)) {
            continue;
        }
        if (is_file) {
            *record = each;  // further down is newer
            stat = MP_IMPORT_STAT_FILE;
        } else if (name[size] == '.') {
            stat = MP_IMPORT_STAT_DIR;
        }
    }
    return stat;
}

// --- modules that are not linked yet ----------------------------------------------------------------------------

static uint32_t make_qstr(void *ctx, const uint8_t *bytes, uint32_t size, bool is_name) {
    (void)ctx;
    return is_name ? qstr_from_strn((const char *)bytes, size) : qstr_find_strn((const char *)bytes, size);
}

// Link to RAM: bytecode and strings stay where they are. NULL if that cannot be (native code).
static const mp_frozen_module_t *link_in_ram(const molt_record_t *record, const molt_link_size_t *size) {
    ram_link_t *ram = m_malloc(sizeof *ram + size->work_size);
    const molt_link_job_t job = {
        .abi = &molt_frozen_abi,
        .target = &molt_frozen_target,
        .mpy = molt_mapped(record->mpy_addr),
        .mpy_size = record->mpy_size,
        .mpy_vaddr = molt_mapped_vaddr(record->mpy_addr),
        .link_vaddr = (uint32_t)ram->words,
        .has_pool = false,
        .find_qstr = make_qstr,
        .make_float = molt_frozen_make_float,
    };
    molt_link_t link = { 0 };
    if (molt_link_build(&job, ram->words, size->work_size, &link) != 0) {
        return NULL;
    }
    ram = m_realloc(ram
#if MICROPY_MALLOC_USES_ALLOCATED_SIZE
        ,
        sizeof *ram + size->work_size
#endif
        ,
        sizeof *ram + MOLT_LINK_HEADER_SIZE + link.data_size);
    ram->next = MP_STATE_VM(molt_frozen_ram_links);
    MP_STATE_VM(molt_frozen_ram_links) = ram;
    return (const mp_frozen_module_t *)(ram->words + MOLT_LINK_HEADER_SIZE / 4);
}

// As from a file: all of it is copied. Native code may read its constants byte by byte, which flash does not take.
static const mp_frozen_module_t *load(const molt_record_t *record) {
    mp_reader_t reader;
    mp_compiled_module_t module = { .context = m_new0(mp_module_context_t, 1) };
    mp_frozen_module_t *frozen = m_new(mp_frozen_module_t, 1);
    mp_reader_new_mem(&reader, molt_mapped(record->mpy_addr), record->mpy_size, 0);
    mp_raw_code_load(&reader, &module);
    const mp_frozen_module_t made = { module.context->constants, module.rc };
    memcpy(frozen, &made, sizeof made);
    return frozen;
}

static const mp_frozen_module_t *load_unlinked(const molt_record_t *record) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_mpy_t mpy;
    molt_link_size_t size;
    molt_reader_t reader = molt_frozen_reader(record);
    if (molt_store_check(&molt_frozen.store, record, work) != 0) {
        mp_raise_msg(&mp_type_ImportError, MP_ERROR_TEXT("the frozen module is damaged; delete it and add it again"));
    }
    if (molt_link_measure(&size, &mpy, &reader, &molt_frozen_target, "", 0) != 0) {
        mp_raise_msg_varg(&mp_type_ImportError, MP_ERROR_TEXT("%s"), molt_mpy_defect_text(mpy.defect));
    }
    const mp_frozen_module_t *frozen = size.is_linkable && !size.is_native ? link_in_ram(record, &size) : NULL;
    return frozen ? frozen : load(record);
}

// --- modules that are linked ------------------------------------------------------------------------------------

typedef struct native_facts {
    molt_mpy_header_t header;
    bool has_viper;  // or assembler
} native_facts_t;

static int take_header(void *ctx, const molt_mpy_header_t *header) {
    ((native_facts_t *)ctx)->header = *header;
    return header->native_arch == 0;  // of bytecode no more is wanted
}

static int take_code(void *ctx, const molt_mpy_code_t *code) {
    native_facts_t *facts = ctx;
    facts->has_viper = code->kind == MOLT_MPY_KIND_VIPER || code->kind == MOLT_MPY_KIND_ASM;
    return facts->has_viper;
}

static const qstr_short_t *copy_qstrs(const qstr_short_t *from, uint32_t count) {
    qstr_short_t *table = m_new(qstr_short_t, count);
    const uint32_t *words = (const uint32_t *)from;
    for (uint32_t i = 0; i < count; i++) {
        table[i] = (qstr_short_t)(words[i / 2] >> 16 * (i % 2));
    }
    return table;
}

// Constants, strings and bytes themselves copied.
static mp_obj_t *copy_objects(const mp_obj_t *from, uint32_t count) {
    mp_obj_t *table = m_new(mp_obj_t, count);
    for (uint32_t i = 0; i < count; i++) {
        table[i] = from[i];
        if (mp_obj_is_obj(from[i])
            && (mp_obj_is_exact_type(from[i], &mp_type_bytes) || mp_obj_is_exact_type(from[i], &mp_type_str))) {
            const mp_obj_str_t *str = MP_OBJ_TO_PTR(from[i]);
            table[i] = mp_obj_new_str_copy(str->base.type, str->data, str->len);
        }
    }
    return table;
}

// What native code reads by other than 32-bit loads, which mapped flash does not take, goes into RAM: the module's
// table of qstrs, and where there is viper code or assembler, which may have pointers to them, strings and bytes. The
// code stays where it is.
static const mp_frozen_module_t *use_native(const mp_frozen_module_t *linked, const native_facts_t *facts) {
    mp_frozen_module_t *frozen = m_new(mp_frozen_module_t, 1);
    const mp_module_constants_t *constants = &linked->constants;
    uint32_t count = facts->header.object_count;
    const mp_frozen_module_t made = {
        .constants = {
            .qstr_table = (qstr_short_t *)copy_qstrs(constants->qstr_table, facts->header.qstr_count),
            .obj_table = facts->has_viper && count ? copy_objects(constants->obj_table, count) : constants->obj_table,
        },
        .proto_fun = linked->proto_fun,
    };
    memcpy(frozen, &made, sizeof made);
    return frozen;
}

static const mp_frozen_module_t *use_linked(const molt_record_t *record, const molt_link_t *link) {
    const mp_frozen_module_t *linked = molt_mapped(link->addr + MOLT_LINK_HEADER_SIZE);
    molt_mpy_t mpy;
    native_facts_t facts = { .has_viper = false };
    const molt_mpy_visitor_t visitor = { .ctx = &facts, .header = take_header, .code = take_code };
    molt_reader_t reader = molt_frozen_reader(record);
    molt_mpy_parse(&mpy, &reader, NULL, &visitor);
    return facts.header.native_arch ? use_native(linked, &facts) : linked;
}

bool molt_frozen_is_native(const molt_record_t *record) {
    molt_mpy_t mpy;
    molt_link_size_t size;
    molt_reader_t reader = molt_frozen_reader(record);
    return molt_link_measure(&size, &mpy, &reader, &molt_frozen_target, "", 0) == 0 && size.is_native;
}

// --- import -----------------------------------------------------------------------------------------------------

static const mp_frozen_module_t *get(const molt_record_t *record) {
    molt_link_t link;
    bool is_linked = molt_frozen_find_link(record, &link) && link.is_linked;
    return is_linked ? use_linked(record, &link) : load_unlinked(record);
}

// The same where nobody catches exceptions, as when boot.py and main.py are run. NULL after having printed one.
static const mp_frozen_module_t *get_guarded(const molt_record_t *record) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        const mp_frozen_module_t *frozen = get(record);
        nlr_pop();
        return frozen;
    }
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    return NULL;
}

mp_import_stat_t __wrap_mp_find_frozen_module(const char *str, int *frozen_type, void **data) {
    mp_import_stat_t stat = __real_mp_find_frozen_module(str, frozen_type, data);
    molt_record_t record;
    if (stat == MP_IMPORT_STAT_NO_EXIST && molt_frozen.is_tripped && strcmp(str, "boot.py") == 0) {
        mp_printf(&mp_plat_print, "molt: %s\n", molt_frozen.why);
    }
    if (stat != MP_IMPORT_STAT_NO_EXIST || !molt_frozen.is_on) {
        return stat;
    }
    if (strcmp(str, "boot.py") == 0 && mp_import_stat(MOLT_FROZEN_OFF_FILE) != MP_IMPORT_STAT_NO_EXIST) {
        mp_printf(&mp_plat_print, "molt: dynamic frozen modules are off: %s\n", MOLT_FROZEN_OFF_FILE);
        molt_frozen.is_on = false;
        return stat;
    }
    stat = find(str, &record);
    if (stat == MP_IMPORT_STAT_DIR && molt_frozen_is_built_in(str)) {
        return MP_IMPORT_STAT_NO_EXIST;  // import looks for packages first: this one would hide the firmware's module
    }
    if (stat == MP_IMPORT_STAT_FILE && frozen_type != NULL) {
        const mp_frozen_module_t *frozen = MP_STATE_THREAD(nlr_top) ? get(&record) : get_guarded(&record);
        *frozen_type = frozen ? MP_FROZEN_MPY : MP_FROZEN_NONE;
        *data = (void *)frozen;
    }
    return stat;
}

#endif
