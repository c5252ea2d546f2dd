// One upgrade, from "here is a file" to "the next reset upgrades", in the one order in which everybody prepares it: a firmware on
// its device, the tool on a dump, the tests on the simulator; with and without resident mode.
//
//   molt_job_init      memory, flash, the chip, what is wanted
//   molt_job_open      the file: what image it is, whether it is whole
//   molt_job_plan      what would be done; refusals
//   (the caller writes molt_job_head_size() bytes, made by molt_job_head_bytes(), to a file, if there are any; for a delta file also
//   molt_job_stash_count() files of a sector each)
//   molt_job_store     what the boot loader will need is in flash, and right; nothing counts yet
//   (for a trial another job from molt_job_init up to here, for the image to fall back on: options.is_fallback)
//   molt_job_commit    the one step that counts: the next reset upgrades
//
// Where there are OTA slots (molt/slots.h) there is nothing to be saved, and molt_job_store() writes the image.
//
// A call out of this order is MOLT_ERR_INVAL. A job can be dropped at any time: it owns nothing.
#ifndef MOLT_JOB_H
#define MOLT_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/flash.h"
#include "molt/source.h"
#include "molt/target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct molt_job molt_job_t;

// Memory for one job.
#define MOLT_JOB_SIZE (1024 + 24 * sizeof(void *))
typedef union molt_job_memory {
    void *for_alignment;
    uint8_t bytes[MOLT_JOB_SIZE];
} molt_job_memory_t;

// Of a configuration: bytes of the least buffer to work with, and how many regions the image may be kept out of.
#define MOLT_JOB_WORK_SIZE_MIN 512u
#define MOLT_JOB_RESERVED_MAX 8u

// Memory that a gzip file takes beside its window.
#define MOLT_JOB_UNPACK_SIZE (3072 + 8 * sizeof(void *))

typedef enum molt_job_phase {
    MOLT_JOB_PHASE_IMAGE,    // the image's own checks, read through the filesystem
    MOLT_JOB_PHASE_SOURCE,   // the same bytes, read through the extents
    MOLT_JOB_PHASE_COMPARE,  // the sectors that are right already
    MOLT_JOB_PHASE_WRITE,    // OTA slots: writing the one that does not run
} molt_job_phase_t;

typedef struct molt_job_options {
    bool safe_check;         // false: only headers, only what is needed not to destroy the device
    bool erase_all;          // erase the source's filesystem, too
    bool whole_image;        // program also what is right already
    bool is_on_trial;        // standby mode: there will be a fallback for this one; resident mode does not ask
    bool is_fallback;        // resident and standby mode: this is what a trial falls back on. Implies whole_image: what it
                             // will replace is not there yet. A delta file has to lead from the new firmware to the present one
    bool image_params;       // take flash mode, size and frequency from the image, not from the device
    uint32_t chip_revision;  // an ESP32's, major * 100 + minor, by which an image may be refused; 0: not known
    uint32_t mapped_size;    // less than the target's: of which code can run on this device; 0: the target's
    uint32_t fs_addr;        // where the device has its filesystem: an image that says otherwise is refused, unless
                             // erase_all gives it up; 0: not known, or none
    const molt_region_t *reserved;  // regions that the image may not reach into
    uint32_t reserved_count;        // up to MOLT_JOB_RESERVED_MAX
} molt_job_options_t;

// Everything that pointers lead to is the caller's, and stays as it is while the job is in use.
typedef struct molt_job_config {
    const molt_target_t *target;
    const molt_flash_t *flash;
    uint8_t *sector;     // sector_size bytes, 4-aligned: becomes the boot sector
    uint8_t *work;       // work_size bytes, 4-aligned
    uint32_t work_size;  // MOLT_JOB_WORK_SIZE_MIN or more, a multiple of 4; the larger the faster
    int (*progress)(void *ctx, molt_job_phase_t phase, uint32_t done, uint32_t total);  // or NULL; bytes. Non-zero ends the call
    void *progress_ctx;
    molt_job_options_t options;
} molt_job_config_t;

// Begin. Returns the job, in `memory`: never NULL, and nothing to be freed. `config` is copied, what it points to is not.
molt_job_t *molt_job_init(molt_job_memory_t *memory, const molt_job_config_t *config);

// For a gzip file or a delta file, when molt_job_open() has returned MOLT_ERR_NOSPC and molt_job_needs_window() says so; then open it
// again.
//   unpack       molt_job_unpack_size() bytes, aligned as a pointer
//   window       window_size bytes, 4-aligned. For a gzip file a power of 2 from 256 to 32768, as large as the file's references reach
//                back; for a delta file molt_job_window_size()
void molt_job_set_window(molt_job_t *job, void *unpack, uint8_t *window, uint32_t window_size);

