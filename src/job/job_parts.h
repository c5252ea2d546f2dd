// The inside of a job, for those who show more of it than the door has: the tool, MicroPython's face, the tests.
#ifndef MOLT_JOB_PARTS_H
#define MOLT_JOB_PARTS_H

#include <stddef.h>

#include "base/config.h"
#include "base/geometry.h"
#include "decode/unpack.h"
#include "delta/delta.h"
#include "image/image.h"
#include "molt/job.h"
#include "upgrade/apply.h"
#include "upgrade/plan.h"

// Whether this target's images are started by a second-stage boot loader of the chip's own, which verifies them.
static inline bool job_is_second_stage(const molt_target_t *target) {
    return MOLT_STANDBY && target->standby != NULL;
}

// Whether jobs on this target write into an OTA slot.
static inline bool job_is_slots(const molt_target_t *target) {
    return MOLT_STANDBY && target->otadata_addr != 0;
}

// Whether they are for standby mode.
static inline bool job_is_standby(const molt_target_t *target) {
    return job_is_second_stage(target) && !job_is_slots(target);
}

// What went wrong, beside the error code: which of the fields below has the sentence.
typedef enum molt_job_trouble {
    MOLT_JOB_TROUBLE_NONE,
    MOLT_JOB_TROUBLE_FILE,           // it cannot be read
    MOLT_JOB_TROUBLE_IMAGE,          // image.defect
    MOLT_JOB_TROUBLE_CHIP,           // whole, but an image for another chip
    MOLT_JOB_TROUBLE_NO_HEAD,        // the first sector cannot start on its own (0xEA images)
    MOLT_JOB_TROUBLE_REFUSED,        // refusal
    MOLT_JOB_TROUBLE_EXTENTS,        // the extents do not lead to the file's bytes
    MOLT_JOB_TROUBLE_SAVED,          // the saved first sector is not what it should be
    MOLT_JOB_TROUBLE_PENDING,        // an upgrade is already prepared
    MOLT_JOB_TROUBLE_TRIAL,          // the firmware is on trial
    MOLT_JOB_TROUBLE_FLASH,          // the flash driver's error
    MOLT_JOB_TROUBLE_LOADER,         // resident mode: the image would be loaded over the boot loader, or brings its own
    MOLT_JOB_TROUBLE_RESIDENT,       // the resident boot loader is damaged, or of another version
    MOLT_JOB_TROUBLE_FALLBACK,       // something to fall back on, without resident mode
    MOLT_JOB_TROUBLE_NO_TRIALS,      // likewise in standby mode, and there is no room for trials
    MOLT_JOB_TROUBLE_STANDBY,        // standby mode: the loader or its rows are damaged
    MOLT_JOB_TROUBLE_CANCELLED,      // standby mode: an upgrade was cancelled, and there was no reset since
    MOLT_JOB_TROUBLE_NO_HASH,        // standby mode: the image has no SHA-256, by which the boot loader knows it for whole
    MOLT_JOB_TROUBLE_REVISION,       // the image is for other revisions of the chip
    MOLT_JOB_TROUBLE_GZIP,           // the file is a gzip file, but a damaged one, or not only one
    MOLT_JOB_TROUBLE_NO_GZIP,        // a gzip file, and the target has no extension for them
    MOLT_JOB_TROUBLE_NO_WINDOW,      // a gzip file: molt_job_set_window(), and open it again
    MOLT_JOB_TROUBLE_WINDOW,         // its references reach back farther than the window
    MOLT_JOB_TROUBLE_BOMB,           // it unpacks to more than fits
    MOLT_JOB_TROUBLE_DELTA,          // the file is a delta file, but a damaged one
    MOLT_JOB_TROUBLE_NO_DELTA,       // a delta file, and the target has no extension for them
    MOLT_JOB_TROUBLE_DELTA_KIND,     // one of another version, or for larger sectors or images than there are
    MOLT_JOB_TROUBLE_DELTA_OTHER,    // the firmware that it was made for is not the one in flash
    MOLT_JOB_TROUBLE_DELTA_ERASE,    // erase_all, which a delta file cannot do
    MOLT_JOB_TROUBLE_DELTA_BACK,     // one to fall back on that does not lead from the new firmware to the present one
    MOLT_JOB_TROUBLE_DELTA_TRIAL,    // standby mode: one that is to be on trial, or to be fallen back on
    MOLT_JOB_TROUBLE_SLOT_FALLBACK,  // a file to fall back on, and there are OTA slots
    MOLT_JOB_TROUBLE_SLOT_ERASE,     // erase_all, and there are OTA slots
    MOLT_JOB_TROUBLE_EXTENSIONS,     // a trial with a gzip file and a delta file: there is room for one extension
} molt_job_trouble_t;

