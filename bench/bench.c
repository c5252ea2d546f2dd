// The figures of the docs that come from the timing model: molt beside the ways that others go and beside the
// floor, on the same simulated chip, in one run.
//
//   bench           the tables
//   bench plan      bytes of stored plans, for tools/size: "name bytes" a line
//
// The rows, each a full upgrade of a 640 KB image in 4 MB of flash:
//   molt     the boot loader, and both rewritings of sector 0, of which the firmware does the first; what the firmware
//            does before that (reading, comparing, saving the first sector) is a row of its own. From the raw image,
//            from a gzip file of it, and in resident mode, where sector 0 stays and a start loads the firmware
//   erase all, then copy
//            the algorithm of MicroPython's pull request 12429: every sector of the image is erased, one by one; then
//            sector by sector is read and programmed. Nothing is checked or read back. Ours, after its description
//   sector by sector
//            the loop of Arduino's eboot: erase a sector, read 4 KB, program 4 KB. Ours, likewise
//   floor    the least that leads to the same bytes: the cheaper of a 64 KB erase and single sector erases for each
//            block of sectors that differ, and their pages. No reading, no safety
// All of them are timed by sim_time_us(): flash operations and bus transfers, not the CPU's instructions.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fixture/device.h"
#include "lfs/extents.h"
#include "map/map.h"
#include "molt/standby.h"
#include "molt_esp32.h"
#include "molt_esp8266.h"
#include "sim_upgrade.h"
#include "standby/standby.h"
#include "upgrade/marks.h"
#include "upgrade/plan.h"

#define SECTOR 4096u
#define BLOCK 65536u
#define PAGE 256u

#define TARGET_S 6.0  // a fully changed 640 KB image, W25Q32, typical
#define TARGET_OF_EBOOT 0.6

// What a flash operation or a read was for.
typedef enum cause {
    CAUSE_PREPARE,   // the firmware: reading, comparing, saving the first sector
    CAUSE_HEAD_IN,   // sector 0: boot loader and plan, read back
    CAUSE_HEAD_OUT,  // sector 0: the new first sector, read back
    CAUSE_PLAN,      // the boot loader reads its own sector
    CAUSE_CHECK,     // first check of the source
    CAUSE_SOURCE,    // the source, while it is copied
    CAUSE_READ_BACK,
    CAUSE_ERASE_BLOCK,
    CAUSE_ERASE_SECTOR,
    CAUSE_PAGES,
    CAUSE_JOURNAL,
    CAUSE_REPORT,
    CAUSE_COUNT,
} cause_t;

typedef struct tap {
    sim_nor_t *nor;
    molt_flash_t chip;   // the simulator's own callbacks
    uint32_t image_end;  // rounded up to whole sectors
    uint32_t report_addr;
    bool in_boot;
    bool is_checking;
    bool is_finishing;
    sim_counts_t counts[CAUSE_COUNT];
} tap_t;

static tap_t tap;

static void die(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

// ---- who did what

static cause_t cause_of_read(uint32_t addr, uint32_t size) {
    if (!tap.in_boot) {
        return addr < SECTOR && size <= PAGE && tap.counts[CAUSE_HEAD_IN].erase_sector_count ? CAUSE_HEAD_IN : CAUSE_PREPARE;
    }
    if (addr < SECTOR) {
        return tap.is_finishing ? CAUSE_HEAD_OUT : CAUSE_PLAN;
    }
    if (addr < tap.image_end) {
        return CAUSE_READ_BACK;
    }
    if (addr == tap.report_addr) {
        return CAUSE_REPORT;
    }
    return tap.is_checking ? CAUSE_CHECK : CAUSE_SOURCE;
}

static cause_t cause_of_prog(uint32_t addr) {
    if (!tap.in_boot) {
        return addr < SECTOR ? CAUSE_HEAD_IN : CAUSE_PREPARE;
    }
    if (addr < SECTOR) {
        return tap.is_finishing ? CAUSE_HEAD_OUT : CAUSE_JOURNAL;
    }
    return addr < tap.image_end ? CAUSE_PAGES : CAUSE_REPORT;
}

static cause_t cause_of_erase(uint32_t addr) {
    if (addr < SECTOR) {
        return tap.in_boot ? CAUSE_HEAD_OUT : CAUSE_HEAD_IN;
    }
    return tap.in_boot ? CAUSE_ERASE_SECTOR : CAUSE_PREPARE;
}

static int tap_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    tap.counts[cause_of_read(addr, size)].read_size += size;
    return tap.chip.read(ctx, addr, buf, size);
}

