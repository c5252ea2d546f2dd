// At each start, before any module is imported: finish or make a compaction, put the qstr pools of the links into
// MicroPython's chain, link what is not linked yet.
//
// Only here may what is in flash be moved: the heap is empty, no pool but those of the firmware is in the chain, and
// nothing refers to a module. There is no exception handler: nothing may raise.

#include <stddef.h>
#include <string.h>

#include "flash.h"
#include "frozen.h"
#include "molt/crc32.h"
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
_Static_assert(MP_CODE_BYTECODE == MOLT_MPY_BYTECODE && MP_CODE_NATIVE_ASM == MOLT_MPY_ASM, "kinds");
_Static_assert(MPY_VERSION == MOLT_MPY_VERSION, "MPY_VERSION");
_Static_assert(sizeof(mp_obj_t) == 4 && MP_OBJ_NEW_SMALL_INT(1) == (mp_obj_t)3, "small integers");
#if MICROPY_PERSISTENT_CODE_SAVE
#error frozen modules have more fields than molt knows of
#endif
#if MICROPY_EMIT_INLINE_ASM
_Static_assert(sizeof(mp_raw_code_t) == 16, "mp_raw_code_t");
#endif

#if MICROPY_OBJ_REPR == MICROPY_OBJ_REPR_C
#define QSTR_SHIFT 4
#else
#define QSTR_SHIFT 3
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
    #if MICROPY_EMIT_MACHINE_CODE
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

// Reads go through the mapping: what is verified is what the CPU will see.
static int mapped_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    if (addr > MOLT_ESP8266_MAPPED_SIZE || size > MOLT_ESP8266_MAPPED_SIZE - addr) {
        return MOLT_ERR_RANGE;
    }
    const volatile uint32_t *from = molt_mapped(addr);
    uint32_t *to = buf;
    for (uint32_t i = 0; i < size / 4; i++) {
        to[i] = from[i];
    }
    return 0;
}

// Where the firmware's own MD5 lies, which is its end; 0 if there is none.
static uint32_t firmware_md5_addr(void) {
    uint32_t size = *(const volatile uint32_t *)molt_mapped(0x8ffc);
    return size >= 0x9000 && size <= MOLT_ESP8266_MAPPED_SIZE - 16 && size % 4 == 0 ? size : 0;
}

#if MICROPY_VFS_ROM_IOCTL
extern uint8_t _micropy_hw_romfs_part0_start;
#endif
extern uint8_t _firmware_size[];

molt_region_t molt_frozen_region(uint32_t flash_size) {
    // The 32 KB below 1 MB are for molt's resident mode.
    uint32_t end = 0xf8000;
    uint32_t md5_addr = firmware_md5_addr();
    uint32_t bottom = (md5_addr + 16 + 4095) & ~4095u;
    #if MICROPY_VFS_ROM_IOCTL
    end = MIN(end, (uint32_t)&_micropy_hw_romfs_part0_start - MOLT_MAPPED_BASE);
    #endif
    if (flash_size < 0x200000) {
        // The sector for native code, then the filesystem, begin where the linker script's room for code ends.
        end = MIN(end, (uint32_t)_firmware_size);
    }
    molt_region_t none = { 0, 0 };
    if (md5_addr == 0 || flash_size < 0x100000 || bottom + 3 * 4096 > end) {
        return none;
    }
    return (molt_region_t){ bottom, end - bottom };
}

// --- linking ----------------------------------------------------------------------------------------------------

typedef struct chain {
    const qstr_pool_t *pool;
    uint32_t links_addr;
    bool is_lost;  // some link is of no use to anybody
} chain_t;

static uint32_t chain_len(const qstr_pool_t *pool) {
    return pool->total_prev_len + pool->len;
}

static void make_build_id(void) {
    const qstr_pool_t *pool = MP_STATE_VM(last_pool);
    const uint32_t words[] = {
        MOLT_MAPPED_BASE, molt_frozen.store.region.addr, molt_frozen.store.region.size,
        (uint32_t)pool, chain_len(pool), MP_QSTRnumber_of, MPY_SUB_VERSION, MICROPY_OBJ_REPR,
    };
    molt_link_abi_t abi = molt_frozen_abi;
    mapped_read(NULL, firmware_md5_addr(), molt_frozen.build, MOLT_LINK_BUILD_SIZE);
    molt_frozen.abi_crc = molt_crc32(molt_crc32(0, &abi, sizeof abi), words, sizeof words);
}

