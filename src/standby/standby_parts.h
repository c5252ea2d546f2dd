// What the parts of standby mode share.
#ifndef MOLT_STANDBY_PARTS_H
#define MOLT_STANDBY_PARTS_H

#include "map/partition.h"
#include "standby/standby.h"

// The header of an app image, and of each segment. Source: esptool's documentation, "Firmware Image Format".
#define APP_HEADER_SIZE 24u
#define APP_SEGMENT_HEADER_SIZE 8u
#define APP_SEGMENTS_MAX 16u
enum {
    APP_OFF_MAGIC = 0,
    APP_OFF_SEGMENT_COUNT = 1,
    APP_OFF_MODE = 2,
    APP_OFF_SIZE_FREQ = 3,
    APP_OFF_ENTRY = 4,
    APP_OFF_WP_PIN = 8,
    APP_OFF_CHIP_ID = 12,
    APP_OFF_REVISION_MAX = 17,
    APP_OFF_HAS_SHA256 = 23,
};

// A row of the partition table. Source: ESP-IDF, API guide "Partition Tables".
#define ROW_SIZE MOLT_PARTITION_ROW_SIZE
#define ROW_HEAD_SIZE 4u  // magic, type, subtype: while these read as erased a boot loader takes the row for the table's end
#define ROW_ADDR_OFF 4u
#define ROW_SIZE_OFF 8u
#define ROW_LABEL_OFF 12u

#define ROWS_MAX 4u

// The rows: the loader's; where trials are possible those of the firmware, as the slot behind the loader's, and of otadata; and one
// behind them. A boot loader counts the rows without the MD5 row and looks at that many from the first on, so that it never looks at the
// last one. Returns how many.
uint32_t standby_rows(const molt_flash_t *flash, uint32_t loader_addr, uint32_t plan_addr, const molt_region_t *app,
    uint8_t rows[ROWS_MAX * ROW_SIZE]);

// Whether the loader's sector holds `chip`'s loader: 0, MOLT_ERR_IO (it does not), or the driver's error.
int standby_check_loader(
    const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t loader_addr, uint32_t plan_addr, uint8_t *buf);

// Whether the plan's sector says that a firmware is on trial: 1, 0, or the driver's error.
//   buf  sector_size bytes, 4-aligned; overwritten
int standby_is_on_trial(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *buf);

#endif
