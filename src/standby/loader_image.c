// The loader as an app image: what a second-stage boot loader takes for one. Sources: ESP-IDF, bootloader_support/esp_image_format.c
// (what is checked) and esp_app_desc.h (the description); esptool's documentation, "Firmware Image Format".
//
// Three segments. The first two are small and "mapped": newer boot loaders insist on one of each kind, and on an app description
// in the first; a mapped segment's address in flash and for the CPU agree in their low 16 bits. Neither is ever accessed. The
// third is the loader's code.

#include "base/app_image.h"
#include "base/bytes.h"
#include "base/libc.h"
#include "base/sha256.h"
#include "standby/standby_parts.h"

#define APP_CHECKSUM_SEED 0xefu
#define APP_PAGE_SIZE 0x10000u
#define DESCRIPTION_SIZE 256u
#define DESCRIPTION_MAGIC 0xabcd5432u

// What stands in the header where it is not obvious.
enum { MODE_DIO = 2, SIZE_FREQ_4M_40 = 0x20, WP_PIN_NONE = 0xee };

// Offsets in the description.
enum {
    DESCRIPTION_OFF_VERSION = 16,
    DESCRIPTION_OFF_PROJECT = 48,
    DESCRIPTION_OFF_EFUSE_MAX = 178,
    DESCRIPTION_OFF_PAGE_LOG2 = 180
};
enum { PAGE_LOG2 = 16 };

typedef struct app_writer {
    uint8_t *buf;
    uint32_t size;  // so far
    uint8_t checksum;
} app_writer_t;

static void app_put_word(app_writer_t *writer, uint32_t word) {
    store32_le(writer->buf + writer->size, word);
    writer->size += 4;
}

// Begin a segment of `size` bytes, which are 0 so far.
static uint8_t *app_put_segment(app_writer_t *writer, uint32_t vaddr, uint32_t size) {
    app_put_word(writer, vaddr);
    app_put_word(writer, size);
    uint8_t *data = writer->buf + writer->size;
    memset(data, 0, size);
    writer->size += size;
    return data;
}

static void app_sum_segment(app_writer_t *writer, const uint8_t *data, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        writer->checksum ^= data[i];
    }
}

static void app_put_description(app_writer_t *writer, uint32_t vaddr) {
    uint8_t *description = app_put_segment(writer, vaddr, DESCRIPTION_SIZE);
    store32_le(description, DESCRIPTION_MAGIC);
    memcpy(description + DESCRIPTION_OFF_VERSION, "1", 1);
    memcpy(description + DESCRIPTION_OFF_PROJECT, "molt", 4);
    store16_le(description + DESCRIPTION_OFF_EFUSE_MAX, 0xffff);
    description[DESCRIPTION_OFF_PAGE_LOG2] = PAGE_LOG2;
    app_sum_segment(writer, description, DESCRIPTION_SIZE);
}

static void app_put_code(app_writer_t *writer, const molt_standby_chip_t *chip, uint32_t plan_addr) {
    uint8_t *code = app_put_segment(writer, chip->code_vaddr, chip->code_size);
    memcpy(code, chip->code, chip->code_size);
    store32_le(code + chip->plan_addr_off, plan_addr);
    app_sum_segment(writer, code, chip->code_size);
}

uint32_t molt_standby_image(
    const molt_standby_chip_t *chip, uint32_t loader_addr, uint32_t plan_addr, uint32_t sector_size, uint8_t *buf) {
    uint32_t size = APP_HEADER_SIZE + 3 * APP_SEGMENT_HEADER_SIZE + DESCRIPTION_SIZE + 4 + chip->code_size;
    size = (size | 15) + 1 + MOLT_SHA256_SIZE;
    if (size > sector_size) {
        return size;
    }
    memset(buf, 0xff, sector_size);
    memset(buf, 0, APP_HEADER_SIZE);
    buf[APP_OFF_MAGIC] = MOLT_APP_MAGIC;
    buf[APP_OFF_SEGMENT_COUNT] = 3;
    buf[APP_OFF_MODE] = MODE_DIO;
    buf[APP_OFF_SIZE_FREQ] = SIZE_FREQ_4M_40;
    store32_le(buf + APP_OFF_ENTRY, chip->code_vaddr);
    buf[APP_OFF_WP_PIN] = WP_PIN_NONE;
    store16_le(buf + APP_OFF_CHIP_ID, chip->chip_id);
    store16_le(buf + APP_OFF_REVISION_MAX, 0xffff);
    buf[APP_OFF_HAS_SHA256] = 1;
    app_writer_t writer = { buf, APP_HEADER_SIZE, APP_CHECKSUM_SEED };
    uint32_t place = (loader_addr + writer.size + APP_SEGMENT_HEADER_SIZE) % APP_PAGE_SIZE;
    app_put_description(&writer, chip->data_vaddr + place);
    place = (loader_addr + writer.size + APP_SEGMENT_HEADER_SIZE) % APP_PAGE_SIZE;
    // Where both are mapped into one range of addresses they take a page each.
    uint32_t instruction_vaddr = chip->instruction_vaddr + (chip->instruction_vaddr == chip->data_vaddr ? APP_PAGE_SIZE : 0);
    (void)app_put_segment(&writer, instruction_vaddr + place, 4);
    app_put_code(&writer, chip, plan_addr);
    uint32_t digest_off = size - MOLT_SHA256_SIZE;
    memset(buf + writer.size, 0, digest_off - writer.size);
    buf[digest_off - 1] = writer.checksum;
    molt_sha256_t sha256;
    molt_sha256_init(&sha256);
    molt_sha256_update(&sha256, buf, digest_off);
    molt_sha256_finish(buf + digest_off, &sha256);
    return size;
}