static int tap_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    sim_counts_t *counts = &tap.counts[cause_of_prog(addr)];
    counts->prog_count++;
    counts->prog_command_count += sim_command_count(size);
    counts->prog_size += size;
    return tap.chip.prog(ctx, addr, buf, size);
}

static int tap_erase_sector(void *ctx, uint32_t addr) {
    tap.counts[cause_of_erase(addr)].erase_sector_count++;
    return tap.chip.erase_sector(ctx, addr);
}

static int tap_erase_block(void *ctx, uint32_t addr) {
    tap.counts[CAUSE_ERASE_BLOCK].erase_block_count++;
    return tap.chip.erase_block(ctx, addr);
}

static void tap_begin(sim_nor_t *nor, const fixture_shape_t *shape) {
    tap = (tap_t){ .nor = nor, .chip = nor->flash };
    tap.image_end = (shape->image_size + SECTOR - 1) / SECTOR * SECTOR;
    nor->flash.read = tap_read;
    nor->flash.prog = tap_prog;
    nor->flash.erase_sector = tap_erase_sector;
    nor->flash.erase_block = tap_erase_block;
}

static void on_event(void *ctx, molt_boot_event_t event, uint32_t arg) {
    (void)ctx;
    (void)arg;
    tap.is_checking = event == MOLT_BOOT_CHECK;
    tap.is_finishing = event == MOLT_BOOT_FINISH;
}

static sim_counts_t sum_of(const sim_counts_t *counts, cause_t first, cause_t last) {
    sim_counts_t sum = { 0 };
    for (cause_t i = first; i <= last; i++) {
        sum.erase_sector_count += counts[i].erase_sector_count;
        sum.erase_block_count += counts[i].erase_block_count;
        sum.prog_count += counts[i].prog_count;
        sum.prog_command_count += counts[i].prog_command_count;
        sum.prog_size += counts[i].prog_size;
        sum.read_size += counts[i].read_size;
    }
    return sum;
}

// ---- the rows

typedef struct rows {
    sim_counts_t prepare;
    sim_counts_t molt;
    bool has_variants;  // the next five are there
    sim_counts_t gzip_prepare;
    sim_counts_t gzip;
    uint32_t gzip_size;  // bytes of the file
    sim_counts_t resident_prepare;
    sim_counts_t resident;
    sim_counts_t erase_first;
    sim_counts_t by_sectors;
    sim_counts_t causes[CAUSE_COUNT];
    uint32_t differ_count;  // sectors
} rows_t;

// The image that is wanted, in whole sectors, from the file on the device.
static uint8_t *wanted_image(const fixture_shape_t *shape) {
    sim_nor_t nor;
    fixture_device(&nor, shape);
    molt_region_t fs = fixture_fs(shape);
    molt_volume_t volume;
    uint8_t *image = malloc(shape->image_size + SECTOR);
    uint32_t cache[MOLT_VOLUME_CACHE_SIZE / 4];
    struct lfs2_file_config config = { .buffer = cache };
    lfs2_file_t file;
    if (image == NULL || molt_volume_mount(&volume, &nor.flash, &fs, 0, false) != 0
        || lfs2_file_opencfg(&volume.lfs, &file, FIXTURE_PATH, LFS2_O_RDONLY, &config) != 0) {
        die("the fixture's image cannot be read");
    }
    memset(image, 0xff, shape->image_size + SECTOR);
    if ((uint32_t)lfs2_file_read(&volume.lfs, &file, image, shape->image_size) != shape->image_size) {
        die("the fixture's image cannot be read");
    }
    (void)lfs2_file_close(&volume.lfs, &file);
    sim_nor_free(&nor);
    return image;
}

// The image is in flash: its first sector at `head_addr`, the others in their places.
static void check_result(
    const sim_nor_t *nor, const fixture_shape_t *shape, const uint8_t *image, uint32_t head_addr, const char *who) {
    if (memcmp(nor->bytes + head_addr, image, SECTOR) != 0
        || memcmp(nor->bytes + SECTOR, image + SECTOR, shape->image_size - SECTOR) != 0) {
        die(who);
    }
}

