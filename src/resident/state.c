// The state log. docs/format.md, "state". Version 2. Each record is stored twice, in two pages that follow each other: a
// slot. A record has 20 bytes at the beginning of its page:
//
//   word 0  number, from 1 up
//   word 1  kind, result << 8, head << 16, plan << 24
//   word 2  trial plan, trial starts << 8; the rest 0
//   word 3  CRC-32 of words 0 to 2
//   word 4  starts: one bit cleared for each, from bit 0 up; outside the CRC

#include "resident/state.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"

#define RECORD_SIZE 20u
#define RECORD_BYTES_OFF 4u  // kind to trial starts
#define RECORD_BYTES_SIZE 6u
#define STATE_CRC_OFF 12u
#define RECORD_TALLY_OFF 16u
#define COPY_COUNT 2u
#define LOG_SECTOR 4u

// Readings of a slot, of one copy and the other in turn, before an older record is believed.
#define SLOT_TRIES 6u

// Slots that are tried for a record that does not stick.
#define APPEND_TRIES 4u

uint32_t molt_state_sector_addr(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t index) {
    return reserved_addr + index * molt_sector_size(&flash->geometry);
}

static uint32_t slot_size(const molt_flash_t *flash) {
    return COPY_COUNT * molt_page_size(&flash->geometry);
}

static bool parse(const uint8_t *record, molt_state_t *state) {
    if (load32_le(record + STATE_CRC_OFF) != molt_crc32(0, record, STATE_CRC_OFF)) {
        return false;
    }
    state->number = load32_le(record);
    memcpy(&state->kind, record + RECORD_BYTES_OFF, RECORD_BYTES_SIZE);
    state->tally = count_zeros(load32_le(record + RECORD_TALLY_OFF));
    return true;
}

typedef enum slot {
    SLOT_BLANK,  // nothing was ever programmed there
    SLOT_TORN,   // neither copy is a record, however often it is read
    SLOT_RECORD,
} slot_t;

// Read the record of the slot at `addr`. Returns a slot_t, or the driver's error.
static int read_slot(const molt_flash_t *flash, uint32_t addr, molt_state_t *state) {
    uint32_t bits = UINT32_MAX;
    for (uint32_t try = 0; try < SLOT_TRIES; try++) {
        uint32_t words[RECORD_SIZE / 4];
        uint32_t copy_addr = addr + try % COPY_COUNT * molt_page_size(&flash->geometry);
        int err = flash->read(flash->ctx, copy_addr, words, sizeof words);
        if (err) {
            return err;
        }
        for (uint32_t i = 0; i < RECORD_SIZE / 4; i++) {
            bits &= words[i];
        }
        if (words[0] != UINT32_MAX && parse((const uint8_t *)words, state)) {
            state->addr = addr;
            return SLOT_RECORD;
        }
        // Most slots are blank, and two readings tell.
        if (try == COPY_COUNT - 1 && bits == UINT32_MAX) {
            return SLOT_BLANK;
        }
    }
    return SLOT_TORN;
}

int molt_state_read(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state) {
    memset(state, 0, sizeof *state);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t begin = molt_state_sector_addr(flash, reserved_addr, LOG_SECTOR + i);
        uint32_t addr = begin + molt_sector_size(&flash->geometry);
        molt_state_t other;
        other.free_addr = addr;
        int found = SLOT_BLANK;
        // The last record of the sector; what is blank behind it.
        while (found != SLOT_RECORD && addr != begin) {
            bool is_free = other.free_addr == addr;
            addr -= slot_size(flash);
            found = read_slot(flash, addr, &other);
            if (found < 0) {
                return found;
            }
            if (is_free && found == SLOT_BLANK) {
                other.free_addr = addr;
            }
        }
        if (found == SLOT_RECORD && other.number > state->number) {
            *state = other;
        }
    }
    if (state->number == 0) {
        return MOLT_ERR_NOENT;
    }
    return state->number == UINT32_MAX || state->kind - 1u >= MOLT_STATE_TRIAL ? MOLT_ERR_NOTSUP : 0;
}

// Program both copies of the slot at state->addr. The words of it are left in `words`.
static int prog_slot(const molt_flash_t *flash, const molt_state_t *state, uint32_t words[RECORD_SIZE / 4]) {
    uint8_t *record = (uint8_t *)words;
    memset(record, 0, RECORD_SIZE);
    store32_le(record, state->number);
    memcpy(record + RECORD_BYTES_OFF, &state->kind, RECORD_BYTES_SIZE);
    store32_le(record + STATE_CRC_OFF, molt_crc32(0, record, STATE_CRC_OFF));
    store32_le(record + RECORD_TALLY_OFF, state->tally < 32 ? UINT32_MAX << state->tally : 0);
    int err = 0;
    for (uint32_t i = 0; !err && i < COPY_COUNT; i++) {
        uint32_t copy_addr = state->addr + i * molt_page_size(&flash->geometry);
        err = flash->prog(flash->ctx, copy_addr, words, RECORD_SIZE);
    }
    return err;
}

// Both copies are what was programmed: 0, MOLT_ERR_IO, or the driver's error.
static int verify_slot(const molt_flash_t *flash, uint32_t addr, const uint32_t words[RECORD_SIZE / 4]) {
    int err = 0;
    for (uint32_t i = 0; !err && i < COPY_COUNT; i++) {
        uint32_t back[RECORD_SIZE / 4];
        err = flash->read(flash->ctx, addr + i * molt_page_size(&flash->geometry), back, sizeof back);
        if (!err && memcmp(back, words, sizeof back) != 0) {
            err = MOLT_ERR_IO;
        }
    }
    return err;
}

int molt_state_append(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state, const molt_state_t *next) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t first = molt_state_sector_addr(flash, reserved_addr, LOG_SECTOR);
    // The sector of the record that counts, which stays; the other one is the first of all.
    uint32_t begin = state->addr ? state->addr - state->addr % sector_size : first + sector_size;
    uint32_t other = begin == first ? first + sector_size : first;
    molt_state_t record = *next;
    record.tally = 0;
    record.addr = state->addr ? state->free_addr : begin + sector_size;
    // A number for each slot, also for those that are passed over: what is in them may read as a record one day.
    record.number = state->number + (state->addr ? (record.addr - state->addr) / slot_size(flash) : 1);
    int err = MOLT_ERR_IO;
    for (uint32_t try = 0; err && try < APPEND_TRIES; try++) {
        uint32_t words[RECORD_SIZE / 4];
        err = 0;
        if (record.addr == begin + sector_size || record.addr == other + sector_size) {
            record.addr = other;
            err = flash->erase_sector(flash->ctx, other);
        }
        bool was_erased = !err;
        if (!err) {
            err = prog_slot(flash, &record, words);
        }
        if (!err) {
            err = verify_slot(flash, record.addr, words);
        }
        record.free_addr = record.addr + slot_size(flash);
        if (!err) {
            *state = record;
        }
        // One that does not stick leaves its slot used; a sector that could not be erased is erased again.
        record.addr = was_erased ? record.free_addr : other + sector_size;
        record.number++;
    }
    return err;
}

int molt_state_count(const molt_flash_t *flash, molt_state_t *state) {
    uint32_t words[RECORD_SIZE / 4];
    state->tally += state->tally < 32;
    return prog_slot(flash, state, words);
}
