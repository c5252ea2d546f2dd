// The boot loader's work: resume the plan in the boot sector and carry it out. Chips add only their entry and
// their flash driver (ports/); the host runs this same file.

#include "upgrade/boot.h"

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sha1.h"
#include "molt/error.h"
#include "upgrade/apply.h"
#include "upgrade/boot_parts.h"
#include "upgrade/journal.h"
#include "upgrade/marks.h"
#include "upgrade/plan.h"
#include "upgrade/plan_layout.h"
#include "upgrade/report.h"
#include "upgrade/starts.h"
#include "upgrade/trial.h"

// How often what was read wrong is read again before it counts as wrong.
#define CHECK_TRIES 4u

// Where the boot loader's one constant flash and io come from is visible to the compiler only while they are
// parameters, so they are in no struct here.

typedef struct run {
    const molt_plan_t *plan;
    molt_journal_t journal;
    uint32_t log_off;  // in the sector: of the next entry of the log of starts
    uint32_t log_end;
    uint32_t last_first;  // what the last entry says: the first step of the start before, with MOLT_STARTS_DONE if that was done
    uint32_t from;        // step that this start begins to look at; verify_step where the source is not whole any more
    uint32_t progress;    // of a delta: how far it had come when this start began, at least 1; else 0
    uint32_t marks;       // standby mode: molt_marks_read()
    molt_reader_t image;
    uint8_t *buf;
} run_t;

// The boot sector is left alone: the image's first sector goes elsewhere.
static bool is_resident(const molt_boot_place_t *place, const molt_plan_t *plan) {
    return MOLT_RESIDENT_ONLY || (!MOLT_FIXED_PLACE && !MOLT_STANDBY_ONLY && place->final_addr != plan_boot_addr(plan));
}

// The first sector goes where the chip's own boot loader looks for it, and the plan is elsewhere.
static bool is_standby(const molt_boot_place_t *place, const molt_plan_t *plan) {
    return MOLT_STANDBY_ONLY || (!MOLT_FIXED_PLACE && !is_resident(place, plan) && place->plan_addr != place->final_addr);
}

static bool has_mark(const run_t *run, molt_mark_t mark) {
    return !MOLT_FIXED_PLACE && molt_mark_is_in(run->marks, mark);
}

static void tell(const molt_boot_io_t *io, molt_boot_event_t event, uint32_t arg) {
    io->event(io->ctx, event, arg);
}

static void note(const molt_flash_t *flash, const molt_plan_t *plan, molt_report_result_t result) {
    if (!MOLT_RESIDENT_ONLY && !MOLT_STANDBY_ONLY && plan->saved.report_addr) {
        // A courtesy to the firmware: no upgrade fails because of it.
        (void)molt_report_note(flash, plan->saved.report_addr, plan->image_crc, result);
    }
}

// Write an entry into the log of starts: a number and, in the upper half, the complement of it.
static void log_start(const molt_flash_t *flash, const molt_boot_place_t *place, run_t *run, uint32_t number) {
    uint32_t entry = number | ~number << 16;
    if (run->log_off < run->log_end) {
        (void)flash->prog(flash->ctx, place->plan_addr + run->log_off, &entry, sizeof entry);
        run->log_off += sizeof entry;
    }
}

// What a start is known by in the log: the number of its first step or, where that is a delta, how far it has come in that.
static uint32_t log_number(const run_t *run, uint32_t first) {
    return MOLT_DELTA && first == MOLT_DELTA_STEP && run->progress ? MOLT_STARTS_DELTA | run->progress : first;
}

// Find the end of the log of starts and what it says. Returns how many starts before this one had the same first step.
static uint32_t read_log(run_t *run) {
    uint32_t count = 0;
    for (uint32_t off = run->log_off; off < run->log_end; off += 4) {
        uint32_t entry = load32_le(run->plan->sector + off);
        uint32_t number = entry & 0xffff;
        if ((uint16_t)~number == entry >> 16) {
            count = number == run->last_first ? count + 1 : 1;
            run->last_first = number;
        }
        // Behind whatever a lost page has left, too.
        if (entry != UINT32_MAX) {
            run->log_off = off + 4;
        }
    }
    return count;
}

