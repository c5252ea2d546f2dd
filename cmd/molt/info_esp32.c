// What a dump of an ESP32 is made of.

#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "description.h"
#include "esp32.h"
#include "info.h"
#include "say.h"
#include "upgrade/journal.h"
#include "upgrade/marks.h"
#include "upgrade/plan.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define TABLE_ADDR MOLT_PARTITION_TABLE_ADDR

// What is known of the plan's sector.
typedef struct last_plan {
    bool is_there;
    uint32_t marks;
    uint32_t step_count;  // that have something to do
    uint32_t done_count;  // of these
    uint32_t image_size;
    uint32_t image_crc;
} last_plan_t;

typedef struct facts {
    const dumpfs_t *dump;
    molt_image_t boot;
    uint32_t boot_end;  // address; 0: there is no boot loader that can be read
    uint32_t gap_end;   // from boot_end up to there all is erased
    description_t boot_description;
    description_t app_description;
    last_plan_t plan;
    char trouble[600];  // what is wrong with the dump, a sentence; "" if nothing is
} facts_t;

static bool has_mark(const last_plan_t *plan, molt_mark_t mark) {
    return (plan->marks >> mark & 1) != 0;
}

static void look_at_boot(facts_t *facts) {
    const board_t *board = &facts->dump->board;
    const uint8_t *bytes = facts->dump->nor.bytes;
    (void)describe_verify(bytes + board->boot_addr, TABLE_ADDR - board->boot_addr, &facts->boot);
    if (board->chip == MOLT_CHIP_UNKNOWN) {
        return;
    }
    description_of_boot(&facts->boot_description, bytes + board->boot_addr, TABLE_ADDR - board->boot_addr);
    if (facts->boot.defect == MOLT_IMAGE_FINE) {
        facts->boot_end = board->boot_addr + facts->boot.image_size;
        facts->gap_end = facts->boot_end;
        while (facts->gap_end < TABLE_ADDR && bytes[facts->gap_end] == 0xff) {
            facts->gap_end++;
        }
    }
}

static void look_at_plan(facts_t *facts) {
    static uint32_t words[SECTOR / 4];
    const dumpfs_t *dump = facts->dump;
    molt_region_t region = board_note_region(&dump->board);
    uint8_t *sector = (uint8_t *)words;
    molt_plan_t plan;
    bool has_sector = dump->board.port
                      && (dump->board.standby.defect == MOLT_STANDBY_FINE
                          || dump->board.standby.defect == MOLT_STANDBY_LOADER_DAMAGED);
    if (!has_sector || region.size == 0) {
        return;
    }
    memcpy(sector, dump->nor.bytes + region.addr, SECTOR);
    if (molt_plan_open(&plan, &dump->nor.flash.geometry, sector) != 0) {
        return;
    }
    molt_journal_t journal = { 0, plan.set_size, sector + plan.journal_off };
    facts->plan = (last_plan_t){ true, molt_marks_read(&dump->nor.flash.geometry, sector), 0, 0, plan.image_size,
        plan.image_crc };
    for (uint32_t i = 0; i < plan.step_count; i++) {
        facts->plan.step_count += molt_plan_is_todo(&plan, i);
        facts->plan.done_count += molt_plan_is_todo(&plan, i) && molt_journal_is_done(&journal, i);
    }
}

// The first thing that is wrong, in the order in which they count.
static void find_trouble(facts_t *facts) {
    const board_t *board = &facts->dump->board;
    const firmware_t *firmware = &facts->dump->firmware;
    char *text = facts->trouble;
    uint32_t size = sizeof facts->trouble;
    if (board->table.defect != MOLT_MAP_FINE) {
        esp32_table_text(&board->table, text, size);
    } else if (facts->boot_end == 0 && board->chip != MOLT_CHIP_UNKNOWN) {
        snprintf(text, size, "the boot loader is damaged: %s", molt_image_defect_text(facts->boot.defect));
    } else if (board->work != BOARD_AT_REST && board->standby.defect == MOLT_STANDBY_LOADER_DAMAGED) {
        (void)board_trouble(board, facts->dump->path, text, size);
    } else if (board->work != BOARD_AT_REST) {
        snprintf(text, size, "an upgrade is in progress in this dump; molt boot goes on with it");
    } else if (firmware->state != FIRMWARE_WHOLE && board->app.size) {
        snprintf(text, size, "the firmware at 0x%06x: %s", board->app.addr,
            firmware->image.defect == MOLT_IMAGE_FINE     ? "no image of the ESP32 family"
            : firmware->image.defect == MOLT_IMAGE_ERASED ? "there is none; write one with esptool"
                                                          : molt_image_defect_text(firmware->image.defect));
    }
}

