// Dynamic frozen modules on the device: what the files share. frozen_boot.c opens the store and links at each start,
// frozen_import.c lets `import` find the modules, frozen_api.c is what Python calls, frozen_names.c knows names.
#ifndef MOLT_MICROPYTHON_FROZEN_H
#define MOLT_MICROPYTHON_FROZEN_H

#include "frozen/relink.h"
#include "frozen/store.h"
#include "py/obj.h"

// 0 leaves dynamic frozen modules out of the firmware, 29 KB of code, tables and texts:
// `make ... MOLT_FROZEN=0`
#ifndef MOLT_FROZEN
#define MOLT_FROZEN 1
#endif

#define MOLT_MAPPED_BASE 0x40200000u
// A file of this name switches the dynamic modules off.
#define MOLT_FROZEN_OFF_FILE "/frozen.off"

typedef struct molt_frozen {
    bool is_on;          // modules are found
    bool is_open;        // store is usable
    bool is_tripped;     // the last starts did not come through; the store was not looked at
    const char *why;     // a sentence, where is_open is false
    int why_err;         // and the error that goes with it
    molt_flash_t flash;  // reads past the flash cache what has been written
    molt_region_t region;
    molt_store_t store;
    uint32_t links_addr;   // end of the links that are in use
    uint32_t tried_addr;   // headers from here up were there when links were made
    uint32_t wanted_size;  // bytes of links that modules want which were added since; at most
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

// If anything was written since the last call: make the flash cache forget what it holds, so that the CPU sees it. To be
// called before what was written is read through the mapping.
void molt_frozen_forget_cache(void);

// Empty the store without looking at what it holds. Only where nothing of it is in use. 0 or the driver's error.
int molt_frozen_wipe(void);

// A record's link among those in use: true if there is one.
bool molt_frozen_find_link(const molt_record_t *record, molt_link_t *link);

// Whether the firmware was built with a frozen module at that path, without ".py".
bool molt_frozen_is_built_in(const char *path);

// What a new firmware must not reach into: the live modules, and below them the sectors that compaction needs.
// False if there are none.
bool molt_frozen_extent(molt_region_t *region);

// The reader of a record's .mpy.
molt_reader_t molt_frozen_reader(const molt_record_t *record);

// molt_link_job_t.make_float.
int molt_frozen_make_float(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word);

extern const mp_obj_module_t molt_frozen_module;
MP_DECLARE_CONST_FUN_OBJ_KW(molt_frozen_add_obj);
MP_DECLARE_CONST_FUN_OBJ_1(molt_frozen_delete_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_frozen_ls_obj);
MP_DECLARE_CONST_FUN_OBJ_0(molt_frozen_reset_obj);

#endif
