// MicroPython's .mpy files, version 6: a bounds-checked parser that calls back for what it finds.
//
// Outside of src/frozen it only checks: the visitor, which is called back, is there, in mpy_visitor.h.
//
// Bytes come in through a reader, so that a file can be checked where it lies; nothing is kept but the place.
// Offsets count bytes from the beginning of the file. Source of the format: py/persistentcode.c and
// tools/mpy-tool.py of MicroPython 1.25.
#ifndef MOLT_MPY_H
#define MOLT_MPY_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/source.h"

#define MOLT_MPY_VERSION 6
// Constants within constants, and functions within functions, that are followed.
#define MOLT_MPY_DEPTH_MAX 16

typedef enum molt_mpy_defect {
    MOLT_MPY_FINE,
    MOLT_MPY_TRUNCATED,        // ends before it is complete
    MOLT_MPY_NOT_MPY,          // does not begin with 'M'
    MOLT_MPY_BAD_VERSION,      // another version than 6
    MOLT_MPY_BAD_FEATURE,      // feature bits of a later MicroPython
    MOLT_MPY_BAD_ARCH,         // native code for another processor
    MOLT_MPY_BAD_SUB_VERSION,  // native code for another MicroPython
    MOLT_MPY_BAD_SMALL_INT,    // small integers wider than the firmware's
    MOLT_MPY_BAD_NUMBER,       // a count or size of more than 32 bits
    MOLT_MPY_BAD_QSTR,         // a name that is too long, not terminated, or an unknown static one
    MOLT_MPY_BAD_OBJECT,       // a constant of unknown type or form
    MOLT_MPY_BAD_CODE,         // code without a prelude, or of a kind that cannot be
    MOLT_MPY_TOO_DEEP,         // nested deeper than MOLT_MPY_DEPTH_MAX
    MOLT_MPY_COMPLEX,          // a complex constant, and the firmware has none
    MOLT_MPY_TRAILING,         // bytes behind the end
    MOLT_MPY_DEFECT_COUNT,
} molt_mpy_defect_t;

// What the firmware can run.
typedef struct molt_mpy_target {
    uint8_t native_arch;     // 0 for none; 9 on ESP8266, 10 on ESP32, 11 on ESP32-C3
    uint8_t sub_version;     // of native code; 3 since MicroPython 1.23
    uint8_t small_int_bits;  // 31 on 32-bit chips
    bool has_complex;
} molt_mpy_target_t;

typedef struct molt_mpy_header {
    uint8_t native_arch;
    uint8_t sub_version;
    uint8_t small_int_bits;
    uint32_t qstr_count;
    uint32_t object_count;
} molt_mpy_header_t;

typedef enum molt_mpy_kind {
    MOLT_MPY_KIND_BYTECODE = 2,
    MOLT_MPY_KIND_NATIVE = 3,
    MOLT_MPY_KIND_VIPER = 4,
    MOLT_MPY_KIND_ASM = 5,
} molt_mpy_kind_t;

struct molt_mpy_visitor;

typedef struct molt_mpy {
    molt_mpy_defect_t defect;
    uint32_t defect_off;
    molt_mpy_header_t header;
    // Inside the parser.
    const molt_reader_t *reader;
    uint32_t off;
    uint32_t window_off;
    uint32_t window_size;
    uint32_t window[16];
} molt_mpy_t;

// Parse the whole file and check every byte that is no code.
//   target   NULL: any
//   visitor  NULL: only check
// Returns 0, or
//   MOLT_ERR_CORRUPT  no .mpy, or a damaged one: mpy->defect says how, mpy->defect_off where
//   MOLT_ERR_NOTSUP   well formed as far as was seen, but not for `target`
//   any other         from reader or visitor
// Bytecode itself is not checked: as on any MicroPython, a file with wrong instructions can crash the program.
int molt_mpy_parse(
    molt_mpy_t *mpy, const molt_reader_t *reader, const molt_mpy_target_t *target, const struct molt_mpy_visitor *visitor);

// A sentence without full stop. Never NULL.
const char *molt_mpy_defect_text(molt_mpy_defect_t defect);

#endif
