// The torture engine: see torture.h for what it does and what it holds a device to.

#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "molt/crc32.h"
#include "molt/error.h"
#include "molt/report.h"
#include "molt/resident.h"
#include "torture_files.h"

// Starts of a firmware or a preparation after which a recovery counts as endless.
#define LIVES_MAX 8

// Starts that a firmware on trial has.
#define TRIAL_STARTS 2

static void *allocate(size_t size) {
    void *p = malloc(size ? size : 1);
    if (p == NULL) {
        abort();
    }
    return p;
}

static sim_device_t device_of(const torture_t *torture) {
    return (sim_device_t){ .nor = torture->nor, .loader = torture->loader, .resident = torture->resident };
}

static uint32_t image_end(const torture_t *torture) {
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    return (torture->image_size + sector_size - 1) / sector_size * sector_size;
}

// What the firmware does, or its user: start the upgrade.
static int prepare(torture_t *torture) {
    host_job_t job;
    host_job_init(&job, torture->nor, &torture->fs, torture->path);
    job.loader = torture->loader;
    job.extension = torture->extension;
    job.overlay = torture->overlay;
    job.options = torture->options;
    job.fallback_path = torture->fallback_path;
    job.trial_starts = TRIAL_STARTS;
    torture->prepare_count++;
    int err = host_prepare(&job);
    if (err) {
        host_text(&job, err, torture->text, sizeof torture->text);
    }
    host_job_free(&job);
    return err;
}

// Whether the firmware that runs begins with `first`.
static bool begins_with(const torture_t *torture, const uint8_t *first) {
    const uint8_t *head = torture->nor->bytes + torture->head_addr;
    return first && memcmp(head, first, torture->nor->flash.geometry.sector_size) == 0;
}

// The image that is wanted in the end runs, and not because it was there at first: a fallback may be the old firmware.
static bool is_over(const torture_t *torture) {
    if (!begins_with(torture, torture->image)) {
        return false;
    }
    molt_state_t state;
    bool falls_back = torture->fallback_path && !torture->confirms;
    return !falls_back
           || (molt_state_read(&torture->nor->flash, torture->reserved_addr, &state) == 0
               && state.result == MOLT_STATE_RESULT_ROLLED_BACK);
}

// What the firmware does when it starts. RECOVERED means that all is done, ENDLESS that it resets and goes on.
static torture_verdict_t run_firmware(torture_t *torture) {
    const molt_flash_t *flash = &torture->nor->flash;
    molt_state_t state;
    bool on_trial = torture->reserved_addr && molt_state_read(flash, torture->reserved_addr, &state) == 0
                    && state.kind == MOLT_STATE_TRIAL;
    if (on_trial && torture->confirms && begins_with(torture, torture->image)) {
        return molt_resident_confirm(flash, torture->reserved_addr) ? TORTURE_NO_UPGRADE : TORTURE_RECOVERED;
    }
    if (on_trial) {
        return begins_with(torture, torture->trial_image) ? TORTURE_ENDLESS : TORTURE_WRONG_IMAGE;
    }
    if (is_over(torture)) {
        return TORTURE_RECOVERED;
    }
    if (!begins_with(torture, torture->old_head)) {
        return TORTURE_WRONG_IMAGE;
    }
    return prepare(torture) ? TORTURE_NO_UPGRADE : TORTURE_ENDLESS;
}

// From power-on until the new firmware runs.
static torture_verdict_t live(torture_t *torture) {
    sim_device_t device = device_of(torture);
    for (uint32_t life = 0; life < LIVES_MAX; life++) {
        switch (sim_device_start(&device)) {
            case SIM_BRICK:
                return TORTURE_BRICK;
            case SIM_STUCK:
            case SIM_CUT:
                return TORTURE_STUCK;
            case SIM_FIRMWARE:
                break;
        }
        if (device.loader_starts > torture->totals.starts_max) {
            torture->totals.starts_max = device.loader_starts;
        }
        torture->head_addr = device.head_addr;
        torture_verdict_t verdict = run_firmware(torture);
        if (verdict != TORTURE_ENDLESS) {
            return verdict;
        }
        if (torture->level == 0 && !torture->is_prepared && torture->prepare_count) {
            memcpy(torture->prepared_fs, torture->nor->bytes + torture->fs.addr, torture->fs.size);
            torture->is_prepared = true;
        }
    }
    return TORTURE_ENDLESS;
}