// Returns the size of the file that the image came from.
static uint32_t run_molt(const fixture_shape_t *shape, const uint8_t *image, rows_t *rows) {
    sim_nor_t nor;
    fixture_device(&nor, shape);
    molt_region_t fs = fixture_fs(shape);
    sim_upgrade_t host;
    sim_upgrade_init(&host, &nor, &fs, FIXTURE_PATH);
    tap_begin(&nor, shape);
    if (sim_upgrade_prepare(&host) != 0) {
        die("molt cannot prepare");
    }
    tap.report_addr = host.job.plan.saved.report_addr;
    tap.in_boot = true;
    sim_counts_t before = nor.counts;
    static const molt_boot_io_t io = { NULL, on_event, NULL };
    sim_device_t device = { .nor = &nor, .loader = host.target.transient, .resident = fixture_resident(shape), .io = &io };
    if (sim_device_start(&device) != SIM_FIRMWARE || device.boot_result != MOLT_BOOT_DONE) {
        die("molt's boot loader does not come to its end");
    }
    check_result(&nor, shape, image, device.head_addr, "molt wrote something else");
    memcpy(rows->causes, tap.counts, sizeof rows->causes);
    rows->prepare = rows->causes[CAUSE_PREPARE];
    rows->molt = sum_of(rows->causes, CAUSE_HEAD_IN, CAUSE_COUNT - 1);
    // Nothing may be lost between tap and chip.
    sim_counts_t all = sum_of(rows->causes, CAUSE_PREPARE, CAUSE_COUNT - 1);
    if (memcmp(&all, &nor.counts, sizeof all) != 0 || before.erase_block_count != 0) {
        die("the account does not come out even");
    }
    uint32_t file_size = host.job.source->file.size;
    sim_upgrade_free(&host);
    sim_nor_free(&nor);
    return file_size;
}

// Read a sector of the file and program its 16 pages, whatever they hold. The source lies in the filesystem.
static void copy_sector(sim_nor_t *nor, uint32_t addr, const uint8_t *image, uint32_t source_addr) {
    uint32_t buf[SECTOR / 4];
    int err = nor->flash.read(nor, source_addr + addr, buf, SECTOR);
    for (uint32_t off = 0; off < SECTOR && !err; off += PAGE) {
        err = nor->flash.prog(nor, addr + off, image + addr + off, PAGE);
    }
    if (err) {
        die("the chip fails");
    }
}

static void run_erase_first(const fixture_shape_t *shape, const uint8_t *image, rows_t *rows) {
    sim_nor_t nor;
    fixture_device(&nor, shape);
    for (uint32_t addr = 0; addr < shape->image_size; addr += SECTOR) {
        (void)nor.flash.erase_sector(&nor, addr);
    }
    for (uint32_t addr = 0; addr < shape->image_size; addr += SECTOR) {
        copy_sector(&nor, addr, image, shape->fs_addr);
    }
    check_result(&nor, shape, image, 0, "erase first wrote something else");
    rows->erase_first = nor.counts;
    sim_nor_free(&nor);
}

static void run_by_sectors(const fixture_shape_t *shape, const uint8_t *image, rows_t *rows) {
    sim_nor_t nor;
    fixture_device(&nor, shape);
    rows->differ_count = 0;
    for (uint32_t addr = 0; addr < shape->image_size; addr += SECTOR) {
        rows->differ_count += memcmp(nor.bytes + addr, image + addr, SECTOR) != 0;
        (void)nor.flash.erase_sector(&nor, addr);
        copy_sector(&nor, addr, image, shape->fs_addr);
    }
    check_result(&nor, shape, image, 0, "sector by sector wrote something else");
    rows->by_sectors = nor.counts;
    sim_nor_free(&nor);
}

static uint32_t pages_of(const uint8_t *bytes, uint32_t size) {
    uint32_t count = 0;
    for (uint32_t off = 0; off < size; off += PAGE) {
        bool is_blank = true;
        for (uint32_t i = 0; i < PAGE && is_blank; i++) {
            is_blank = bytes[off + i] == 0xff;
        }
        count += !is_blank;
    }
    return count;
}

static sim_counts_t pages(uint32_t count) {
    return (sim_counts_t){
        .prog_count = count,
        .prog_command_count = (uint64_t)count * sim_command_count(PAGE),
        .prog_size = (uint64_t)count * PAGE,
    };
}