static facts_t look_at(const dumpfs_t *dump) {
    facts_t facts = { .dump = dump };
    look_at_boot(&facts);
    look_at_plan(&facts);
    if (dump->board.app.size) {
        description_of_app(&facts.app_description, dump->nor.bytes + dump->board.app.addr, dump->board.app.size);
    }
    find_trouble(&facts);
    return facts;
}

// Of OTA slots: the one that starts, and the one that an upgrade goes to.
static void slots_text(const board_t *board, char *text, uint32_t text_size) {
    const molt_target_t *target = &board->target;
    char running[16] = "factory";
    if (board->slots.defect != MOLT_SLOTS_FINE) {
        snprintf(text, text_size, "%s", molt_slots_text(&board->slots));
        return;
    }
    if (target->running_slot != MOLT_SLOT_NONE) {
        snprintf(running, sizeof running, "ota_%u", target->running_slot);
    }
    snprintf(text, text_size, "%u; %s starts, and an upgrade goes into ota_%u", board->slots.count, running, target->slot);
}

static const char *standby_text(const facts_t *facts, char *text, uint32_t text_size) {
    const board_t *board = &facts->dump->board;
    if (board->has_slots) {
        slots_text(board, text, text_size);
    } else if (board->port == NULL) {
        snprintf(text, text_size, "molt has no loader for this chip so far");
    } else if (board->standby.defect == MOLT_STANDBY_FINE) {
        snprintf(text, text_size, "installed; loader at 0x%06x, plan at 0x%06x", board->standby.loader_addr,
            board_note_region(board).addr);
    } else if (board->standby.defect == MOLT_STANDBY_NOT_INSTALLED) {
        snprintf(text, text_size, "not installed; there is room for it at 0x%06x (molt install)", board->standby.loader_addr);
    } else {
        snprintf(text, text_size, "%s", molt_standby_text(&board->standby));
    }
    return text;
}

// How far the upgrade is that is prepared, or what became of the last one.
static const char *upgrade_text(const facts_t *facts, char *text, uint32_t text_size) {
    const last_plan_t *plan = &facts->plan;
    bool is_begun = plan->done_count || has_mark(plan, MOLT_MARK_FINISHING);
    switch (facts->dump->board.work) {
        case BOARD_UPGRADING:
            snprintf(text, text_size,
                is_begun ? "in progress: %u of %u steps are done; the next start goes on"
                         : "prepared; the next start carries it out",
                plan->done_count, plan->step_count);
            return text;
        case BOARD_CANCELLED:
            snprintf(text, text_size, "taken back; the next start puts the firmware's first byte back");
            return text;
        case BOARD_AT_REST:
            break;
    }
    molt_status_t status;
    bool is_known = board_status(&facts->dump->board, &facts->dump->nor.flash, &status);
    if (facts->dump->board.has_slots && is_known && status.is_on_trial) {
        snprintf(text, text_size,
            "the firmware is put in on trial; unless it confirms in its %s start, what ran before starts again",
            status.is_counted ? "present" : "next");
        return text;
    }
    if (is_known && status.is_on_trial) {
        snprintf(text, text_size,
            "the firmware is on trial; unless it confirms, it has %u more starts before the fallback is put in",
            status.starts_left);
        return text;
    }
    snprintf(text, text_size, "none prepared%s",
        status.outcome == MOLT_OUTCOME_ROLLED_BACK                            ? facts->dump->board.has_slots
                                                                                    ? "; the last one was on trial, and what ran before starts again"
                                                                                    : "; the last one was on trial, and the fallback was put in"
        : status.outcome == MOLT_OUTCOME_CONFIRMED                            ? "; the last one was on trial, and was confirmed"
        : facts->dump->board.has_slots && status.outcome == MOLT_OUTCOME_DONE ? "; the last one was carried out"
        : !plan->is_there                                                     ? ""
        : has_mark(plan, MOLT_MARK_CANCELLED)                                 ? "; the last one was taken back"
        : has_mark(plan, MOLT_MARK_FINISHING) || has_mark(plan, MOLT_MARK_PLACED) ? "; the last one was carried out"
        : has_mark(plan, MOLT_MARK_COMMITTED)                                     ? "; the last one did not come to its end"
                                              : "; a plan was stored, and did not come to count");
    return text;
}

