// The second-stage boot loader: see second_stage.h. Here: the order of what is tried, and the start.
#include "second_stage.h"

#include <stdarg.h>
#include <stdio.h>

#include "board.h"
#include "memory.h"
#include "mmu.h"
#include "nor.h"
#include "peripherals.h"
#include "power.h"
#include "rom_functions.h"
#include "uart.h"

enum { READ_BYTE_NS = 100 };  // two lines at 40 MHz

static uint32_t chip_size;

void loader_say(char level, const char *format, ...) {
    char line[200];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    uart_put(level);
    uart_put_text(" boot: ", 7);
    uart_put_text(line, (uint32_t)size < sizeof line ? (uint32_t)size : sizeof line - 1);
    uart_put_text("\r\n", 2);
}

uint32_t loader_chip_size(void) {
    return chip_size;
}

bool loader_read(uint32_t addr, void *to, uint32_t size) {
    if (addr > chip_size || size > chip_size - addr) {
        return false;
    }
    nor_pass((uint64_t)size * READ_BYTE_NS);
    if (to != NULL) {
        nor_read(addr, to, size);
    } else {
        nor_count_read(size);
    }
    return true;
}

// The size that the boot loader's own header has, into the ROM's data.
static void find_chip_size(void) {
    static const uint8_t megabytes[] = { 1, 2, 4, 8, 16 };
    uint8_t header[4];
    nor_read(0, header, sizeof header);
    uint32_t nibble = header[3] >> 4;
    chip_size = (uint32_t)megabytes[nibble < sizeof megabytes ? nibble : 1] << 20;
    chip_size = chip_size < nor_size() ? chip_size : nor_size();
    // What a boot loader is built for by its flash, where the chip has a choice.
    if (soc->mmu_page_size_vaddr != 0) {
        mmu_set_page_size(nibble == 0 ? 16 * 1024 : nibble == 1 ? 32 * 1024 : 64 * 1024);
    }
    struct flash_data data = { 0, chip_size, NOR_BLOCK_SIZE, NOR_SECTOR_SIZE, NOR_PAGE_SIZE, 0xffff };
    memory_write(soc->rom_flash_data_vaddr, &data, sizeof data);
}

// RTC watchdog: 9 s from here on, then all is reset; the guards of the boot are switched off, the super watchdog feeds itself.
static void set_watchdogs(void) {
    enum { SECONDS = 9, SLOW_HZ = 136000 };
    const struct {
        uint32_t vaddr, value;
    } stores[] = { { soc->watchdog_key_vaddr, 0x50d83aa1 }, { soc->watchdog_hold_vaddr, SECONDS * SLOW_HZ / 2 },
        { soc->watchdog_config_vaddr, 0xc007ea00 }, { soc->watchdog_feed_vaddr, 0x80000000 }, { soc->watchdog_key_vaddr, 0 },
        { soc->timer0_vaddr + 0x64, 0x50d83aa1 }, { soc->timer0_vaddr + 0x48, 0 }, { soc->timer0_vaddr + 0x64, 0 },
        { soc->super_key_vaddr, soc->super_key }, { soc->super_config_vaddr, soc->super_auto_feed },
        { soc->super_key_vaddr, 0 } };
    for (unsigned i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        peripheral_write(stores[i].vaddr, 4, stores[i].value);
    }
}

static void map_segment(const struct segment *segment) {
    uint32_t in_page = segment->vaddr % mmu_page_size();
    uint32_t pages = (in_page + segment->size + mmu_page_size() - 1) / mmu_page_size();
    mmu_map(segment->vaddr - in_page, segment->addr - in_page, pages);
}

// The segments that are to be mapped: of several for one window the last. Where both windows are one they are the first and the
// second, and there may be no third.
static bool find_mapped(const struct image *image, const struct segment **data, const struct segment **code) {
    bool is_one_window = soc->window_d_vaddr == soc->window_i_vaddr, has_third = false;
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        bool is_data = segment->vaddr - soc->window_d_vaddr < mmu_window_size();
        bool is_code = segment->vaddr - soc->window_i_vaddr < mmu_window_size();
        if (is_one_window) {
            has_third |= is_data && *code != NULL;
            is_code = is_code && *data != NULL;
            is_data = is_data && *data == NULL;
        }
        *data = is_data ? segment : *data;
        *code = is_code ? segment : *code;
    }
    return !has_third;
}

// Map what is to be mapped. Returns false where the boot loader would abort: IDF 5.5 cannot do with none for a window.
static bool map_image(const struct image *image) {
    const struct segment *data = NULL, *code = NULL;
    mmu_set_page_size(image->page_size);
    if (!find_mapped(image, &data, &code)) {
        loader_say('E', "image at 0x%x: more than two segments to be mapped; abort", image->addr);
        return false;
    }
    for (uint32_t entry = 0; entry < soc->mmu_entries; entry++) {
        mmu_write(entry, mmu_none());
    }
    if ((data == NULL || code == NULL) && image->dialect != SECOND_STAGE_IDF_4_3) {
        loader_say('E', "image at 0x%x: no segment to be mapped for a window; abort", image->addr);
        return false;
    }
    if (data != NULL) {
        map_segment(data);
        // By the last entry a program finds out where it came from.
        mmu_write(soc->mmu_entries - 1, data->addr / mmu_page_size() | soc->mmu_valid);
    }
    if (code != NULL) {
        map_segment(code);
    }
    mmu_enable_cache(true);
    mmu_shut_buses(false, false);
    return true;
}

static const struct partition *partition_of(const struct partitions *table, int index) {
    static const struct partition none;
    if (index == INDEX_FACTORY) {
        return &table->factory;
    }
    return index >= 0 && index < OTA_SLOTS_MAX && index < (int)table->ota_count ? &table->ota[index] : &none;
}

static bool try(struct image *image, uint32_t dialect, const struct partitions *table, int index) {
    const struct partition *where = partition_of(table, index);
    if (where->size == 0) {
        return false;
    }
    if (image_load(image, dialect, where)) {
        otadata_note_started(table, index);
        return power_is_on();
    }
    if (index == INDEX_FACTORY) {
        loader_say('E', "factory cannot be booted");
    } else {
        loader_say('E', "ota_%d cannot be booted", index);
    }
    return false;
}

// From the selected one down to factory, then the slots above it, then test.
static bool load_first(struct image *image, uint32_t dialect, const struct partitions *table, int selected) {
    for (int index = selected; index >= INDEX_FACTORY; index--) {
        if (try(image, dialect, table, index)) {
            return true;
        }
    }
    for (int index = selected + 1; index < (int)table->ota_count; index++) {
        if (try(image, dialect, table, index)) {
            return true;
        }
    }
    if (image_load(image, dialect, &table->test)) {
        loader_say('W', "falling back to test, as nothing else can be booted");
        return true;
    }
    loader_say('E', "nothing can be booted");
    return false;
}

uint32_t second_stage_boot(uint32_t dialect) {
    struct partitions table;
    struct image image;
    find_chip_size();
    set_watchdogs();
    if (!table_read(&table)) {
        return 0;
    }
    int selected = otadata_select(&table);
    if (!power_is_on() || selected == INDEX_INVALID || !load_first(&image, dialect, &table, selected) || !map_image(&image)) {
        return 0;
    }
    return image.entry_vaddr;
}
