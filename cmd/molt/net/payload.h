// The firmware that is sent: as it is, and packed.
#ifndef MOLT_CMD_PAYLOAD_H
#define MOLT_CMD_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "image/image.h"
#include "proof.h"

// One form of it. NULL bytes: there is none.
typedef struct payload_form {
    uint8_t *bytes;
    uint32_t size;
    char sha256[2 * PROOF_SIZE + 1];
} payload_form_t;

// A delta file: for the devices that run one firmware.
typedef struct payload_delta {
    payload_form_t form;
    payload_form_t back;  // the one that makes that firmware again, for a trial to fall back on; no bytes: none was wanted
    char old_version[MOLT_IMAGE_VERSION_MAX + 1];  // what that firmware's MicroPython calls itself
    uint32_t stash_size;                           // bytes of files that a device needs beside both
    uint32_t window_size;                          // bytes that it needs to unpack them
} payload_delta_t;

typedef struct payload {
    payload_form_t raw;
    payload_form_t gzip;
    uint32_t gzip_window;  // bytes that a device needs to unpack the packed one; 0: there is none
    payload_delta_t *deltas;
    uint32_t delta_count;
    uint32_t crc32;                            // of the raw one
    char version[MOLT_IMAGE_VERSION_MAX + 1];  // what its MicroPython calls itself; "" if it does not say
} payload_t;

// Load the image `path`, packed or not, and see that it is a whole one for the ESP8266: those that a device would not take are not sent.
//   wants_gzip  pack it if it is not packed. A file that is packed already is sent as it is
// Returns 0, or 1 after having said what is wrong. Call payload_free() in either case.
int payload_load(payload_t *payload, const char *path, bool wants_gzip);

// Make a delta file for the devices that run the image `path`, packed or not. A firmware that has nothing in common with the new one gets
// none, which is told on stderr.
//   wants_back  and the one that leads back
// Returns 0, or 1 after having said what is wrong.
int payload_add_delta(payload_t *payload, const char *path, bool wants_back);

void payload_free(payload_t *payload);

#endif