// Before anything is erased: find the first step, note it in the log of starts, and wait if starts before this one got no
// further. (A supply that gives way under the current of an erase would otherwise wear a sector out, erasing it at each
// start.)
//
// The first step is the first one that is not marked; but the last one that is, if it was the first of the start before
// and that start did not come to note that it was done: the mark may be one that a power cut tore, that was read as not
// made then, so that the step was in progress again. The mark stays: no 1 is programmed over a 0.
//
// `count` is what read_log() returned. Returns the first step; step_count if only finishing is left.
static uint32_t begin_steps(
    const molt_flash_t *flash, const molt_boot_place_t *place, const molt_boot_io_t *io, run_t *run, uint32_t count) {
    const molt_plan_t *plan = run->plan;
    uint32_t marked = UINT32_MAX;
    uint32_t first = run->from;
    for (; first < plan->step_count; first++) {
        if (molt_plan_is_todo(plan, first)) {
            if (!molt_journal_is_done(&run->journal, first)) {
                break;
            }
            marked = first;
        }
    }
    // Without room for this start's "done" the same step would be done again at each start.
    bool has_room = run->log_end - run->log_off >= 8;
    if (has_room && run->last_first == marked) {
        first = marked;
    }
    uint32_t number = log_number(run, first);
    if (run->last_first != number) {
        count = 0;
    }
    if (count < MOLT_STARTS_MAX) {
        log_start(flash, place, run, number);
    }
    if (count >= MOLT_STARTS_FREE) {
        io->wait(io->ctx, 1u << (count - MOLT_STARTS_FREE));
    }
    return first;
}

bool boot_first_holds(const molt_flash_t *flash, uint32_t addr, uint32_t crc, uint8_t needed, uint8_t *buf) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    for (uint32_t try = 0; try < CHECK_TRIES; try++) {
        int err = flash->read(flash->ctx, addr, buf, sector_size);
        bool is_possible = (buf[0] & needed) == needed;
        buf[0] = MOLT_APP_MAGIC;
        if (!err && is_possible && molt_crc32(0, buf, sector_size) == crc) {
            return true;
        }
    }
    return false;
}

// Standby mode: write the first sector so that its magic byte goes in last, alone. So a sector that begins with it is whole, and
// until then the chip's own boot loader starts molt. Where a trial begins that is wanted once more, and it is left out.
static int write_magic_last(const molt_flash_t *flash, const molt_boot_place_t *place, uint8_t *buf, bool begins_trial) {
    uint8_t magic = buf[0];
    buf[0] = 0xff;
    int err = molt_sector_write(flash, place->final_addr, buf, false);
    buf[0] = magic;
    if (!err) {
        err = molt_marks_make(flash, place->plan_addr, MOLT_MARK_PLACED);
    }
    return err || begins_trial ? err : flash->prog(flash->ctx, place->final_addr, buf, 4);
}

// Write the first sector of a firmware, which is in run->buf and has to have `crc`, to its place. What is read wrong never
// goes where a device starts from.
static int put_first(const molt_flash_t *flash, const molt_boot_place_t *place, const molt_boot_io_t *io, const run_t *run,
    uint32_t crc, molt_report_result_t result) {
    if (molt_crc32(0, run->buf, molt_sector_size(&flash->geometry)) != crc) {
        return MOLT_ERR_CORRUPT;
    }
    note(flash, run->plan, result);
    tell(io, MOLT_BOOT_FINISH, result);
    bool begins_trial = result == MOLT_REPORT_DONE && plan_trial_size(run->plan) != 0;
    return is_standby(place, run->plan) ? write_magic_last(flash, place, run->buf, begins_trial)
                                        : molt_sector_write(flash, place->final_addr, run->buf, false);
}

// Standby mode: whether the first sector is that of a firmware which somebody has put there since, and not the old one, in run->buf, or
// what preparing or putting back has left of it. Those can break its first page, where a chip loses that with a torn program; and until
// it is put back it does not begin like an image, not by a torn erase's chance either. Takes the plan's sector as a buffer.
static bool is_of_another(const molt_flash_t *flash, const molt_boot_place_t *place, const run_t *run) {
    uint32_t page_size = molt_page_size(&flash->geometry);
    uint32_t size = molt_sector_size(&flash->geometry);
    uint8_t *present = run->plan->sector;
    // What cannot be read is nobody's; writing it shows what is wrong.
    (void)flash->read(flash->ctx, place->final_addr, present, size);
    bool is_whole = has_mark(run, MOLT_MARK_PLACED) || app_is_like(present, run->buf);
    return is_whole && memcmp(present + page_size, run->buf + page_size, size - page_size) != 0;
}

