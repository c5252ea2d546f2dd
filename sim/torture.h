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
// At each start of a firmware its sectors have to be all of one image: the old one or a new one.
//
// Cells that a cut left weak read by a new coin at each power-on. So where there still are such cells when all is
// done, the device is powered on some more times; and again after the image's file was removed and other files took its
// room, as they will some day. None of these starts may write anything but molt's own region.
//
// Misreads: the same upgrade again and again, and in each run one read is wrong once, by one bit. Likewise in starts
// afterwards, with the image's file there and without it; likewise, for a sample of reads, in recoveries from a cut.
// Where an error comes of it, or littlefs follows a pointer that is none (a tag that it misreads can look like one that it keeps in memory
// only; on a chip that is an exception and a reset), the boot loader or the user tries once more. What a misread, or a torn page, does to
// littlefs while that writes the saved file is littlefs's own matter and counted apart.
//
// Fatal windows: while sector 0 is rewritten nothing boots, and a loss there is counted apart. What such a moment is
// does not depend on how molt does it: a window opens with the erase of sector 0 and is open until the mask ROM would
// start what is there. It may open once in a preparation, and once in a run of the boot loader, if all that is behind
// sector 0 is as the new image wants it; nothing but sector 0 may be written while it is open. Any other rewriting of
// sector 0 is a defect, whatever comes of it. The header has to go in last, and alone: without it nothing half done boots
// (but for what a torn erase leaves, of which the mask ROM's checksum lets one in 256 through). In resident mode there
// are no windows at all, and in standby mode neither: there the first sector of the image may be rewritten, as long as the boot
// loader does not start what is half done.
#ifndef MOLT_SIM_TORTURE_H
#define MOLT_SIM_TORTURE_H

#include "device.h"
#include "sim_upgrade.h"

#define TORTURE_DEPTH_MAX 4

// What else a disturbance can be, beside the tears of sim: the read with this number, counted from power-on, is
// wrong.
enum {
    TORTURE_MISREAD = SIM_TEAR_NAME_COUNT,  // in the upgrade, or in a recovery
    TORTURE_MISREAD_LATER,                  // in a start after it
    TORTURE_MISREAD_REUSED,                 // in one after the image's sectors went to other files
    TORTURE_HOW_COUNT,
};

// Bits of torture_t.misreads.
enum {
    TORTURE_IN_UPGRADE = 1,
    TORTURE_IN_RECOVERIES = 2,
    TORTURE_IN_LATER_STARTS = 4,
};

// A disturbance.
typedef struct torture_cut {
    uint32_t op;   // number of the operation, or of the read
    int how;       // a sim_tear_t, or a TORTURE_MISREAD_
    uint32_t bit;  // of a misread: which of the bits that are tried; 0 for a cut
} torture_cut_t;

typedef enum torture_verdict {
    TORTURE_RECOVERED,
    TORTURE_WINDOW,          // lost in one of the named windows
    TORTURE_LITTLEFS,        // files lost by a misread or a torn page while littlefs wrote: its own matter
    TORTURE_UNCOUNTED,       // a trial that does not end, as the cut tore what the second-stage boot loader notes of it
    TORTURE_BRICK,           // nothing boots, outside the windows
    TORTURE_STUCK,           // the boot loader gives up
    TORTURE_NO_UPGRADE,      // the old firmware runs but the upgrade cannot be started again
    TORTURE_ENDLESS,         // does not come to an end
    TORTURE_MIXED,           // a firmware starts whose sectors are not all of one image
    TORTURE_UNNAMED_WINDOW,  // sector 0 is rewritten at a moment that is not named
    TORTURE_HEADER_EARLY,    // the header of sector 0 is programmed before all else there is
    TORTURE_OVERWRITE,       // a 1 is programmed over a 0
    TORTURE_WRONG_IMAGE,     // a firmware runs, but it is not the new one byte for byte
    TORTURE_WRONG_OUTSIDE,   // bytes outside image and filesystem changed
    TORTURE_WRONG_FILES,     // a file is gone or has other bytes
    TORTURE_VERDICT_COUNT,
    TORTURE_LOSSES = TORTURE_BRICK,  // from here on
} torture_verdict_t;

typedef struct torture_totals {
    uint64_t op_count;       // operations of the main line
    uint64_t window_count;   // rewritings of sector 0 in it
    uint64_t wanted_count;   // cuts and misreads that there have to be, by runs in which nothing was disturbed
    uint64_t planned_count;  // that were meant to be made
    uint64_t fired_count;    // that were made
    uint64_t misread_count;  // misreads among them
    uint64_t verdicts[TORTURE_VERDICT_COUNT];
    uint64_t starts_max;  // most starts of the boot loader in one recovery
    // The first loss: its cuts.
    torture_cut_t lost[TORTURE_DEPTH_MAX];
    uint32_t lost_depth;  // 0 if none was lost
    torture_verdict_t lost_verdict;
} torture_totals_t;

