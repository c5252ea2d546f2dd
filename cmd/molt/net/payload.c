// The firmware that is sent.

#include "payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "build.h"
#include "delta/delta.h"
#include "describe.h"
#include "files.h"
#include "gunzip.h"
#include "gzip.h"
#include "say.h"

// What an ESP8266 maps, and the largest flash chip of an ESP32. How much a device takes it says itself.
#define PAYLOAD_SIZE_MAX_ESP8266 (1u << 20)
#define PAYLOAD_SIZE_MAX (16u << 20)
#define SECTOR_SIZE 4096u
// A device with molt_web has less memory than one without; a larger one makes a file hardly smaller. In bytes.
#define DELTA_WINDOW 1024u
#define DELTA_MAP 32u

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
    if (image.chip == MOLT_CHIP_UNKNOWN) {
        return say_fail(
            "%s: this image is for a chip that this molt does not know; take one for an ESP8266 or ESP32; nothing is sent", path);
    }
    uint32_t limit = image.chip == MOLT_CHIP_ESP8266 ? PAYLOAD_SIZE_MAX_ESP8266 : PAYLOAD_SIZE_MAX;
    if (image.size > limit) {
        return say_fail("%s: %s are more than an %s can run, %s; nothing is sent", path, say_bytes(image.size).text,
            molt_chip_text(image.chip), say_size(limit).text);
    }
    payload->crc32 = image.crc32;
    memcpy(payload->version, image.version, sizeof payload->version);
    return 0;
}

int payload_load(payload_t *payload, const char *path, bool wants_gzip) {
    uint8_t *bytes;
    uint32_t size;
    *payload = (payload_t){ .version = "" };
    if (files_load_host(path, PAYLOAD_SIZE_MAX, &bytes, &size)) {
        return 1;
    }
    if (size >= 4 && molt_delta_is_patch(bytes)) {
        free(bytes);
        return say_fail(
            "%s: this is a delta file; name the image that it makes, and with --delta-from the one that devices run: molt push makes "
            "delta files itself",
            path);
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

// The bytes of a delta file that makes one image of another, in `form`; what it asks of a device is added to `delta`.
static build_err_t build(payload_delta_t *delta, payload_form_t *form, const payload_t *from, const payload_t *to) {
    molt_image_t image;
    molt_delta_header_t header;
    build_result_t result;
    (void)describe_verify(to->raw.bytes, to->raw.size, &image);
    const build_request_t request = {
        .old_bytes = from->raw.bytes,
        .new_bytes = to->raw.bytes,
        .old_size = from->raw.size,
        .new_size = to->raw.size,
        .sector_size = SECTOR_SIZE,
        .window_size = DELTA_WINDOW,
        .fs_addr = image.fs_addr,
        .chip = image.chip,
        .map_max = DELTA_MAP,
        .old_name = from->version,
        .new_name = to->version,
    };
    build_err_t err = build_delta(&result, &request);
    err = err ? err : build_prove(&result, &request);
    const molt_reader_t patch = molt_memory_reader(result.bytes, result.size);
    if (!err && molt_delta_read_header(&patch, &header) != 0) {
        err = BUILD_WRONG;
    }
    if (err) {
        free(result.bytes);
        return err;
    }
    uint32_t window_size = molt_delta_window_size(&header);
    set_form(form, result.bytes, result.size);
    delta->stash_size += molt_delta_stash_count(&header) * SECTOR_SIZE;
    delta->window_size = window_size > delta->window_size ? window_size : delta->window_size;
    return BUILD_OK;
}

static void free_delta(payload_delta_t *delta) {
    free(delta->form.bytes);
    free(delta->back.bytes);
}

int payload_add_delta(payload_t *payload, const char *path, bool wants_back) {
    payload_t old;
    payload_delta_t delta = { .stash_size = 0 };
    payload_delta_t *deltas = realloc(payload->deltas, (payload->delta_count + 1) * sizeof *deltas);
    if (deltas == NULL) {
        return say_fail("there is not enough memory; close other programs");
    }
    payload->deltas = deltas;
    if (payload_load(&old, path, false)) {
        payload_free(&old);
        return 1;
    }
    memcpy(delta.old_version, old.version, sizeof delta.old_version);
    int status = 0;
    if (*old.version == 0) {
        status = say_fail("%s: this image does not say its version, so it cannot be told who runs it; leave it out", path);
    } else {
        build_err_t err = build(&delta, &delta.form, &old, payload);
        err = err || !wants_back ? err : build(&delta, &delta.back, payload, &old);
        if (err == BUILD_TOO_MIXED || err == BUILD_TOO_LARGE) {
            (void)say_fail(
                "%s: it has too little in common with the new image for a delta file; who runs it is sent the image", path);
        } else if (err == BUILD_WRONG) {
            status = say_fail(
                "%s: the delta file from it does not make the new image; leave it out, and please report that", path);
        } else if (err) {
            status = say_fail("there is not enough memory; close other programs");
        } else {
            payload->deltas[payload->delta_count++] = delta;
        }
        if (err) {
            free_delta(&delta);
        }
    }
    payload_free(&old);
    return status;
}

void payload_free(payload_t *payload) {
    for (uint32_t i = 0; i < payload->delta_count; i++) {
        free_delta(&payload->deltas[i]);
    }
    free(payload->deltas);
    free(payload->raw.bytes);
    free(payload->gzip.bytes);
    *payload = (payload_t){ .version = "" };
}
