// At each start, before any module is imported: finish or make a compaction, put the qstr pools of the links into
// MicroPython's chain, link what is not linked yet.
//
// Only here may what is in flash be moved: the heap is empty, no pool but those of the firmware is in the chain, and
// nothing refers to a module. There is no exception handler: nothing may raise.

#include <stddef.h>
#include <string.h>

#include "base/crc32.h"
#include "base/reader.h"
#include "frozen.h"
#include "molt/error.h"
#include "py/bc.h"
#include "py/emitglue.h"
#include "py/gc.h"
#include "py/mpstate.h"
#include "py/nativeglue.h"
#include "py/objint.h"
#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/parsenum.h"
#include "py/persistentcode.h"
#include "py/qstr.h"
#include "py/runtime.h"
#include "py/smallint.h"

#if !MOLT_FROZEN

void molt_frozen_init(void) {
}

#else

// What src/frozen/link.c writes is what these headers say.
#define PIN(type, field, at) _Static_assert(offsetof(type, field) == (at), #type "." #field)
PIN(mp_frozen_module_t, constants.qstr_table, 0);
PIN(mp_frozen_module_t, constants.obj_table, 4);
PIN(mp_frozen_module_t, proto_fun, 8);
_Static_assert(sizeof(mp_frozen_module_t) == 12, "mp_frozen_module_t");
PIN(mp_raw_code_truncated_t, proto_fun_indicator, 0);
PIN(mp_raw_code_truncated_t, kind, 2);
PIN(mp_raw_code_truncated_t, is_generator, 3);
PIN(mp_raw_code_truncated_t, fun_data, 4);
PIN(mp_raw_code_truncated_t, children, 8);
_Static_assert(sizeof(mp_raw_code_truncated_t) == 12, "mp_raw_code_truncated_t");
_Static_assert(MP_PROTO_FUN_INDICATOR_RAW_CODE_0 == 0 && MP_PROTO_FUN_INDICATOR_RAW_CODE_1 == 0, "indicator");
PIN(qstr_pool_t, prev, 0);
PIN(qstr_pool_t, alloc, 8);
PIN(qstr_pool_t, len, 12);
PIN(qstr_pool_t, hashes, 16);
PIN(qstr_pool_t, lengths, 20);
PIN(qstr_pool_t, qstrs, 24);
_Static_assert(sizeof(qstr_short_t) == 2 && sizeof(qstr_hash_t) == 2 && sizeof(qstr_len_t) == 1, "qstr");
PIN(mp_obj_str_t, base, 0);
PIN(mp_obj_str_t, hash, 4);
PIN(mp_obj_str_t, len, 8);
PIN(mp_obj_str_t, data, 12);
PIN(mp_obj_tuple_t, len, 4);
PIN(mp_obj_tuple_t, items, 8);
PIN(mp_obj_int_t, mpz, 4);
PIN(mp_obj_int_t, mpz.len, 8);
PIN(mp_obj_int_t, mpz.dig, 12);
_Static_assert(MPZ_DIG_SIZE == 16, "MPZ_DIG_SIZE");
_Static_assert(
    (int)MP_CODE_BYTECODE == (int)MOLT_MPY_KIND_BYTECODE && (int)MP_CODE_NATIVE_ASM == (int)MOLT_MPY_KIND_ASM, "kinds");
_Static_assert(MPY_VERSION == MOLT_MPY_VERSION, "MPY_VERSION");
_Static_assert(sizeof(mp_obj_t) == 4 && MP_OBJ_NEW_SMALL_INT(1) == (mp_obj_t)3, "small integers");
#if MICROPY_PERSISTENT_CODE_SAVE
#error frozen modules have more fields than molt knows of
#endif
#if !MOLT_STANDBY && MICROPY_EMIT_INLINE_ASM
_Static_assert(sizeof(mp_raw_code_t) == 16, "mp_raw_code_t");
#endif

// How objects are made of numbers: C is the ESP8266's, A the ESP32 family's.
#if MICROPY_OBJ_REPR == MICROPY_OBJ_REPR_C
#define QSTR_SHIFT 4
#elif MICROPY_OBJ_REPR == MICROPY_OBJ_REPR_A
#define QSTR_SHIFT 3
_Static_assert(sizeof(mp_float_t) == 4, "mp_obj_float_t");
#else
#error molt links for object representations A and C
#endif
_Static_assert(MP_OBJ_NEW_QSTR(1) == (mp_obj_t)((1 << QSTR_SHIFT) | ((uintptr_t)MP_OBJ_NEW_QSTR(0))), "qstr objects");

#define WORD(object) ((uint32_t)(object))

