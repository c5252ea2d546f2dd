// Torture: an upgrade whose power is cut in every flash operation, with every kind of tear, and again in every
// operation of the recovery.
//
// How: the upgrade runs once, from the firmware's first check to the new firmware's start (the main line). Before
// each of its operations the chip's bytes are remembered, the operation is torn, and the device is powered up again
// until a firmware runs: the old one then starts the upgrade again, as its user would. What is there in the end is
// compared with what has to be there; then the bytes go back and the main line goes on. At depth 2 the same is done
// in every operation of each recovery.
//
// What has to be there: every byte of the new image (flash parameters as asked), every byte outside image and
// filesystem as it was, every file with the bytes that it had.
//
// In resident mode there is no fatal window: every loss counts. With a fallback the upgrade is a trial: the new firmware
// confirms, or does not and is replaced by the fallback.
//
// Fatal windows otherwise: while sector 0 is rewritten nothing boots, and a cut there is counted apart: from its erase up to
// its last page.
#ifndef MOLT_CMD_TORTURE_H
#define MOLT_CMD_TORTURE_H

#include "device.h"
#include "host.h"

#define TORTURE_DEPTH_MAX 4

typedef struct torture_cut {
    uint32_t op;
    sim_tear_t tear;
} torture_cut_t;

typedef enum torture_verdict {
    TORTURE_RECOVERED,
    TORTURE_WINDOW,        // lost in one of the named windows
    TORTURE_BRICK,         // nothing boots, outside the windows
    TORTURE_STUCK,         // the boot loader gives up
    TORTURE_NO_UPGRADE,    // the old firmware runs but the upgrade cannot be started again
    TORTURE_ENDLESS,       // does not come to an end
    TORTURE_WRONG_IMAGE,   // a firmware runs, but it is not the new one byte for byte
    TORTURE_WRONG_OUTSIDE, // bytes outside image and filesystem changed
    TORTURE_WRONG_FILES,   // a file is gone or has other bytes
    TORTURE_VERDICT_COUNT,
} torture_verdict_t;

typedef struct torture_totals {
    uint64_t op_count;       // operations of the main line
    uint64_t planned_count;  // cuts that were meant to be made
    uint64_t fired_count;    // cuts that were made
    uint64_t verdicts[TORTURE_VERDICT_COUNT];
    uint64_t starts_max;     // most starts of the boot loader in one recovery
    // The first loss: its cuts.
    torture_cut_t lost[TORTURE_DEPTH_MAX];
    uint32_t lost_depth;     // 0 if none was lost
    torture_verdict_t lost_verdict;
} torture_totals_t;

typedef struct torture_file {
    char path[256];
    uint32_t size;
    uint32_t crc;
} torture_file_t;

typedef struct torture {
    // Set by the caller.
    sim_nor_t *nor;           // a device with the old firmware and the file; comes back as it was
    molt_loader_t loader;
    molt_loader_t extension;
    molt_loader_t resident;   // the resident boot loader; the device may have it in or not
    molt_loader_t overlay;    // its second part
    const char *fallback_path;  // resident mode: a trial, with this image to fall back on; NULL for none
    bool confirms;            // the new firmware keeps itself; otherwise the trial ends in the fallback
    molt_region_t fs;
    const char *path;         // of the new image
    molt_upgrade_options_t options;
    uint32_t depth;           // 1 or more
    uint32_t tears;           // bit set of 1 << sim_tear_t
    uint32_t job;             // of `job_count`: this run takes every job_count-th operation of the main line
    uint32_t job_count;
    const torture_cut_t *replay;  // only these cuts, one for each depth; NULL for all
    bool stop_at_loss;        // one loss is enough
    void (*progress)(void *ctx, const torture_totals_t *totals);  // now and then; or NULL
    void *progress_ctx;
    // Results.
    torture_totals_t totals;
    int err;                  // of the main line; 0
    char text[256];           // its sentence
    // The rest is the engine's own.
    uint8_t *image;           // the image as it has to be in the end, in whole sectors
    uint8_t *trial_image;     // the one that is on trial; NULL for none
    uint32_t reserved_addr;   // in resident mode, or 0
    uint32_t head_addr;       // of the firmware that ran last
    uint8_t *old_head;        // first sector of the old firmware
    uint32_t image_size;
    uint8_t *original;        // the chip before the upgrade
    uint8_t *prepared_fs;     // the filesystem as the main line's preparation left it
    bool is_prepared;         // prepared_fs is valid
    uint32_t prepare_count;   // preparations on the way to the present state
    torture_file_t *files;
    uint32_t file_count;
    uint32_t level;
    torture_cut_t path_cuts[TORTURE_DEPTH_MAX];
    bool in_window[TORTURE_DEPTH_MAX];
} torture_t;

// Run. Returns 0, or a negative error if the upgrade does not even succeed undisturbed (see text).
int torture_run(torture_t *torture);

// Cuts that did not end well, outside the named windows.
uint64_t torture_loss_count(const torture_totals_t *totals);

void torture_add(torture_totals_t *sum, const torture_totals_t *totals);

// The name of the first loss, which torture_parse_id() reads back: "17.random/230.zero".
void torture_format_id(const torture_totals_t *totals, char *text, uint32_t text_size);

// The number of cuts in `text`, at most TORTURE_DEPTH_MAX, or -1 if it makes no sense.
int torture_parse_id(const char *text, torture_cut_t cuts[TORTURE_DEPTH_MAX]);

const char *torture_verdict_text(torture_verdict_t verdict);

#endif