// The filesystem is as the main line's preparation left it, but for the report.
static bool fs_is_prepared_fs(const torture_t *torture) {
    const uint8_t *now = torture->nor->bytes + torture->fs.addr;
    const uint8_t *then = torture->prepared_fs;
    for (uint32_t off = 0; off < torture->fs.size; off += 4) {
        if (memcmp(now + off, then + off, 4) != 0) {
            // The report: its magic and CRC unchanged, two words before or one word before.
            molt_report_t report;
            bool is_starts = off >= 8 && molt_report_parse(&report, now + off - 8) == 0;
            bool is_result = off >= 12 && molt_report_parse(&report, now + off - 12) == 0;
            if (!is_starts && !is_result) {
                return false;
            }
        }
    }
    return true;
}

// After erase_all: erased, but for the few sectors that hold the first bytes of the source, and the extension.
static bool fs_is_erased(const torture_t *torture) {
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    uint32_t left = 0;
    for (uint32_t off = 0; off < torture->fs.size; off += sector_size) {
        const uint8_t *sector = torture->nor->bytes + torture->fs.addr + off;
        bool is_blank = sector[0] == 0xff && memcmp(sector, sector + 1, sector_size - 1) == 0;
        left += !is_blank;
    }
    return left <= 12;
}

static bool is_original(const torture_t *torture, uint32_t begin, uint32_t end) {
    return end <= begin || memcmp(torture->nor->bytes + begin, torture->original + begin, end - begin) == 0;
}

static bool outside_is_original(const torture_t *torture) {
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    uint32_t fs_end = torture->fs.addr + torture->fs.size;
    uint32_t begin = image_end(torture);
    if (torture->reserved_addr) {
        // In front of the filesystem.
        uint32_t reserved_end = torture->reserved_addr + MOLT_RESERVED_SECTOR_COUNT * sector_size;
        if (!is_original(torture, 0, sector_size) || !is_original(torture, begin, torture->reserved_addr)) {
            return false;
        }
        begin = reserved_end;
    }
    return is_original(torture, begin, torture->fs.addr) && is_original(torture, fs_end, torture->nor->flash.geometry.size);
}

// The first sector is where the device starts it from, the others are in their places.
static bool image_is_right(const torture_t *torture) {
    uint32_t sector_size = torture->nor->flash.geometry.sector_size;
    return begins_with(torture, torture->image)
           && memcmp(torture->nor->bytes + sector_size, torture->image + sector_size, image_end(torture) - sector_size) == 0;
}

static torture_verdict_t inspect(torture_t *torture) {
    if (!image_is_right(torture)) {
        return TORTURE_WRONG_IMAGE;
    }
    if (!outside_is_original(torture)) {
        return TORTURE_WRONG_OUTSIDE;
    }
    bool fine;
    if (torture->options.erase_all) {
        fine = fs_is_erased(torture);
    } else if (torture->is_prepared && torture->prepare_count == 1) {
        fine = fs_is_prepared_fs(torture);
    } else {
        fine = torture_files_match(torture);
    }
    return fine ? TORTURE_RECOVERED : TORTURE_WRONG_FILES;
}

static void count_verdict(torture_t *torture, torture_verdict_t verdict) {
    torture_totals_t *totals = &torture->totals;
    // Earlier cuts were recovered from, or there would have been no operation for the last one.
    if (verdict != TORTURE_RECOVERED && torture->in_window[torture->level - 1]) {
        verdict = TORTURE_WINDOW;
    }
    totals->verdicts[verdict]++;
    if (verdict > TORTURE_WINDOW && totals->lost_depth == 0) {
        totals->lost_depth = torture->level;
        totals->lost_verdict = verdict;
        memcpy(totals->lost, torture->path_cuts, sizeof totals->lost);
    }
}

static bool is_wanted(const torture_t *torture, char kind, uint32_t op, sim_tear_t tear) {
    if (torture->replay) {
        const torture_cut_t *cut = &torture->replay[torture->level];
        return cut->op == op && cut->tear == tear;
    }
    bool is_this_job = torture->level > 0 || op % torture->job_count == torture->job;
    bool is_possible = tear != SIM_TEAR_ZERO || kind != 'p';
    return is_this_job && is_possible && (torture->tears >> tear & 1) != 0;
}