static void print_boot(const facts_t *facts) {
    const board_t *board = &facts->dump->board;
    const char *idf = facts->boot_description.idf;
    if (board->chip == MOLT_CHIP_UNKNOWN) {
        printf("  %-12s none that can be read: encrypted, or not there\n", "boot loader");
        return;
    }
    printf("  %-12s %s%s, at 0x%06x", "boot loader", *idf ? "ESP-IDF " : "", *idf ? idf : "does not state its version",
        board->boot_addr);
    if (facts->boot_end == 0) {
        printf(", %s%s%s\n", say_style(SAY_BAD), molt_image_defect_text(facts->boot.defect), say_style(SAY_PLAIN));
        return;
    }
    printf(", %s, whole\n", say_size(facts->boot.image_size).text);
    if (facts->gap_end == TABLE_ADDR) {
        printf("  %-12s %s, erased, up to the partition table\n", "gap", say_size(TABLE_ADDR - facts->boot_end).text);
    } else {
        bool is_molt = board->port && board->standby.defect == MOLT_STANDBY_FINE && facts->gap_end == board->standby.loader_addr;
        printf("  %-12s %s, erased, up to 0x%06x, where %s begins\n", "gap", say_size(facts->gap_end - facts->boot_end).text,
            facts->gap_end, is_molt ? "molt's loader" : "something else");
    }
}

static void print_table(const facts_t *facts) {
    const molt_partition_table_t *table = &facts->dump->board.table;
    char text[400];
    esp32_table_text(table, text, sizeof text);
    printf("  %-12s ", "table");
    if (*text) {
        printf("%s%s%s\n", say_style(SAY_BAD), text, say_style(SAY_PLAIN));
        return;
    }
    printf("%u partitions, %s MD5", table->count, table->has_md5 ? "with an" : "without");
    if (table->hidden_count) {
        printf(
            "; behind it %u %s that the firmware does not see", table->hidden_count, table->hidden_count == 1 ? "row" : "rows");
    }
    putchar('\n');
}

static void print_firmware(const facts_t *facts) {
    const dumpfs_t *dump = facts->dump;
    const molt_image_t *image = &dump->firmware.image;
    char text[120];
    if (dump->board.app.size == 0) {
        printf("  %-12s none: the partition table has no app\n", "firmware");
        return;
    }
    description_text(&facts->app_description, text, sizeof text);
    printf("  %-12s %s\n", "firmware", *text ? text : "does not say what it is");
    if (dump->firmware.state == FIRMWARE_WHOLE) {
        printf("  %-12s %s of %s at 0x%06x, %s\n", "", say_bytes(image->image_size).text, say_size(dump->board.app.size).text,
            dump->board.app.addr, image->has_sha256 ? "SHA-256 right" : "without a SHA-256");
        describe_header_t header = describe_header(image);
        printf("  %-12s %s, %s, %s; entry 0x%08x\n", "flash", header.mode, header.size, header.freq, image->entry_vaddr);
    } else {
        printf("  %-12s %s at 0x%06x, not whole\n", "", say_size(dump->board.app.size).text, dump->board.app.addr);
    }
}

// Other apps than the firmware's, in OTA slots.
static void print_slots(const facts_t *facts) {
    const dumpfs_t *dump = facts->dump;
    for (uint32_t i = 0; i < dump->board.table.count; i++) {
        molt_partition_t partition;
        molt_image_t image;
        molt_partition_get(&dump->board.table, i, &partition);
        const molt_region_t *region = &partition.piece.region;
        if (partition.type != 0 || region->addr == dump->board.app.addr || dump->board.table.defect != MOLT_MAP_FINE) {
            continue;
        }
        int err = describe_verify(dump->nor.bytes + region->addr, region->size, &image);
        printf("  %-12s %s at 0x%06x: %s\n", "app", say_size(region->size).text, region->addr,
            !err                                ? "whole"
            : image.defect == MOLT_IMAGE_ERASED ? "erased"
                                                : molt_image_defect_text(image.defect));
    }
}

static void print_text(const facts_t *facts) {
    const dumpfs_t *dump = facts->dump;
    char text[400];
    printf("%s%s%s: %s with %s of flash\n\n", say_style(SAY_BOLD), dump->path, say_style(SAY_PLAIN), board_name(&dump->board),
        say_size(dump->board.flash_size).text);
    print_boot(facts);
    print_table(facts);
    print_firmware(facts);
    print_slots(facts);
    printf("  %-12s %s\n", dump->board.has_slots ? "OTA slots" : "standby mode", standby_text(facts, text, sizeof text));
    printf("  %-12s %s\n", "upgrade", upgrade_text(facts, text, sizeof text));
    if (facts->plan.is_there) {
        printf("  %-12s image of %s, CRC-32 0x%08x; %u of %u steps done\n", "plan", say_bytes(facts->plan.image_size).text,
            facts->plan.image_crc, facts->plan.done_count, facts->plan.step_count);
    }
    if (dump->board.work == BOARD_AT_REST && dump->board.app.size) {
        info_segments(&dump->firmware.image);
        info_checks(&dump->firmware.image);
    }
}

