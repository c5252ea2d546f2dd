// Rehearsing an upgrade.

#include "rehearse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "molt/error.h"
#include "say.h"
#include "survey.h"

void rehearse_job(host_job_t *job, dumpfs_t *dump, const args_t *args) {
    host_job_init(job, &dump->nor, &dump->fs, args->positional[1] + strspn(args->positional[1], "/"));
    job->options.safe_check = !args->no_safe_check;
    job->options.erase_all = args->erase_all;
    job->options.image_params = args->image_params;
    job->options.reserved = dump->kept;
    job->options.reserved_count = dump->kept_count;
}

uint64_t rehearse_window_us(const sim_timing_t *timing) {
    const sim_counts_t counts = {
        .erase_sector_count = 1,
        .prog_count = 16,
        .prog_command_count = sim_command_count(4096),
        .prog_size = 4096,
    };
    return sim_time_us(&counts, timing);
}

typedef struct run_counter {
    uint32_t block_count;
    uint32_t run_count;
    uint32_t next_sector;
} run_counter_t;

static int count_run(void *ctx, const molt_extent_t *extent) {
    run_counter_t *counter = ctx;
    uint32_t sector = extent->addr / 4096;
    counter->block_count++;
    // They come from the last to the first.
    counter->run_count += counter->block_count == 1 || sector + 1 != counter->next_sector;
    counter->next_sector = sector;
    return 0;
}

static sim_counts_t difference(const sim_counts_t *now, const sim_counts_t *then) {
    return (sim_counts_t){
        now->erase_sector_count - then->erase_sector_count,
        now->erase_block_count - then->erase_block_count,
        now->prog_count - then->prog_count,
        now->prog_command_count - then->prog_command_count,
        now->prog_size - then->prog_size,
        now->read_size - then->read_size,
    };
}

// What the plan says once it is finished, before it is carried out.
static int note_plan(rehearsal_t *rehearsal, const host_job_t *job) {
    const molt_upgrade_t *upgrade = &job->upgrade;
    uint32_t sector_size = job->nor->flash.geometry.sector_size;
    uint8_t *sector = malloc(sector_size);
    if (sector == NULL) {
        return MOLT_ERR_NOSPC;
    }
    memcpy(sector, upgrade->plan.sector, sector_size);
    rehearsal->plan = upgrade->plan;
    rehearsal->plan.sector = sector;
    rehearsal->image = upgrade->image;
    rehearsal->is_resident = upgrade->is_resident;
    molt_plan_count(&rehearsal->plan, &rehearsal->tally);
    run_counter_t counter = { 0, 0, 0 };
    int err = molt_extents_walk(&upgrade->extents, count_run, &counter);
    rehearsal->block_count = counter.block_count;
    rehearsal->run_count = counter.run_count;
    return err;
}

static int fail(rehearsal_t *rehearsal, const char *path, const char *sentence) {
    snprintf(rehearsal->text, sizeof rehearsal->text, "%s: %s", *path ? path : "/", sentence);
    return 1;
}

// As the device refuses it.
static int refuse_frozen(rehearsal_t *rehearsal, const host_job_t *job, const char *names) {
    char sentence[400];
    snprintf(sentence, sizeof sentence, "the new firmware (%u bytes) would run over the frozen modules %s: remove them by molt "
        "frozen rm, and add them again afterwards", job->upgrade.plan.image_size, names);
    return fail(rehearsal, job->path, sentence);
}

static int perform(rehearsal_t *rehearsal, dumpfs_t *dump, host_job_t *job) {
    char sentence[400];
    char names[200];
    molt_region_t frozen;
    bool has_frozen = survey_find_frozen(dump, &frozen);
    sim_nor_t *nor = &dump->nor;
    sim_counts_t begin = nor->counts;
    int err = host_prepare(job);
    rehearsal->image = job->upgrade.image;
    rehearsal->refusal = job->upgrade.refusal;
    if (err) {
        host_text(job, err, sentence, sizeof sentence);
        return fail(rehearsal, job->path, sentence);
    }
    if (has_frozen && survey_frozen_met(dump, &frozen, job->upgrade.plan.image_size, names, sizeof names)) {
        return refuse_frozen(rehearsal, job, names);
    }
    rehearsal->prepare = difference(&nor->counts, &begin);
    rehearsal->prepare_op_count = nor->op_count;
    if (note_plan(rehearsal, job) != 0) {
        return fail(rehearsal, job->path, "its blocks cannot be followed; copy the file again");
    }
    begin = nor->counts;
    sim_device_t device = { .nor = nor, .loader = job->loader, .resident = job->resident };
    sim_outcome_t outcome = sim_device_start(&device);
    if (outcome != SIM_FIRMWARE || device.boot_result != MOLT_BOOT_DONE) {
        return fail(rehearsal, job->path, "the boot loader would not carry this upgrade out; copy the file again, and report it");
    }
    rehearsal->boot = difference(&nor->counts, &begin);
    rehearsal->op_count = nor->op_count;
    return 0;
}

int rehearse(rehearsal_t *rehearsal, dumpfs_t *dump, const args_t *args) {
    host_job_t job;
    rehearse_job(&job, dump, args);
    *rehearsal = (rehearsal_t){ .op_count = 0 };
    if (!sim_device_boots(&dump->nor)) {
        return fail(rehearsal, dump->path,
            "nothing in sector 0 that the mask ROM would start, so no firmware could upgrade itself; write a firmware with esptool");
    }
    sim_counts_t counts = dump->nor.counts;
    sim_nor_push(&dump->nor);
    dumpfs_power_on(dump);
    int status = perform(rehearsal, dump, &job);
    host_job_free(&job);
    sim_nor_pop(&dump->nor);
    dump->nor.counts = counts;
    dumpfs_power_on(dump);
    return status;
}

void rehearse_free(rehearsal_t *rehearsal) {
    free(rehearsal->plan.sector);
    rehearsal->plan.sector = NULL;
}