const molt_link_abi_t molt_frozen_abi = {
    .type_str = WORD(&mp_type_str),
    .type_bytes = WORD(&mp_type_bytes),
    .type_tuple = WORD(&mp_type_tuple),
    .type_int = WORD(&mp_type_int),
    .type_float = WORD(&mp_type_float),
    .none = WORD(mp_const_none),
    .false_ = WORD(mp_const_false),
    .true_ = WORD(mp_const_true),
    .ellipsis = WORD(&mp_const_ellipsis_obj),
    .empty_bytes = WORD(&mp_const_empty_bytes_obj),
    .empty_tuple = WORD(&mp_const_empty_tuple_obj),
#if MICROPY_EMIT_MACHINE_CODE && !MOLT_STANDBY
    // (Where flash is mapped as data no code is run: it is loaded into RAM.)
    .fun_table = WORD(&mp_fun_table),
#endif
    .qstr_shift = QSTR_SHIFT,
    .qstr_tag = WORD(MP_OBJ_NEW_QSTR(0)),
    .small_int_bits = MP_SMALL_INT_BITS,
    .is_float_immediate = MICROPY_OBJ_REPR == MICROPY_OBJ_REPR_C,
    .has_asm = MICROPY_EMIT_INLINE_ASM,
};

const molt_mpy_target_t molt_frozen_target = {
    .native_arch = MPY_FEATURE_ARCH,
    .sub_version = MPY_SUB_VERSION,
    .small_int_bits = MP_SMALL_INT_BITS,
    .has_complex = MICROPY_PY_BUILTINS_COMPLEX,
};

molt_frozen_t molt_frozen;

// --- flash ------------------------------------------------------------------------------------------------------

// Writing goes through the SDK, and so does reading from the first write on until the flash cache was made to forget: what is
// verified is what the chip holds, whatever the cache has of it. Else reads go through the mapping, which costs an import
// less. The watchdog is kept quiet: a long module takes seconds.
static molt_flash_t sdk;
static bool has_written;  // since the flash cache was made to forget; also across soft resets

static int careful_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    uint32_t off = addr - molt_frozen.region.addr;
    if (has_written || off > molt_frozen.region.size || size > molt_frozen.region.size - off) {
        return sdk.read(ctx, addr, buf, size);
    }
    const volatile uint32_t *from = molt_mapped(addr);
    uint32_t *to = buf;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = from[i];
    }
    return 0;
}

static int fed_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    has_written = true;
    molt_frozen_feed();
    return sdk.prog(ctx, addr, buf, size);
}

static int fed_erase(void *ctx, uint32_t addr) {
    has_written = true;
    molt_frozen_feed();
    return sdk.erase_sector(ctx, addr);
}

void molt_frozen_forget_cache(void) {
    if (has_written) {
        molt_frozen_drop_cache();
    }
    has_written = false;
}

// --- linking ----------------------------------------------------------------------------------------------------

int molt_frozen_make_float(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word) {
    (void)ctx;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return MOLT_ERR_NOTSUP;
    }
    mp_obj_t object = mp_parse_num_float((const char *)text, size, false, NULL);
    nlr_pop();
    if (molt_frozen_abi.is_float_immediate) {
        *word = WORD(object);
        return 0;
    }
    float value = mp_obj_get_float_to_f(object);
    memcpy(word, &value, sizeof value);
    return 0;
}

static uint32_t find_qstr(void *ctx, const uint8_t *bytes, uint32_t size, bool is_name) {
    (void)ctx;
    (void)is_name;
    return qstr_find_strn((const char *)bytes, size);
}

static void use_pool(void *ctx, uint32_t pool_vaddr) {
    (void)ctx;
    molt_frozen_forget_cache();
    MP_STATE_VM(last_pool) = (qstr_pool_t *)pool_vaddr;
}

static const uint8_t *map(void *ctx, uint32_t addr) {
    (void)ctx;
    molt_frozen_forget_cache();
    return molt_mapped(addr);
}

static void *alloc(void *ctx, uint32_t size) {
    (void)ctx;
    return m_malloc_maybe(size);
}

static void release(void *ctx, void *memory, uint32_t size) {
    (void)ctx;
    (void)size;
#if MICROPY_MALLOC_USES_ALLOCATED_SIZE
    m_free(memory, size);
#else
    m_free(memory);
#endif
}

molt_reader_t molt_frozen_reader(const molt_record_t *record) {
    return molt_memory_reader(molt_mapped(record->mpy_addr), record->mpy_size);
}

bool molt_frozen_find_link(const molt_record_t *record, molt_link_t *link) {
    return molt_relink_find(&molt_frozen.store, molt_frozen.links_addr, record, link);
}

