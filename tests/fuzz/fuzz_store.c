// Fuzz target: any bytes as the region of frozen modules. Beyond "no crash" and "comes to an end": nothing outside
// the region changes; once the device has started, each module that is there stays when another is put in; the links
// are whole.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "fixture/frozen.h"
#include "fuzz.h"
#include "molt/error.h"

#define SECTOR 512u
#define SECTORS 8u
#define OUTSIDE (2 * SECTOR)

static sim_nor_t nor;

static void set_up(const uint8_t *data, size_t size) {
    static const molt_geometry_t geometry = { (SECTORS + 4) * SECTOR, SECTOR, 0, 64 };
    if (nor.bytes == NULL) {
        REQUIRE(sim_nor_init(&nor, &geometry) == 0);
    }
    memset(nor.bytes, 0xa5, geometry.size);
    memset(nor.bytes + OUTSIDE, 0xff, SECTORS * SECTOR);
    memcpy(nor.bytes + OUTSIDE, data, size < SECTORS * SECTOR ? size : SECTORS * SECTOR);
    sim_nor_power_on(&nor);
}

static void check_outside(void) {
    for (uint32_t i = 0; i < OUTSIDE; i++) {
        REQUIRE(nor.bytes[i] == 0xa5 && nor.bytes[OUTSIDE + SECTORS * SECTOR + i] == 0xa5);
    }
}

static uint32_t count_live(const molt_store_t *store) {
    uint32_t at = 0;
    uint32_t count = 0;
    uint32_t seen = 0;
    molt_record_t record;
    while (molt_store_next(store, &at, &record) == 1) {
        REQUIRE(seen++ < SECTORS * SECTOR / 128);
        REQUIRE(record.mpy_addr >= OUTSIDE && record.header_addr + 128 <= OUTSIDE + SECTORS * SECTOR);
        count += record.is_live;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t mpy[FROZEN_MPY_MAX];
    uint32_t work[MOLT_STORE_WORK_SIZE / 4];
    molt_record_t record;
    set_up(data, size);
    frozen_rig_t rig = { .nor = &nor, .region = { OUTSIDE, SECTORS * SECTOR } };
    int err = frozen_start(&rig);
    check_outside();
    if (err) {
        return 0;
    }
    uint32_t before = count_live(&rig.store);
    REQUIRE(before == rig.store.live_count);
    molt_reader_t reader = molt_memory_reader(mpy, frozen_make_mpy(mpy, 3, 1));
    bool is_new = molt_store_find(&rig.store, "fuzz", 4, &record) == MOLT_ERR_NOENT;
    err = molt_store_put(&rig.store, "fuzz", 4, &reader, 0, work, &record);
    REQUIRE(err == 0 || err == MOLT_ERR_NOSPC || err == MOLT_ERR_CORRUPT);
    REQUIRE(count_live(&rig.store) == before + (err == 0 && is_new));
    check_outside();
    REQUIRE(molt_store_want_compaction(&rig.store) == 0);
    REQUIRE(frozen_start(&rig) == 0);
    if (err == 0) {
        REQUIRE(molt_store_find(&rig.store, "fuzz", 4, &record) == 0);
        REQUIRE(memcmp(nor.bytes + record.mpy_addr, mpy, record.mpy_size) == 0);
        REQUIRE(molt_store_delete(&rig.store, "fuzz", 4) == 0);
    }
    REQUIRE(molt_store_reset(&rig.store) == 0);
    REQUIRE(count_live(&rig.store) == 0);
    (void)frozen_start(&rig);
    check_outside();
    return 0;
}
