// Which board a dump is of.

#include "board.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "describe.h"
#include "esp32.h"
#include "molt_esp32.h"
#include "molt_esp8266.h"
#include "say.h"
#include "second_stage.h"
#include "standby/standby.h"
#include "upgrade/marks.h"
#include "upgrade/plan.h"

#define SECTOR MOLT_MAP_SECTOR_SIZE
#define TABLE_ADDR MOLT_PARTITION_TABLE_ADDR
#define TABLE_SIZE MOLT_PARTITION_TABLE_SIZE

static const molt_target_t *find_in(const molt_target_t *const *ports, molt_chip_t chip) {
    while (*ports && (*ports)->chip != chip) {
        ports++;
    }
    return *ports;
}

const molt_target_t *board_port(molt_chip_t chip) {
    const molt_target_t *port = find_in(molt_esp32_targets, chip);
    port = port ? port : find_in(molt_esp32_without_loader, chip);
    return chip == MOLT_CHIP_ESP8266 ? &molt_esp8266 : port;
}

// Whether these are the bytes of an ESP32's flash, of which chip (MOLT_CHIP_UNKNOWN where only the table tells), and where its boot
// loader is.
static bool is_esp32(const uint8_t *bytes, uint32_t size, molt_chip_t *chip, uint32_t *boot_addr) {
    // Source: esptool, BOOTLOADER_FLASH_OFFSET of its targets. ESP32 and S2; C5, H4 and P4; all others.
    static const uint32_t boot_addrs[] = { 0x1000, 0x2000, 0 };
    molt_partition_table_t table;
    molt_image_t image;
    *chip = MOLT_CHIP_UNKNOWN;
    *boot_addr = 0;
    for (uint32_t i = 0; i < sizeof boot_addrs / sizeof boot_addrs[0]; i++) {
        uint32_t addr = boot_addrs[i];
        if (bytes[addr] == 0xe9 && describe_probe(bytes + addr, TABLE_ADDR - addr, &image) == 0
            && image.kind == MOLT_IMAGE_KIND_ESP32) {
            *chip = image.chip;
            *boot_addr = addr;
            return true;
        }
    }
    // An ESP8266 can have anything there: code, or the partition table of its RTOS SDK.
    bool is_esp8266 = describe_probe(bytes, size, &image) == 0;
    return !is_esp8266
           && (esp32_begins_table(bytes + TABLE_ADDR)
               || molt_partition_open(&table, bytes + TABLE_ADDR, TABLE_SIZE, size, 0) == 0);
}

// The partition of the firmware: the factory one, else the first app. Size 0: there is none, or the table is not sound.
static molt_region_t find_app(const molt_partition_table_t *table) {
    molt_region_t app = { 0, 0 };
    uint32_t count = table->defect == MOLT_MAP_FINE ? table->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        molt_partition_t partition;
        molt_partition_get(table, i, &partition);
        bool is_app = partition.type == 0;
        if (is_app && (app.size == 0 || partition.subtype == 0)) {
            app = partition.piece.region;
        }
    }
    return app;
}

// What the plan in its sector says that the next start does.
static board_work_t find_work(const board_t *board, const molt_flash_t *flash) {
    static uint32_t buf[SECTOR / 4];
    molt_plan_t plan;
    uint8_t *sector = (uint8_t *)buf;
    uint32_t plan_addr = board->standby.plan_addr;
    bool has_loader = board->standby.defect == MOLT_STANDBY_FINE || board->standby.defect == MOLT_STANDBY_LOADER_DAMAGED;
    if (!has_loader || !molt_standby_is_armed(flash, board->app.addr) || flash->read(flash->ctx, plan_addr, sector, SECTOR) != 0
        || molt_plan_open(&plan, &flash->geometry, sector) != 0
        || (molt_marks_read(&flash->geometry, sector) >> MOLT_MARK_COMMITTED & 1) == 0) {
        return BOARD_AT_REST;
    }
    return molt_standby_is_cancelled(flash, &board->target, sector) ? BOARD_CANCELLED : BOARD_UPGRADING;
}

static int no_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx, (void)addr, (void)buf, (void)size;
    return 0;
}

static int no_erase(void *ctx, uint32_t addr) {
    (void)ctx, (void)addr;
    return 0;
}

// With OTA slots: which of them the boot loader starts now, and which one an upgrade goes to.
static void find_slot(board_t *board, const molt_flash_t *flash) {
    sim_app_t app;
    molt_flash_t quiet = *flash;
    quiet.prog = no_prog;
    quiet.erase_sector = no_erase;
    board->app.addr = board->slots.selected_addr;
    if (sim_second_stage(&quiet, board->port->standby, &app)) {
        board->app = app.partition;
    }
    if (board->slots.defect == MOLT_SLOTS_FINE) {
        (void)molt_slots_target(&board->target, board->port, &board->slots, board->app.addr);
    }
}

