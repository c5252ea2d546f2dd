// The report: what the boot loader did. docs/format.md, "report". Version 1.
//
//   word 0  magic "MRP1"
//   word 1  CRC-32 of the image that was wanted
//   word 2  starts: one more bit cleared, from bit 0 up, at each start of the boot loader
//   word 3  result: low half cleared = the new firmware was put in, high half cleared = the old one was kept

#include "upgrade/report.h"

#include "base/bytes.h"
#include "molt/error.h"

#define REPORT_MAGIC 0x3150524Du  // "MRP1"
#define RESULT_DONE_MASK 0x0000ffffu
#define RESULT_RESTORED_MASK 0xffff0000u

enum { OFF_MAGIC = 0, OFF_IMAGE_CRC = 4, OFF_STARTS = 8, OFF_RESULT = 12 };

void molt_report_init(uint8_t bytes[MOLT_REPORT_SIZE], uint32_t image_crc) {
    store32_le(bytes + OFF_MAGIC, REPORT_MAGIC);
    store32_le(bytes + OFF_IMAGE_CRC, image_crc);
    store32_le(bytes + OFF_STARTS, UINT32_MAX);
    store32_le(bytes + OFF_RESULT, UINT32_MAX);
}

int molt_report_parse(molt_report_t *report, const uint8_t bytes[MOLT_REPORT_SIZE]) {
    if (load32_le(bytes + OFF_MAGIC) != REPORT_MAGIC) {
        return MOLT_ERR_NOENT;
    }
    report->image_crc = load32_le(bytes + OFF_IMAGE_CRC);
    report->start_count = count_zeros(load32_le(bytes + OFF_STARTS));
    // A torn note counts as made: the boot loader makes it when nothing can go otherwise any more.
    uint32_t result = load32_le(bytes + OFF_RESULT);
    report->result = MOLT_REPORT_PENDING;
    if ((result & RESULT_RESTORED_MASK) != RESULT_RESTORED_MASK) {
        report->result = MOLT_REPORT_RESTORED;
    } else if ((result & RESULT_DONE_MASK) != RESULT_DONE_MASK) {
        report->result = MOLT_REPORT_DONE;
    }
    return 0;
}

int molt_report_note(const molt_flash_t *flash, uint32_t addr, uint32_t image_crc, molt_report_result_t result) {
    uint32_t words[MOLT_REPORT_SIZE / 4];
    uint8_t *bytes = (uint8_t *)words;
    int err = flash->read(flash->ctx, addr, words, sizeof words);
    if (err) {
        return err;
    }
    if (load32_le(bytes + OFF_MAGIC) != REPORT_MAGIC || load32_le(bytes + OFF_IMAGE_CRC) != image_crc) {
        return MOLT_ERR_NOENT;
    }
    uint32_t off = OFF_STARTS;
    uint32_t value = load32_le(bytes + OFF_STARTS) << 1;
    if (result != MOLT_REPORT_PENDING) {
        off = OFF_RESULT;
        value = result == MOLT_REPORT_DONE ? ~RESULT_DONE_MASK : ~RESULT_RESTORED_MASK;
    }
    // Where a cut left a weak bit the bits below the last one may be set: no 1 goes over a 0.
    store32_le(bytes + off, load32_le(bytes + off) & value);
    return flash->prog(flash->ctx, addr + off, bytes + off, 4);
}
