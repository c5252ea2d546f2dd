// In what form a device is sent the firmware.

#include "form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// What a device needs beside the image: the boot sector's file, and littlefs's own blocks; as molt_web reckons it.
#define ROOM_FOR(size) ((size) + (size) / 400u + 5u * 4096u)
// What a device has to have of heap to be sent a packed image, beside the window that the file is checked with. In bytes. That is in pieces
// as they come; where it is not enough the device refuses the file. (With a window of 4 KB 19,184 bytes were too few, 19,344 enough.)
#define GZIP_HEAP 16384
// Likewise for a delta file.
#define DELTA_HEAP 18432

bool form_is_version(const char *runs, const char *version) {
    size_t length = strlen(version);
    return length < MOLT_IMAGE_VERSION_MAX ? strcmp(runs, version) == 0 : strncmp(runs, version, length) == 0;
}

int64_t form_number(const json_t *object, const char *key) {
    int64_t value = json_integer_value(json_object_get(object, key));
    return value < -1 ? -1 : value > INT32_MAX ? INT32_MAX : value;
}

// Bytes that are free, or are when the files of the upgrade before have gone.
static int64_t room_of(const json_t *info) {
    return form_number(info, "free") + form_number(info, "image") + form_number(info, "back");
}

// The first delta file for what the device runs that was not refused, has room and is smaller than `size`. NULL: none.
static const payload_form_t *choose_delta(push_t *push, const json_t *info, uint32_t size) {
    const payload_t *payload = push->options->payload;
    int64_t room = room_of(info);
    for (; push->delta_next < payload->delta_count; push->delta_next++) {
        const payload_delta_t *delta = &payload->deltas[push->delta_next];
        if (form_is_version(push->from, delta->old_version) && delta->form.size < size
            && form_number(info, "heap") >= DELTA_HEAP + (int64_t)delta->window_size
            && ROOM_FOR(delta->form.size) + delta->back.size + delta->stash_size <= room) {
            return &delta->form;
        }
    }
    return NULL;
}

const payload_form_t *form_choose(push_t *push, const json_t *info) {
    const payload_t *payload = push->options->payload;
    int64_t room = room_of(info);
    // On trial it falls back on a delta file, too, which an older molt_web does not know.
    bool takes_delta = json_is_true(json_object_get(info, "delta"))
                       && (!push->options->wants_trial || json_is_integer(json_object_get(info, "back")));
    if (takes_delta && !push->options->wants_raw) {
        const payload_form_t *form = choose_delta(push, info, payload->gzip.bytes ? payload->gzip.size : payload->raw.size);
        if (form) {
            return form;
        }
    }
    bool takes_gzip = json_is_true(json_object_get(info, "gzip")) && !push->is_gzip_refused
                      && form_number(info, "heap") >= GZIP_HEAP + (int64_t)payload->gzip_window;
    if (takes_gzip && payload->gzip.bytes && !push->options->wants_raw && ROOM_FOR(payload->gzip.size) <= room) {
        return &payload->gzip;
    }
    return ROOM_FOR(payload->raw.size) <= room ? &payload->raw : NULL;
}

bool form_has_next(const push_t *push) {
    return form_is_delta(push) || (push->form && push->form == &push->options->payload->gzip);
}

void form_pass_over(push_t *push) {
    push->is_gzip_refused = push->is_gzip_refused || !form_is_delta(push);
    push->delta_next += form_is_delta(push);
    push->form = NULL;
}

bool form_is_delta(const push_t *push) {
    const payload_t *payload = push->options->payload;
    return push->form && push->delta_next < payload->delta_count && push->form == &payload->deltas[push->delta_next].form;
}

const payload_form_t *form_fallback(const push_t *push) {
    return form_is_delta(push) ? &push->options->payload->deltas[push->delta_next].back : push->options->fallback;
}

void form_say_none(const push_t *push, const json_t *info, char *text, size_t size) {
    const payload_t *payload = push->options->payload;
    int64_t room = room_of(info);
    bool takes_gzip = json_is_true(json_object_get(info, "gzip")) && payload->gzip.bytes;
    uint32_t form_size = takes_gzip ? payload->gzip.size : payload->raw.size;
    if (takes_gzip && ROOM_FOR(form_size) <= room) {
        snprintf(text, size,
            "the image has no room on it as it is, and it has not the memory to check a packed one (%" PRId64 " bytes of heap): "
            "let its program hold less, or delete files",
            form_number(info, "heap"));
    } else {
        snprintf(text, size, "the image needs %u KB, and %" PRId64 " KB are free: delete files there (the page shows them)%s",
            ROOM_FOR(form_size) / 1024, room / 1024, takes_gzip ? "" : "; its molt_web takes no packed image");
    }
}