// The record with that header: 0, or an error.
static int record_at(uint32_t header_addr, molt_record_t *record) {
    uint32_t at = 0;
    int found;
    while ((found = molt_store_next(&molt_frozen.store, &at, record)) == 1) {
        if (record->header_addr == header_addr) {
            return 0;
        }
    }
    return MOLT_ERR_NOENT;
}

static uint32_t links_limit(void) {
    const molt_store_t *store = &molt_frozen.store;
    return store->end_addr - store->end_addr % 4096;
}

// Whether a link is of this firmware, fits the chain as it is, and has its record.
static bool is_fit(const molt_link_t *link, const chain_t *chain) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_record_t record;
    return memcmp(link->build, molt_frozen.build, MOLT_LINK_BUILD_SIZE) == 0 && link->abi_crc == molt_frozen.abi_crc
           && record_at(link->record_addr, &record) == 0 && record.is_committed && record.mpy_crc == link->mpy_crc
           && (!link->is_linked
               || (link->prev_pool_vaddr == (uint32_t)chain->pool && link->qstr_base == chain_len(chain->pool)))
           && molt_link_check(&molt_frozen.flash, link, work) == 0;
}

static void enter_link(chain_t *chain, const molt_link_t *link) {
    if (link->is_linked && link->pool_off) {
        chain->pool = molt_mapped(link->addr + link->pool_off);
    }
}

// Take the links that are in flash; false if not all of them can be used.
static bool replay(chain_t *chain) {
    uint32_t at = 0;
    molt_link_t link;
    int found;
    while ((found = molt_link_next(&molt_frozen.flash, molt_frozen.store.region.addr, links_limit(), &at, &link)) == 1) {
        if (!is_fit(&link, chain)) {
            return false;
        }
        enter_link(chain, &link);
        chain->links_addr = at;
        molt_esp8266_feed();
    }
    return found == 0;
}

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

molt_reader_t molt_frozen_reader(const molt_record_t *record) {
    extern int molt_frozen_read_memory(void *ctx, uint32_t off, void *buf, uint32_t size);
    return (molt_reader_t){ (void *)molt_mapped(record->mpy_addr), record->mpy_size, molt_frozen_read_memory };
}

int molt_frozen_read_memory(void *ctx, uint32_t off, void *buf, uint32_t size) {
    memcpy(buf, (const uint8_t *)ctx + off, size);
    return 0;
}

// Make a record's link and write it behind the others. An error leaves the module to be loaded unlinked.
static int link_record(chain_t *chain, const molt_record_t *record) {
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_link_size_t size;
    molt_mpy_t mpy;
    const char *name = molt_mapped(record->header_addr + MOLT_RECORD_NAME_OFF);
    molt_reader_t reader = molt_frozen_reader(record);
    int err = molt_store_check(&molt_frozen.store, record, work);
    if (err) {
        return err;
    }
    molt_link_t link = { .record_addr = record->header_addr, .mpy_crc = record->mpy_crc, .abi_crc = molt_frozen.abi_crc };
    memcpy(link.build, molt_frozen.build, sizeof link.build);
    err = molt_link_measure(&size, &mpy, &reader, &molt_frozen_target, name, record->name_size);
    uint32_t *words = err || !size.is_linkable ? NULL : m_malloc_maybe(size.work_size);
    if (words == NULL) {
        if (!err && size.is_linkable) {
            return MOLT_ERR_NOSPC;
        }
        words = work;
        molt_link_refuse(words, &link);
    } else {
        const molt_link_job_t job = {
            .abi = &molt_frozen_abi, .target = &molt_frozen_target,
            .mpy = molt_mapped(record->mpy_addr), .mpy_size = record->mpy_size,
            .mpy_vaddr = MOLT_MAPPED_BASE + record->mpy_addr, .name = name, .name_size = record->name_size,
            .link_vaddr = MOLT_MAPPED_BASE + chain->links_addr, .has_pool = true,
            .prev_pool_vaddr = (uint32_t)chain->pool, .qstr_base = chain_len(chain->pool),
            .find_qstr = find_qstr, .make_float = molt_frozen_make_float,
        };
        if (molt_link_build(&job, words, size.work_size, &link) != 0) {
            molt_link_refuse(words, &link);
        }
    }
    link.addr = chain->links_addr;
    err = molt_link_write(&molt_frozen.flash, link.addr, links_limit(), words, &link);
    if (words != work) {
        m_free(words
            #if MICROPY_MALLOC_USES_ALLOCATED_SIZE
            , size.work_size
            #endif
            );
    }
    if (!err) {
        enter_link(chain, &link);
        chain->links_addr += MOLT_LINK_HEADER_SIZE + link.data_size;
    }
    return err;
}