static void watch(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size);

// Cut the power in the operation that is about to happen, recover, look, and undo all of it.
static void cut_here(torture_t *torture, char kind, uint32_t addr, const void *data, uint32_t size, sim_tear_t tear) {
    sim_nor_t *nor = torture->nor;
    sim_nor_t outer = *nor;
    uint32_t prepare_count = torture->prepare_count;
    uint32_t level = torture->level;

    sim_nor_push(nor);
    torture->path_cuts[level] = (torture_cut_t){ (uint32_t)nor->op_count, tear };
    // Programs of the journal are the only ones in sector 0 that are shorter than a page.
    torture->in_window[level] = torture->reserved_addr == 0 && (addr == 0 || (addr < nor->flash.geometry.sector_size && size == nor->flash.geometry.page_size));
    torture->totals.planned_count++;
    torture->level++;
    nor->watch = NULL;
    nor->cut_op = (int64_t)nor->op_count;
    nor->cut_tear = tear;
    if (kind == 'p') {
        (void)nor->flash.prog(nor->flash.ctx, addr, data, size);
    } else if (kind == 's') {
        (void)nor->flash.erase_sector(nor->flash.ctx, addr);
    } else {
        (void)nor->flash.erase_block(nor->flash.ctx, addr);
    }
    torture->totals.fired_count += nor->is_cut;
    sim_nor_power_on(nor);
    nor->watch = torture->level < torture->depth ? watch : NULL;
    torture_verdict_t verdict = live(torture);
    nor->watch = NULL;
    if (verdict == TORTURE_RECOVERED) {
        verdict = inspect(torture);
    }
    count_verdict(torture, verdict);

    torture->level = level;
    torture->prepare_count = prepare_count;
    sim_nor_pop(nor);
    *nor = outer;
}

static void watch(void *ctx, char kind, uint32_t addr, const void *data, uint32_t size) {
    torture_t *torture = ctx;
    uint32_t op = (uint32_t)torture->nor->op_count;
    if (torture->stop_at_loss && torture->totals.lost_depth) {
        return;
    }
    for (sim_tear_t tear = 0; tear < SIM_TEAR_COUNT; tear++) {
        if (is_wanted(torture, kind, op, tear)) {
            cut_here(torture, kind, addr, data, size, tear);
        }
    }
    if (torture->level == 0 && torture->progress) {
        torture->progress(torture->progress_ctx, &torture->totals);
    }
}

// The image in the file at `path` as it has to be in flash, in whole sectors. 0 or an error of the filesystem.
static int load_image(torture_t *torture, const char *path, uint8_t **image) {
    int err = torture_files_load(torture, path, image, &torture->image_size);
    if (err) {
        return err;
    }
    uint32_t end = image_end(torture);
    *image = realloc(*image, end);
    if (*image == NULL) {
        abort();
    }
    memset(*image + torture->image_size, 0xff, end - torture->image_size);
    if (!torture->options.image_params) {
        memcpy(*image + 2, torture->nor->bytes + 2, 2);
    }
    return 0;
}

// What there is before anything is done, and what there has to be in the end.
static int note_images(torture_t *torture) {
    const molt_flash_t *flash = &torture->nor->flash;
    molt_state_t state;
    uint32_t old_head_addr = 0;
    torture->reserved_addr = 0;
    if (molt_resident_find(flash, &torture->reserved_addr) != 0) {
        torture->reserved_addr = 0;
    } else if (molt_state_read(flash, torture->reserved_addr, &state) == 0) {
        old_head_addr = molt_state_head_addr(flash, torture->reserved_addr, state.head);
    }
    torture->old_head = torture->original + old_head_addr;
    bool falls_back = torture->fallback_path && !torture->confirms;
    if (!falls_back) {
        return load_image(torture, torture->path, &torture->image);
    }
    int err = load_image(torture, torture->path, &torture->trial_image);
    return err ? err : load_image(torture, torture->fallback_path, &torture->image);
}

