// molt plan: what an upgrade would do, and how long a device would take for it.

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "describe.h"
#include "dumpfs.h"
#include "rehearse.h"
#include "say.h"

static const struct argp_option options[] = {
    ARGS_OPTION_JSON,
    { "erase-all", ARGS_ERASE_ALL, 0, 0, "Plan to erase the filesystem, too", 0 },
    { "no-safe-check", ARGS_NO_SAFE_CHECK, 0, 0, "Check only the image's headers", 0 },
    { "flash-params", ARGS_FLASH_PARAMS, "keep|image", 0,
        "Whose flash mode, size and frequency the new header gets; of an ESP32 always the image's", 0 },
    ARGS_OPTION_FS_START,
    ARGS_OPTION_FS_SIZE,
    { 0 },
};

// One 64 KB block of the plan, or several in a row that are treated alike.
typedef struct stretch {
    molt_step_kind_t kind;  // MOLT_STEP_SECTOR or MOLT_STEP_ERASE_FS
    uint32_t addr;
    uint32_t end;
    uint32_t block_count;
    uint32_t sector_count;  // of the image, in one block
    uint32_t programmed;    // of these
    bool at_once;           // erased as a block
} stretch_t;

typedef void (*emit_t)(const stretch_t *stretch, uint32_t index);

static bool continues(const stretch_t *a, const stretch_t *b) {
    return a->kind == b->kind && a->end == b->addr
           && (a->kind == MOLT_STEP_ERASE_FS
               || (a->sector_count == b->sector_count && a->programmed == b->programmed && a->at_once == b->at_once));
}

typedef struct walk {
    emit_t emit;
    uint32_t index;
    stretch_t pending;
} walk_t;

static void push(walk_t *walk, const stretch_t *stretch) {
    if (stretch->end <= stretch->addr) {
        return;  // an image of one sector
    }
    if (walk->pending.block_count && continues(&walk->pending, stretch)) {
        walk->pending.end = stretch->end;
        walk->pending.block_count += stretch->block_count;
        return;
    }
    if (walk->pending.block_count) {
        walk->emit(&walk->pending, walk->index++);
    }
    walk->pending = *stretch;
}

// Go through the plan's steps, those of one block taken together. Returns how many stretches there were.
static uint32_t each_stretch(const molt_plan_t *plan, emit_t emit) {
    walk_t walk = { emit, 0, { .block_count = 0 } };
    stretch_t block = { .block_count = 0 };
    uint32_t image_end = plan->image_addr + (plan->image_size + 4095) / 4096 * 4096;
    for (uint32_t i = 1; i < plan->step_count; i++) {
        molt_step_t step = molt_plan_step(plan, i);
        if (step.kind != MOLT_STEP_SECTOR && block.block_count) {
            push(&walk, &block);
            block.block_count = 0;
        }
        if (step.kind == MOLT_STEP_ERASE_BLOCK) {
            block = (stretch_t){ MOLT_STEP_SECTOR, step.addr, step.addr, 1, 0, 0, molt_plan_is_todo(plan, i) };
        } else if (step.kind == MOLT_STEP_ERASE_FS) {
            push(&walk, &(stretch_t){ MOLT_STEP_ERASE_FS, step.addr, step.addr + step.size, 1, 0, 0, false });
        } else if (step.addr == plan->image_addr) {
            block.addr = step.addr + 4096;  // the first sector is no step
        } else if (step.addr < image_end) {
            block.end = step.addr + 4096;
            block.sector_count++;
            block.programmed += molt_plan_is_todo(plan, i);
        }
    }
    if (block.block_count) {
        push(&walk, &block);
    }
    if (walk.pending.block_count) {
        walk.emit(&walk.pending, walk.index++);
    }
    return walk.index;
}

static void print_stretch(const stretch_t *s, uint32_t index) {
    printf("  %2u  0x%06x to 0x%06x   ", index + 4, s->addr, s->end - 1);
    if (s->kind == MOLT_STEP_ERASE_FS) {
        printf("filesystem erased\n");
        return;
    }
    char times[24] = "";
    if (s->block_count > 1) {
        snprintf(times, sizeof times, "%u times ", s->block_count);
    }
    if (s->programmed == 0) {
        printf("left alone: %u equal %s\n", s->block_count * s->sector_count,
            s->sector_count * s->block_count == 1 ? "sector" : "sectors");
    } else if (s->at_once) {
        printf("%s64 KB erased at once, %u sectors programmed\n", times, s->programmed);
    } else {
        printf("%s%u of %u %s erased and programmed one by one\n", times, s->programmed, s->sector_count,
            s->sector_count == 1 ? "sector" : "sectors");
    }
}