// Standby mode: the old first sector into run->buf, from where it was saved or from its place, where it may lack its first byte.
static bool read_old_first(const molt_flash_t *flash, const molt_boot_place_t *place, const run_t *run) {
    const molt_saved_t *saved = &run->plan->saved;
    return boot_first_holds(flash, saved->head_addr, saved->head_crc, MOLT_APP_MAGIC, run->buf)
           || boot_first_holds(flash, place->final_addr, saved->head_crc, 0, run->buf);
}

// The source is not what was checked: put the old first sector back, if that at least is what was saved.
static int restore(const molt_flash_t *flash, const molt_boot_place_t *place, const molt_boot_io_t *io, const run_t *run) {
    const molt_saved_t *saved = &run->plan->saved;
    int err = 0;
    if (!is_standby(place, run->plan)) {
        err = flash->read(flash->ctx, saved->head_addr, run->buf, molt_sector_size(&flash->geometry));
    } else if (!read_old_first(flash, place, run)) {
        err = MOLT_ERR_CORRUPT;
    } else if (is_of_another(flash, place, run)) {
        return MOLT_BOOT_IDLE;
    }
    if (!err) {
        err = put_first(flash, place, io, run, saved->head_crc, MOLT_REPORT_RESTORED);
    }
    return err ? err : MOLT_BOOT_RESTORED;
}

// A gzip file or a patch is read by an extension, code that was saved beside the first sector. MOLT_ERR_CORRUPT if it is not
// what was saved, however often it is read; otherwise what io->extend() returns.
static int extend(const molt_flash_t *flash, const molt_boot_io_t *io, const molt_plan_t *plan, const molt_reader_t *source,
    uint8_t *buf, molt_reader_t *image) {
    uint32_t size = plan->saved.extension_size;
    for (uint32_t try = 0; try < CHECK_TRIES; try++) {
        int err = flash->read(flash->ctx, plan->saved.extension_addr, buf, size);
        if (err) {
            return err;
        }
        if (molt_crc32(0, buf, size) == plan->saved.extension_crc) {
            return io->extend(io->ctx, buf, size, source, image);
        }
    }
    return MOLT_ERR_CORRUPT;
}

// Whether the image is the one that was checked when the plan was made: as its source has it, or as it stands in flash
// with the first sector from its source. It is read again before it counts as another.
// Returns 0, MOLT_ERR_CORRUPT, or MOLT_ERR_IO, which is flash's.
static int check_image(const molt_flash_t *flash, const molt_boot_io_t *io, const run_t *run, bool in_flash) {
    const molt_plan_t *plan = run->plan;
    for (uint32_t try = 0; try < CHECK_TRIES; try++) {
        uint8_t digest[MOLT_SHA1_SIZE];
        molt_sha1_t sha1;
        uint32_t size;
        tell(io, MOLT_BOOT_CHECK, in_flash);
        molt_sha1_init(&sha1);
        for (uint32_t off = 0; off < plan->image_size; off += size) {
            size = min_u32(molt_sector_size(&plan->geometry), plan->image_size - off);
            int err = in_flash && off ? flash->read(flash->ctx, plan_image_addr(plan) + off, run->buf, (size + 3) & ~3u)
                                      : run->image.read(run->image.ctx, off, run->buf, size);
            // A gzip file that was read wrong, or whose blocks hold something else by now, does not unpack, for one reason
            // or another; that counts as another image, too.
            if (err == MOLT_ERR_IO) {
                return err;
            }
            molt_sha1_update(&sha1, run->buf, size);
        }
        molt_sha1_finish(digest, &sha1);
        if (memcmp(digest, molt_plan_image_sha1(plan), sizeof digest) == 0) {
            return 0;
        }
    }
    return MOLT_ERR_CORRUPT;
}

// The source or, where that is being erased already with the rest of the filesystem, the image in flash; run->from says which.
// Returns as check_image() does.
static int check_either(const molt_flash_t *flash, const molt_boot_io_t *io, run_t *run) {
    run->from = 1;
    int err = check_image(flash, io, run, false);
    if (err == MOLT_ERR_CORRUPT) {
        run->from = run->plan->verify_step;
        err = check_image(flash, io, run, true);
    }
    return err;
}

