// A chip of the ESP32 family as ESP-IDF has it: its flash, and what is in the way of an upgrade that no flash tells. For MicroPython's
// module and for the component of ESP-IDF.
#ifndef MOLT_IDF_H
#define MOLT_IDF_H

#include "molt/flash.h"
#include "molt/standby.h"
#include "molt/target.h"

// The chip that this program is built for.
extern const molt_target_t *const molt_idf_chip;

// The main flash chip, of the size that ESP-IDF goes by. Where the program must not write by ESP-IDF's rules, below the first partition
// and into itself, molt does.
void molt_idf_flash(molt_flash_t *flash);

// What keeps this device from standby mode and from an upgrade, whatever its table says: encryption, secure boot, a program that runs
// from elsewhere. A sentence without full stop, or NULL.
//   standby  filled in by molt_standby_read(), whatever that returned
const char *molt_idf_obstacle(const molt_standby_t *standby);

// Of the chip, for molt_job_options_t: major * 100 + minor.
uint32_t molt_idf_chip_revision(void);

#endif