static void json_stretch(const stretch_t *s, uint32_t index) {
    printf("%s\n    { \"what\": \"%s\", \"address\": %u, \"size\": %u, ", index ? "," : "",
        s->kind == MOLT_STEP_ERASE_FS ? "erase filesystem" : "program", s->addr, s->end - s->addr);
    printf("\"blocks\": %u, \"erased_at_once\": %s, \"sectors\": %u, \"programmed\": %u }", s->block_count,
        s->at_once ? "true" : "false", s->sector_count * s->block_count, s->programmed * s->block_count);
}

static void print_time(const rehearsal_t *rehearsal) {
    printf("\n  time on a device     prepare  boot loader     total   power must not fail for\n");
    for (const sim_timing_t *timing = sim_timings; timing->name; timing++) {
        uint64_t prepare_us = sim_time_us(&rehearsal->prepare, timing);
        uint64_t boot_us = sim_time_us(&rehearsal->boot, timing);
        printf("  %-18s  %8s  %11s  %8s   ", timing->name, say_time(prepare_us).text, say_time(boot_us).text,
            say_time(prepare_us + boot_us).text);
        if (rehearsal->mode != BOARD_TRANSIENT) {
            printf("nothing\n");
        } else {
            printf("2 x %s\n", say_time(rehearse_window_us(timing)).text);
        }
    }
}

// A line of the listing of steps: one sector, or where there is no address its name.
static void print_step(uint32_t number, const molt_region_t *region, const char *name, const char *what) {
    char place[40];
    snprintf(place, sizeof place, "%s", name);
    if (region) {
        snprintf(place, sizeof place, "0x%06x to 0x%06x", region->addr, region->addr + region->size - 1);
    }
    printf("  %2u  %-22s %s\n", number, place, what);
}

// What is done before the image's sectors.
static void print_preparation(const dumpfs_t *dump, const rehearsal_t *rehearsal) {
    molt_region_t first = { rehearsal->plan.image_addr, 4096 };
    molt_region_t plan = board_note_region(&dump->board);
    switch (rehearsal->mode) {
        case BOARD_TRANSIENT:
            print_step(1, NULL, "filesystem", "the first sector is saved in " SIM_HEAD_PATH);
            print_step(2, &first, "", "boot loader and plan go in          (window 1)");
            break;
        case BOARD_RESIDENT:
            print_step(1, NULL, "reserved region", "the plan goes in");
            print_step(2, NULL, "state log", "one record: from now on the next start upgrades");
            break;
        case BOARD_STANDBY:
            print_step(1, NULL, "filesystem", "the first sector is saved in " SIM_HEAD_PATH);
            print_step(2, &plan, "", "the plan goes in; then the firmware's first byte becomes 0: the next start upgrades");
            break;
        case BOARD_SLOTS:
            return;
    }
    print_step(3, NULL, "filesystem", "the image is checked once more");
}

// What a delta does, one line. Returns how many there were.
static uint32_t print_delta(const rehearsal_t *rehearsal) {
    printf(
        "   4  0x%06x to 0x%06x   %u sectors made of the old ones and the delta file; %u old ones kept meanwhile, in %u files\n",
        rehearsal->plan.image_addr + 4096, rehearsal->plan.image_addr + (rehearsal->plan.image_size + 4095) / 4096 * 4096 - 1,
        rehearsal->tally.program_count - 1, rehearsal->stash_count, rehearsal->stash_files);
    return 1;
}

// With OTA slots: all of them.
static void print_slot_steps(const dumpfs_t *dump, const rehearsal_t *rehearsal) {
    const molt_plan_t *plan = &rehearsal->plan;
    molt_region_t slot = { plan->image_addr, (plan->image_size + 4095) / 4096 * 4096 };
    molt_region_t otadata = board_note_region(&dump->board);
    char what[80];
    snprintf(what, sizeof what, "the image goes into the slot that does not run%s", rehearsal->is_delta ? ", unpacked" : "");
    print_step(1, &slot, "", what);
    print_step(2, &slot, "", "it is held to its SHA-1, as it stands there");
    print_step(3, &otadata, "", "one entry: the next start starts it");
}

// All other ones.
static void print_steps(const dumpfs_t *dump, const rehearsal_t *rehearsal) {
    static const char *const lasts[] = { "the image's first sector goes in    (window 2)",
        "the image's first sector goes in; one record: it counts", "the image's first sector goes in, its first byte last" };
    print_preparation(dump, rehearsal);
    uint32_t count = rehearsal->is_delta ? print_delta(rehearsal) : each_stretch(&rehearsal->plan, print_stretch);
    molt_region_t first = { rehearsal->plan.image_addr, 4096 };
    print_step(count + 4, rehearsal->mode == BOARD_RESIDENT ? NULL : &first, "the other head", lasts[rehearsal->mode]);
}

