// Which names a module can have.

#include "base/libc.h"
#include "frozen/store.h"

bool molt_store_is_name(const char *name, uint32_t name_size) {
    bool is_begun = false;
    for (uint32_t i = 0; i < name_size; i++) {
        uint8_t c = (uint8_t)name[i];
        if (c == '.') {
            if (!is_begun) {
                return false;
            }
            is_begun = false;
            continue;
        }
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!is_letter && !(c >= '0' && c <= '9')) {
            return false;
        }
        is_begun = true;
    }
    return is_begun && name_size <= MOLT_RECORD_NAME_MAX;
}

bool molt_store_is_reserved(const char *name, uint32_t name_size) {
    static const struct {
        const char *name;
        uint32_t size;
    } reserved[] = { { "_boot", 5 }, { "flashbdev", 9 }, { "inisetup", 8 }, { "molt", 4 }, { "molt_ask", 8 }, { "molt_chip", 9 },
        { "molt_file", 9 }, { "molt_map", 8 }, { "molt_upgrade", 12 } };
    for (uint32_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        uint32_t size = reserved[i].size;
        if (name_size >= size && memcmp(name, reserved[i].name, size) == 0 && (name_size == size || name[size] == '.')) {
            return true;
        }
    }
    return false;
}
