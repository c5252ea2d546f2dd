// Otadata: which slot the boot loader starts.
//
// Source: ESP-IDF, esp_flash_partitions.h, bootloader_utility.c and esp_ota_ops.c, versions 4.3 to 6.1. docs/format.md, "otadata".

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "molt/error.h"
#include "slots/slots.h"

#define OTADATA_ENTRY_COUNT 2u
#define OTADATA_ENTRY_SIZE 32u
enum { OTADATA_OFF_NUMBER = 0, OTADATA_OFF_LABEL = 4, OTADATA_OFF_STATE = 24, OTADATA_OFF_CRC = 28 };
enum { STATE_NEW = 0, STATE_PENDING = 1, STATE_VALID = 2, STATE_INVALID = 3, STATE_ABORTED = 4 };
#define NUMBER_NONE UINT32_MAX
// Numbers above this are begun anew: there has to be a next one, and one after that, for each slot.
#define NUMBER_MAX (UINT32_MAX - 4 * MOLT_SLOTS_MAX)

// In the label: this, the CRC-32 of the image, whether it was put in on trial, and whether the entry was made firm.
#define LABEL_MAGIC 0x746c6f6du  // "molt"
enum {
    LABEL_OFF_IMAGE_CRC = OTADATA_OFF_LABEL + 4,
    LABEL_OFF_TRIAL = OTADATA_OFF_LABEL + 8,
    LABEL_OFF_FIRM = OTADATA_OFF_LABEL + 12,
    LABEL_OFF_FIRM_BACK = OTADATA_OFF_LABEL + 16,  // likewise behind a trial that was not confirmed
};
#define LABEL_TRIAL 0x6c697274u  // "tril"
#define LABEL_FIRM 0u

// How often an entry is written, or read, before flash counts as failing.
#define OTADATA_TRIES 4u

typedef struct otadata {
    uint32_t words[OTADATA_ENTRY_COUNT][OTADATA_ENTRY_SIZE / 4];
} otadata_t;

static const uint8_t *entry_of(const otadata_t *otadata, uint32_t i) {
    return (const uint8_t *)otadata->words[i];
}

static uint32_t number_of(const otadata_t *otadata, uint32_t i) {
    return load32_le(entry_of(otadata, i) + OTADATA_OFF_NUMBER);
}

static uint32_t state_of(const otadata_t *otadata, uint32_t i) {
    return load32_le(entry_of(otadata, i) + OTADATA_OFF_STATE);
}

// The CRC is over the number alone.
static uint32_t crc_of_number(uint32_t number) {
    uint8_t bytes[4];
    store32_le(bytes, number);
    return molt_crc32(UINT32_MAX, bytes, sizeof bytes);
}

static bool is_passed_over(const otadata_t *otadata, uint32_t i) {
    uint32_t state = state_of(otadata, i);
    return number_of(otadata, i) == NUMBER_NONE || state == STATE_INVALID || state == STATE_ABORTED;
}

static bool has_crc(const otadata_t *otadata, uint32_t i) {
    return load32_le(entry_of(otadata, i) + OTADATA_OFF_CRC) == crc_of_number(number_of(otadata, i));
}

static bool counts(const otadata_t *otadata, uint32_t i) {
    return !is_passed_over(otadata, i) && has_crc(otadata, i);
}

// The entry that counts, or OTADATA_ENTRY_COUNT for none.
static uint32_t active_of(const otadata_t *otadata) {
    bool first = counts(otadata, 0);
    bool second = counts(otadata, 1);
    if (first && second) {
        return number_of(otadata, 0) >= number_of(otadata, 1) ? 0 : 1;
    }
    return first ? 0 : second ? 1 : OTADATA_ENTRY_COUNT;
}

static uint32_t slot_of(const otadata_t *otadata, uint32_t i, uint32_t slot_count) {
    return i == OTADATA_ENTRY_COUNT ? MOLT_SLOT_NONE : (number_of(otadata, i) - 1) % slot_count;
}

// The one to be written, where this one counts.
static uint32_t other_than(uint32_t active) {
    return active == OTADATA_ENTRY_COUNT ? 0 : 1 - active;
}

// The highest number, whether or not it counts still; 0 for none.
static uint32_t highest_of(const otadata_t *otadata) {
    uint32_t highest = 0;
    for (uint32_t i = 0; i < OTADATA_ENTRY_COUNT; i++) {
        uint32_t number = number_of(otadata, i);
        highest = number != NUMBER_NONE && has_crc(otadata, i) && number > highest ? number : highest;
    }
    return highest;
}

