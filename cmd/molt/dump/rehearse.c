// Rehearsing an upgrade.

#include "rehearse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "describe.h"
#include "files.h"
#include "gunzip.h"
#include "molt/error.h"
#include "resident/resident.h"
#include "survey.h"

void rehearse_job(sim_upgrade_t *host, dumpfs_t *dump, const args_t *args) {
    const char *path = args->positional[1] + strspn(args->positional[1], "/");
    sim_upgrade_init(host, &dump->nor, &dump->fs, *path ? path : "/");
    host->target = dump->board.target;
    host->options.safe_check = !args->no_safe_check;
    host->options.erase_all = args->erase_all;
    host->options.image_params = args->image_params;
    host->options.reserved = dump->kept;
    host->options.reserved_count = dump->kept_count;
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

uint64_t rehearse_word_us(const sim_timing_t *timing) {
    const sim_counts_t counts = { .prog_count = 1, .prog_command_count = 1, .prog_size = 4 };
    return sim_time_us(&counts, timing);
}

// In resident mode the first sector is elsewhere than where the image begins.
uint32_t rehearse_find_head(const dumpfs_t *dump, molt_region_t *reserved) {
    // The bytes are there, whether or not the chip has power.
    sim_nor_t nor = dump->nor;
    const molt_flash_t *flash = &nor.flash;
    molt_state_t state;
    nor.is_cut = false;
    nor.flash.ctx = &nor;
    *reserved = board_note_region(&dump->board);
    uint32_t addr;
    if (dump->board.is_esp32) {
        return dump->board.target.image_addr;
    }
    if (molt_resident_find(flash, &addr) != 0 || molt_state_read(flash, addr, &state) != 0) {
        return 0;
    }
    *reserved = (molt_region_t){ addr, MOLT_RESERVED_SECTOR_COUNT * flash->geometry.sector_size };
    return molt_state_head_addr(flash, addr, state.head);
}

// The CRC-32 of the firmware in the dump, with the flash parameters that the image itself has.
static uint32_t firmware_crc(const dumpfs_t *dump, const rehearsal_t *rehearsal) {
    uint8_t head[4096];
    molt_region_t reserved;
    uint32_t size = rehearsal->plan.image_size;
    const uint8_t *body = dump->nor.bytes + rehearsal->plan.image_addr + sizeof head;
    memcpy(head, dump->nor.bytes + rehearse_find_head(dump, &reserved), sizeof head);
    head[2] = rehearsal->image.flash_mode;
    head[3] = rehearsal->image.flash_size_freq;
    return size <= sizeof head ? molt_crc32(0, head, size)
                               : molt_crc32(molt_crc32(0, head, sizeof head), body, size - (uint32_t)sizeof head);
}

bool rehearse_holds_image(const dumpfs_t *dump, const rehearsal_t *rehearsal) {
    const molt_plan_t *plan = &rehearsal->plan;
    uint32_t image_end = (plan->image_size + 4095) / 4096 * 4096;
    molt_region_t reserved;
    const uint8_t *head = dump->nor.bytes + rehearse_find_head(dump, &reserved);
    const uint8_t *body = dump->nor.bytes + plan->image_addr;
    bool fine = firmware_crc(dump, rehearsal) == plan->image_crc && head[2] == (plan->flash_params & 0xff)
                && head[3] == plan->flash_params >> 8;
    // The rest of the last sector, which can be the first one.
    for (uint32_t off = plan->image_size; off < image_end; off++) {
        fine = fine && (off < 4096 ? head[off] : body[off]) == 0xff;
    }
    return fine;
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
static int note_plan(rehearsal_t *rehearsal, const sim_upgrade_t *host) {
    const molt_job_t *job = &host->job;
    uint32_t sector_size = host->nor->flash.geometry.sector_size;
    uint8_t *sector = malloc(sector_size);
    if (sector == NULL) {
        return MOLT_ERR_NOSPC;
    }
    memcpy(sector, job->plan.sector, sector_size);
    rehearsal->plan = job->plan;
    rehearsal->plan.sector = sector;
    rehearsal->image = job->image;
    rehearsal->mode = host->target.otadata_addr ? BOARD_SLOTS
                      : host->target.standby    ? BOARD_STANDBY
                      : job->is_resident        ? BOARD_RESIDENT
                                                : BOARD_TRANSIENT;
    molt_plan_count(&rehearsal->plan, &rehearsal->tally);
    molt_job_facts_t facts;
    molt_job_facts(job, &facts);
    if (rehearsal->mode == BOARD_SLOTS) {
        rehearsal->is_delta = job->is_delta;
        rehearsal->tally = (molt_plan_tally_t){
            .image_sector_count = facts.sector_count,
            .program_count = facts.program_count,
            .sector_erase_count = facts.sector_erase_count,
            .block_erase_count = facts.block_erase_count,
            .is_in_place = facts.is_in_place,
        };
    } else if (job->is_delta) {
        rehearsal->is_delta = true;
        rehearsal->stash_count = job->delta->patch.header.op_count - job->delta->writes;
        rehearsal->stash_files = molt_job_stash_count(job);
        rehearsal->tally.program_count = facts.program_count;
        rehearsal->tally.equal_count = facts.equal_count;
        rehearsal->tally.sector_erase_count = facts.sector_erase_count;
        rehearsal->tally.block_erase_count = 0;
        rehearsal->tally.is_in_place = facts.is_in_place;
    }
    run_counter_t counter = { 0, 0, 0 };
    int err = job->source->walk(job->source->ctx, count_run, &counter);
    rehearsal->block_count = counter.block_count;
    rehearsal->run_count = counter.run_count;
    return err;
}

static int fail(rehearsal_t *rehearsal, const char *path, const char *sentence) {
    snprintf(rehearsal->text, sizeof rehearsal->text, "%s: %s", path, sentence);
    return 1;
}

// As the device refuses it.
static int refuse_frozen(rehearsal_t *rehearsal, const sim_upgrade_t *host, const char *names) {
    char sentence[400];
    snprintf(sentence, sizeof sentence,
        "the new firmware (%u bytes) would run over the frozen modules %s: remove them by molt "
        "frozen rm, and add them again afterwards",
        host->job.plan.image_size, names);
    return fail(rehearsal, host->path, sentence);
}

// The boot loader has done its work and no firmware starts: with --no-safe-check the image can be one that nothing starts.
static int refuse_outcome(rehearsal_t *rehearsal, dumpfs_t *dump, const sim_upgrade_t *host) {
    char sentence[400];
    molt_image_t image = { .defect = MOLT_IMAGE_FINE };
    uint8_t *bytes;
    uint32_t size;
    if (molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, false) == 0
        && files_load(&dump->volume, host->path, &bytes, &size) == 0) {
        if (!gunzip_is_gzip(bytes, size) || gunzip(&bytes, &size) == NULL) {
            (void)describe_verify(bytes, size, &image);
        }
        free(bytes);
    }
    if (image.defect == MOLT_IMAGE_FINE) {
        return fail(
            rehearsal, host->path, "the boot loader would not carry this upgrade out; copy the file again, and report it");
    }
    snprintf(sentence, sizeof sentence,
        "the upgrade would be carried out, and %s would not start what is then in flash (%s); the "
        "device would need its serial line",
        rehearsal->mode == BOARD_RESIDENT ? "the resident boot loader" : board_starter(&dump->board),
        molt_image_defect_text(image.defect));
    return fail(rehearsal, host->path, sentence);
}

// Remarks on a plan that is possible.
static void note_upgrade(rehearsal_t *rehearsal, dumpfs_t *dump, const sim_upgrade_t *host) {
    say_notes_t *notes = &rehearsal->notes;
    const molt_image_t *image = &rehearsal->image;
    char text[400];
    uint8_t *bytes;
    uint32_t size;
    if (host->job.is_gzip && molt_volume_mount(&dump->volume, &dump->nor.flash, &dump->fs, 0, false) == 0
        && files_load(&dump->volume, host->path, &bytes, &size) == 0) {
        gunzip_note(notes, bytes, size);
        free(bytes);
    }
    if (rehearsal->is_delta) {
        gunzip_note_window(notes, host->job.delta->patch.header.main_window_size, "delta");
    }
    if (*dumpfs_size_text(dump, text, sizeof text)) {
        say_note(notes, "%s", text);
    }
    if (firmware_loader_text(&dump->firmware)) {
        say_note(notes, "%s", firmware_loader_text(&dump->firmware));
    }
    describe_note_tail(notes, image);
    uint32_t made = image->crc_mode | (uint32_t)image->crc_size_freq << 8;
    if (image->kind == MOLT_IMAGE_KIND_ARDUINO && image->has_crc && host->options.safe_check
        && made != rehearsal->plan.flash_params) {
        say_note(notes,
            "the image's CRC covers flash mode and size, which stay as this device has them: ESP.checkFlashCRC() will be "
            "false (--flash-params=image takes those of the image)");
    }
}

static int perform(rehearsal_t *rehearsal, dumpfs_t *dump, sim_upgrade_t *host) {
    char sentence[400];
    char names[200];
    molt_region_t frozen;
    bool has_frozen = survey_find_frozen(dump, &frozen);
    sim_nor_t *nor = &dump->nor;
    // Planned once for what is told, for preparing uses the plan up; and once more as the device does it.
    int err = sim_upgrade_plan(host);
    if (!err) {
        err = note_plan(rehearsal, host);
    }
    if (!err && rehearsal->is_delta && rehearsal->tally.is_in_place) {
        // The old image, which all else would be made of, is not there any more.
        return 0;
    }
    sim_counts_t begin = nor->counts;
    err = err ? err : sim_upgrade_prepare(host);
    rehearsal->image = host->job.image;
    rehearsal->refusal = host->job.refusal;
    if (err) {
        sim_upgrade_text(host, err, sentence, sizeof sentence);
        return fail(rehearsal, host->path, sentence);
    }
    if (has_frozen && survey_frozen_met(dump, &frozen, host->job.plan.image_size, names, sizeof names)) {
        return refuse_frozen(rehearsal, host, names);
    }
    rehearsal->prepare = difference(&nor->counts, &begin);
    rehearsal->prepare_op_count = nor->op_count;
    note_upgrade(rehearsal, dump, host);
    begin = nor->counts;
    sim_device_t device = board_device(&dump->board, nor, NULL);
    sim_outcome_t outcome = sim_device_start(&device);
    bool is_done = rehearsal->mode == BOARD_SLOTS ? device.head_addr == host->target.image_addr
                                                  : device.boot_result == MOLT_BOOT_DONE;
    if (outcome != SIM_FIRMWARE || !is_done) {
        return refuse_outcome(rehearsal, dump, host);
    }
    rehearsal->boot = difference(&nor->counts, &begin);
    rehearsal->op_count = nor->op_count;
    return 0;
}

int rehearse(rehearsal_t *rehearsal, dumpfs_t *dump, const args_t *args) {
    sim_upgrade_t host;
    rehearse_job(&host, dump, args);
    *rehearsal = (rehearsal_t){ .op_count = 0 };
    if (dump->firmware.loader == FIRMWARE_LOADER_DAMAGED) {
        return fail(rehearsal, dump->path, firmware_loader_text(&dump->firmware));
    }
    char sentence[400];
    if (*board_trouble(&dump->board, dump->path, sentence, sizeof sentence)) {
        return fail(rehearsal, dump->path, sentence);
    }
    if (board_start(&dump->board, &dump->nor) == BOARD_STARTS_NOTHING) {
        snprintf(sentence, sizeof sentence,
            "nothing %s that %s would start, so no firmware could upgrade itself; write a firmware with esptool",
            board_place(&dump->board), board_starter(&dump->board));
        return fail(rehearsal, dump->path, sentence);
    }
    sim_counts_t counts = dump->nor.counts;
    sim_nor_push(&dump->nor);
    dumpfs_power_on(dump);
    int status = perform(rehearsal, dump, &host);
    sim_upgrade_free(&host);
    sim_nor_pop(&dump->nor);
    dump->nor.counts = counts;
    dumpfs_power_on(dump);
    rehearsal->is_in_place = !status && args->cut_op < 0 && rehearsal->tally.is_in_place;
    return status;
}

void rehearse_free(rehearsal_t *rehearsal) {
    free(rehearsal->plan.sector);
    rehearsal->plan.sector = NULL;
}