void board_look(board_t *board, const molt_flash_t *flash, const uint8_t *bytes, uint32_t size) {
    static uint32_t buf[MOLT_STANDBY_BUF_SIZE / 4];
    *board = (board_t){ .chip = MOLT_CHIP_ESP8266, .flash_size = size };
    molt_chip_t chip;
    board->is_esp32 = is_esp32(bytes, size, &chip, &board->boot_addr);
    board->chip = board->is_esp32 ? chip : MOLT_CHIP_ESP8266;
    board->port = board_port(board->chip);
    if (!board->is_esp32) {
        board->target = *board->port;
        return;
    }
    (void)molt_partition_open(&board->table, bytes + TABLE_ADDR, TABLE_SIZE, size, board->boot_addr);
    board->app = find_app(&board->table);
    if (board->port) {
        (void)molt_standby_read(flash, board->port->standby, (uint8_t *)buf, &board->standby);
        board->app = board->standby.app.size ? board->standby.app : board->app;
        molt_standby_target(&board->target, board->port, &board->standby);
        board->work = find_work(board, flash);
        (void)molt_slots_read(flash, board->port->standby, (uint8_t *)buf, &board->slots);
        board->has_slots = board->slots.count != 0;
    }
    if (board->has_slots) {
        find_slot(board, flash);
    }
}

const char *board_name(const board_t *board) {
    return board->chip == MOLT_CHIP_UNKNOWN ? "ESP32" : molt_chip_text(board->chip);
}

bool board_is_untried(const board_t *board) {
    const molt_target_t *const *port = molt_esp32_untried;
    while (*port && *port != board->port) {
        port++;
    }
    return *port != NULL;
}

// "ESP32-C2, ESP32-C3 and ESP32-C6": those with a loader.
static void loader_names(char *text, uint32_t text_size) {
    text[0] = 0;
    for (const molt_target_t *const *target = molt_esp32_targets; *target; target++) {
        const char *between = target == molt_esp32_targets ? "" : target[1] ? ", " : " and ";
        uint32_t used = (uint32_t)strlen(text);
        snprintf(text + used, text_size - used, "%s%s", between, molt_chip_text((*target)->chip));
    }
}

// Of an ESP32 without a port.
static void no_port_text(const board_t *board, char *text, uint32_t text_size) {
    if (board->chip == MOLT_CHIP_UNKNOWN) {
        snprintf(text, text_size,
            "this is the flash of an ESP32, and its boot loader cannot be read, so that nobody knows of which: it is encrypted, or "
            "the dump is not whole; molt map, ls, get, put and rm take it");
    } else {
        char names[200];
        loader_names(names, sizeof names);
        snprintf(text, text_size,
            "this is the flash of an %s, for which molt has no loader so far (it has one for %s), and with OTA slots none is needed; molt info, map, doctor, ls, get, "
            "put and rm take it",
            board_name(board), names);
    }
}

const char *board_trouble(const board_t *board, const char *path, char *text, uint32_t text_size) {
    text[0] = 0;
    if (!board->is_esp32) {
        return text;
    }
    if (board->port == NULL) {
        no_port_text(board, text, text_size);
        return text;
    }
    molt_standby_defect_t defect = board->standby.defect;
    if (board->has_slots && defect != MOLT_STANDBY_NO_BOOT_LOADER && defect != MOLT_STANDBY_OTHER_CHIP) {
        snprintf(text, text_size, "%s", board->slots.defect == MOLT_SLOTS_FINE ? "" : molt_slots_text(&board->slots));
    } else if (defect == MOLT_STANDBY_NO_LOADER) {
        no_port_text(board, text, text_size);
    } else if (defect == MOLT_STANDBY_NOT_INSTALLED) {
        snprintf(text, text_size, "standby mode is not installed; install it first: molt install %s", path);
    } else if (defect == MOLT_STANDBY_LOADER_DAMAGED) {
        snprintf(text, text_size,
            "the standby loader is damaged, or of another version of molt; put it in again: molt install %s", path);
    } else if (defect == MOLT_STANDBY_BAD_TABLE) {
        esp32_table_text(&board->table, text, text_size);
    } else if (defect != MOLT_STANDBY_FINE) {
        snprintf(text, text_size, "%s", molt_standby_text(&board->standby));
    }
    return text;
}

