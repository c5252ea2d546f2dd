// Dynamic frozen modules on the device: what the three files share. frozen_boot.c opens the store and links at each
// start, frozen_import.c lets `import` find the modules, frozen_api.c is what Python calls.
#ifndef MOLT_MICROPYTHON_FROZEN_H
#define MOLT_MICROPYTHON_FROZEN_H

#include "molt/relink.h"
#include "molt/store.h"
#include "py/obj.h"

#define MOLT_MAPPED_BASE 0x40200000u
// A file of this name switches the dynamic modules off.
#define MOLT_FROZEN_OFF_FILE "/frozen.off"

typedef struct molt_frozen {
    bool is_on;           // modules are found
    bool is_open;         // store is usable
    const char *why;      // a sentence, where is_open is false
    molt_flash_t flash;   // reads through the mapping
    molt_store_t store;
    uint32_t links_addr;  // end of the links that are in use
} molt_frozen_t;

extern molt_frozen_t molt_frozen;
extern const molt_link_abi_t molt_frozen_abi;
extern const molt_mpy_target_t molt_frozen_target;

// Where the store lies: from the end of the firmware to the reserved sectors below 1 MB, or to the filesystem.
// Size 0: nowhere. The one place that knows.
molt_region_t molt_frozen_region(uint32_t flash_size);

// What flash holds at `addr`, below 1 MB.
static inline const void *molt_mapped(uint32_t addr) {
    return (const void *)(MOLT_MAPPED_BASE + addr);
}

// A record's link among those in use: true if there is one.
bool molt_frozen_find_link(const molt_record_t *record, molt_link_t *link);

// Whether the firmware was built with a frozen module at that path, without ".py".
bool molt_frozen_is_built_in(const char *path);

// What a new firmware must not reach into: the live modules, and below them the sectors that compaction needs.
// False if there are none.
bool molt_frozen_extent(molt_region_t *region);

// The reader of a record's .mpy, and its callback.
int molt_frozen_read_memory(void *ctx, uint32_t off, void *buf, uint32_t size);
molt_reader_t molt_frozen_reader(const molt_record_t *record);

// molt_link_job_t.make_float.
int molt_frozen_make_float(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word);

extern const mp_obj_module_t molt_frozen_module;
MP_DECLARE_CONST_FUN_OBJ_KW(molt_frozen_add_obj);
MP_DECLARE_CONST_FUN_OBJ_1(molt_frozen_delete_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_frozen_ls_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_frozen_reset_obj);

#endif
