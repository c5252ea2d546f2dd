// The boot loader's work: resume the plan in the boot sector and carry it out. Chips add only their entry and
// their flash driver (ports/); the host runs this same file.

#include "molt/boot.h"

#include "molt/apply.h"
#include "molt/crc32.h"
#include "molt/error.h"
#include "molt/journal.h"
#include "molt/plan.h"
#include "molt/report.h"

// Rounds of MOLT_APPLY_TRIES tries for the boot sector.
#define BOOT_SECTOR_ROUNDS 16u

// Where the boot loader's one constant flash and io come from is visible to the compiler only while they are
// parameters, so they are in no struct here.

static void tell(const molt_boot_io_t *io, molt_boot_event_t event, uint32_t arg) {
    io->event(io->ctx, event, arg);
}

static void note(const molt_flash_t *flash, const molt_plan_t *plan, molt_report_result_t result) {
    if (!MOLT_RESIDENT_ONLY && plan->saved.report_addr) {
        // A courtesy to the firmware: no upgrade fails because of it.
        (void)molt_report_note(flash, plan->saved.report_addr, plan->image_crc, result);
    }
}

// Write the first sector of a firmware. Where it replaces the boot sector nothing boots until this is done, so it is
// not given up soon.
static int write_first_sector(const molt_flash_t *flash, uint32_t addr, const uint8_t *data) {
    int err = MOLT_ERR_IO;
    for (uint32_t round = 0; err && round < BOOT_SECTOR_ROUNDS; round++) {
        err = molt_sector_write(flash, addr, data, false);
    }
    return err;
}

// The source is not what was checked: put the old first sector back, if that at least is what was saved.
static int restore(const molt_flash_t *flash, const molt_boot_io_t *io, const molt_plan_t *plan, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    tell(io, MOLT_BOOT_RESTORE, 0);
    int err = flash->read(flash->ctx, plan->saved.head_addr, buf, sector_size);
    if (err) {
        return err;
    }
    if (molt_crc32(0, buf, sector_size) != plan->saved.head_crc) {
        return MOLT_ERR_CORRUPT;
    }
    note(flash, plan, MOLT_REPORT_RESTORED);
    err = write_first_sector(flash, 0, buf);
    return err ? err : MOLT_BOOT_RESTORED;
}

// Perform the steps that are not done yet. The first of them may have been in progress when the power failed,
// so what it is about is erased again, whatever flash seems to hold.
static int perform_steps(const molt_flash_t *flash, const molt_boot_io_t *io, const molt_plan_t *plan,
    molt_journal_t *journal, const molt_reader_t *image, uint8_t *buf) {
    bool is_first = true;
    bool in_erased_block = false;
    for (uint32_t i = 1; i < plan->step_count; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        bool todo = molt_plan_is_todo(plan, i);
        if (step.kind == MOLT_STEP_ERASE_BLOCK) {
            in_erased_block = todo;
        }
        if (!todo || molt_journal_is_done(journal, i)) {
            continue;
        }
        tell(io, MOLT_BOOT_STEP, i);
        int err = molt_apply_step(flash, plan, image, &step, buf, in_erased_block && !is_first);
        if (err) {
            return err;
        }
        (void)molt_journal_mark(flash, journal, i);
        is_first = false;
    }
    return 0;
}

// A gzip file is read by an extension, code that was saved beside the first sector. MOLT_ERR_CORRUPT if it is not
// what was saved.
static int extend(const molt_flash_t *flash, const molt_boot_io_t *io, const molt_plan_t *plan,
    const molt_reader_t *source, uint8_t *buf, molt_reader_t *image) {
    uint32_t size = plan->saved.extension_size;
    int err = flash->read(flash->ctx, plan->saved.extension_addr, buf, size);
    if (err) {
        return err;
    }
    if (molt_crc32(0, buf, size) != plan->saved.extension_crc) {
        return MOLT_ERR_CORRUPT;
    }
    io->extend(io->ctx, buf, size, source, image);
    return 0;
}

// Before the first step: the source is what was checked. 0, MOLT_ERR_CORRUPT, or flash's error.
static int check_source(const molt_boot_io_t *io, const molt_plan_t *plan, const molt_reader_t *source, uint8_t *buf) {
    uint32_t crc;
    tell(io, MOLT_BOOT_CHECK, 0);
    int err = molt_source_crc(source, buf, molt_sector_size(&plan->geometry), &crc);
    return !err && crc != plan->source_crc ? MOLT_ERR_CORRUPT : err;
}

int molt_boot_open(const molt_flash_t *flash, uint32_t plan_addr, molt_plan_t *plan, uint8_t *sector) {
    int err = flash->read(flash->ctx, plan_addr, sector, molt_sector_size(&flash->geometry));
    return err ? err : molt_plan_open(plan, &flash->geometry, sector);
}

int molt_boot_apply(const molt_flash_t *flash, const molt_boot_place_t *place, const molt_plan_t *plan, uint8_t *buf,
    const molt_boot_io_t *io) {
    molt_journal_t journal = { place->plan_addr + plan->journal_off, plan->sector + plan->journal_off };
    tell(io, MOLT_BOOT_START, plan->step_count);
    note(flash, plan, MOLT_REPORT_PENDING);

    molt_source_t source = { flash, plan };
    molt_reader_t source_reader = molt_source_reader(&source);
    molt_reader_t image = source_reader;
    int err = 0;
    if (plan->source_kind == MOLT_SOURCE_GZIP) {
        err = extend(flash, io, plan, &source_reader, buf, &image);
    }
    if (!molt_journal_is_done(&journal, 0)) {
        if (!err) {
            err = check_source(io, plan, &source_reader, buf);
        }
        if (err == MOLT_ERR_CORRUPT) {
            return MOLT_RESIDENT_ONLY || place->plan_addr ? MOLT_BOOT_RESTORED : restore(flash, io, plan, buf);
        }
        if (!err) {
            err = molt_journal_mark(flash, &journal, 0);
        }
    }
    if (!err) {
        err = perform_steps(flash, io, plan, &journal, &image, buf);
    }
    if (!err) {
        err = molt_target_read(&image, plan, 0, buf);
    }
    if (err) {
        return err;
    }
    note(flash, plan, MOLT_REPORT_DONE);
    tell(io, MOLT_BOOT_FINISH, 0);
    err = write_first_sector(flash, place->final_addr, buf);
    return err ? err : MOLT_BOOT_DONE;
}

int molt_boot_run(const molt_flash_t *flash, const molt_boot_place_t *place, uint8_t *sector, uint8_t *buf,
    const molt_boot_io_t *io) {
    molt_plan_t plan;
    int err = molt_boot_open(flash, place->plan_addr, &plan, sector);
    return err ? err : molt_boot_apply(flash, place, &plan, buf, io);
}
