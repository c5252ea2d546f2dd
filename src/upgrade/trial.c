// What is asked at each start of molt while a firmware is on trial; see trial.h.

#include "upgrade/trial.h"

#include <stddef.h>

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/crc32.h"
#include "upgrade/plan_layout.h"

// How often what was read or written wrong is read or written again before it counts as wrong.
#define TRIAL_TRIES 4u

// An entry of otadata: its number, a label, the state, and a CRC of the number alone. Blank words are 0xFFFFFFFF.
enum { ENTRY_OFF_NUMBER = 0, ENTRY_OFF_STATE = 24, ENTRY_OFF_CRC = MOLT_TRIAL_ENTRY_OFF_CRC };
#define ENTRY_STATE_NEW 0u
#define ENTRY_STATE_PENDING 1u

// The number's lowest bits say which app of two is meant: 1 the first, which is molt's loader, 2 the second, the firmware. Their CRCs
// by the boot loader's way (CRC-32 from 0xFFFFFFFF on).
#define LOADER_NUMBER 1u
#define LOADER_CRC 0x4743989au
#define FIRMWARE_NUMBER 2u
#define FIRMWARE_CRC 0x55f63774u

// In a page of marks, behind these: that the trial is over, that the fallback's plan is carried out, and a byte for each start.
static uint32_t over_off(const molt_geometry_t *geometry) {
    return (MOLT_MARK_COUNT - 1) * molt_page_size(geometry) + molt_page_size(geometry) / 2 + 4;
}

static uint32_t back_off(const molt_geometry_t *geometry) {
    return over_off(geometry) + 4;
}

static uint32_t starts_off(const molt_geometry_t *geometry) {
    return over_off(geometry) + 8;
}

static bool word_is_made(const uint8_t *word) {
    return count_zeros(load32_le(word)) >= 16;
}

static bool is_over(const molt_geometry_t *geometry, const uint8_t *sector) {
    return word_is_made(sector + over_off(geometry)) || load32_le(sector + molt_trial_entry_off(geometry) + ENTRY_OFF_CRC) == 0;
}

static uint32_t read_starts(const molt_geometry_t *geometry, const uint8_t *sector) {
    uint32_t count = 0;
    while (count < MOLT_TRIAL_STARTS_MAX && count_zeros(sector[starts_off(geometry) + count] | 0xffffff00u) >= 4) {
        count++;
    }
    return count;
}

static const molt_trial_t *trial_in(const molt_geometry_t *geometry, const uint8_t *sector) {
    return (const molt_trial_t *)(const void *)(sector + molt_trial_off(geometry));
}

// How many starts there are; 0 where what was stored is damaged.
static uint32_t starts_of(const molt_trial_t *trial) {
    bool is_sound = molt_crc32(0, trial, offsetof(molt_trial_t, crc)) == trial->crc
                    && (uint16_t)~trial->starts == trial->starts >> 16;
    return is_sound ? trial->starts & 0xffff : 0;
}

molt_trial_stage_t molt_trial_read(const molt_geometry_t *geometry, const uint8_t *sector, uint32_t *starts_left) {
    const uint8_t *entry = sector + molt_trial_entry_off(geometry);
    uint32_t count = starts_of(trial_in(geometry, sector));
    uint32_t ended = read_starts(geometry, sector);
    *starts_left = ended + 1 < count ? count - ended - 1 : 0;
    if (is_over(geometry, sector)) {
        return word_is_made(sector + back_off(geometry)) ? MOLT_TRIAL_BACK : MOLT_TRIAL_OVER;
    }
    bool is_on = load32_le(entry + ENTRY_OFF_NUMBER) == LOADER_NUMBER && load32_le(entry + ENTRY_OFF_CRC) == LOADER_CRC;
    return is_on ? MOLT_TRIAL_ON : MOLT_TRIAL_NONE;
}

static int prog_word(const molt_flash_t *flash, uint32_t addr, uint32_t word) {
    return flash->prog(flash->ctx, addr, &word, sizeof word);
}

bool molt_trial_is_counted(const molt_flash_t *flash, uint32_t plan_addr) {
    uint32_t addr = plan_addr - molt_sector_size(&flash->geometry) + molt_trial_entry_off(&flash->geometry) + ENTRY_OFF_STATE;
    uint32_t state = 0;
    return flash->read(flash->ctx, addr, &state, sizeof state) == 0 && state == ENTRY_STATE_PENDING;
}

int molt_trial_end(const molt_flash_t *flash, uint32_t plan_addr) {
    int err = prog_word(flash, plan_addr + over_off(&flash->geometry), 0);
    int second = prog_word(flash, plan_addr + molt_trial_entry_off(&flash->geometry) + ENTRY_OFF_CRC, 0);
    return err ? err : second;
}

// Write the loader's entry. Before the firmware has started for the first time: molt is started then whatever becomes of it. Later a cut
// could take it on a chip that loses a page with a torn program.
static int write_loader_entry(const molt_flash_t *flash, uint32_t plan_addr) {
    uint32_t loader = plan_addr + molt_trial_entry_off(&flash->geometry);
    int err = prog_word(flash, loader + ENTRY_OFF_CRC, LOADER_CRC);
    return err ? err : prog_word(flash, loader + ENTRY_OFF_NUMBER, LOADER_NUMBER);
}

