// See delta/delta_log.h. A record is two words: starts so far (19 bits), what is said (12 bits), and 1 in the log that is written
// first of the two, so that the newest record is the largest; and the CRC-32 of that word which begins with the patch's number.

#include "delta/delta_log.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/geometry.h"
#include "base/libc.h"
#include "base/sector.h"
#include "molt/error.h"

#define DELTA_RECORD_SIZE 8u

#define DELTA_STARTS_SHIFT 13u
#define DELTA_SAID_SHIFT 1u

static void make_delta_record(uint32_t seed, uint32_t word, uint8_t record[DELTA_RECORD_SIZE]) {
    store32_le(record, word);
    store32_le(record + 4, molt_crc32(seed, record, 4));
}

static void make_delta_log(const molt_geometry_t *geometry, uint32_t seed, uint32_t word, uint8_t *buf) {
    memset(buf, 0xff, molt_sector_size(geometry));
    make_delta_record(seed, word, buf);
}

void molt_delta_log_init(const molt_geometry_t *geometry, uint32_t seed, uint32_t index, uint8_t *buf) {
    make_delta_log(geometry, seed, index == 0, buf);
    if (index == 2) {
        memset(buf, 0xff, DELTA_RECORD_SIZE);
    }
}

// The last record of each log that is whole, plus 1; 0 where there is none.
static int read_logs(const molt_delta_log_t *log, uint8_t *buf, uint32_t words[MOLT_DELTA_LOG_COUNT]) {
    uint32_t size = molt_sector_size(&log->flash->geometry);
    int err = 0;
    for (uint32_t i = 0; !err && i < MOLT_DELTA_LOG_COUNT; i++) {
        err = log->flash->read(log->flash->ctx, log->addrs[i], buf, size);
        words[i] = 0;
        for (uint32_t off = 0; off < size; off += DELTA_RECORD_SIZE) {
            if (load32_le(buf + off + 4) == molt_crc32(log->seed, buf + off, 4)) {
                words[i] = load32_le(buf + off) + 1;
            }
        }
    }
    return err;
}

static uint32_t newest(const uint32_t words[MOLT_DELTA_LOG_COUNT]) {
    uint32_t word = words[0] > words[1] ? words[0] : words[1];
    return word > words[2] ? word : words[2];
}

int molt_delta_log_read(const molt_delta_log_t *log, uint8_t *buf, uint32_t *said) {
    uint32_t words[MOLT_DELTA_LOG_COUNT];
    int err = read_logs(log, buf, words);
    uint32_t word = newest(words);
    *said = word ? (word - 1) >> DELTA_SAID_SHIFT & MOLT_DELTA_LOG_MAX : MOLT_DELTA_LOG_FRESH;
    return err || word ? err : MOLT_ERR_CORRUPT;
}

int molt_delta_log_begin(molt_delta_log_t *log, uint8_t *buf, uint32_t said) {
    uint32_t words[MOLT_DELTA_LOG_COUNT];
    int err = read_logs(log, buf, words);
    log->starts = ((newest(words) - 1) >> DELTA_STARTS_SHIFT) + 1;
    log->off = DELTA_RECORD_SIZE;
    for (uint32_t i = 0; !err && i < 2; i++) {
        // The least of those that are left.
        uint32_t least = 0;
        for (uint32_t j = 1; j < MOLT_DELTA_LOG_COUNT; j++) {
            least = words[j] < words[least] ? j : least;
        }
        words[least] = UINT32_MAX;
        log->active[i] = least;
        make_delta_log(
            &log->flash->geometry, log->seed, log->starts << DELTA_STARTS_SHIFT | said << DELTA_SAID_SHIFT | (i == 0), buf);
        err = molt_sector_write(log->flash, log->addrs[least], buf, false);
    }
    return err;
}

int molt_delta_log_add(molt_delta_log_t *log, uint8_t *buf, uint32_t said) {
    uint32_t record[DELTA_RECORD_SIZE / 4];
    int err = 0;
    if (log->off == molt_sector_size(&log->flash->geometry)) {
        return molt_delta_log_begin(log, buf, said);
    }
    for (uint32_t i = 0; !err && i < 2; i++) {
        make_delta_record(log->seed, log->starts << DELTA_STARTS_SHIFT | said << DELTA_SAID_SHIFT | (i == 0), (uint8_t *)record);
        err = log->flash->prog(log->flash->ctx, log->addrs[log->active[i]] + log->off, record, DELTA_RECORD_SIZE);
    }
    log->off += DELTA_RECORD_SIZE;
    return err;
}