static int link_all(const qstr_pool_t *pool) {
    molt_relink_t relink = {
        .store = &molt_frozen.store,
        .abi = &molt_frozen_abi,
        .target = &molt_frozen_target,
        .base_vaddr = molt_mapped_vaddr(0),
        .first_pool_vaddr = (uint32_t)pool,
        .first_qstr = pool->total_prev_len + pool->len,
        .map = map,
        .alloc = alloc,
        .release = release,
        .use_pool = use_pool,
        .find_qstr = find_qstr,
        .make_float = molt_frozen_make_float,
        .feed = molt_frozen_feed,
    };
    // What a link depends on beside the build: in case that two firmwares had the same, and where flash can be mapped elsewhere at
    // another start.
    const uint32_t words[] = {
        molt_mapped_vaddr(0),
        molt_frozen.store.region.addr,
        molt_frozen.store.region.size,
        relink.first_pool_vaddr,
        relink.first_qstr,
        MP_QSTRnumber_of,
        MPY_SUB_VERSION,
        MICROPY_OBJ_REPR,
    };
    molt_link_abi_t abi = molt_frozen_abi;
    relink.abi_crc = molt_crc32(molt_crc32(0, &abi, sizeof abi), words, sizeof words);
    int err = molt_frozen_read_build(relink.build);
    err = err ? err : molt_relink(&relink);
    molt_frozen.links_addr = relink.links_addr;
    molt_frozen.tried_addr = molt_frozen.store.end_addr;
    return err;
}

// --- starts that do not come through ----------------------------------------------------------------------------

// A start that crashes in here never comes to where /frozen.off is looked at. So starts are counted before, where a reset leaves
// it, and the count is cleared when all is done: after three that did not come through, modules are left alone.
#define GUARD_STARTS 3u

int molt_frozen_wipe(void) {
    const molt_region_t *region = &molt_frozen.region;
    int err = sdk.erase_sector(sdk.ctx, region->addr + region->size - 4096);
    err = err ? err : sdk.erase_sector(sdk.ctx, region->addr);
    if (!err) {
        molt_frozen_set_starts(0);
    }
    return err;
}

// --- start ------------------------------------------------------------------------------------------------------

static int compact(const molt_region_t *region) {
    void *sector = m_malloc_maybe(4096);
    if (sector == NULL) {
        return MOLT_ERR_NOSPC;
    }
    int err = molt_store_compact(&molt_frozen.flash, region, sector, molt_frozen_feed);
    release(NULL, sector, 4096);
    return err;
}

static int open_store(const molt_region_t *region) {
    int err = molt_store_open(&molt_frozen.store, &molt_frozen.flash, region);
    if (err == MOLT_ERR_BUSY) {
        err = compact(region);
        err = err ? err : molt_store_open(&molt_frozen.store, &molt_frozen.flash, region);
    }
    err = err ? err : molt_store_settle(&molt_frozen.store);
    if (!err && molt_store_needs_compaction(&molt_frozen.store) && compact(region) == 0) {
        err = molt_store_open(&molt_frozen.store, &molt_frozen.flash, region);
    }
    return err;
}

// MICROPY_PORT_INIT_FUNC: called by mp_init(), at each start and soft reset.
void molt_frozen_init(void) {
    memset(&molt_frozen, 0, sizeof molt_frozen);
    MP_STATE_VM(molt_frozen_ram_links) = NULL;
    molt_frozen.why_err = MOLT_ERR_NOSPC;
    molt_frozen_find_region(&sdk);
    molt_region_t region = molt_frozen.region;
    uint32_t starts = molt_frozen_get_starts();
    molt_frozen.flash = sdk;
    molt_frozen.flash.read = careful_read;
    molt_frozen.flash.prog = fed_prog;
    molt_frozen.flash.erase_sector = fed_erase;
    if (region.size == 0) {
        return;
    }
    if (starts >= GUARD_STARTS) {
        molt_frozen.is_tripped = true;
        molt_frozen
            .why = "dynamic frozen modules are off: the last three starts failed while they were linked; power off and on to "
                   "try again, or delete them all with molt.frozen.reset()";
        molt_frozen.why_err = MOLT_ERR_IO;
        return;
    }
    molt_frozen_set_starts(starts + 1);
    // A collection at this point would follow pointers of the program that was before the reset.
    MP_STATE_MEM(gc_auto_collect_enabled) = 0;
    if (open_store(&region) == 0) {
        const qstr_pool_t *pool = MP_STATE_VM(last_pool);
        molt_frozen.is_open = molt_frozen.is_on = true;
        if (link_all(pool) == MOLT_ERR_NOSPC && molt_frozen.store.dead_size) {
            // What was deleted is in the way of the links.
            if (compact(&region) == 0) {
                open_store(&region);
            }
            link_all(pool);
        }
    } else {
        molt_frozen.why = "the store of frozen modules cannot be opened; a reset tries again";
        molt_frozen.why_err = MOLT_ERR_IO;
    }
    molt_frozen_forget_cache();
    MP_STATE_MEM(gc_auto_collect_enabled) = 1;
    molt_frozen_set_starts(0);
}

#endif