// The least for one 64 KB block of the image, on this chip.
static sim_counts_t block_floor(
    const sim_nor_t *nor, const uint8_t *image, uint32_t begin, uint32_t end, const sim_timing_t *timing) {
    uint32_t changed_pages = 0;
    uint32_t changed = 0;
    for (uint32_t addr = begin; addr < end; addr += SECTOR) {
        if (memcmp(nor->bytes + addr, image + addr, SECTOR) != 0) {
            changed++;
            changed_pages += pages_of(image + addr, SECTOR);
        }
    }
    sim_counts_t by_sectors = pages(changed_pages);
    by_sectors.erase_sector_count = changed;
    sim_counts_t whole = pages(pages_of(image + begin, end - begin));
    whole.erase_block_count = 1;
    return sim_time_us(&by_sectors, timing) <= sim_time_us(&whole, timing) ? by_sectors : whole;
}

static sim_counts_t floor_of(const fixture_shape_t *shape, const uint8_t *image, const sim_timing_t *timing) {
    sim_nor_t nor;
    fixture_device(&nor, shape);
    sim_counts_t counts[2] = { { 0 }, { 0 } };
    for (uint32_t begin = 0; begin < shape->image_size; begin += BLOCK) {
        uint32_t end = begin + BLOCK < shape->image_size ? begin + BLOCK : shape->image_size;
        counts[1] = block_floor(&nor, image, begin, end, timing);
        counts[0] = sum_of(counts, 0, 1);
    }
    sim_nor_free(&nor);
    return counts[0];
}

// ---- printing

static double seconds(const sim_counts_t *counts, const sim_timing_t *timing) {
    return (double)sim_time_us(counts, timing) / 1e6;
}

static void print_counts(const char *name, const sim_counts_t *counts) {
    printf("%-28s %8llu %9llu %9llu %11llu %11llu\n", name, (unsigned long long)counts->erase_sector_count,
        (unsigned long long)counts->erase_block_count, (unsigned long long)counts->prog_count,
        (unsigned long long)counts->prog_size, (unsigned long long)counts->read_size);
}

static void print_seconds(const char *name, const sim_counts_t *counts) {
    printf("%-28s", name);
    for (const sim_timing_t *t = sim_timings; t->name; t++) {
        printf(" %12.2f", seconds(counts, t));
    }
    printf("\n");
}

static void print_floor(const fixture_shape_t *shape, const uint8_t *image) {
    printf("%-28s", "floor");
    for (const sim_timing_t *t = sim_timings; t->name; t++) {
        sim_counts_t counts = floor_of(shape, image, t);
        printf(" %12.2f", seconds(&counts, t));
    }
    printf("\n");
}

static void print_ratios(
    const char *name, const fixture_shape_t *shape, const uint8_t *image, const rows_t *rows, const sim_counts_t *other) {
    printf("%-28s", name);
    for (const sim_timing_t *t = sim_timings; t->name; t++) {
        sim_counts_t least = floor_of(shape, image, t);
        printf(" %12.2f", seconds(&rows->molt, t) / seconds(other ? other : &least, t));
    }
    printf("\n");
}

static void print_table(const fixture_shape_t *shape, const uint8_t *image, const rows_t *rows) {
    sim_counts_t least = floor_of(shape, image, &sim_timings[0]);
    printf("%-28s %8s %9s %9s %11s %11s\n", "operations", "4K erase", "64K erase", "programs", "bytes prog.", "bytes read");
    print_counts("molt", &rows->molt);
    print_counts("  prepare, in the firmware", &rows->prepare);
    if (rows->has_variants) {
        print_counts("molt, from gzip", &rows->gzip);
        print_counts("  prepare, in the firmware", &rows->gzip_prepare);
        print_counts("molt, resident", &rows->resident);
        print_counts("  prepare, in the firmware", &rows->resident_prepare);
    }
    print_counts("erase all, then copy", &rows->erase_first);
    print_counts("sector by sector", &rows->by_sectors);
    print_counts("floor", &least);
    printf("\n%-28s", "modelled seconds");
    for (const sim_timing_t *t = sim_timings; t->name; t++) {
        printf(" %12s", t->name);
    }
    printf("\n");
    print_seconds("molt", &rows->molt);
    print_seconds("  prepare, in the firmware", &rows->prepare);
    if (rows->has_variants) {
        print_seconds("molt, from gzip", &rows->gzip);
        print_seconds("  prepare, in the firmware", &rows->gzip_prepare);
        print_seconds("molt, resident", &rows->resident);
        print_seconds("  prepare, in the firmware", &rows->resident_prepare);
    }
    print_seconds("erase all, then copy", &rows->erase_first);
    print_seconds("sector by sector", &rows->by_sectors);
    print_floor(shape, image);
    print_ratios("molt / sector by sector", shape, image, rows, &rows->by_sectors);
    print_ratios("molt / floor", shape, image, rows, NULL);
    printf("\n");
}

