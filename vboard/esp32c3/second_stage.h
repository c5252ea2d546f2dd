// The second-stage boot loader that is the board's own: what IDF's does between the mask ROM and a program, in its order and with its
// checks, run by the host. Its image in flash holds nothing but a call of it.
//
// Written from what IDF's boot loader does [components/bootloader_support of IDF 4.3 and 5.5]; as MicroPython configures it:
// images are validated at each start but a wake-up, rollback of OTA images, no secure boot, no flash encryption.
#ifndef VBOARD_ESP32C3_SECOND_STAGE_H
#define VBOARD_ESP32C3_SECOND_STAGE_H

#include <stdbool.h>
#include <stdint.h>

// ecall with this in a7 and the dialect in a0.
#define SECOND_STAGE_CALL 0x56423253u
#define SECOND_STAGE_IDF_4_3 43u
#define SECOND_STAGE_IDF_5_5 55u

#define IMAGE_SEGMENTS_MAX 16
#define OTA_SLOTS_MAX 16

struct partition {
    uint32_t addr;
    uint32_t size;
};

struct partitions {
    struct partition factory, test, otadata, ota[OTA_SLOTS_MAX];
    uint32_t ota_count;
};

struct image {
    uint32_t dialect;
    uint32_t addr;
    uint32_t size;
    uint32_t entry_vaddr;
    uint32_t page_size;  // in which it wants to be mapped
    uint32_t segment_count;
    bool has_hash;
    struct segment {
        uint32_t vaddr;
        uint32_t size;
        uint32_t addr;  // of its data
    } segments[IMAGE_SEGMENTS_MAX];
};

// Start what is to be started: memory, table and watchdogs as the program finds them. Returns its entry point, or 0 when there is
// nothing that can be booted, or the power has gone.
uint32_t second_stage_boot(uint32_t dialect);

// ---- its parts

// One line of the boot loader's on the UART.
void loader_say(char level, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool loader_read(uint32_t addr, void *to, uint32_t size);  // false: beyond the chip
uint32_t loader_chip_size(void);

// The table at 0x8000. False: it is not valid.
bool table_read(struct partitions *table);

enum { INDEX_FACTORY = -1, INDEX_INVALID = -99 };
// Which is to be started: INDEX_FACTORY, the number of an OTA slot, or INDEX_INVALID. Writes otadata where rollback wants it.
int otadata_select(const struct partitions *table);
// A slot is started though otadata is empty.
void otadata_note_started(const struct partitions *table, int index);

// Check the image, and load it. False: it cannot be started.
bool image_load(struct image *image, uint32_t dialect, const struct partition *where);
bool image_is_mapped(uint32_t vaddr);

#endif