// Write the firmware's entry, so that the boot loader starts it once. Its number goes in last: an entry that is torn has not its CRC, and
// then molt is started.
static int write_firmware_entry(const molt_flash_t *flash, uint32_t plan_addr, uint8_t *buf) {
    uint32_t sector_addr = plan_addr - molt_sector_size(&flash->geometry);
    uint32_t firmware = sector_addr + molt_trial_entry_off(&flash->geometry);
    int err = flash->erase_sector(flash->ctx, sector_addr);
    err = err ? err : prog_word(flash, firmware + ENTRY_OFF_STATE, ENTRY_STATE_NEW);
    err = err ? err : prog_word(flash, firmware + ENTRY_OFF_CRC, FIRMWARE_CRC);
    err = err ? err : prog_word(flash, firmware + ENTRY_OFF_NUMBER, FIRMWARE_NUMBER);
    err = err ? err : flash->read(flash->ctx, firmware, buf, MOLT_TRIAL_ENTRY_SIZE);
    bool is_right = load32_le(buf + ENTRY_OFF_NUMBER) == FIRMWARE_NUMBER && load32_le(buf + ENTRY_OFF_STATE) == ENTRY_STATE_NEW
                    && load32_le(buf + ENTRY_OFF_CRC) == FIRMWARE_CRC;
    return err || is_right ? err : -1;
}

// Whether the fallback's plan is what was stored; then its sector is in `buf`.
static bool read_back(const molt_flash_t *flash, const molt_trial_t *trial, uint8_t *buf) {
    uint32_t size = molt_sector_size(&flash->geometry);
    for (uint32_t try = 0; try < TRIAL_TRIES; try++) {
        if (flash->read(flash->ctx, trial->back_addr, buf, size) == 0
            && molt_crc32(0, buf + trial->back_off, size - trial->back_off) == trial->back_crc) {
            return true;
        }
    }
    return false;
}

// Whether the image at `addr` begins as one.
static bool has_magic(const molt_flash_t *flash, uint32_t addr) {
    uint32_t word = 0;
    (void)flash->read(flash->ctx, addr, &word, sizeof word);
    return (word & 0xff) == MOLT_APP_MAGIC;
}

// Whether its first sector is the one that has `crc`, but for its first byte, which may not be programmed yet. It is read again before
// the answer is no.
static bool first_is_placed(const molt_flash_t *flash, uint32_t addr, uint32_t crc, uint8_t *buf) {
    uint32_t size = molt_sector_size(&flash->geometry);
    for (uint32_t try = 0; try < TRIAL_TRIES; try++) {
        int err = flash->read(flash->ctx, addr, buf, size);
        buf[0] = MOLT_APP_MAGIC;
        if (!err && molt_crc32(0, buf, size) == crc) {
            return true;
        }
    }
    return false;
}

uint32_t molt_trial_ask(const molt_flash_t *flash, uint32_t plan_addr, const uint8_t *sector, uint8_t *buf, const uint8_t *code) {
    const uint8_t *header = sector + molt_sector_size(&flash->geometry) - MOLT_PLAN_HEADER_SIZE;
    (void)code;
    const molt_trial_t *trial = trial_in(&flash->geometry, sector);
    bool is_ended = is_over(&flash->geometry, sector);
    uint32_t image_addr = load32_le(header + PLAN_OFF_IMAGE_ADDR);
    bool is_begun = has_magic(flash, image_addr);
    uint32_t next = is_begun ? MOLT_TRIAL_RESET : MOLT_TRIAL_GO_ON;
    uint32_t count = starts_of(trial);
    bool has_back = count != 0 && read_back(flash, trial, buf);
    uint32_t marks = has_back ? molt_marks_read(&flash->geometry, buf) : 0;
    if (molt_mark_is_in(marks, MOLT_MARK_COMMITTED)) {
        // Also where it seems to be over: a cut may have come between the two words that say so.
        if (molt_mark_is_in(marks, MOLT_MARK_PLACED) && is_begun) {
            (void)molt_trial_end(flash, plan_addr);
        }
        return trial->back_addr;
    }
    if (is_ended) {
        // Also where the one that says so was read from one page alone.
        (void)molt_trial_end(flash, plan_addr);
        return MOLT_TRIAL_GO_ON;
    }
    if (count == 0) {
        (void)molt_trial_end(flash, plan_addr);
        return next;
    }
    // A torn program of its first byte can have taken its page, which will be made again; or it is another firmware.
    if (!first_is_placed(flash, image_addr, load32_le(header + PLAN_OFF_FIRST_CRC), buf)) {
        return MOLT_TRIAL_GO_ON;
    }
    uint32_t starts = read_starts(&flash->geometry, sector);
    if (is_begun && starts + 1 >= count) {
        (void)prog_word(flash, plan_addr + back_off(&flash->geometry), 0);
        if (has_back && molt_marks_make(flash, trial->back_addr, MOLT_MARK_COMMITTED) == 0) {
            return trial->back_addr;
        }
        (void)molt_trial_end(flash, plan_addr);
        return next;
    }
    if (is_begun) {
        uint32_t off = starts_off(&flash->geometry) + (starts & ~3u);
        // The other bytes as they are: no 1 goes over a 0.
        (void)prog_word(flash, plan_addr + off, load32_le(sector + off) & ~(0xffu << 8 * (starts & 3)));
    }
    if (!is_begun) {
        (void)write_loader_entry(flash, plan_addr);
    }
    int err = -1;
    for (uint32_t try = 0; err && try < TRIAL_TRIES; try++) {
        err = write_firmware_entry(flash, plan_addr, buf);
    }
    if (err) {
        (void)molt_trial_end(flash, plan_addr);
    }
    return next;
}
