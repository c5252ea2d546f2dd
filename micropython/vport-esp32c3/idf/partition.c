// esp_partition_* of the virtual IDF, and flash mapped into memory.
//
// The table is read once, up to its MD5 row, which has to be right: what stands behind it no program sees.
#include "esp_partition.h"

#include <string.h>

#include "board.h"
#include "esp_log.h"

enum { TABLE_ADDR = 0x8000, TABLE_SIZE = 0xc00, ROW_SIZE = 32, MD5_OFF = 16, MAGIC = 0x50aa, MAGIC_MD5 = 0xebeb };
enum { PARTITIONS_MAX = 32, ITERATORS_MAX = 8, ENTRIES = 128, ENTRY_INVALID = 0x100, PAGE_SIZE = CONFIG_MMU_PAGE_SIZE };
#define TAG "partition"
#define MMU_ENTRY(i) REG(0x600c5000 + 4 * (i))
#define WINDOW_DATA 0x3c000000u
#define WINDOW_CODE 0x42000000u
#define WINDOW_SIZE 0x800000u

struct row {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    uint32_t addr;
    uint32_t size;
    char label[16];
    uint32_t flags;
};

struct esp_partition_iterator_opaque_ {
    bool is_used;
    int type;
    int subtype;
    const char *label;
    unsigned next;
    const esp_partition_t *present;
};

static esp_partition_t partitions[PARTITIONS_MAX];
static unsigned partition_count;
static struct esp_partition_iterator_opaque_ iterators[ITERATORS_MAX];

static void add(esp_flash_t *chip, uint32_t addr, uint32_t size, const char *label, size_t label_size, int type, int subtype) {
    esp_partition_t *part = &partitions[partition_count++];
    memset(part, 0, sizeof *part);
    part->flash_chip = chip;
    part->type = type;
    part->subtype = subtype;
    part->address = addr;
    part->size = size;
    part->erase_size = SPI_FLASH_SEC_SIZE;
    strncpy(part->label, label, label_size);
}

static void load(void) {
    static uint8_t rows[TABLE_SIZE];
    uint32_t md5[22], count = 0;
    uint8_t digest[16];
    struct row row;
    MD5Init(md5);
    esp_flash_read(NULL, rows, TABLE_ADDR, sizeof rows);
    for (;; count++) {
        memcpy(&row, rows + count * ROW_SIZE, sizeof row);
        if (row.magic != MAGIC || count == PARTITIONS_MAX - 1) {
            break;
        }
        MD5Update(md5, rows + count * ROW_SIZE, ROW_SIZE);
        add(esp_flash_default_chip, row.addr, row.size, row.label, sizeof row.label, row.type, row.subtype);
        partitions[count].readonly = (row.flags & 2) != 0;
    }
    MD5Final(digest, md5);
    if (row.magic != MAGIC_MD5 || memcmp(digest, rows + count * ROW_SIZE + MD5_OFF, sizeof digest) != 0) {
        ESP_LOGE(TAG, "the table has no MD5, or a wrong one");
        partition_count = 0;
    }
}

static bool matches(const struct esp_partition_iterator_opaque_ *i, const esp_partition_t *part) {
    return (i->type == ESP_PARTITION_TYPE_ANY || i->type == (int)part->type)
           && (i->subtype == ESP_PARTITION_SUBTYPE_ANY || i->subtype == (int)part->subtype)
           && (i->label == NULL || strcmp(i->label, part->label) == 0);
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t i) {
    for (; i->next < partition_count; i->next++) {
        if (matches(i, &partitions[i->next])) {
            i->present = &partitions[i->next++];
            return i;
        }
    }
    esp_partition_iterator_release(i);
    return NULL;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label) {
    if (partition_count == 0) {
        load();
    }
    for (unsigned n = 0; n < ITERATORS_MAX; n++) {
        esp_partition_iterator_t i = &iterators[n];
        if (!i->is_used) {
            *i = (struct esp_partition_iterator_opaque_){ true, type, subtype, label, 0, NULL };
            return esp_partition_next(i);
        }
    }
    return NULL;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label) {
    esp_partition_iterator_t i = esp_partition_find(type, subtype, label);
    const esp_partition_t *part = i != NULL ? i->present : NULL;
    esp_partition_iterator_release(i);
    return part;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t i) {
    return i->present;
}

void esp_partition_iterator_release(esp_partition_iterator_t i) {
    if (i != NULL) {
        i->is_used = false;
    }
}