bool molt_frozen_find_link(const molt_record_t *record, molt_link_t *link) {
    uint32_t at = molt_frozen.store.region.addr;
    while (at < molt_frozen.links_addr) {
        molt_link_peek(&molt_frozen.flash, at, link);
        if (link->record_addr == record->header_addr) {
            return true;
        }
        at += MOLT_LINK_HEADER_SIZE + link->data_size;
    }
    return false;
}

// Link every live record that has no link. The first error that room or flash is the reason of ends it.
static int link_missing(chain_t *chain) {
    uint32_t at = 0;
    molt_record_t record;
    int err = 0;
    while (molt_store_next(&molt_frozen.store, &at, &record) == 1) {
        molt_link_t link;
        molt_frozen.links_addr = chain->links_addr;
        if (!record.is_live || molt_frozen_find_link(&record, &link)) {
            continue;
        }
        // What is looked up for this link has to be found in the pools of those before it.
        MP_STATE_VM(last_pool) = (qstr_pool_t *)chain->pool;
        int result = link_record(chain, &record);
        err = err ? err : result == MOLT_ERR_NOSPC || result == MOLT_ERR_CORRUPT || result == MOLT_ERR_IO ? result : 0;
        molt_esp8266_feed();
    }
    return err;
}

static void link_all(void) {
    const qstr_pool_t *first = MP_STATE_VM(last_pool);
    chain_t chain = { first, molt_frozen.store.region.addr, false };
    make_build_id();
    bool is_whole = replay(&chain);
    int err = is_whole ? link_missing(&chain) : 0;
    if (!is_whole || (err && molt_frozen.store.dead_size)) {
        // From the bottom again, without what is gone.
        chain = (chain_t){ first, molt_frozen.store.region.addr, false };
        MP_STATE_VM(last_pool) = (qstr_pool_t *)first;
        link_missing(&chain);
    }
    MP_STATE_VM(last_pool) = (qstr_pool_t *)chain.pool;
    molt_frozen.links_addr = chain.links_addr;
    molt_frozen_set_floor();
}

// --- start ------------------------------------------------------------------------------------------------------

void molt_frozen_set_floor(void) {
    molt_store_t *store = &molt_frozen.store;
    uint32_t links_end = (molt_frozen.links_addr + 4095) & ~4095u;
    store->floor_addr = MAX(store->region.addr + 2 * 4096, links_end);
}

static int compact(const molt_region_t *region) {
    void *sector = m_malloc_maybe(4096);
    if (sector == NULL) {
        return MOLT_ERR_NOSPC;
    }
    int err = molt_store_compact(&molt_frozen.flash, region, sector, molt_esp8266_feed);
    m_free(sector
        #if MICROPY_MALLOC_USES_ALLOCATED_SIZE
        , 4096
        #endif
        );
    return err;
}

static int open_store(const molt_region_t *region) {
    int err = molt_store_open(&molt_frozen.store, &molt_frozen.flash, region);
    if (err == MOLT_ERR_BUSY) {
        err = compact(region);
        err = err ? err : molt_store_open(&molt_frozen.store, &molt_frozen.flash, region);
    }
    err = err ? err : molt_store_settle(&molt_frozen.store);
    if (!err && molt_frozen.store.is_wanted && molt_frozen.store.dead_size && compact(region) == 0) {
        err = molt_store_open(&molt_frozen.store, &molt_frozen.flash, region);
    }
    return err;
}

// MICROPY_PORT_INIT_FUNC: called by mp_init(), at each start and soft reset.
void molt_frozen_init(void) {
    memset(&molt_frozen, 0, sizeof molt_frozen);
    molt_esp8266_flash(&molt_frozen.flash);
    molt_region_t region = molt_frozen_region(molt_frozen.flash.geometry.size);
    molt_frozen.flash.read = mapped_read;
    if (region.size == 0) {
        molt_frozen.why = "there is no room for frozen modules between the firmware and the filesystem";
        return;
    }
    // A collection at this point would follow pointers of the program that was before the reset.
    MP_STATE_MEM(gc_auto_collect_enabled) = 0;
    if (open_store(&region) == 0) {
        molt_frozen.is_open = molt_frozen.is_on = true;
        link_all();
    } else {
        molt_frozen.why = "the store of frozen modules cannot be opened; a reset tries again";
    }
    MP_STATE_MEM(gc_auto_collect_enabled) = 1;
}
