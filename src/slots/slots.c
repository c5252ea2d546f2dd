// The slots that the partition table has, and the one that an upgrade goes to.

#include "slots/slots.h"

#include "base/bytes.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "map/partition.h"
#include "molt/error.h"

static int no_slots(molt_slots_t *slots, molt_slots_defect_t defect) {
    slots->defect = defect;
    return defect == MOLT_SLOTS_NONE ? MOLT_ERR_NOENT : MOLT_ERR_NOTSUP;
}

static void take_partition(const molt_flash_t *flash, const molt_partition_t *partition, molt_slots_t *slots) {
    const molt_region_t *region = &partition->piece.region;
    bool is_app = partition->type == MOLT_PARTITION_TYPE_APP;
    if (is_app && partition->subtype == MOLT_PARTITION_APP_FACTORY) {
        slots->factory = *region;
    } else if (is_app && partition->subtype >= MOLT_PARTITION_APP_OTA_FIRST
               && partition->subtype <= MOLT_PARTITION_APP_OTA_LAST) {
        slots->slots[partition->subtype - MOLT_PARTITION_APP_OTA_FIRST] = *region;
        slots->count++;
    } else if (partition->type == MOLT_PARTITION_TYPE_DATA && partition->subtype == MOLT_PARTITION_DATA_OTA
               && region->size >= 2 * molt_sector_size(&flash->geometry)) {
        slots->otadata_addr = region->addr;
    }
}

int molt_slots_read(const molt_flash_t *flash, const molt_standby_chip_t *chip, uint8_t *buf, molt_slots_t *slots) {
    *slots = (molt_slots_t){ .defect = MOLT_SLOTS_FINE };
    molt_partition_table_t table;
    int err = molt_partition_read(&table, flash, buf, chip->boot_addr);
    if (err == MOLT_ERR_CORRUPT) {
        slots->table_defect = table.defect;
        return no_slots(slots, MOLT_SLOTS_BAD_TABLE);
    }
    if (err) {
        return err;
    }
    for (uint32_t i = 0; i < table.count; i++) {
        molt_partition_t partition;
        molt_partition_get(&table, i, &partition);
        take_partition(flash, &partition, slots);
    }
    if (slots->count == 0) {
        return no_slots(slots, MOLT_SLOTS_NONE);
    }
    if (table.hidden_count) {
        return no_slots(slots, MOLT_SLOTS_OTHER_ROWS);
    }
    for (uint32_t i = 0; i < slots->count; i++) {
        if (slots->slots[i].size == 0) {
            return no_slots(slots, MOLT_SLOTS_HOLES);
        }
    }
    if (slots->otadata_addr == 0) {
        return no_slots(slots, MOLT_SLOTS_NO_OTADATA);
    }
    uint32_t slot;
    err = molt_otadata_select(flash, slots->otadata_addr, slots->count, &slot);
    slots->selected_addr = slot != MOLT_SLOT_NONE ? slots->slots[slot].addr
                           : slots->factory.size  ? slots->factory.addr
                                                  : slots->slots[0].addr;
    return err;
}

int molt_slots_target(molt_target_t *target, const molt_target_t *chip_target, molt_slots_t *slots, uint32_t running_addr) {
    uint32_t running = 0;
    while (running < slots->count && slots->slots[running].addr != running_addr) {
        running++;
    }
    bool is_factory = slots->factory.size && slots->factory.addr == running_addr;
    if (running == slots->count && !is_factory) {
        return no_slots(slots, MOLT_SLOTS_ELSEWHERE);
    }
    *target = *chip_target;
    target->slot = running + 1 < slots->count ? running + 1 : 0;
    target->running_slot = running == slots->count ? MOLT_SLOT_NONE : running;
    target->running = running == slots->count ? slots->factory : slots->slots[running];
    target->image_addr = slots->slots[target->slot].addr;
    target->boot_addr = target->image_addr;
    target->mapped_size = slots->slots[target->slot].size;
    target->otadata_addr = slots->otadata_addr;
    target->slot_count = slots->count;
    return target->slot == target->running_slot ? no_slots(slots, MOLT_SLOTS_ONLY_ONE) : 0;
}