static double account_line(const char *text, double ms) {
    printf("  %-66s %8.1f ms\n", text, ms);
    return ms;
}

static double cause_ms(const rows_t *rows, cause_t cause) {
    return seconds(&rows->causes[cause], &sim_timings[0]) * 1e3;
}

// From the floor to molt, line by line, on the first chip of the list.
static void print_account(const fixture_shape_t *shape, const uint8_t *image, const rows_t *rows) {
    const sim_timing_t *t = &sim_timings[0];
    sim_counts_t least = floor_of(shape, image, t);
    // The new first sector's pages are part of the floor.
    sim_counts_t head_pages = pages(pages_of(image, SECTOR));
    double head_pages_ms = seconds(&head_pages, t) * 1e3;
    double copy_ms = cause_ms(rows, CAUSE_ERASE_BLOCK) + cause_ms(rows, CAUSE_ERASE_SECTOR) + cause_ms(rows, CAUSE_PAGES);
    printf("from the floor to molt, %s typical:\n", t->name);
    double sum = account_line("the floor: cheapest erases, page programs", seconds(&least, t) * 1e3);
    sum += account_line(
        "first 64 KB sector by sector: boot loader and journal are in it", copy_ms + head_pages_ms - seconds(&least, t) * 1e3);
    sum += account_line("sector 0, first rewriting: erase, boot loader, plan, read-back", cause_ms(rows, CAUSE_HEAD_IN));
    sum += account_line("sector 0, second rewriting: erase, read-back", cause_ms(rows, CAUSE_HEAD_OUT) - head_pages_ms);
    sum += account_line("check of the source before the first step", cause_ms(rows, CAUSE_CHECK));
    sum += account_line("reading the source", cause_ms(rows, CAUSE_SOURCE));
    sum += account_line("reading back what was programmed", cause_ms(rows, CAUSE_READ_BACK));
    sum += account_line("journal", cause_ms(rows, CAUSE_JOURNAL));
    sum += account_line("plan and report", cause_ms(rows, CAUSE_PLAN) + cause_ms(rows, CAUSE_REPORT));
    account_line("molt", sum);
    printf("  (each of the two rewritings of sector 0, a fatal window: erase and programs %.1f and %.1f ms)\n\n",
        cause_ms(rows, CAUSE_HEAD_IN) - (double)rows->causes[CAUSE_HEAD_IN].read_size * 8 / t->bits_per_us / 1e3,
        cause_ms(rows, CAUSE_HEAD_OUT) - (double)rows->causes[CAUSE_HEAD_OUT].read_size * 8 / t->bits_per_us / 1e3);
    double total = seconds(&rows->molt, t) * 1e3;
    if (sum < total - 0.1 || sum > total + 0.1) {
        die("the account does not add up");
    }
}

static bool target(const char *text, double is, double limit) {
    printf("target: %s: %.2f, at most %.2f: %s\n", text, is, limit, is <= limit ? "met" : "NOT MET");
    return is <= limit;
}

// is_full: everything differs. Then there are targets, and rows for other ways of molt's.
static bool do_shape(const fixture_shape_t *shape, bool is_full) {
    rows_t rows = { .has_variants = is_full };
    uint8_t *image = wanted_image(shape);
    if (is_full) {
        rows.gzip_size = run_molt(&fixture_full_gzip, image, &rows);
        rows.gzip = rows.molt;
        rows.gzip_prepare = rows.prepare;
        (void)run_molt(&fixture_full_resident, image, &rows);
        rows.resident = rows.molt;
        rows.resident_prepare = rows.prepare;
    }
    (void)run_molt(shape, image, &rows);
    run_erase_first(shape, image, &rows);
    run_by_sectors(shape, image, &rows);
    printf("== %s: %u KB image, %u of %u sectors differ\n", is_full ? "full rewrite" : "a third unchanged",
        shape->image_size / 1024, rows.differ_count, (shape->image_size + SECTOR - 1) / SECTOR);
    if (is_full) {
        printf("   (as a gzip file %u bytes)\n", rows.gzip_size);
    }
    printf("\n");
    print_table(shape, image, &rows);
    print_account(shape, image, &rows);
    bool met = true;
    if (is_full) {
        double is = seconds(&rows.molt, &sim_timings[0]);
        met = target("modelled seconds, W25Q32 typical", is, TARGET_S);
        met = target("of the sector by sector loop's time", is / seconds(&rows.by_sectors, &sim_timings[0]), TARGET_OF_EBOOT)
              && met;
        printf("\n");
    }
    free(image);
    return met;
}

