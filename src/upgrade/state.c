// The state log. docs/format.md, "state". Version 1. A record has 32 bytes, of which 20 are used:
//
//   word 0  number, from 1 up
//   word 1  kind, result << 8, head << 16, plan << 24
//   word 2  trial plan, trial starts << 8; the rest 0
//   word 3  CRC-32 of words 0 to 2
//   word 4  starts: one bit cleared for each, from bit 0 up; outside the CRC

#include "molt/state.h"

#include "bytes.h"
#include "libc.h"
#include "molt/apply.h"
#include "molt/crc32.h"
#include "molt/error.h"

#define RECORD_SIZE 32u
#define RECORD_CRC_OFF 12u
#define RECORD_TALLY_OFF 16u
#define LOG_SECTOR 4u

uint32_t molt_state_sector_addr(const molt_flash_t *flash, uint32_t reserved_addr, uint32_t index) {
    return reserved_addr + index * molt_sector_size(&flash->geometry);
}

// Whether there was no try yet to program a record here, from the words that it takes: the tally is not touched before.
static bool is_blank(const uint32_t words[RECORD_TALLY_OFF / 4]) {
    return (words[0] & words[1] & words[2] & words[3]) == UINT32_MAX;
}

static bool parse(const uint8_t *record, molt_state_t *state) {
    if (load32_le(record + RECORD_CRC_OFF) != molt_crc32(0, record, RECORD_CRC_OFF)) {
        return false;
    }
    state->number = load32_le(record);
    state->kind = record[4];
    state->result = record[5];
    state->head = record[6];
    state->plan = record[7];
    state->trial_plan = record[8];
    state->trial_starts = record[9];
    state->tally = 0;
    for (uint32_t bits = ~load32_le(record + RECORD_TALLY_OFF); bits; bits &= bits - 1) {
        state->tally++;
    }
    return true;
}

// How many records lie in the sector at `begin`, good and torn ones. They are laid down in a row, so half of what is
// left is passed over at a time. (A sector whose erase was torn may hold blank places anywhere: whatever comes out for
// it, it has no record that counts, and is erased before it gets one.)
static int count_records(const molt_flash_t *flash, uint32_t begin, uint32_t *count) {
    uint32_t end = molt_sector_size(&flash->geometry) / RECORD_SIZE;
    *count = 0;
    while (*count < end) {
        uint32_t words[RECORD_TALLY_OFF / 4];
        uint32_t middle = (*count + end) / 2;
        int err = flash->read(flash->ctx, begin + middle * RECORD_SIZE, words, sizeof words);
        if (err) {
            return err;
        }
        if (is_blank(words)) {
            end = middle;
        } else {
            *count = middle + 1;
        }
    }
    return 0;
}

int molt_state_read(const molt_flash_t *flash, uint32_t reserved_addr, molt_state_t *state) {
    state->number = 0;
    state->addr = 0;
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t begin = molt_state_sector_addr(flash, reserved_addr, LOG_SECTOR + i);
        uint32_t count;
        int err = count_records(flash, begin, &count);
        bool is_found = false;
        while (!err && count && !is_found) {
            uint32_t words[RECORD_SIZE / 4];
            molt_state_t found;
            found.addr = begin + --count * RECORD_SIZE;
            err = flash->read(flash->ctx, found.addr, words, RECORD_SIZE);
            is_found = !err && parse((const uint8_t *)words, &found);
            if (is_found && found.number > state->number) {
                *state = found;
            }
        }
        if (err) {
            return err;
        }
    }
    return state->number ? 0 : MOLT_ERR_NOENT;
}

// One try: a record that does not stick is no longer blank, and the next try goes behind it.
static int append(const molt_flash_t *flash, uint32_t first, const molt_state_t *state, const uint32_t *words) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    uint32_t begin = state->addr - state->addr % sector_size;
    uint32_t count = sector_size / RECORD_SIZE;
    int err = state->addr ? count_records(flash, begin, &count) : 0;
    uint32_t place = begin + count * RECORD_SIZE;
    if (!err && count == sector_size / RECORD_SIZE) {
        // The other sector than the one that counts; the first of all at the very beginning.
        place = begin == first ? first + sector_size : first;
        err = flash->erase_sector(flash->ctx, place);
    }
    uint32_t back[RECORD_TALLY_OFF / 4];
    if (!err) {
        err = flash->prog(flash->ctx, place, words, RECORD_TALLY_OFF);
    }
    if (!err) {
        err = flash->read(flash->ctx, place, back, sizeof back);
    }
    return !err && memcmp(back, words, sizeof back) != 0 ? MOLT_ERR_IO : err;
}

int molt_state_append(const molt_flash_t *flash, uint32_t reserved_addr, const molt_state_t *state,
    const molt_state_t *next) {
    uint32_t words[RECORD_TALLY_OFF / 4];
    uint8_t *record = (uint8_t *)words;
    memset(record, 0, sizeof words);
    store32_le(record, state->number + 1);
    record[4] = next->kind;
    record[5] = next->result;
    record[6] = next->head;
    record[7] = next->plan;
    record[8] = next->trial_plan;
    record[9] = next->trial_starts;
    store32_le(record + RECORD_CRC_OFF, molt_crc32(0, record, RECORD_CRC_OFF));
    uint32_t first = molt_state_sector_addr(flash, reserved_addr, LOG_SECTOR);
    int err = MOLT_ERR_IO;
    for (uint32_t try = 0; err && try < MOLT_APPLY_TRIES; try++) {
        err = append(flash, first, state, words);
    }
    return err;
}

int molt_state_count(const molt_flash_t *flash, molt_state_t *state) {
    uint32_t word;
    uint8_t *bytes = (uint8_t *)&word;
    state->tally++;
    store32_le(bytes, state->tally < 32 ? UINT32_MAX << state->tally : 0);
    return flash->prog(flash->ctx, state->addr + RECORD_TALLY_OFF, &word, sizeof word);
}