static void print_text(const dumpfs_t *dump, const args_t *args, const rehearsal_t *rehearsal) {
    static const char *const what_else[] = { SIM_HEAD_PATH, "the plan", SIM_HEAD_PATH " and the plan", "otadata" };
    const molt_plan_t *plan = &rehearsal->plan;
    const molt_plan_tally_t *tally = &rehearsal->tally;
    printf("%s%s%s in %s: %s\n\n", say_style(SAY_BOLD), args->positional[1], say_style(SAY_PLAIN), dump->path,
        molt_image_kind_text(rehearsal->image.kind));
    printf("  image     %s, CRC-32 0x%08x\n", say_bytes(plan->image_size).text, plan->image_crc);
    printf("  file      %s, %u %s, in %u %s\n", say_bytes(plan->source_size).text, rehearsal->block_count,
        rehearsal->block_count == 1 ? "block" : "blocks", rehearsal->run_count, rehearsal->run_count == 1 ? "piece" : "pieces");
    printf("  sectors   %u: %u equal, %u programmed\n", tally->image_sector_count, tally->equal_count, tally->program_count);
    unsigned long long erase_count = rehearsal->prepare.erase_sector_count + rehearsal->boot.erase_sector_count;
    unsigned long long else_count = rehearsal->mode == BOARD_SLOTS
                                        ? erase_count - (tally->sector_erase_count - 1)
                                        : rehearsal->prepare.erase_sector_count - (rehearsal->mode == BOARD_TRANSIENT);
    printf("  erases    %u of 64 KB, %llu of 4 KB (%llu for %s)\n", tally->block_erase_count, erase_count, else_count,
        what_else[rehearsal->mode]);
    printf("  programs  %llu, %.1f KB\n", (unsigned long long)(rehearsal->prepare.prog_count + rehearsal->boot.prog_count),
        (double)(rehearsal->prepare.prog_size + rehearsal->boot.prog_size) / 1024.0);
    printf("\n  steps\n");
    if (rehearsal->mode == BOARD_SLOTS) {
        print_slot_steps(dump, rehearsal);
    } else {
        print_steps(dump, rehearsal);
    }
    print_time(rehearsal);
    printf("\nA power cut at any %stime does no harm: the next power-on %s.\n",
        rehearsal->mode == BOARD_TRANSIENT ? "other " : "",
        rehearsal->mode == BOARD_SLOTS ? "starts what ran, or the new one" : "goes on with it");
}

static void json_counts(const char *name, const sim_counts_t *counts) {
    printf("  \"%s\": { \"sector_erases\": %llu, \"block_erases\": %llu, \"programs\": %llu, \"programmed_bytes\": %llu, "
           "\"read_bytes\": %llu },\n",
        name, (unsigned long long)counts->erase_sector_count, (unsigned long long)counts->erase_block_count,
        (unsigned long long)counts->prog_count, (unsigned long long)counts->prog_size, (unsigned long long)counts->read_size);
}

static void json_time(const rehearsal_t *rehearsal) {
    printf("  \"time\": [");
    for (const sim_timing_t *timing = sim_timings; timing->name; timing++) {
        double window_ms = (double)rehearse_window_us(timing) / 1e3;
        printf("%s\n    { \"chip\": \"%s\", \"prepare_ms\": %.1f, \"boot_ms\": %.1f, \"fatal_windows_ms\": [",
            timing == sim_timings ? "" : ",", timing->name, (double)sim_time_us(&rehearsal->prepare, timing) / 1e3,
            (double)sim_time_us(&rehearsal->boot, timing) / 1e3);
        if (rehearsal->mode == BOARD_TRANSIENT) {
            printf("%.1f, %.1f", window_ms, window_ms);
        }
        printf("] }");
    }
    printf("\n  ],\n");
}