// Read until two readings are the same: what is destroyed next depends on it.
static int read_otadata(const molt_flash_t *flash, uint32_t addr, otadata_t *otadata) {
    uint32_t sector_size = molt_sector_size(&flash->geometry);
    int err = MOLT_ERR_IO;
    otadata_t before;
    memset(otadata, 0, sizeof *otadata);
    for (uint32_t try = 0; try < OTADATA_TRIES; try++) {
        before = *otadata;
        err = flash->read(flash->ctx, addr, otadata->words[0], OTADATA_ENTRY_SIZE);
        err = err ? err : flash->read(flash->ctx, addr + sector_size, otadata->words[1], OTADATA_ENTRY_SIZE);
        if (!err && try && memcmp(&before, otadata, sizeof before) == 0) {
            return 0;
        }
    }
    return err ? err : MOLT_ERR_IO;
}

// What goes into an entry.
typedef struct note {
    uint32_t number;
    uint32_t state;
    uint8_t label[OTADATA_OFF_STATE - OTADATA_OFF_LABEL];
} note_t;

static void set_label(note_t *note, uint32_t image_crc, bool on_trial) {
    store32_le(note->label, LABEL_MAGIC);
    store32_le(note->label + LABEL_OFF_IMAGE_CRC - OTADATA_OFF_LABEL, image_crc);
    store32_le(note->label + LABEL_OFF_TRIAL - OTADATA_OFF_LABEL, on_trial ? LABEL_TRIAL : UINT32_MAX);
}

static int hold_to(const molt_flash_t *flash, uint32_t addr, const uint32_t *words, uint32_t size) {
    uint32_t found[OTADATA_ENTRY_SIZE / 4];
    int err = flash->read(flash->ctx, addr, found, size);
    return err || memcmp(found, words, size) == 0 ? err : MOLT_ERR_IO;
}

// One try. The number goes in last, when the rest is there: an entry without it has not its CRC, and does not count.
static int try_entry(const molt_flash_t *flash, uint32_t addr, const uint32_t words[OTADATA_ENTRY_SIZE / 4]) {
    const uint32_t *rest = words + OTADATA_OFF_LABEL / 4;
    int err = flash->erase_sector(flash->ctx, addr);
    err = err ? err : flash->prog(flash->ctx, addr + OTADATA_OFF_LABEL, rest, OTADATA_ENTRY_SIZE - OTADATA_OFF_LABEL);
    err = err ? err : hold_to(flash, addr + OTADATA_OFF_LABEL, rest, OTADATA_ENTRY_SIZE - OTADATA_OFF_LABEL);
    err = err ? err : flash->prog(flash->ctx, addr, words, OTADATA_OFF_LABEL);
    return err ? err : hold_to(flash, addr, words, OTADATA_ENTRY_SIZE);
}

static int erase_entry(const molt_flash_t *flash, uint32_t otadata_addr, uint32_t i) {
    return flash->erase_sector(flash->ctx, otadata_addr + i * molt_sector_size(&flash->geometry));
}

static int write_entry(const molt_flash_t *flash, uint32_t otadata_addr, uint32_t i, const note_t *note) {
    uint32_t words[OTADATA_ENTRY_SIZE / 4];
    uint8_t *entry = (uint8_t *)words;
    store32_le(entry + OTADATA_OFF_NUMBER, note->number);
    memcpy(entry + OTADATA_OFF_LABEL, note->label, sizeof note->label);
    store32_le(entry + OTADATA_OFF_STATE, note->state);
    store32_le(entry + OTADATA_OFF_CRC, crc_of_number(note->number));
    int err = MOLT_ERR_IO;
    for (uint32_t try = 0; err && try < OTADATA_TRIES; try++) {
        err = try_entry(flash, otadata_addr + i * molt_sector_size(&flash->geometry), words);
    }
    if (err) {
        // It is not what it should be, and must not count.
        (void)erase_entry(flash, otadata_addr, i);
    }
    return err;
}

// The next number that means `slot`.
static uint32_t next_number(uint32_t above, uint32_t slot, uint32_t slot_count) {
    uint32_t number = above + 1;
    while ((number - 1) % slot_count != slot) {
        number++;
    }
    return number;
}

