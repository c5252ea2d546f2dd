// Why a device has no slots for an upgrade, in words.

#include "map/map.h"
#include "molt/slots.h"

const char *molt_slots_text(const molt_slots_t *slots) {
    switch (slots->defect) {
        case MOLT_SLOTS_FINE:
            return "there are OTA slots";
        case MOLT_SLOTS_BAD_TABLE:
            return molt_map_defect_text((molt_map_defect_t)slots->table_defect);
        case MOLT_SLOTS_NONE:
            return "the partition table has no OTA slots";
        case MOLT_SLOTS_OTHER_ROWS:
            return "behind the partition table's MD5 stand rows that only the boot loader sees, so that its OTA slots can be others; flash a table without them";
        case MOLT_SLOTS_HOLES:
            return "the numbers of the partition table's OTA slots do not follow each other, by which boot loaders count; flash one in which they do";
        case MOLT_SLOTS_NO_OTADATA:
            return "the partition table has OTA slots, and no otadata of two sectors that says which one starts; flash one that has";
        case MOLT_SLOTS_ELSEWHERE:
            return "this firmware runs from none of the partition table's app partitions; flash it into one of them";
        case MOLT_SLOTS_ONLY_ONE:
            return "this firmware runs from the only OTA slot, so that there is none to put another one in; flash a table with two";
        case MOLT_SLOTS_DEFECT_COUNT:
            break;
    }
    return "unknown reason";
}
