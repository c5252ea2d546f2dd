// Dynamic frozen modules on the ESP32 family: in a data partition of their own, which ESP-IDF maps where there is room.

#include "frozen.h"

#if MOLT_FROZEN

#include <string.h>

#include "esp_app_desc.h"
#include "esp_attr.h"
#include "esp_flash_encrypt.h"
#include "esp_partition.h"
#include "molt/error.h"

#define LABEL "frozen"
// A subtype that ESP-IDF and MicroPython give no meaning.
#define SUBTYPE 0x4d
#define SECTOR_SIZE 4096u
#define SECTORS_MIN 3u
// The journal of a compaction has room for as many sectors (src/frozen/store_compact.c).
#define SECTORS_MAX 256u

static const esp_partition_t *partition;
// Also across soft resets: it is mapped once.
static const void *mapped;

static int result(esp_err_t err) {
    return err == ESP_OK ? 0 : MOLT_ERR_IO;
}

static int part_read(void *ctx, uint32_t addr, void *buf, uint32_t size) {
    (void)ctx;
    return result(esp_partition_read(partition, addr - partition->address, buf, size));
}

static int part_prog(void *ctx, uint32_t addr, const void *buf, uint32_t size) {
    (void)ctx;
    return result(esp_partition_write(partition, addr - partition->address, buf, size));
}

static int part_erase(void *ctx, uint32_t addr) {
    (void)ctx;
    return result(esp_partition_erase_range(partition, addr - partition->address, SECTOR_SIZE));
}

static uint32_t region_size(void) {
    uint32_t sectors = partition->size / SECTOR_SIZE;
    return (sectors < SECTORS_MAX ? sectors : SECTORS_MAX) * SECTOR_SIZE;
}

static bool has_build(void) {
    const uint8_t *sha = esp_app_get_description()->app_elf_sha256;
    uint8_t bits = 0;
    for (uint32_t i = 0; i < MOLT_LINK_BUILD_SIZE; i++) {
        bits |= sha[i];
    }
    return bits != 0;
}

// NULL, or why there can be no store.
static const char *find_obstacle(void) {
    if (partition == NULL) {
        molt_frozen.why_err = MOLT_ERR_NOENT;
        return "the partition table has no partition for frozen modules; this line of partitions.csv makes one: "
               "frozen, data, 0x4d, , 64K";
    }
    molt_frozen.why_err = MOLT_ERR_NOTSUP;
    if (esp_flash_encryption_enabled() || partition->encrypted) {
        return "flash is encrypted on this device, and frozen modules are programmed word by word, as they are";
    }
    if (partition->readonly) {
        return "the partition for frozen modules is read-only; take the flag out of its line in partitions.csv";
    }
    if (partition->address % SECTOR_SIZE != 0 || partition->size < SECTORS_MIN * SECTOR_SIZE) {
        molt_frozen.why_err = MOLT_ERR_NOSPC;
        return "the partition for frozen modules is too small: it takes 12 KB at least, and 64 KB are sensible";
    }
    if (!has_build()) {
        return "this firmware has no SHA-256 of its ELF file in its description, by which links are told from another's";
    }
    return NULL;
}

void molt_frozen_find_region(molt_flash_t *flash) {
    partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, (esp_partition_subtype_t)SUBTYPE, LABEL);
    molt_frozen.why = find_obstacle();
    if (molt_frozen.why) {
        return;
    }
    uint32_t size = region_size();
    esp_partition_mmap_handle_t handle;
    if (mapped == NULL && esp_partition_mmap(partition, 0, size, ESP_PARTITION_MMAP_DATA, &mapped, &handle) != ESP_OK) {
        mapped = NULL;
        molt_frozen.why = "the partition for frozen modules cannot be mapped: there are too few free pages; make it smaller";
        molt_frozen.why_err = MOLT_ERR_NOSPC;
        return;
    }
    *flash = (molt_flash_t){
        .geometry = { partition->address + size, SECTOR_SIZE, 0, 256 },
        .read = part_read,
        .prog = part_prog,
        .erase_sector = part_erase,
    };
    molt_frozen.base_vaddr = (uint32_t)mapped - partition->address;
    molt_frozen.region = (molt_region_t){ partition->address, size };
}

int molt_frozen_read_build(uint8_t build[MOLT_LINK_BUILD_SIZE]) {
    memcpy(build, esp_app_get_description()->app_elf_sha256, MOLT_LINK_BUILD_SIZE);
    return 0;
}

// ESP-IDF drops the cache's lines of what it has written, where that is mapped: esp_flash_write() and esp_flash_erase_region() end
// in the host driver's flush_cache, spi_flash_check_and_flush_cache() (components/spi_flash/flash_mmap.c).
void molt_frozen_drop_cache(void) {
}

// ESP-IDF yields while a sector is being erased. The port's task watchdog does not look at idle tasks (sdkconfig.base).
void molt_frozen_feed(void) {
}

#define GUARD_MAGIC 0x4d4c5400u  // "MLT", and the count in the lowest byte

static RTC_NOINIT_ATTR uint32_t guard;

void molt_frozen_set_starts(uint32_t starts) {
    guard = GUARD_MAGIC | starts;
}

uint32_t molt_frozen_get_starts(void) {
    return (guard & ~0xffu) == GUARD_MAGIC ? guard & 0xffu : 0;
}

#endif