// Let nothing that was read wrong once stay: the image in flash is the one that was checked, to the last bit. What
// differs from the source is written again; the next try checks it.
// Returns 0, MOLT_ERR_CORRUPT (it is not, or was not), or an error of flash.
static int verify(const molt_flash_t *flash, const molt_boot_io_t *io, const run_t *run) {
    const molt_plan_t *plan = run->plan;
    int err = check_image(flash, io, run, true);
    // A source that is not whole must not be written over a sector that is right.
    if (err != MOLT_ERR_CORRUPT || run->from != 1) {
        return err;
    }
    uint32_t sector_size = molt_sector_size(&plan->geometry);
    for (uint32_t off = sector_size; off < plan->image_size; off += sector_size) {
        uint32_t addr = plan_image_addr(plan) + off;
        tell(io, MOLT_BOOT_STEP, plan->verify_step);
        err = molt_target_read(&run->image, plan, addr, run->buf);
        if (!err && molt_sector_verify(flash, addr, run->buf) != 0) {
            err = molt_sector_write(flash, addr, run->buf, false);
        }
        if (err) {
            return err;
        }
    }
    return MOLT_ERR_CORRUPT;
}

// Perform the steps that are not done yet, and `first`, whatever its mark says: it may have been in progress when the power
// failed, so its range is erased again, whatever flash seems to hold. Verifying is done at each start that comes here: a chip
// that lost the page of the journal may have kept the marks of sectors, and not that of the block that is erased for them.
static int perform_steps(
    const molt_flash_t *flash, const molt_boot_place_t *place, const molt_boot_io_t *io, run_t *run, uint32_t first) {
    const molt_plan_t *plan = run->plan;
    bool in_erased_block = false;
    // Where a firmware may have run since, its filesystem is not erased again.
    bool is_over = is_standby(place, plan) && has_mark(run, MOLT_MARK_FINISHING);
    uint32_t end = is_over ? plan->verify_step + 1 : plan->step_count;
    for (uint32_t i = run->from; i < end; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        bool todo = molt_plan_is_todo(plan, i);
        if (step.kind == MOLT_STEP_ERASE_BLOCK) {
            in_erased_block = todo;
        }
        bool is_verify = step.kind == MOLT_STEP_VERIFY;
        if (!todo || (molt_journal_is_done(&run->journal, i) && !is_verify && i != first)) {
            continue;
        }
        tell(io, MOLT_BOOT_STEP, i);
        int err = is_verify ? verify(flash, io, run)
                  : MOLT_DELTA && i == MOLT_DELTA_STEP && run->progress
                      ? io->transform(io->ctx)
                      : molt_apply_step(flash, plan, &run->image, &step, run->buf, in_erased_block && i != first);
        if (err) {
            return err;
        }
        (void)molt_journal_mark(flash, &run->journal, i);
        if (i == first) {
            log_start(flash, place, run, i | MOLT_STARTS_DONE);
        }
    }
    return 0;
}

// The plan is still there. That it is finished is noted before anything else counts on it.
static int note_finished(const molt_flash_t *flash, const molt_boot_place_t *place, run_t *run) {
    int err = molt_journal_mark(flash, &run->journal, run->plan->step_count);
    log_start(flash, place, run, run->plan->step_count | MOLT_STARTS_DONE);
    return err;
}

// All steps are done: the image's first sector goes in.
static int finish(const molt_flash_t *flash, const molt_boot_io_t *io, const molt_boot_place_t *place, run_t *run) {
    const molt_plan_t *plan = run->plan;
    if (has_mark(run, MOLT_MARK_PLACED)) {
        return 0;
    }
    int err = is_standby(place, plan) ? molt_marks_make(flash, place->plan_addr, MOLT_MARK_FINISHING) : 0;
    if (!err) {
        err = molt_target_read(&run->image, plan, plan_image_addr(plan), run->buf);
    }
    if (!err) {
        err = put_first(flash, place, io, run, plan->first_crc, MOLT_REPORT_DONE);
    }
    return !err && is_resident(place, plan) ? note_finished(flash, place, run) : err;
}

// Read the sector at `plan_addr` so that both of two readings have the same: what is read of the journal has no CRC.
static int read_twice(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *sector, uint8_t *buf) {
    uint32_t size = molt_sector_size(&flash->geometry);
    int err = flash->read(flash->ctx, plan_addr, sector, size);
    if (!err) {
        err = flash->read(flash->ctx, plan_addr, buf, size);
    }
    return !err && memcmp(sector, buf, size) != 0 ? MOLT_ERR_IO : err;
}

