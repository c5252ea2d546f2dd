// Descriptions in images of the ESP32 family.

#include "description.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// Both stand at the beginning of the first segment: behind the image's header and that of the segment.
#define DESCRIPTION_OFF 32u
#define APP_SIZE 256u
#define BOOT_SIZE 80u
#define FIELD_SIZE 32u

// Of an app: its magic word, and where the fields are. Of a boot loader: its magic byte.
static const uint8_t app_magic[] = { 0x32, 0x54, 0xcd, 0xab };
enum { APP_VERSION_OFF = 16, APP_PROJECT_OFF = 48, APP_IDF_OFF = 112, BOOT_MAGIC = 80, BOOT_IDF_OFF = 8 };

// A field of FIELD_SIZE bytes, which a 0 ends if it is shorter.
static void take(char field[FIELD_SIZE + 1], const uint8_t *bytes) {
    uint32_t size = 0;
    for (; size < FIELD_SIZE && bytes[size]; size++) {
        field[size] = (char)(bytes[size] < ' ' || bytes[size] > '~' ? '?' : bytes[size]);
    }
    field[size] = 0;
}

void description_of_app(description_t *description, const uint8_t *bytes, uint32_t size) {
    memset(description, 0, sizeof *description);
    const uint8_t *at = bytes + DESCRIPTION_OFF;
    if (size >= DESCRIPTION_OFF + APP_SIZE && memcmp(at, app_magic, sizeof app_magic) == 0) {
        take(description->version, at + APP_VERSION_OFF);
        take(description->project, at + APP_PROJECT_OFF);
        take(description->idf, at + APP_IDF_OFF);
    }
}

// Whether a string at `at` is a version, "v4.3", "v5.2-dev-254-g1950b15", and in *length its length.
static bool is_version(const uint8_t *at, const uint8_t *end, uint32_t *length) {
    uint32_t size = 0;
    uint32_t point_count = 0;
    while (at + size < end && at[size] > ' ' && at[size] <= '~') {
        point_count += at[size++] == '.';
    }
    *length = size;
    return at[0] == 'v' && at[1] >= '0' && at[1] <= '9' && point_count && size < FIELD_SIZE && at + size < end && at[size] == 0;
}

void description_of_boot(description_t *description, const uint8_t *bytes, uint32_t size) {
    memset(description, 0, sizeof *description);
    const uint8_t *at = bytes + DESCRIPTION_OFF;
    uint32_t length;
    if (size >= DESCRIPTION_OFF + BOOT_SIZE && at[0] == BOOT_MAGIC
        && is_version(at + BOOT_IDF_OFF, at + BOOT_IDF_OFF + FIELD_SIZE, &length)) {
        take(description->idf, at + BOOT_IDF_OFF);
        return;
    }
    for (uint32_t off = DESCRIPTION_OFF; off + FIELD_SIZE <= size; off++) {
        if (bytes[off - 1] == 0 && is_version(bytes + off, bytes + size, &length)) {
            memcpy(description->idf, bytes + off, length);
            return;
        }
    }
}

const char *description_text(const description_t *description, char *text, uint32_t text_size) {
    const char *version = description->version;
    const char *idf = description->idf;
    snprintf(text, text_size, "%s%s%s%s%s%s", description->project, *description->project && *version ? " " : "", version,
        (*description->project || *version) && *idf ? ", " : "", *idf ? "ESP-IDF " : "", idf);
    return text;
}