bool board_can_upgrade(const board_t *board) {
    molt_standby_defect_t defect = board->standby.defect;
    bool can_slots = board->has_slots && board->slots.defect == MOLT_SLOTS_FINE && defect != MOLT_STANDBY_NO_BOOT_LOADER
                     && defect != MOLT_STANDBY_OTHER_CHIP;
    return !board->is_esp32 || (board->port && (can_slots || defect == MOLT_STANDBY_FINE));
}

static int refuse(const char *path, const char *text) {
    return *text ? say_fail("%s: %s", path, text) : 0;
}

int board_refuse_job(const board_t *board, const char *path) {
    char text[600];
    return refuse(path, board_trouble(board, path, text, sizeof text));
}

int board_refuse_loader(const board_t *board, const char *path) {
    bool has_loader = !board->is_esp32 || (board->port && board->port->standby->code_size);
    return has_loader ? 0 : board_refuse_job(board, path);
}

// There has to be somebody who starts something.
int board_refuse_start(const board_t *board, const char *path) {
    molt_standby_defect_t defect = board->standby.defect;
    if (defect == MOLT_STANDBY_NO_BOOT_LOADER || defect == MOLT_STANDBY_OTHER_CHIP || defect == MOLT_STANDBY_BAD_TABLE
        || defect == MOLT_STANDBY_NO_FACTORY || defect == MOLT_STANDBY_OTA || defect == MOLT_STANDBY_NO_LOADER) {
        return board_refuse_job(board, path);
    }
    // Nothing starts that would finish the upgrade.
    if (board->work != BOARD_AT_REST && defect == MOLT_STANDBY_LOADER_DAMAGED) {
        return board_refuse_job(board, path);
    }
    return board_refuse_loader(board, path);
}

int board_refuse_esp32(const board_t *board, const char *path) {
    return board->is_esp32
               ? say_fail("%s: this is the flash of an %s, and that is for an ESP8266's only; molt info, map, doctor, ls, "
                          "get, put and rm take it",
                   path, board_name(board))
               : 0;
}

sim_device_t board_device(const board_t *board, sim_nor_t *nor, const molt_boot_io_t *io) {
    sim_device_t device = { .nor = nor, .io = io };
    if (board->is_esp32) {
        device.standby = &board->target;
    } else {
        device.loader = board->target.transient;
        device.resident = board->target.resident;
    }
    return device;
}

board_start_t board_start(const board_t *board, const sim_nor_t *nor) {
    // The bytes are there, whether or not the chip has power.
    sim_nor_t copy = *nor;
    copy.is_cut = false;
    copy.cut_op = -1;
    copy.flash.ctx = &copy;
    if (board->is_esp32) {
        sim_app_t app;
        sim_nor_push(&copy);
        bool starts = sim_second_stage(&copy.flash, board->target.standby, &app);
        sim_nor_pop(&copy);
        bool is_loader = app.addr == board->standby.loader_addr && board->standby.loader_addr;
        return !starts ? BOARD_STARTS_NOTHING : is_loader ? BOARD_STARTS_LOADER : BOARD_STARTS_FIRMWARE;
    }
    sim_device_t device = board_device(board, &copy, NULL);
    return !sim_device_boots(&copy)         ? BOARD_STARTS_NOTHING
           : sim_device_has_loader(&device) ? BOARD_STARTS_LOADER
                                            : BOARD_STARTS_FIRMWARE;
}

const char *board_starter(const board_t *board) {
    return board->is_esp32 ? "the second-stage boot loader" : "the mask ROM";
}

const char *board_place(const board_t *board) {
    return board->has_slots ? "in a partition" : board->is_esp32 ? "in the factory partition" : "in sector 0";
}

bool board_status(const board_t *board, const molt_flash_t *flash, molt_status_t *status) {
    static uint32_t buf[SECTOR / 4];
    *status = (molt_status_t){ 0 };
    return board->is_esp32 && board_can_upgrade(board)
           && molt_status_read(&board->target, flash, NULL, (uint8_t *)buf, status) == 0;
}

molt_region_t board_note_region(const board_t *board) {
    if (board->has_slots) {
        return (molt_region_t){ board->slots.otadata_addr, board->slots.otadata_addr ? 2 * SECTOR : 0 };
    }
    uint32_t addr = board->standby.plan_addr;
    bool is_there = board->is_esp32 && board->port && addr && range_within(addr, SECTOR, board->flash_size);
    return is_there ? (molt_region_t){ addr, SECTOR } : (molt_region_t){ 0, 0 };
}