static void print_json(const dumpfs_t *dump, const args_t *args, const rehearsal_t *rehearsal, bool fine) {
    const molt_plan_tally_t *tally = &rehearsal->tally;
    printf("{\n  \"flash\": ");
    say_json(stdout, dump->path);
    printf(",\n  \"path\": ");
    say_json(stdout, args->positional[1]);
    printf(",\n  \"possible\": %s,\n  \"resident\": %s,\n  \"standby\": %s,\n  \"slots\": %s,\n", fine ? "true" : "false",
        rehearsal->mode == BOARD_RESIDENT ? "true" : "false", rehearsal->mode == BOARD_STANDBY ? "true" : "false",
        rehearsal->mode == BOARD_SLOTS ? "true" : "false");
    printf("  \"filesystem\": { \"address\": %u, \"size\": %u },\n", dump->fs.addr, dump->fs.size);
    if (!fine) {
        printf("  \"refusal\": { \"text\": ");
        say_json(stdout, rehearsal->text);
        printf(", \"reason\": %d, \"need\": %u, \"limit\": %u }\n}\n", (int)rehearsal->refusal.reason, rehearsal->refusal.need,
            rehearsal->refusal.limit);
        return;
    }
    printf("  \"image\": {\n");
    describe_json(stdout, &rehearsal->image);
    printf("\n  },\n  \"sectors\": { \"total\": %u, \"equal\": %u, \"programmed\": %u },\n", tally->image_sector_count,
        tally->equal_count, tally->program_count);
    printf("  \"erases\": { \"sectors\": %u, \"blocks\": %u },\n", tally->sector_erase_count, tally->block_erase_count);
    printf("  \"operations\": { \"prepare\": %llu, \"total\": %llu },\n", (unsigned long long)rehearsal->prepare_op_count,
        (unsigned long long)rehearsal->op_count);
    json_counts("prepare", &rehearsal->prepare);
    json_counts("boot", &rehearsal->boot);
    printf("  \"steps\": [");
    if (rehearsal->mode == BOARD_SLOTS) {
        printf("\n    { \"what\": \"slot\", \"address\": %u, \"programmed\": %u }", rehearsal->plan.image_addr,
            tally->program_count);
    } else if (rehearsal->is_delta) {
        printf("\n    { \"what\": \"delta\", \"address\": %u, \"programmed\": %u, \"stashed\": %u, \"stash_files\": %u }",
            rehearsal->plan.image_addr + 4096, rehearsal->tally.program_count - 1, rehearsal->stash_count,
            rehearsal->stash_files);
    } else {
        (void)each_stretch(&rehearsal->plan, json_stretch);
    }
    printf("\n  ],\n");
    json_time(rehearsal);
    printf("  \"in_place\": %s,\n  \"notes\": ", rehearsal->is_in_place ? "true" : "false");
    say_notes_json(stdout, &rehearsal->notes);
    printf("\n}\n");
}

// Whether the refusal is about what lies where.
static bool is_of_place(molt_refusal_reason_t reason) {
    return reason == MOLT_REFUSAL_PAST_FLASH || reason == MOLT_REFUSAL_PAST_MAPPED || reason == MOLT_REFUSAL_INTO_FILESYSTEM
           || reason == MOLT_REFUSAL_PAST_PARTITION || reason == MOLT_REFUSAL_INTO_RESERVED
           || reason == MOLT_REFUSAL_OVERLAPS_SOURCE || reason == MOLT_REFUSAL_OTHER_MAP;
}

static void print_region(uint32_t addr, uint32_t size, const char *name) {
    if (size) {
        printf("  0x%06x to 0x%06x   %9s   %s\n", addr, addr + size - 1, say_size(size).text, name);
    }
}

// What is in the way, as a map.
static void print_refusal(const dumpfs_t *dump, const rehearsal_t *rehearsal) {
    if (!is_of_place(rehearsal->refusal.reason)) {
        return;
    }
    printf("%s: not possible; in flash would be\n", dump->path);
    print_region(dump->board.target.image_addr, (rehearsal->image.size + 4095) / 4096 * 4096, "the image");
    print_region(dump->board.app.addr, dump->board.app.size, "the partition that it has to fit into");
    print_region(dump->fs.addr, dump->fs.size, "filesystem");
    print_region(dump->system.addr, dump->system.size, "system sectors");
}

int cmd_plan(int argc, char **argv) {
    static const args_spec_t spec = { "FLASH PATH",
        "Tell what an upgrade from the file PATH on the dump's littlefs would do: which sectors are equal already, what is "
        "erased and programmed, how long chips of several makes take for it (data-sheet times), and when the power must not "
        "fail. Nothing is changed.\v"
        "Examples:\n"
        "  molt plan flash.bin firmware.bin\n"
        "  molt plan flash.bin firmware.bin --json",
        options, 2, 2 };
    args_t args;
    dumpfs_t dump;
    rehearsal_t rehearsal = { .op_count = 0 };
    args_parse(&spec, argc, argv, &args);
    int status = dumpfs_open(&dump, &args, true) || board_refuse_job(&dump.board, dump.path);
    if (!status) {
        status = rehearse(&rehearsal, &dump, &args);
        if (args.json) {
            print_json(&dump, &args, &rehearsal, !status);
        } else if (!status && rehearsal.is_in_place) {
            printf("%s: this firmware is in place already; an upgrade would change nothing\n", dump.path);
        } else if (!status) {
            print_text(&dump, &args, &rehearsal);
        } else {
            print_refusal(&dump, &rehearsal);
        }
        if (status) {
            (void)say_fail("%s", rehearsal.text);
        } else if (!args.json) {
            say_notes(&rehearsal.notes);
        }
    }
    rehearse_free(&rehearsal);
    dumpfs_close(&dump);
    return status;
}
