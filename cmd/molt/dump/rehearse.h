// A rehearsal: the whole upgrade on the simulated chip, which afterwards holds what it held. What it takes is known
// then to the last operation.
#ifndef MOLT_CMD_REHEARSE_H
#define MOLT_CMD_REHEARSE_H

#include "args.h"
#include "device.h"
#include "dumpfs.h"
#include "say.h"
#include "sim_upgrade.h"

typedef struct rehearsal {
    sim_counts_t prepare;       // by the running firmware: check, save, boot sector in
    sim_counts_t boot;          // by the boot loader
    uint64_t prepare_op_count;  // programs and erases
    uint64_t op_count;          // of both
    bool is_in_place;           // flash holds the image already, and nothing else is asked for: nothing to do
    say_notes_t notes;          // remarks on image and dump
    board_mode_t mode;          // other than BOARD_TRANSIENT: no fatal windows
    molt_image_t image;
    molt_plan_t plan;  // finished; its sector is owned by the rehearsal
    molt_plan_tally_t tally;
    bool is_delta;
    uint32_t stash_count;  // of a delta: old sectors that are kept while it is carried out, and the files beside it
    uint32_t stash_files;
    uint32_t block_count;  // of the file, and in how many runs of blocks that follow one another
    uint32_t run_count;
    molt_refusal_t refusal;  // reason NONE unless the plan was refused
    char text[512];          // the sentence, after a failure
} rehearsal_t;

// Set up `job` for the upgrade that the command line asks for.
void rehearse_job(sim_upgrade_t *host, dumpfs_t *dump, const args_t *args);

// Returns 0, or 1 with the sentence in `text`. Nothing is changed. rehearse_free() either way.
// The notes are there after 0 only.
int rehearse(rehearsal_t *rehearsal, dumpfs_t *dump, const args_t *args);
void rehearse_free(rehearsal_t *rehearsal);

// Whether flash holds the image of the plan, and header bytes 2 and 3 as the plan has them.
bool rehearse_holds_image(const dumpfs_t *dump, const rehearsal_t *rehearsal);

// Where the firmware's first sector is, and in *reserved what molt keeps for itself (size 0 without resident or standby mode).
uint32_t rehearse_find_head(const dumpfs_t *dump, molt_region_t *reserved);

// Microseconds of a program of 4 bytes: the one moment of standby mode, when it is installed.
uint64_t rehearse_word_us(const sim_timing_t *timing);

// Microseconds that the rewriting of sector 0 takes, in which a power cut is fatal: one erase, 16 pages. It is
// rewritten twice, boot loader in and new first sector in.
uint64_t rehearse_window_us(const sim_timing_t *timing);

#endif
