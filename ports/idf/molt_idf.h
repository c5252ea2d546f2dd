// A chip of the ESP32 family as ESP-IDF has it: its flash, and what is in the way of an upgrade that no flash tells. For MicroPython's
// module and for the component of ESP-IDF.
#ifndef MOLT_IDF_H
#define MOLT_IDF_H

#include <stdbool.h>

#include "molt/flash.h"
#include "molt/slots.h"
#include "molt/standby.h"
#include "molt/target.h"

// The chip that this program is built for.
extern const molt_target_t *const molt_idf_chip;

// The main flash chip, of the size that ESP-IDF goes by. Where the program must not write by ESP-IDF's rules, below the first partition
// and into itself, molt does.
void molt_idf_flash(molt_flash_t *flash);

// How the device upgrades: where its partition table has OTA slots by these, else in standby mode.
typedef struct molt_idf_way {
    bool has_slots;
    molt_slots_t slots;
    molt_standby_t standby;  // without slots
    const char
        *obstacle;  // what keeps this device from standby mode and from an upgrade, whatever its table says: encryption, secure
                    // boot, a program that runs from elsewhere. A sentence without full stop, or NULL
} molt_idf_way_t;

// Find it.
//   buf     MOLT_STANDBY_BUF_SIZE bytes, 4-aligned; overwritten
//   target  for jobs; filled in where 0 is returned
// Returns 0, or what molt_slots_read(), molt_slots_target() or molt_standby_read() return. An obstacle is none of its errors.
// target is also filled in where the firmware runs from the only OTA slot (way->slots.defect): it has a status then.
int molt_idf_find(const molt_flash_t *flash, uint8_t *buf, molt_idf_way_t *way, molt_target_t *target);

// Whether there is a target by which a status can be read, by what molt_idf_find() has returned.
bool molt_idf_has_status(int err, const molt_idf_way_t *way);

// The sentence for an error of molt_idf_find(), without full stop. Never NULL.
const char *molt_idf_text(const molt_idf_way_t *way);

// Of the chip, for molt_job_options_t: major * 100 + minor.
uint32_t molt_idf_chip_revision(void);

#endif