int molt_otadata_select(const molt_flash_t *flash, uint32_t otadata_addr, uint32_t slot_count, uint32_t *slot) {
    otadata_t otadata;
    int err = read_otadata(flash, otadata_addr, &otadata);
    *slot = err ? MOLT_SLOT_NONE : slot_of(&otadata, active_of(&otadata), slot_count);
    return err;
}

// Make the boot loader's choice without what comes be what runs: it is what a trial falls back to, and what starts if the power fails
// while the new entry is written. It runs, so that nothing can be wrong with it.
static int settle(const molt_flash_t *flash, const molt_target_t *target, otadata_t *otadata) {
    uint32_t addr = target->otadata_addr;
    uint32_t active = active_of(otadata);
    uint32_t other = other_than(active);
    bool is_used_up = highest_of(otadata) > NUMBER_MAX;
    int err;
    if (slot_of(otadata, active, target->slot_count) == target->running_slot && !is_used_up) {
        return 0;
    }
    if (target->running_slot == MOLT_SLOT_NONE) {
        // The one that does not count first: else it would, and it may be of any slot.
        err = erase_entry(flash, addr, other);
        err = err ? err : erase_entry(flash, addr, 1 - other);
    } else {
        uint32_t above = is_used_up ? 0 : highest_of(otadata);
        note_t note = { .number = next_number(above, target->running_slot, target->slot_count), .state = STATE_VALID };
        memset(note.label, 0xff, sizeof note.label);
        err = write_entry(flash, addr, other, &note);
        if (!err && is_used_up) {
            err = erase_entry(flash, addr, 1 - other);
        }
    }
    return err ? err : read_otadata(flash, addr, otadata);
}

int molt_otadata_commit(const molt_flash_t *flash, const molt_target_t *target, uint32_t image_crc, bool on_trial) {
    otadata_t otadata;
    int err = read_otadata(flash, target->otadata_addr, &otadata);
    err = err ? err : settle(flash, target, &otadata);
    if (err) {
        return err;
    }
    note_t note = { .number = next_number(highest_of(&otadata), target->slot, target->slot_count),
        .state = on_trial ? STATE_NEW : STATE_VALID };
    memset(note.label, 0xff, sizeof note.label);
    set_label(&note, image_crc, on_trial);
    return write_entry(flash, target->otadata_addr, other_than(active_of(&otadata)), &note);
}

static bool is_molts(const otadata_t *otadata, uint32_t i) {
    return i < OTADATA_ENTRY_COUNT && number_of(otadata, i) != NUMBER_NONE && has_crc(otadata, i)
           && load32_le(entry_of(otadata, i) + OTADATA_OFF_LABEL) == LABEL_MAGIC;
}

static bool is_of_trial(const otadata_t *otadata, uint32_t i) {
    return load32_le(entry_of(otadata, i) + LABEL_OFF_TRIAL) == LABEL_TRIAL;
}

// Whether the next reset starts another slot than what runs. What was tried and did not start is PENDING.
static bool is_prepared(const molt_target_t *target, const otadata_t *otadata) {
    uint32_t active = active_of(otadata);
    return active < OTADATA_ENTRY_COUNT && slot_of(otadata, active, target->slot_count) != target->running_slot
           && state_of(otadata, active) != STATE_PENDING;
}

int molt_otadata_cancel(const molt_flash_t *flash, const molt_target_t *target) {
    otadata_t otadata;
    int err = read_otadata(flash, target->otadata_addr, &otadata);
    if (err) {
        return err;
    }
    if (!is_prepared(target, &otadata)) {
        return MOLT_ERR_NOENT;
    }
    err = erase_entry(flash, target->otadata_addr, active_of(&otadata));
    err = err ? err : read_otadata(flash, target->otadata_addr, &otadata);
    return err ? err : settle(flash, target, &otadata);
}

static molt_outcome_t otadata_outcome(const molt_target_t *target, const otadata_t *otadata, uint32_t *of) {
    uint32_t active = active_of(otadata);
    *of = active;
    for (uint32_t i = 0; i < OTADATA_ENTRY_COUNT; i++) {
        bool is_later = active == OTADATA_ENTRY_COUNT || number_of(otadata, i) > number_of(otadata, active);
        if (is_later && is_molts(otadata, i) && state_of(otadata, i) == STATE_ABORTED) {
            *of = i;
            return MOLT_OUTCOME_ROLLED_BACK;
        }
    }
    if (!is_molts(otadata, active)) {
        return MOLT_OUTCOME_NONE;
    }
    if (slot_of(otadata, active, target->slot_count) != target->running_slot) {
        return state_of(otadata, active) == STATE_PENDING ? MOLT_OUTCOME_ROLLED_BACK : MOLT_OUTCOME_PENDING;
    }
    return is_of_trial(otadata, active) ? MOLT_OUTCOME_CONFIRMED : MOLT_OUTCOME_DONE;
}