// ---- bytes of stored plans

// Of a plan for `target`, behind `loader_size` bytes of something else.
static uint32_t plan_size_of(const molt_target_t *target, uint32_t loader_size, uint32_t flash_size, uint32_t image_size,
    const molt_region_t *fs, bool erase_all) {
    static uint32_t sector[SECTOR / 4];
    static molt_volume_t volume = { .config = { .block_size = SECTOR } };
    molt_geometry_t geometry = { flash_size, SECTOR, BLOCK, PAGE };
    // The blocks of a littlefs file of that size.
    molt_extents_t extents = { .volume = &volume, .file_size = image_size, .block_size = SECTOR };
    uint32_t held = 0;
    while (held < image_size) {
        uint32_t pointers = 0;
        for (uint32_t n = extents.block_count; n; n >>= 1) {
            pointers++;
            if (n & 1) {
                break;
            }
        }
        held += SECTOR - 4 * pointers;
        extents.block_count++;
    }
    molt_plan_request_t request = {
        .source_kind = MOLT_SOURCE_COPY,
        .image_size = image_size,
        .source_size = image_size,
        .extent_count = molt_extents_sector_count(&extents, SECTOR),
        .image_addr = target->image_addr,
        .boot_addr = target->boot_addr,
        .loader_size = loader_size,
        .mapped_size = target->mapped_size,
        .fs = *fs,
        .erase_all = erase_all,
    };
    molt_plan_t plan;
    molt_refusal_t refusal;
    if (molt_plan_begin(&plan, &geometry, &request, (uint8_t *)sector, &refusal) != 0) {
        die(molt_refusal_text(refusal.reason));
    }
    // Without what is left blank so that the journal has a page to itself.
    return SECTOR - plan.extents_off + plan.set_size + plan.log_size;
}

static uint32_t plan_size(uint32_t flash_size, uint32_t image_size, uint32_t fs_addr, bool erase_all) {
    const molt_region_t fs = { fs_addr, flash_size - 5 * SECTOR - fs_addr };
    return plan_size_of(&molt_esp8266, molt_esp8266.transient.size, flash_size, image_size, &fs, erase_all);
}

// Standby mode, with MicroPython's table for 4 MB: the loader of each chip, and the plan of an image as large as its partition.
static void print_standby(void) {
    static uint8_t sector[SECTOR];
    const molt_standby_t place = { .app = { 0x10000, 0x1f0000 } };
    const molt_geometry_t geometry = { 0x400000, SECTOR, BLOCK, PAGE };
    const molt_region_t fs = { 0x200000, 0x200000 };
    molt_target_t target;
    molt_standby_target(&target, &molt_esp32c3, &place);
    uint32_t front_size = molt_trial_front_size(&geometry, false);
    uint32_t trial_size = molt_trial_front_size(&geometry, true) + molt_esp32c3.standby->trial.size;
    for (const molt_target_t *const *chip = molt_esp32_targets; *chip; chip++) {
        printf("standby loader, %s\t%u\n", molt_chip_text((*chip)->chip),
            molt_standby_image((*chip)->standby, 0x6000, 0x7000, SECTOR, sector));
    }
    printf("standby plan: 1984 KB image, filesystem of 2 MB erased\t%u\n",
        front_size + plan_size_of(&target, front_size, geometry.size, target.mapped_size, &fs, true));
    printf("standby plan of a trial: 1984 KB image\t%u\n",
        trial_size + plan_size_of(&target, trial_size, geometry.size, target.mapped_size, &fs, false));
}

static void print_plans(void) {
    printf("640 KB image, 4 MB flash\t%u\n", plan_size(0x400000, 640 * 1024, 0x100000, false));
    printf("1 MB image, 4 MB flash\t%u\n", plan_size(0x400000, 0x100000, 0x100000, false));
    printf("1 MB image, 4 MB flash, filesystem erased\t%u\n", plan_size(0x400000, 0x100000, 0x100000, true));
    printf("1 MB image, 16 MB flash, filesystem erased\t%u\n", plan_size(0x1000000, 0x100000, 0x100000, true));
    print_standby();
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "plan") == 0) {
        print_plans();
        return 0;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: bench [plan]\n");
        return 2;
    }
    bool met = do_shape(&fixture_full, true);
    met = do_shape(&fixture_third, false) && met;
    return !met;
}