static int run_main_line(torture_t *torture) {
    sim_nor_t *nor = torture->nor;
    int err = note_images(torture);
    if (!err) {
        err = torture_files_list(torture);
    }
    if (err) {
        snprintf(torture->text, sizeof torture->text, "the filesystem or the file %s cannot be read", torture->path);
        return err;
    }
    sim_nor_power_on(nor);
    nor->watch = watch;
    nor->watch_ctx = torture;
    torture_verdict_t verdict = live(torture);
    nor->watch = NULL;
    torture->totals.op_count = nor->op_count;
    if (verdict == TORTURE_RECOVERED) {
        verdict = inspect(torture);
    }
    if (verdict != TORTURE_RECOVERED) {
        if (torture->text[0] == 0) {
            snprintf(torture->text, sizeof torture->text, "undisturbed: %s", torture_verdict_text(verdict));
        }
        return MOLT_ERR_CORRUPT;
    }
    return 0;
}

int torture_run(torture_t *torture) {
    sim_nor_t *nor = torture->nor;
    uint32_t size = nor->flash.geometry.size;
    torture->totals = (torture_totals_t){ 0 };
    torture->image = NULL;
    torture->trial_image = NULL;
    torture->original = allocate(size);
    torture->prepared_fs = allocate(torture->fs.size);
    memcpy(torture->original, nor->bytes, size);
    if (torture->job_count == 0) {
        torture->job_count = 1;
    }
    torture->err = run_main_line(torture);
    memcpy(nor->bytes, torture->original, size);
    sim_nor_power_on(nor);
    free(torture->original);
    free(torture->prepared_fs);
    free(torture->image);
    free(torture->trial_image);
    free(torture->files);
    return torture->err;
}

uint64_t torture_loss_count(const torture_totals_t *totals) {
    uint64_t count = 0;
    for (int i = TORTURE_WINDOW + 1; i < TORTURE_VERDICT_COUNT; i++) {
        count += totals->verdicts[i];
    }
    return count;
}

void torture_add(torture_totals_t *sum, const torture_totals_t *totals) {
    sum->op_count = totals->op_count;
    sum->planned_count += totals->planned_count;
    sum->fired_count += totals->fired_count;
    for (int i = 0; i < TORTURE_VERDICT_COUNT; i++) {
        sum->verdicts[i] += totals->verdicts[i];
    }
    if (totals->starts_max > sum->starts_max) {
        sum->starts_max = totals->starts_max;
    }
    if (sum->lost_depth == 0 && totals->lost_depth) {
        sum->lost_depth = totals->lost_depth;
        sum->lost_verdict = totals->lost_verdict;
        memcpy(sum->lost, totals->lost, sizeof sum->lost);
    }
}

void torture_format_id(const torture_totals_t *totals, char *text, uint32_t text_size) {
    uint32_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < totals->lost_depth && used < text_size; i++) {
        used += (uint32_t)snprintf(text + used, text_size - used, "%s%u.%s", i ? "/" : "", totals->lost[i].op,
            sim_tear_name(totals->lost[i].tear));
    }
}

int torture_parse_id(const char *text, torture_cut_t cuts[TORTURE_DEPTH_MAX]) {
    int count = 0;
    while (*text && count < TORTURE_DEPTH_MAX) {
        char *end;
        unsigned long op = strtoul(text, &end, 10);
        if (end == text || *end != '.') {
            return -1;
        }
        text = end + 1;
        size_t length = strcspn(text, "/");
        char name[16];
        if (length >= sizeof name) {
            return -1;
        }
        memcpy(name, text, length);
        name[length] = 0;
        int tear = sim_tear_parse(name);
        if (tear < 0) {
            return -1;
        }
        cuts[count++] = (torture_cut_t){ (uint32_t)op, (sim_tear_t)tear };
        text += length + (text[length] == '/');
    }
    return *text == 0 && count > 0 ? count : -1;
}

const char *torture_verdict_text(torture_verdict_t verdict) {
    static const char *const texts[TORTURE_VERDICT_COUNT] = {
        "recovered",
        "lost in a named window (sector 0 being rewritten)",
        "nothing boots",
        "the boot loader gives up",
        "the old firmware runs, but the upgrade cannot be started again",
        "the upgrade does not come to an end",
        "a firmware runs that is not the new image",
        "bytes outside image and filesystem have changed",
        "a file is gone or has other bytes",
    };
    return texts[verdict];
}