static bool is_on_trial(const molt_target_t *target, const otadata_t *otadata) {
    uint32_t active = active_of(otadata);
    return active < OTADATA_ENTRY_COUNT && slot_of(otadata, active, target->slot_count) == target->running_slot
           && state_of(otadata, active) <= STATE_PENDING;
}

int molt_otadata_status(const molt_flash_t *flash, const molt_target_t *target, molt_status_t *status) {
    otadata_t otadata;
    uint32_t of;
    int err = read_otadata(flash, target->otadata_addr, &otadata);
    if (err) {
        return err;
    }
    status->is_prepared = is_prepared(target, &otadata);
    status->is_on_trial = is_on_trial(target, &otadata);
    status->is_counted = status->is_on_trial && state_of(&otadata, active_of(&otadata)) == STATE_PENDING;
    status->outcome = otadata_outcome(target, &otadata, &of);
    if (status->is_on_trial) {
        status->outcome = MOLT_OUTCOME_NONE;
        of = active_of(&otadata);
    }
    status->image_crc = is_molts(&otadata, of) ? load32_le(entry_of(&otadata, of) + LABEL_OFF_IMAGE_CRC) : 0;
    return 0;
}

// Whether the state is one that is written on purpose. A torn one starts the firmware without being counted.
static bool is_known_state(uint32_t state) {
    return state <= STATE_ABORTED;
}

// Program an entry of molt's once more as it reads, unless the word at `mark_off` of it says that this was done.
static int make_firm(const molt_flash_t *flash, uint32_t otadata_addr, const otadata_t *otadata, uint32_t i, uint32_t mark_off) {
    uint32_t addr = otadata_addr + i * molt_sector_size(&flash->geometry);
    static const uint32_t firm = LABEL_FIRM;
    if (load32_le(entry_of(otadata, i) + mark_off) == LABEL_FIRM) {
        return 0;
    }
    int err = flash->prog(flash->ctx, addr, otadata->words[i], OTADATA_ENTRY_SIZE);
    return err ? err : flash->prog(flash->ctx, addr + mark_off, &firm, sizeof firm);
}

int molt_slots_settle(const molt_target_t *target, const molt_flash_t *flash) {
    otadata_t otadata;
    uint32_t of;
    int err = read_otadata(flash, target->otadata_addr, &otadata);
    if (err) {
        return err;
    }
    if (otadata_outcome(target, &otadata, &of) == MOLT_OUTCOME_ROLLED_BACK) {
        return make_firm(flash, target->otadata_addr, &otadata, of, LABEL_OFF_FIRM_BACK);
    }
    if (!is_molts(&otadata, of) || slot_of(&otadata, of, target->slot_count) != target->running_slot) {
        return 0;
    }
    if (is_of_trial(&otadata, of) && !is_known_state(state_of(&otadata, of))) {
        note_t note = { .number = number_of(&otadata, of), .state = STATE_PENDING };
        memcpy(note.label, entry_of(&otadata, of) + OTADATA_OFF_LABEL, sizeof note.label);
        return write_entry(flash, target->otadata_addr, of, &note);
    }
    return make_firm(flash, target->otadata_addr, &otadata, of, LABEL_OFF_FIRM);
}

int molt_otadata_confirm(const molt_flash_t *flash, const molt_target_t *target) {
    otadata_t otadata;
    int err = read_otadata(flash, target->otadata_addr, &otadata);
    if (err) {
        return err;
    }
    if (!is_on_trial(target, &otadata)) {
        return MOLT_ERR_NOENT;
    }
    uint32_t active = active_of(&otadata);
    note_t note = { .number = number_of(&otadata, active), .state = STATE_VALID };
    memcpy(note.label, entry_of(&otadata, active) + OTADATA_OFF_LABEL, sizeof note.label);
    if (is_molts(&otadata, active)) {
        store32_le(note.label + LABEL_OFF_FIRM - OTADATA_OFF_LABEL, UINT32_MAX);
    }
    return write_entry(flash, target->otadata_addr, active, &note);
}