typedef struct torture_file {
    char path[256];
    uint32_t size;
    uint32_t crc;
} torture_file_t;

typedef struct torture {
    // Set by the caller.
    sim_nor_t *nor;  // a device with the old firmware and the file; comes back as it was
    molt_loader_t loader;
    molt_loader_t extension;
    molt_loader_t delta;  // the extension for delta files, in two parts
    molt_loader_t delta_rest;
    molt_loader_t resident;           // the resident boot loader; the device may have it in or not
    const sim_code_t *code_once;      // of the boot loaders; NULL: of this program
    const sim_code_t *code_resident;  // both parts of it
    const molt_target_t *standby;     // an ESP32 in standby mode, or one with OTA slots, with this target; NULL: an ESP8266
    const sim_code_t *code_standby;
    molt_loader_t overlay;      // its second part
    const char *fallback_path;  // a trial, with this image to fall back on; NULL for none. With OTA slots it is what ran before
    bool confirms;              // the new firmware keeps itself; otherwise the trial ends in the fallback
    molt_region_t fs;
    const char *path;  // of the new image
    molt_job_options_t options;
    uint32_t depth;         // 1 or more
    uint32_t tears;         // bit set of 1 << sim_tear_t
    uint32_t misreads;      // bit set of TORTURE_IN_
    uint32_t misread_step;  // of the reads of a recovery every n-th one is wrong once; 0 for 1
    uint32_t cut_step;      // only every n-th operation is cut; 0 for 1
    uint32_t job;           // of `job_count`: this run takes every job_count-th operation of the main line
    uint32_t job_count;
    const torture_cut_t *replay;                                  // only these cuts, one for each depth; NULL for all
    bool stop_at_loss;                                            // one loss is enough
    void (*progress)(void *ctx, const torture_totals_t *totals);  // now and then; or NULL
    void *progress_ctx;
    void (*on_loss)(torture_verdict_t verdict, const char *id);  // each loss; or NULL
    // Results.
    torture_totals_t totals;
    int err;         // of the main line; 0
    char text[256];  // its sentence
    // The rest is the engine's own.
    sim_device_t device;
    bool is_gzip;          // the file that was loaded last
    bool is_delta;         // one of those that were loaded
    uint8_t *image;        // the image as it has to be in the end, in whole sectors
    uint32_t image_end;    // bytes of it
    uint8_t *trial_image;  // the one that is on trial; NULL for none
    uint32_t trial_end;
    uint32_t reserved_addr;  // in resident mode, or 0
    uint8_t *old_head;       // first sector of the old firmware
    uint8_t *original;       // the chip before the upgrade
    uint8_t *prepared_fs;    // the filesystem as the main line's preparation left it
    bool is_prepared;        // prepared_fs is valid
    torture_file_t *files;
    uint32_t file_count;
    // What goes back with the chip after each disturbance.
    struct torture_now {
        uint32_t level;
        uint32_t prepare_count;  // preparations on the way to the present state
        bool is_preparing;
        bool is_littlefs_op;       // the operation before
        uint64_t overwrite_count;  // the chip's, when that was looked at last
        bool is_over;              // the new firmware has run: from now on starts write in molt's region only
        bool is_open;              // a window: sector 0 was erased, and nothing was seen to boot since
        uint32_t window_count;     // that were opened since the chip was in its first state
        uint64_t window_run;       // the run of firmware or boot loader that the last one was opened in
        uint64_t run_count;        // of these runs
        bool has_misread;          // on the way to the present state
        bool has_misled_littlefs;  // while it wrote; or a torn page took its bytes
        bool has_torn_note;        // a cut has torn what the second-stage boot loader was writing
        bool is_excused;           // an error came of it, once
        torture_verdict_t wrong;   // what is wrong already, or TORTURE_RECOVERED
    } now;
    torture_cut_t path_cuts[TORTURE_DEPTH_MAX];
    bool in_window[TORTURE_DEPTH_MAX];
} torture_t;

// Run. Returns 0, or a negative error if the upgrade does not even succeed undisturbed (see text).
int torture_run(torture_t *torture);

// Cuts that did not end well, outside the named windows.
uint64_t torture_loss_count(const torture_totals_t *totals);

// Whether each cut and misread that there had to be was made.
bool torture_is_complete(const torture_totals_t *totals);

void torture_add(torture_totals_t *sum, const torture_totals_t *totals);

// The name of `depth` disturbances, one after the other, which torture_parse_id() reads back: "17.random/230.zero".
void torture_format_id(const torture_cut_t *cuts, uint32_t depth, char *text, uint32_t text_size);

// The number of cuts in `text`, at most TORTURE_DEPTH_MAX, or -1 if it makes no sense.
int torture_parse_id(const char *text, torture_cut_t cuts[TORTURE_DEPTH_MAX]);

const char *torture_verdict_text(torture_verdict_t verdict);

#endif
