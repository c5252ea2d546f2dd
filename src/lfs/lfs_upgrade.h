// An upgrade from a file on littlefs, in the one order in which everybody prepares it, with and without resident mode: the
// firmware on its device, the tool on a dump, the tests on the simulator.
//
//   molt_upgrade_open      the file, its blocks, what image it is
//   molt_upgrade_plan      what would be done; refusals
//   (the caller writes molt_upgrade_saved_size() bytes, made by molt_upgrade_saved_bytes(), to a file, if there are any)
//   molt_upgrade_store     what the boot loader will need is in flash, and right; nothing counts yet
//   (for a trial these once more, for the image to fall back on: options.is_fallback)
//   molt_upgrade_commit    the one step that counts: the next reset upgrades
#ifndef MOLT_LFS_UPGRADE_H
#define MOLT_LFS_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "extents.h"
#include "molt/image.h"
#include "molt/plan.h"
#include "molt/prepare.h"
#include "molt/resident.h"
#include "molt/unpack.h"
#include "volume.h"

typedef enum molt_upgrade_phase {
    MOLT_UPGRADE_PHASE_IMAGE,    // the image's own checks, read through the filesystem
    MOLT_UPGRADE_PHASE_SOURCE,   // the same bytes, read through the extents
    MOLT_UPGRADE_PHASE_COMPARE,  // the sectors that are right already
} molt_upgrade_phase_t;

// What went wrong, beside the error code: which of the fields below has the sentence.
typedef enum molt_upgrade_trouble {
    MOLT_UPGRADE_TROUBLE_NONE,
    MOLT_UPGRADE_TROUBLE_FILE,        // molt_upgrade_file_text(err)
    MOLT_UPGRADE_TROUBLE_IMAGE,       // image.defect
    MOLT_UPGRADE_TROUBLE_CHIP,        // whole, but an image for another chip than the ESP8266
    MOLT_UPGRADE_TROUBLE_NO_HEAD,     // the first sector cannot start on its own (0xEA images)
    MOLT_UPGRADE_TROUBLE_REFUSED,     // refusal
    MOLT_UPGRADE_TROUBLE_EXTENTS,     // the extents do not lead to the file's bytes
    MOLT_UPGRADE_TROUBLE_SAVED,       // the saved first sector is not what it should be
    MOLT_UPGRADE_TROUBLE_PENDING,     // an upgrade is prepared already
    MOLT_UPGRADE_TROUBLE_TRIAL,       // the firmware is on trial
    MOLT_UPGRADE_TROUBLE_FLASH,       // the flash driver's error
    MOLT_UPGRADE_TROUBLE_LOADER,      // resident mode: the image would be loaded over the boot loader, or brings its own
    MOLT_UPGRADE_TROUBLE_RESIDENT,    // the resident boot loader is damaged, or of another version
    MOLT_UPGRADE_TROUBLE_FALLBACK,    // something to fall back on, without resident mode
    MOLT_UPGRADE_TROUBLE_GZIP,        // the file is a gzip file, but a damaged one, or not only one
    MOLT_UPGRADE_TROUBLE_NO_WINDOW,   // a gzip file: set `unpack` and `window` and call molt_upgrade_open() again
    MOLT_UPGRADE_TROUBLE_WINDOW,      // its references reach back farther than the window
    MOLT_UPGRADE_TROUBLE_BOMB,        // it unpacks to more than fits
} molt_upgrade_trouble_t;

typedef struct molt_upgrade_options {
    bool safe_check;              // false: only headers, only what is needed not to destroy the device
    bool erase_all;
    bool whole_image;             // program also what is right already
    bool is_fallback;             // resident mode: this is what a trial falls back on. Implies whole_image: what it will replace
                                  // is not there yet
    bool image_params;            // take flash mode, size and frequency from the image, not from the device
    uint32_t mapped_size;         // bytes from which code can run; 1 MB on ESP8266
    uint32_t fs_addr;             // where the device has its filesystem: an image that says otherwise is refused, unless
                                  // erase_all gives it up; 0: not known, or none
    uint32_t loader_size;
    const molt_region_t *reserved;
    uint32_t reserved_count;
} molt_upgrade_options_t;

