// The board that a dump is of: which chip, what molt has for it, and how an upgrade begins, is carried out and is started there.
// Commands ask this and not which chip it is.
#ifndef MOLT_CMD_BOARD_H
#define MOLT_CMD_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "image/image.h"
#include "map/partition.h"
#include "molt/slots.h"
#include "molt/standby.h"
#include "molt/status.h"
#include "molt/target.h"

// How an upgrade is carried out.
typedef enum board_mode {
    BOARD_TRANSIENT,  // by a boot loader that takes the place of the first sector
    BOARD_RESIDENT,   // by one that stays there
    BOARD_STANDBY,    // an ESP32: by an app that its own boot loader falls back to
    BOARD_SLOTS,      // an ESP32: by the firmware itself, in the OTA slot that does not run
} board_mode_t;

// Of an ESP32: what its next start does.
typedef enum board_work {
    BOARD_AT_REST,
    BOARD_UPGRADING,  // it begins the upgrade that is prepared, or goes on with it
    BOARD_CANCELLED,  // the upgrade was taken back: it puts the firmware's first byte back
} board_work_t;

typedef struct board {
    bool is_esp32;  // one of that family, which a partition table describes
    molt_chip_t chip;
    const molt_target_t *port;  // what molt has for the chip; NULL: nothing
    molt_target_t target;       // for jobs; not before board_trouble() says that there can be any
    uint32_t flash_size;
    // Of an ESP32.
    uint32_t boot_addr;            // of its second-stage boot loader; 0 where that was not found
    molt_partition_table_t table;  // its bytes are the dump's; table.defect tells
    molt_region_t app;             // the firmware's partition, without what standby mode has of it; size 0: there is none
    molt_standby_t standby;        // if there is a port
    bool has_slots;                // likewise; then an upgrade goes by them, and app is the partition that starts now
    molt_slots_t slots;
    board_work_t work;
} board_t;

// What molt has for a chip; NULL: nothing.
const molt_target_t *board_port(molt_chip_t chip);

// Look at a flash, whose `size` bytes are also in memory at `bytes`. An ESP32 is known by its boot loader, else by its partition
// table. What is there is read through `flash`.
void board_look(board_t *board, const molt_flash_t *flash, const uint8_t *bytes, uint32_t size);

// Whether molt's loader for it has not run anywhere yet.
bool board_is_untried(const board_t *board);

// "ESP8266", "ESP32-C3", or "ESP32" where that is all that is known.
const char *board_name(const board_t *board);

// Why no upgrade can be prepared there, as a sentence without full stop and without the path; "" if one can.
//   path  of the dump, for the command that helps
const char *board_trouble(const board_t *board, const char *path, char *text, uint32_t text_size);

// Whether there is somebody who would carry an upgrade out.
bool board_can_upgrade(const board_t *board);

// Say so: 0, or 1 after having said why no upgrade can be prepared there.
int board_refuse_job(const board_t *board, const char *path);

// The same for putting molt's loader in and taking it out, and for power-on: 0, or 1 after having said why that is not possible.
int board_refuse_loader(const board_t *board, const char *path);
int board_refuse_start(const board_t *board, const char *path);

// Refuse what works on an ESP8266 only. 0 if it is one, or 1 after having said so.
int board_refuse_esp32(const board_t *board, const char *path);

// The simulated device around the dump's chip. `io` may be NULL.
sim_device_t board_device(const board_t *board, sim_nor_t *nor, const molt_boot_io_t *io);

// What would start now.
typedef enum board_start {
    BOARD_STARTS_NOTHING,
    BOARD_STARTS_FIRMWARE,  // of an ESP8266 in resident mode: the boot loader, which starts it
    BOARD_STARTS_LOADER,    // molt's, which carries out an upgrade
} board_start_t;

board_start_t board_start(const board_t *board, const sim_nor_t *nor);

// For sentences: who starts a firmware, and where one has to be.
const char *board_starter(const board_t *board);  // "the mask ROM"
const char *board_place(const board_t *board);    // "in sector 0"

// What became of the last upgrade of an ESP32, and of its trial. False where there is nothing to be known.
bool board_status(const board_t *board, const molt_flash_t *flash, molt_status_t *status);

// What an upgrade writes beside image and filesystem, of an ESP32: the plan's sector, or otadata; size 0 on an ESP8266.
molt_region_t board_note_region(const board_t *board);

#endif