typedef enum molt_job_stage {
    MOLT_JOB_NEW,
    MOLT_JOB_OPEN,
    MOLT_JOB_PLANNED,
    MOLT_JOB_STORED,
} molt_job_stage_t;

// What a job has only for a delta file.
typedef struct molt_job_delta {
    molt_delta_t patch;
    molt_delta_standing_t standing;  // which of its images is in flash
    molt_plan_source_t source;       // the file, through the plan's extents
    uint32_t sector;                 // of the new image: decoded, in memory behind the windows; UINT32_MAX for none
    uint32_t writes;                 // sectors that it writes, the first one not among them
    uint32_t stash_set[2];           // a bit for each sector of its stash whose place is known
} molt_job_delta_t;

struct molt_job {
    molt_job_config_t config;
    const molt_source_t *source;
    // With a window of window_size bytes; NULL until it is needed.
    union {
        molt_unpack_t *unpack;    // for a gzip file
        molt_job_delta_t *delta;  // for a delta file
    };
    uint8_t *window;
    uint32_t window_size;
    molt_job_stage_t stage;
    molt_job_phase_t phase;
    molt_job_trouble_t trouble;
    molt_image_t image;  // for a gzip file: the image in it
    bool is_gzip;
    bool is_delta;
    uint32_t source_crc;  // of the file's bytes; for a raw image that of the image
    uint32_t kept_size;   // bytes of the file that the image's first sector comes from
    molt_plan_t plan;
    molt_refusal_t refusal;
    uint16_t present_params;  // header bytes 2 and 3 of the device now
    bool is_resident;         // sector 0 holds a resident boot loader
    uint32_t reserved_addr;   // its reserved region
    uint32_t present_addr;    // of the present firmware's first sector: 0, or a head
    bool is_running;          // OTA slots: the image is the one that runs
    uint32_t back_addr;       // standby mode, a fallback: of the sector that its plan is in; 0 until that is known
};

// What of the boot loader the job's file needs beside the boot loader itself; NULL for nothing.
const molt_loader_t *job_extension(const molt_job_t *job);

// Delta files' part of the calls of a job, in job_delta.c. They return as those do, with job->trouble set.
int job_delta_open(molt_job_t *job, const molt_reader_t *file);
int job_delta_plan(molt_job_t *job, const molt_reader_t *file);
int job_delta_check_back(molt_job_t *job);

// Whether it is known of each sector of its stash where it is.
bool job_delta_is_stashed(const molt_job_t *job);

// The part of the calls that is standby mode's, and there a fallback's, in job_standby.c. Likewise.
static inline bool job_is_standby_fallback(const molt_job_t *job) {
    return job_is_standby(job->config.target) && job->config.options.is_fallback;
}
int job_standby_store(molt_job_t *job);
int job_standby_commit(molt_job_t *job, uint32_t trial_starts);
int job_trial_check(molt_job_t *job);
int job_trial_bytes(molt_job_t *job, uint8_t *buf);
int job_trial_set(molt_job_t *job, uint32_t addr);
int job_trial_store(molt_job_t *job);

static inline uint32_t job_sector_size(const molt_job_t *job) {
    return molt_sector_size(&job->config.flash->geometry);
}

// OTA slots' part of them, in job_slots.c. Likewise.
int job_slots_check(molt_job_t *job);
int job_slots_compare(molt_job_t *job, const molt_reader_t *image);
void job_slots_facts(const molt_job_t *job, molt_job_facts_t *facts);
int job_slots_store(molt_job_t *job);
int job_slots_commit(molt_job_t *job, uint32_t trial_starts);

// A delta file into another place than that of the old image: write what it makes to the target's image_addr, in job_delta.c.
// Returns 0 or an error; job->trouble is the caller's.
int job_delta_write(molt_job_t *job);

// Of all jobs, in job.c.
int job_trouble(molt_job_t *job, molt_job_trouble_t kind, int err);
int job_progress(void *job, uint32_t done, uint32_t total);
int job_check_kind(molt_job_t *job, const molt_reader_t *reader, bool safe_check);
int job_check_loadable(molt_job_t *job);
int job_sum(molt_job_t *job, const molt_reader_t *reader, uint32_t *crc, uint8_t sha1[MOLT_SHA1_SIZE]);

#endif