typedef struct molt_upgrade {
    // Set by the caller before molt_upgrade_open().
    const molt_flash_t *flash;
    molt_volume_t *volume;        // mounted
    uint8_t *sector;              // sector_size bytes, 4-aligned: becomes the boot sector
    uint8_t *work;                // work_size bytes, 4-aligned
    uint32_t work_size;           // 512 or more, a multiple of 4
    molt_unpack_t *unpack;        // for a gzip file, with a window of window_size bytes; NULL until it is needed
    uint8_t *window;
    uint32_t window_size;
    const molt_loader_t *overlay;    // resident mode: what carries the plan out
    const molt_loader_t *extension;  // the boot loader's for gzip files, size up to sector_size - 16
    int (*progress)(void *ctx, molt_upgrade_phase_t phase, uint32_t done, uint32_t total);  // or NULL
    void *progress_ctx;
    // Results.
    molt_upgrade_phase_t phase;
    molt_upgrade_trouble_t trouble;
    molt_extents_t extents;
    molt_image_t image;           // for a gzip file: the image in it
    bool is_gzip;
    bool is_fallback;             // of the options
    uint32_t source_crc;          // of the file's bytes; for a raw image that of the image
    uint32_t kept_size;           // bytes of the file that the image's first sector comes from
    molt_plan_t plan;
    molt_refusal_t refusal;
    uint16_t present_params;      // header bytes 2 and 3 of the device now
    bool is_resident;             // sector 0 holds a resident boot loader
    uint32_t reserved_addr;       // its reserved region
    uint32_t present_addr;        // of the present firmware's first sector: 0, or a head
} molt_upgrade_t;

// Find the file at `path` and check the image in it. Returns 0 or an error with `trouble` set.
int molt_upgrade_open(molt_upgrade_t *upgrade, const char *path, const molt_upgrade_options_t *options);

// Make the plan and compare. Returns 0 or an error with `trouble` set.
int molt_upgrade_plan(molt_upgrade_t *upgrade, const molt_upgrade_options_t *options);

// Bytes of the file that saves what the boot loader may need: the present first sector; the report, at the beginning
// of the file's second block; the extension, if there is one, at the beginning of the third. In between 0xFF. In resident mode 0:
// nothing is saved.
uint32_t molt_upgrade_saved_size(const molt_upgrade_t *upgrade);

// Bytes [off, off + size) of it, from flash and from the plan; off and size multiples of 4.
int molt_upgrade_saved_bytes(const molt_upgrade_t *upgrade, uint32_t off, uint8_t *buf, uint32_t size);

// Finish the plan. Without resident mode: the file at `path` on `volume` (mounted after it was written and synced) holds what was
// to be saved, checked byte for byte; nothing is written. In resident mode plan, overlay and extension are stored in the reserved
// region, and neither is asked for. Returns 0 or an error with `trouble` set. Power cut: harmless.
int molt_upgrade_store(molt_upgrade_t *upgrade, molt_volume_t *volume, const char *path);

// The next reset upgrades: molt_prepare_install() of `loader`, or in resident mode molt_resident_commit().
//   trial_starts  resident mode: starts that the new firmware has to be confirmed within, where a fallback was stored; else 0
// Returns 0 or an error with `trouble` set. Power cut: fatal without resident mode, see molt_prepare_install(); else harmless.
int molt_upgrade_commit(molt_upgrade_t *upgrade, const molt_loader_t *loader, uint32_t trial_starts);

// The sentence for an error and its trouble, without full stop; numbers, if any, are in refusal and image.
const char *molt_upgrade_text(const molt_upgrade_t *upgrade, int err);

#endif