bool molt_job_needs_window(const molt_job_t *job);

// Bytes of memory that unpacking takes beside its window: MOLT_JOB_UNPACK_SIZE, or for a delta file more.
uint32_t molt_job_unpack_size(const molt_job_t *job);

// What a delta file asks for; 0 for a gzip file, which does not say.
uint32_t molt_job_window_size(const molt_job_t *job);

// Check the image in the file. `source` stays in use until the job is stored, its reader in here only.
// Returns 0, MOLT_ERR_INVAL (a number in the configuration is out of its range), or another error; molt_job_text() has the sentence, of
// this and the calls below. Power cut: nothing is written.
int molt_job_open(molt_job_t *job, const molt_source_t *source);

// Make the plan and compare. Power cut: nothing is written.
int molt_job_plan(molt_job_t *job);

typedef struct molt_job_facts {
    uint32_t image_size;  // bytes; of a gzip file those of the image in it
    uint32_t image_crc;   // CRC-32 of them
    bool is_gzip;
    bool is_delta;
    bool is_resident;        // the device is in resident mode
    bool is_in_place;        // nothing would be written: the image is there
    uint32_t sector_count;   // of the image
    uint32_t equal_count;    // of these, those that are left alone
    uint32_t program_count;  // those that are programmed, the first one included
    uint32_t sector_erase_count;
    uint32_t block_erase_count;  // of 64 KB
} molt_job_facts_t;

// What is known of a job after molt_job_plan() returned 0.
void molt_job_facts(const molt_job_t *job, molt_job_facts_t *facts);

// Bytes of the file that saves what the boot loader may need (molt.head): the present first sector; the report, at the beginning
// of the file's second block; the extension, if there is one, at the beginning of the third. In between 0xFF. In resident mode 0:
// nothing is saved.
uint32_t molt_job_head_size(const molt_job_t *job);

// Bytes [off, off + size) of it, from flash and from the plan; off and size multiples of 4. Returns 0 or the flash driver's error.
int molt_job_head_bytes(const molt_job_t *job, uint32_t off, uint8_t *buf, uint32_t size);

// Write them to a region of flash, where there is no filesystem for them: three sectors of the caller's, outside of image and source.
// Nothing in resident mode. Returns 0, MOLT_ERR_NOSPC (the region is too small; nothing is written), or the flash driver's error.
int molt_job_write_head(const molt_job_t *job, const molt_region_t *region);

// How many sectors the upgrade needs beside its file, each in a file of its own, of which only the first block is used: of a delta file
// some ten; in standby mode one for the plan of what a trial falls back on; else 0.
uint32_t molt_job_stash_count(const molt_job_t *job);

// Memory for one sector that the job has for itself, and that the two below can be given as buf.
uint8_t *molt_job_stash_buffer(molt_job_t *job);

// The bytes that such a file has to have before the upgrade, into `buf`: sector_size bytes, 4-aligned. Returns 0, MOLT_ERR_INVAL, or
// an error of flash.
int molt_job_stash_bytes(molt_job_t *job, uint32_t index, uint8_t *buf);

// Where it lies, to be told when all of them, and the head file, were written and synced: it is held to its bytes. It stays, neither written nor removed, until the upgrade is
// done. buf as above. Returns 0 or an error; power cut: nothing is written.
int molt_job_set_stash(molt_job_t *job, uint32_t index, const molt_source_t *file, uint8_t *buf);

// Finish the plan; with OTA slots, write the slot and hold it to the image. Without resident mode: `head` is the file that was written and
// synced, which is held to what was to be saved, byte for byte, in flash; nothing is written. In resident mode plan, overlay and extension
// are stored in the reserved region, and head is not asked for: NULL; nor is it with OTA slots, or for a fallback in standby mode, whose
// trial's plan was stored before. Returns 0 or an error. Power cut: harmless.
int molt_job_store(molt_job_t *job, const molt_source_t *head);

// The next reset upgrades.
//   trial_starts  resident and standby mode: starts, 1 to 32, that the new firmware has to be confirmed within, where a fallback was
//                 stored; OTA slots: 1 for a trial, which falls back on what runs now; else 0
// Returns 0 or an error; then the device starts as before. Power cut: without resident mode fatal for some 60 ms, while the first
// sector is rewritten; else harmless.
int molt_job_commit(molt_job_t *job, uint32_t trial_starts);

// The sentence for the error of the last call, without full stop.
const char *molt_job_text(const molt_job_t *job, int err);

// The numbers that belong to it: a size or address that was needed, and the limit. False where there are none.
bool molt_job_numbers(const molt_job_t *job, uint32_t *need, uint32_t *limit);

#ifdef __cplusplus
}
#endif

#endif
