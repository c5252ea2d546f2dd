// Why a device is not in standby mode, in words.

#include "map/map.h"
#include "molt/standby.h"

const char *molt_standby_text(const molt_standby_t *standby) {
    switch (standby->defect) {
        case MOLT_STANDBY_FINE:
            return "the standby loader is installed";
        case MOLT_STANDBY_NOT_INSTALLED:
            return "the standby loader is not installed; install it first";
        case MOLT_STANDBY_LOADER_DAMAGED:
            return "the standby loader is damaged, or of another version of molt; install it again";
        case MOLT_STANDBY_NO_BOOT_LOADER:
            return "there is no second-stage boot loader where this chip has it";
        case MOLT_STANDBY_OTHER_CHIP:
            return "the second-stage boot loader is one for another chip";
        case MOLT_STANDBY_BAD_TABLE:
            return molt_map_defect_text((molt_map_defect_t)standby->table_defect);
        case MOLT_STANDBY_NO_MD5:
            return "the partition table has no MD5, behind which molt's row could stand; flash one that has";
        case MOLT_STANDBY_NO_FACTORY:
            return "the partition table has no factory partition";
        case MOLT_STANDBY_OTA:
            return "the partition table has OTA slots: an upgrade goes into the one that does not run, and nothing is installed for it";
        case MOLT_STANDBY_NO_LOADER:
            return "molt has no loader for this chip so far; where the partition table has OTA slots it needs none";
        case MOLT_STANDBY_TABLE_FULL:
            return "the partition table has no room for two more rows";
        case MOLT_STANDBY_OTHER_ROWS:
            return "behind the partition table's MD5 stands something else already";
        case MOLT_STANDBY_NO_ROOM:
            return "there are no two erased sectors for molt, neither below the partition table nor at the end of the app partition";
        case MOLT_STANDBY_DEFECT_COUNT:
            break;
    }
    return "unknown reason";
}
