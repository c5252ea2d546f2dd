// Dynamic frozen modules on the device: what the files share. frozen_boot.c opens the store and links at each start,
// frozen_import.c lets `import` find the modules, frozen_api.c is what Python calls, frozen_names.c knows names.
// frozen_esp8266.c and frozen_esp32.c are what differs between the chips: where the store lies, how it is mapped, and which
// firmware runs.
#ifndef MOLT_MICROPYTHON_FROZEN_H
#define MOLT_MICROPYTHON_FROZEN_H

#include "frozen/relink.h"
#include "frozen/store.h"
#include "py/obj.h"

// 0 leaves dynamic frozen modules out of the firmware, 29 KB of code, tables and texts on an ESP8266:
// `make ... MOLT_FROZEN=0`
#ifndef MOLT_FROZEN
#define MOLT_FROZEN 1
#endif

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
    uint32_t base_vaddr;  // where the CPU would see flash address 0
    molt_store_t store;
    uint32_t links_addr;   // end of the links that are in use
    uint32_t tried_addr;   // headers from here up were there when links were made
    uint32_t wanted_size;  // bytes of links that modules want which were added since; at most
} molt_frozen_t;

extern molt_frozen_t molt_frozen;
extern const molt_link_abi_t molt_frozen_abi;
extern const molt_mpy_target_t molt_frozen_target;

// Open the store, and link what is to be linked: at each start.
void molt_frozen_init(void);

// --- what differs between the chips

// At each start: set molt_frozen's region and base_vaddr; or leave the region's size 0, with why and why_err set.
//   flash  set to a driver that reads the chip itself
// The one place that knows where the store lies.
void molt_frozen_find_region(molt_flash_t *flash);

// What the running firmware can be told from all others by. 0 or the driver's error.
int molt_frozen_read_build(uint8_t build[MOLT_LINK_BUILD_SIZE]);

// Make the flash cache forget all that was written to the store.
void molt_frozen_drop_cache(void);

// Keep the watchdog quiet. Raises nothing.
void molt_frozen_feed(void);

// Starts in a row, before this one, that did not come through. The count outlives a reset, and ends with the power.
uint32_t molt_frozen_get_starts(void);
void molt_frozen_set_starts(uint32_t starts);

// --- what all have in common

// Where the CPU sees what flash holds at `addr`.
static inline uint32_t molt_mapped_vaddr(uint32_t addr) {
#if MOLT_STANDBY
    return molt_frozen.base_vaddr + addr;
#else
    return 0x40200000u + addr;
#endif
}

static inline const void *molt_mapped(uint32_t addr) {
    return (const void *)molt_mapped_vaddr(addr);
}

// Whether the code of a module that is measured so can run where it lies; else the module cannot be linked.
static inline bool molt_frozen_is_linkable(const molt_link_size_t *size) {
    return size->is_linkable && (!size->is_native || molt_frozen_abi.fun_table);
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

// Whether a record's module has native code.
bool molt_frozen_is_native(const molt_record_t *record);

#if MOLT_FROZEN
// What a new firmware must not reach into: the live modules, and below them the sectors that compaction needs.
// False if there are none, and where the store has a partition of its own.
bool molt_frozen_extent(molt_region_t *region);

// What molt adds to `esp` of this: the function of that name, or NULL.
const void *molt_frozen_of_esp(qstr name);
#else
static inline bool molt_frozen_extent(molt_region_t *region) {
    (void)region;
    return false;
}

static inline const void *molt_frozen_of_esp(qstr name) {
    (void)name;
    return NULL;
}
#endif

// The reader of a record's .mpy.
molt_reader_t molt_frozen_reader(const molt_record_t *record);

// molt_link_job_t.make_float.
int molt_frozen_make_float(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word);

extern const mp_obj_module_t molt_frozen_module;

#endif
