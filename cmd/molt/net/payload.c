// The firmware that is sent.

#include "payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "files.h"
#include "gunzip.h"
#include "gzip.h"
#include "say.h"

// What the chip maps, and what molt_web takes.
#define PAYLOAD_SIZE_MAX (1u << 20)

static void set_form(payload_form_t *form, uint8_t *bytes, uint32_t size) {
    form->bytes = bytes;
    form->size = size;
    proof_sha256(form->sha256, bytes, size);
}

// Make the raw form of the packed one.
static int unpack(payload_t *payload, const char *path) {
    uint32_t size = payload->gzip.size;
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return say_fail("there is not enough memory; close other programs");
    }
    memcpy(bytes, payload->gzip.bytes, size);
    const char *defect = gunzip(&bytes, &size);
    if (defect) {
        free(bytes);
        return say_fail("%s: %s", path, defect);
    }
    set_form(&payload->raw, bytes, size);
    return 0;
}

static int check(payload_t *payload, const char *path) {
    molt_image_t image;
    if (describe_verify(payload->raw.bytes, payload->raw.size, &image) != 0) {
        return say_fail("%s: %s; nothing is sent", path, molt_image_defect_text(image.defect));
    }
    if (image.chip != MOLT_CHIP_ESP8266) {
        return say_fail("%s: this is an image for %s, and molt_web takes those for the ESP8266; nothing is sent", path,
            molt_chip_text(image.chip));
    }
    if (image.size > PAYLOAD_SIZE_MAX) {
        return say_fail("%s: %s are more than an ESP8266 can run, %s; nothing is sent", path, say_bytes(image.size).text,
            say_size(PAYLOAD_SIZE_MAX).text);
    }
    payload->crc32 = image.crc32;
    memcpy(payload->version, image.version, sizeof payload->version);
    return 0;
}

int payload_load(payload_t *payload, const char *path, bool wants_gzip) {
    uint8_t *bytes;
    uint32_t size;
    *payload = (payload_t){ .version = "" };
    if (files_load_host(path, 16u << 20, &bytes, &size)) {
        return 1;
    }
    bool is_packed = gunzip_is_gzip(bytes, size);
    set_form(is_packed ? &payload->gzip : &payload->raw, bytes, size);
    if ((is_packed && unpack(payload, path)) || check(payload, path)) {
        return 1;
    }
    if (wants_gzip && !is_packed) {
        bytes = gzip_make(payload->raw.bytes, payload->raw.size, GZIP_BITS_DEFAULT, &size);
        if (bytes == NULL) {
            return say_fail("there is not enough memory to compress it; close other programs");
        }
        set_form(&payload->gzip, bytes, size);
    }
    payload->gzip_window = payload->gzip.bytes ? gunzip_window(payload->gzip.bytes, payload->gzip.size) : 0;
    return 0;
}

void payload_free(payload_t *payload) {
    free(payload->raw.bytes);
    free(payload->gzip.bytes);
    *payload = (payload_t){ .version = "" };
}