esp_err_t esp_partition_register_external(esp_flash_t *chip, size_t addr, size_t size, const char *label,
    esp_partition_type_t type, esp_partition_subtype_t subtype, const esp_partition_t **part) {
    if (addr + size > chip->size) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (partition_count == PARTITIONS_MAX) {
        return ESP_ERR_NO_MEM;
    }
    add(chip, addr, size, label, sizeof partitions[0].label - 1, type, subtype);
    if (part != NULL) {
        *part = &partitions[partition_count - 1];
    }
    return ESP_OK;
}

static esp_err_t check(const esp_partition_t *part, size_t off, size_t size) {
    return off > part->size ? ESP_ERR_INVALID_ARG : size > part->size - off ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *part, size_t off, void *to, size_t size) {
    esp_err_t err = check(part, off, size);
    return err != ESP_OK ? err : esp_flash_read(part->flash_chip, to, part->address + off, size);
}

esp_err_t esp_partition_write(const esp_partition_t *part, size_t off, const void *from, size_t size) {
    esp_err_t err = part->readonly ? ESP_ERR_NOT_ALLOWED : check(part, off, size);
    return err != ESP_OK ? err : esp_flash_write(part->flash_chip, from, part->address + off, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *part, size_t off, size_t size) {
    esp_err_t err = part->readonly ? ESP_ERR_NOT_ALLOWED : check(part, off, size);
    if (err != ESP_OK) {
        return err;
    }
    if (size % SPI_FLASH_SEC_SIZE != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (off % SPI_FLASH_SEC_SIZE != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_flash_erase_region(part->flash_chip, part->address + off, size);
}

// ---- mapped flash: pages of the table that nobody has

static unsigned free_entries(unsigned count) {
    for (unsigned first = 0; first + count <= ENTRIES - 1; first++) {
        unsigned i = 0;
        while (i < count && MMU_ENTRY(first + i) == ENTRY_INVALID) {
            i++;
        }
        if (i == count) {
            return first;
        }
    }
    return ENTRIES;
}

esp_err_t spi_flash_mmap(
    uint32_t addr, uint32_t size, spi_flash_mmap_memory_t memory, const void **pointer, spi_flash_mmap_handle_t *handle) {
    unsigned count = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    if (addr % PAGE_SIZE != 0 || addr + size > esp_flash_default_chip->size) {
        return ESP_ERR_INVALID_ARG;
    }
    unsigned first = free_entries(count);
    if (first == ENTRIES) {
        return ESP_ERR_NO_MEM;
    }
    for (unsigned i = 0; i < count; i++) {
        MMU_ENTRY(first + i) = addr / PAGE_SIZE + i;
    }
    *pointer = (const void *)((memory == SPI_FLASH_MMAP_DATA ? WINDOW_DATA : WINDOW_CODE) + first * PAGE_SIZE);
    *handle = first << 8 | count;
    return ESP_OK;
}

void spi_flash_munmap(spi_flash_mmap_handle_t handle) {
    for (unsigned i = 0; i < (handle & 0xff); i++) {
        MMU_ENTRY((handle >> 8) + i) = ENTRY_INVALID;
    }
}

uint32_t spi_flash_cache2phys(const void *cached) {
    uint32_t vaddr = (uint32_t)cached;
    uint32_t off = vaddr - WINDOW_DATA < WINDOW_SIZE ? vaddr - WINDOW_DATA : vaddr - WINDOW_CODE;
    if (off >= WINDOW_SIZE || MMU_ENTRY(off / PAGE_SIZE) == ENTRY_INVALID) {
        return SPI_FLASH_CACHE2PHYS_FAIL;
    }
    return MMU_ENTRY(off / PAGE_SIZE) * PAGE_SIZE + off % PAGE_SIZE;
}

esp_err_t esp_partition_mmap(const esp_partition_t *part, size_t off, size_t size, esp_partition_mmap_memory_t memory,
    const void **pointer, esp_partition_mmap_handle_t *handle) {
    esp_err_t err = check(part, off, size);
    if (err != ESP_OK) {
        return err;
    }
    uint32_t addr = part->address + off, in_page = addr % PAGE_SIZE;
    err = spi_flash_mmap(addr - in_page, size + in_page, (spi_flash_mmap_memory_t)memory, pointer, handle);
    if (err == ESP_OK) {
        *pointer = (const uint8_t *)*pointer + in_page;
    }
    return err;
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle) {
    spi_flash_munmap(handle);
}
