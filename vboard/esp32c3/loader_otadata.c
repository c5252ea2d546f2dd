// Which program otadata selects, and what the boot loader writes there.
//
// Two copies, a sector each: sequence number, label, state, and a CRC of the number. The valid one with the higher number counts.
#include <string.h>
#include <zlib.h>

#include "chip.h"
#include "nor.h"
#include "power.h"
#include "second_stage.h"

enum { COPIES = 2 };
enum { STATE_NEW = 0, STATE_PENDING = 1, STATE_VALID = 2, STATE_INVALID = 3, STATE_ABORTED = 4 };
#define SEQUENCE_EMPTY UINT32_MAX

struct entry {
    uint32_t sequence;
    uint8_t label[20];
    uint32_t state;
    uint32_t crc;
};

static uint32_t crc_of(const struct entry *entry) {
    return (uint32_t)crc32(UINT32_MAX, (const uint8_t *)&entry->sequence, sizeof entry->sequence);
}

static bool is_unusable(const struct entry *entry) {
    return entry->sequence == SEQUENCE_EMPTY || entry->state == STATE_INVALID || entry->state == STATE_ABORTED;
}

static bool is_valid(const struct entry *entry) {
    return !is_unusable(entry) && entry->crc == crc_of(entry);
}

static void wait_idle(void) {
    while (power_is_on() && (chip_read_status() & CHIP_STATUS_WIP) != 0) {
    }
}

// By the number of the sector that the copy is in, wherever in it. Power cut: the copy is torn; the other one is as it was.
static void write_copy(const struct partitions *table, unsigned i, const struct entry *entry) {
    uint32_t addr = table->otadata.addr + i * NOR_SECTOR_SIZE;
    chip_write_enable();
    chip_erase(addr / NOR_SECTOR_SIZE * NOR_SECTOR_SIZE, NOR_SECTOR_SIZE);
    wait_idle();
    chip_write_enable();
    chip_program(addr, entry, sizeof *entry);
    wait_idle();
}

// The copy that counts, or -1.
static int active_of(const struct entry copies[COPIES]) {
    if (is_valid(&copies[0]) && is_valid(&copies[1])) {
        return copies[0].sequence >= copies[1].sequence ? 0 : 1;
    }
    return is_valid(&copies[0]) ? 0 : is_valid(&copies[1]) ? 1 : -1;
}

static bool read_copies(const struct partitions *table, struct entry copies[COPIES]) {
    if (table->otadata.size < COPIES * NOR_SECTOR_SIZE) {
        loader_say('E', "otadata is smaller than two sectors");
        return false;
    }
    return loader_read(table->otadata.addr, &copies[0], sizeof copies[0])
           && loader_read(table->otadata.addr + NOR_SECTOR_SIZE, &copies[1], sizeof copies[1]);
}

// A program that was on trial and has not said that it works is not started again.
static void abort_trials(const struct partitions *table, struct entry copies[COPIES]) {
    for (unsigned i = 0; i < COPIES; i++) {
        if (copies[i].state == STATE_PENDING) {
            copies[i].state = STATE_ABORTED;
            write_copy(table, i, &copies[i]);
        }
    }
}

int otadata_select(const struct partitions *table) {
    struct entry copies[COPIES];
    if (table->otadata.addr == 0) {
        return INDEX_FACTORY;
    }
    if (!read_copies(table, copies)) {
        return INDEX_INVALID;
    }
    abort_trials(table, copies);
    if ((is_unusable(&copies[0]) && is_unusable(&copies[1])) || table->ota_count == 0) {
        return table->factory.addr != 0 ? INDEX_FACTORY : 0;
    }
    int active = active_of(copies);
    if (active < 0) {
        loader_say('E', "otadata is not valid");
        return INDEX_FACTORY;
    }
    if (copies[active].state == STATE_NEW) {
        copies[active].state = STATE_PENDING;
        write_copy(table, (unsigned)active, &copies[active]);
    }
    return (int)((copies[active].sequence - 1) % table->ota_count);
}

void otadata_note_started(const struct partitions *table, int index) {
    struct entry copies[COPIES];
    if (index < 0 || table->otadata.addr == 0 || table->factory.addr != 0 || !read_copies(table, copies)) {
        return;
    }
    bool are_empty = true;
    for (unsigned i = 0; i < COPIES; i++) {
        are_empty = are_empty && (copies[i].sequence == SEQUENCE_EMPTY || copies[i].crc != crc_of(&copies[i]));
    }
    // A copy with a right number and a bad state is not one to be written over.
    if (!are_empty || !is_unusable(&copies[0]) || !is_unusable(&copies[1])) {
        return;
    }
    struct entry entry;
    memset(&entry, 0xff, sizeof entry);
    entry.sequence = (uint32_t)index + 1;
    entry.state = STATE_VALID;
    entry.crc = crc_of(&entry);
    write_copy(table, 0, &entry);
}
