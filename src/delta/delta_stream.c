// What a patch's streams hold: bytes, numbers, changes.

#include "delta/delta_stream.h"
#include "molt/error.h"

int molt_delta_read(molt_inflate_t *stream, uint8_t *out, uint32_t size) {
    uint32_t got;
    int err = molt_inflate_read(stream, out, size, &got);
    return err || got == size ? err : MOLT_ERR_CORRUPT;
}

uint32_t molt_delta_read_number(molt_inflate_t *stream, int *err) {
    uint32_t number = 0;
    uint8_t byte = 0x80;
    for (uint32_t shift = 0; !*err && (byte & 0x80) != 0; shift += 7) {
        *err = shift > 21 ? MOLT_ERR_CORRUPT : molt_delta_read(stream, &byte, 1);
        number |= (uint32_t)(byte & 0x7f) << shift;
    }
    return *err ? 0 : number;
}

int molt_delta_fix(molt_delta_t *delta, uint8_t *bytes, uint32_t size) {
    int err = 0;
    uint32_t off = 0;
    uint32_t sum = 0;
    while (!err && delta->until_fix < size - off) {
        uint8_t difference = 0;
        // Bytes that follow each other are one number, lowest first.
        sum = delta->until_fix ? 0 : sum >> 8;
        off += delta->until_fix;
        err = molt_delta_read(&delta->fix, &difference, 1);
        sum += (uint32_t)bytes[off] + difference;
        bytes[off] = (uint8_t)sum;
        off++;
        delta->until_fix = molt_delta_read_number(&delta->fix, &err);
    }
    delta->until_fix -= size - off;
    return err;
}