static void json_text(const char *name, const char *value) {
    printf("\"%s\": ", name);
    if (*value) {
        say_json(stdout, value);
    } else {
        printf("null");
    }
}

static void json_firmware(const facts_t *facts) {
    const dumpfs_t *dump = facts->dump;
    printf("  \"firmware\": {\n  \"address\": %u,\n  \"room\": %u,\n  \"whole\": %s,\n  ", dump->board.app.addr,
        dump->board.app.size, dump->firmware.state == FIRMWARE_WHOLE ? "true" : "false");
    json_text("project", facts->app_description.project);
    printf(",\n  ");
    json_text("version", facts->app_description.version);
    printf(",\n  ");
    json_text("idf", facts->app_description.idf);
    printf(",\n  \"sha256\": %s,\n", dump->firmware.image.has_sha256 ? "true" : "false");
    describe_json(stdout, &dump->firmware.image);
    printf(",\n  ");
    info_checks_json(&dump->firmware.image);
    printf("\n  },\n");
}

static void json_upgrade(const facts_t *facts) {
    static const char *const works[] = { "none", "prepared", "cancelled" };
    char text[200];
    printf("  \"upgrade\": { \"state\": \"%s\", ", works[facts->dump->board.work]);
    json_text("text", upgrade_text(facts, text, sizeof text));
    printf(" },\n  \"plan\": ");
    if (facts->plan.is_there) {
        printf("{ \"image_size\": %u, \"image_crc32\": %u, \"steps\": %u, \"done\": %u },\n", facts->plan.image_size,
            facts->plan.image_crc, facts->plan.step_count, facts->plan.done_count);
    } else {
        printf("null,\n");
    }
}

static void json_slots(const board_t *board) {
    if (!board->has_slots) {
        printf("  \"slots\": null,\n");
        return;
    }
    bool is_factory = board->target.running_slot == MOLT_SLOT_NONE;
    printf("  \"slots\": { \"count\": %u, \"possible\": %s, ", board->slots.count, board_can_upgrade(board) ? "true" : "false");
    if (board_can_upgrade(board)) {
        printf("\"starts\": %d, \"next\": %u, ", is_factory ? -1 : (int)board->target.running_slot, board->target.slot);
    }
    json_text("text", molt_slots_text(&board->slots));
    printf(" },\n");
}

static void print_json(const facts_t *facts) {
    const dumpfs_t *dump = facts->dump;
    const board_t *board = &dump->board;
    char text[400];
    printf("{\n  ");
    json_text("file", dump->path);
    printf(",\n  \"valid\": %s,\n  \"kind\": \"esp32-flash\",\n  \"chip\": \"%s\",\n  \"size\": %u,\n",
        *facts->trouble ? "false" : "true", board_name(board), board->flash_size);
    printf("  \"boot_loader\": { \"address\": %u, \"size\": %u, \"whole\": %s, \"erased_behind\": %u, ", board->boot_addr,
        facts->boot_end ? facts->boot.image_size : 0, facts->boot_end ? "true" : "false", facts->gap_end - facts->boot_end);
    json_text("idf", facts->boot_description.idf);
    printf(" },\n  \"table\": { \"partitions\": %u, \"behind_md5\": %u, \"md5\": %s, ", board->table.count,
        board->table.hidden_count, board->table.has_md5 ? "true" : "false");
    esp32_table_text(&board->table, text, sizeof text);
    json_text("defect", text);
    printf(" },\n");
    json_firmware(facts);
    bool is_in = board->port && board->standby.defect == MOLT_STANDBY_FINE;
    bool is_possible = board->port && board->standby.defect <= MOLT_STANDBY_LOADER_DAMAGED;
    printf("  \"standby\": { \"installed\": %s, \"possible\": %s, \"loader\": %u, ", is_in ? "true" : "false",
        is_possible ? "true" : "false", is_possible ? board->standby.loader_addr : 0);
    json_text("text", standby_text(facts, text, sizeof text));
    printf(" },\n");
    json_slots(board);
    json_upgrade(facts);
    printf("  ");
    json_text("defect", facts->trouble);
    printf("\n}\n");
}

int info_esp32(const dumpfs_t *dump, bool json) {
    facts_t facts = look_at(dump);
    if (json) {
        print_json(&facts);
    } else {
        print_text(&facts);
    }
    return *facts.trouble ? say_fail("%s: %s", dump->path, facts.trouble) : 0;
}
