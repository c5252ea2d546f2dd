// Which program runs, and which is started next: esp_ota_* of the virtual IDF.
//
// otadata: two copies, a sector each, of {sequence number, label, state, CRC of the number}; the valid one with the higher number counts,
// and the slot is the number less one, modulo the number of slots.
#include "esp_ota_ops.h"

#include <string.h>

#include "board.h"
#include "esp_system.h"

enum { COPIES = 2, SECTOR_SIZE = 4096, SLOT_FIRST = ESP_PARTITION_SUBTYPE_APP_OTA_MIN, SLOTS_MAX = 16, IMAGE_MAGIC = 0xe9 };
enum { STATE_NEW = 0, STATE_PENDING = 1, STATE_VALID = 2, STATE_INVALID = 3, STATE_ABORTED = 4 };

struct entry {
    uint32_t sequence;
    uint8_t label[20];
    uint32_t state;
    uint32_t crc;
};

static const esp_partition_t *find_app(int subtype) {
    return esp_partition_find_first(ESP_PARTITION_TYPE_APP, subtype, NULL);
}

static const esp_partition_t *otadata(void) {
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
}

static unsigned slot_count(void) {
    unsigned count = 0;
    while (count < SLOTS_MAX && find_app(SLOT_FIRST + (int)count) != NULL) {
        count++;
    }
    return count;
}

const esp_partition_t *esp_ota_get_running_partition(void) {
    static const esp_partition_t *running;
    uint32_t addr = spi_flash_cache2phys(esp_app_get_description());
    esp_partition_iterator_t i = running == NULL ? esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL)
                                                 : NULL;
    for (; i != NULL; i = esp_partition_next(i)) {
        const esp_partition_t *part = esp_partition_get(i);
        if (addr >= part->address && addr < part->address + part->size) {
            running = part;
        }
    }
    if (running == NULL) {
        esp_system_abort("the running program is in no partition");
    }
    return running;
}

static bool is_valid(const struct entry *entry) {
    return entry->sequence != UINT32_MAX && entry->state != STATE_INVALID && entry->state != STATE_ABORTED
           && entry->crc == crc32_le(UINT32_MAX, &entry->sequence, sizeof entry->sequence);
}

// Reads both copies; the one that counts, or -1.
static int read_entries(struct entry entries[COPIES]) {
    const esp_partition_t *part = otadata();
    for (unsigned i = 0; i < COPIES; i++) {
        if (part == NULL || esp_partition_read(part, i * SECTOR_SIZE, &entries[i], sizeof entries[i]) != ESP_OK) {
            return -1;
        }
    }
    bool valid[COPIES] = { is_valid(&entries[0]), is_valid(&entries[1]) };
    if (valid[0] && valid[1]) {
        return entries[0].sequence >= entries[1].sequence ? 0 : 1;
    }
    return valid[0] ? 0 : valid[1] ? 1 : -1;
}

static esp_err_t write_entry(unsigned copy, const struct entry *entry) {
    esp_err_t err = esp_partition_erase_range(otadata(), copy * SECTOR_SIZE, SECTOR_SIZE);
    return err != ESP_OK ? err : esp_partition_write(otadata(), copy * SECTOR_SIZE, entry, sizeof *entry);
}

const esp_partition_t *esp_ota_get_boot_partition(void) {
    struct entry entries[COPIES];
    const esp_partition_t *factory = find_app(ESP_PARTITION_SUBTYPE_APP_FACTORY);
    if (otadata() == NULL) {
        return factory;
    }
    int active = read_entries(entries);
    if (active < 0 || slot_count() == 0) {
        return factory != NULL ? factory : find_app(SLOT_FIRST);
    }
    return find_app(SLOT_FIRST + (int)((entries[active].sequence - 1) % slot_count()));
}

const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *from) {
    unsigned count = slot_count();
    int subtype = (from != NULL ? from : esp_ota_get_running_partition())->subtype;
    if (count == 0) {
        return NULL;
    }
    return find_app(subtype < SLOT_FIRST ? SLOT_FIRST : SLOT_FIRST + (subtype - SLOT_FIRST + 1) % (int)count);
}

// The image is looked at less closely than IDF's does it: by its magic alone.
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *part) {
    struct entry entries[COPIES];
    uint8_t magic = 0;
    esp_partition_read(part, 0, &magic, 1);
    if (magic != IMAGE_MAGIC) {
        return ESP_ERR_OTA_VALIDATE_FAILED;
    }
    if (otadata() == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    if (part->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY) {
        return esp_partition_erase_range(otadata(), 0, COPIES * SECTOR_SIZE);
    }
    int active = read_entries(entries);
    uint32_t slot = (uint32_t)part->subtype - SLOT_FIRST, count = slot_count();
    struct entry entry;
    memset(&entry, 0xff, sizeof entry);
    entry.sequence = slot + 1;
    while (active >= 0 && entry.sequence <= entries[active].sequence) {
        entry.sequence += count;
    }
    entry.state = STATE_NEW;
    entry.crc = crc32_le(UINT32_MAX, &entry.sequence, sizeof entry.sequence);
    return write_entry(active == 0 ? 1 : 0, &entry);
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void) {
    struct entry entries[COPIES];
    int active = otadata() != NULL ? read_entries(entries) : -1;
    if (active < 0) {
        return otadata() != NULL || esp_ota_get_running_partition()->subtype != ESP_PARTITION_SUBTYPE_APP_FACTORY ? ESP_FAIL
                                                                                                                  : ESP_OK;
    }
    if (entries[active].state == STATE_VALID) {
        return ESP_OK;
    }
    entries[active].state = STATE_VALID;
    return write_entry((unsigned)active, &entries[active]);
}
