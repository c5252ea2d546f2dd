// Fuzz target: molt_image_verify() and molt_image_probe() on any bytes.
//
// Beyond "no crash": the reader is never asked for bytes that do not exist, what is reported lies within the
// file, and neither the size of the work buffer nor the way in (probe or verify) changes the verdict.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image/image.h"
#include "molt/error.h"

typedef struct input {
    const uint8_t *data;
    size_t size;
} input_t;

static int input_read(void *ctx, uint32_t off, void *buf, uint32_t size) {
    const input_t *input = ctx;
    REQUIRE(off <= input->size && size <= input->size - off);
    memcpy(buf, input->data + off, size);
    return 0;
}

static void require_sane(int err, const molt_image_t *image, size_t size) {
    REQUIRE(err == 0 || err == MOLT_ERR_CORRUPT);
    REQUIRE((err == 0) == (image->defect == MOLT_IMAGE_FINE));
    REQUIRE(image->defect < MOLT_IMAGE_DEFECT_COUNT && image->defect_off <= size);
    REQUIRE(strlen(molt_image_defect_text(image->defect)) > 0);
    REQUIRE(strlen(molt_image_kind_text(image->kind)) > 0 && strlen(molt_chip_text(image->chip)) > 0);
    REQUIRE(image->size == size && image->image_size <= size && image->inner_off <= size);
    REQUIRE(image->segment_count <= sizeof image->segments / sizeof image->segments[0]);
    for (unsigned i = 0; i < image->segment_count; i++) {
        const molt_image_segment_t *segment = &image->segments[i];
        REQUIRE(segment->data_off <= size && segment->size <= size - segment->data_off);
    }
    if (err == 0) {
        REQUIRE(image->kind != MOLT_IMAGE_KIND_UNKNOWN && image->chip != MOLT_CHIP_UNKNOWN && image->segment_count > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint32_t work[1024];
    input_t input = { data, size };
    molt_reader_t reader = { &input, (uint32_t)size, input_read };
    molt_image_t probed;
    molt_image_t small;
    molt_image_t large;

    int probe_err = molt_image_probe(&reader, &probed);
    require_sane(probe_err, &probed, size);
    int small_err = molt_image_verify(&reader, work, MOLT_IMAGE_WORK_MIN, NULL, NULL, &small);
    require_sane(small_err, &small, size);
    int large_err = molt_image_verify(&reader, work, sizeof work, NULL, NULL, &large);
    require_sane(large_err, &large, size);

    REQUIRE(probe_err == 0 || (small_err != 0 && small.defect == probed.defect));
    REQUIRE(small_err == large_err && small.defect == large.defect && small.defect_off == large.defect_off);
    REQUIRE(small.crc32 == large.crc32 && small.kind == large.kind && small.image_size == large.image_size);
    return 0;
}
