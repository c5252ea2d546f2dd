// What the parts of standby mode share.
#ifndef MOLT_STANDBY_PARTS_H
#define MOLT_STANDBY_PARTS_H

#include "standby/standby.h"

// A row of the partition table. Source: ESP-IDF, API guide "Partition Tables".
#define ROW_SIZE 32u
#define ROW_HEAD_SIZE 4u  // magic, type, subtype: while these read as erased a boot loader takes the row for the table's end
#define ROW_SIZE_OFF 8u

// The two rows: the loader's, and one behind it. A boot loader counts the rows without the MD5 row and looks at that many from
// the first on, so that it never looks at the last one.
void standby_rows(const molt_flash_t *flash, uint32_t loader_addr, uint8_t rows[2 * ROW_SIZE]);

// Whether the loader's sector holds `chip`'s loader: 0, MOLT_ERR_IO (it does not), or the driver's error.
int standby_check_loader(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint32_t loader_addr, uint8_t *buf);

#endif