int molt_boot_open(const molt_flash_t *flash, uint32_t plan_addr, molt_plan_t *plan, uint8_t *sector, uint8_t *buf) {
    int err = read_twice(flash, plan_addr, sector, buf);
    return err ? err : molt_plan_open(plan, &flash->geometry, sector);
}

// The image as its file has it, for run->image, and whether it is the one that was checked. Returns as check_either() does, or the error
// of the extension.
static int open_image(const molt_flash_t *flash, const molt_boot_io_t *io, run_t *run, const molt_reader_t *source) {
    int err = 0;
    run->image = *source;
    if (run->plan->source_kind != MOLT_SOURCE_COPY) {
        err = extend(flash, io, run->plan, source, run->buf, &run->image);
    }
    if (MOLT_DELTA && err > 0) {
        // A delta, which was checked as far as it can still be.
        run->progress = (uint32_t)err;
        run->from = 1;
        return 0;
    }
    return err ? err : check_either(flash, io, run);
}

int boot_apply(const molt_flash_t *flash, const molt_boot_place_t *place, const molt_plan_t *plan, uint8_t *buf,
    const molt_boot_io_t *io, uint32_t marks, bool is_doubtful) {
    run_t run = {
        .plan = plan,
        .journal = { place->plan_addr + plan->journal_off, plan->set_size, plan->sector + plan->journal_off },
        .log_off = plan->journal_off + plan->set_size,
        .log_end = plan->journal_off + plan->set_size + plan->log_size,
        .marks = marks,
        .buf = buf,
    };
    tell(io, MOLT_BOOT_START, plan->step_count);
    if (!has_mark(&run, MOLT_MARK_PLACED)) {
        note(flash, plan, MOLT_REPORT_PENDING);
    }
    uint32_t count = read_log(&run);
    // Finishing is a step like the others: the mark is not believed if the start before was finishing and did not come to
    // note that it had.
    if (is_resident(place, plan) && molt_journal_is_done(&run.journal, plan->step_count) && run.last_first != plan->step_count) {
        return note_finished(flash, place, &run);
    }
    if (has_mark(&run, MOLT_MARK_CANCELLED) && !molt_journal_is_done(&run.journal, 0)) {
        return restore(flash, place, io, &run);
    }
    molt_plan_source_t source;
    molt_reader_t source_reader = molt_plan_reader(&source, flash, plan);
    int err = open_image(flash, io, &run, &source_reader);
    if (err == MOLT_ERR_CORRUPT && run.from != 1 && !molt_journal_is_done(&run.journal, 0)) {
        return is_resident(place, plan) ? MOLT_BOOT_RESTORED : restore(flash, place, io, &run);
    }
    if (!err && is_doubtful) {
        // Some chips lose a page of it with a program that is torn; but it may be somebody else's firmware, too.
        err = check_image(flash, io, &run, true);
        if (err == MOLT_ERR_CORRUPT) {
            return MOLT_BOOT_IDLE;
        }
        run.marks &= ~(1u << MOLT_MARK_PLACED);
    }
    if (!err) {
        // Also where it is marked already: whatever mark was read as made is made now.
        err = molt_journal_mark(flash, &run.journal, 0);
    }
    if (!err && is_standby(place, plan) && !has_mark(&run, MOLT_MARK_PLACED)) {
        err = molt_marks_break_image(flash, place->final_addr);
    }
    if (!err) {
        uint32_t first = begin_steps(flash, place, io, &run, count);
        err = perform_steps(flash, place, io, &run, first);
    }
    return err ? err : finish(flash, io, place, &run);
}

int molt_boot_apply(
    const molt_flash_t *flash, const molt_boot_place_t *place, const molt_plan_t *plan, uint8_t *buf, const molt_boot_io_t *io) {
    return boot_apply(flash, place, plan, buf, io, 0, false);
}

int molt_boot_run(
    const molt_flash_t *flash, const molt_boot_place_t *place, uint8_t *sector, uint8_t *buf, const molt_boot_io_t *io) {
    molt_plan_t plan;
    int err = molt_boot_open(flash, place->plan_addr, &plan, sector, buf);
    return err ? err : molt_boot_apply(flash, place, &plan, buf, io);
}
