// MicroPython's .mpy files, version 6: a bounds-checked parser that calls back for what it finds.
//
// Bytes come in through a reader, so that a file can be checked where it lies; nothing is kept but the place.
// Offsets count bytes from the beginning of the file. Source of the format: py/persistentcode.c and
// tools/mpy-tool.py of MicroPython 1.25.
#ifndef MOLT_MPY_H
#define MOLT_MPY_H

#include <stdbool.h>
#include <stdint.h>

#include "molt/image.h"

#define MOLT_MPY_VERSION 6
// Constants within constants, and functions within functions, that are followed.
#define MOLT_MPY_DEPTH_MAX 16
// The last qstr that all firmwares have under the same number.
#define MOLT_MPY_QSTR_STATIC_MAX 165
// Longest name: its length is stored in a byte.
#define MOLT_MPY_QSTR_SIZE_MAX 255

typedef enum molt_mpy_defect {
    MOLT_MPY_FINE,
    MOLT_MPY_TRUNCATED,       // ends before it is complete
    MOLT_MPY_NOT_MPY,         // does not begin with 'M'
    MOLT_MPY_BAD_VERSION,     // another version than 6
    MOLT_MPY_BAD_FEATURE,     // feature bits of a later MicroPython
    MOLT_MPY_BAD_ARCH,        // native code for another processor
    MOLT_MPY_BAD_SUB_VERSION, // native code for another MicroPython
    MOLT_MPY_BAD_SMALL_INT,   // small integers wider than the firmware's
    MOLT_MPY_BAD_NUMBER,      // a count or size of more than 32 bits
    MOLT_MPY_BAD_QSTR,        // a name that is too long, not terminated, or an unknown static one
    MOLT_MPY_BAD_OBJECT,      // a constant of unknown type or form
    MOLT_MPY_BAD_CODE,        // code without a prelude, or of a kind that cannot be
    MOLT_MPY_TOO_DEEP,        // nested deeper than MOLT_MPY_DEPTH_MAX
    MOLT_MPY_COMPLEX,         // a complex constant, and the firmware has none
    MOLT_MPY_TRAILING,        // bytes behind the end
    MOLT_MPY_DEFECT_COUNT,
} molt_mpy_defect_t;

// What the firmware can run.
typedef struct molt_mpy_target {
    uint8_t native_arch;     // 0 for none; 9 on ESP8266, 10 on ESP32
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

typedef enum molt_mpy_type {
    MOLT_MPY_FUN_TABLE = 0,
    MOLT_MPY_NONE = 1,
    MOLT_MPY_FALSE = 2,
    MOLT_MPY_TRUE = 3,
    MOLT_MPY_ELLIPSIS = 4,
    MOLT_MPY_STR = 5,
    MOLT_MPY_BYTES = 6,
    MOLT_MPY_INT = 7,      // decimal digits, perhaps behind '-'
    MOLT_MPY_FLOAT = 8,    // text
    MOLT_MPY_IMAGINARY = 9,
    MOLT_MPY_TUPLE = 10,   // `size` items follow
} molt_mpy_type_t;

typedef enum molt_mpy_kind {
    MOLT_MPY_BYTECODE = 2,
    MOLT_MPY_NATIVE = 3,
    MOLT_MPY_VIPER = 4,
    MOLT_MPY_ASM = 5,
} molt_mpy_kind_t;

typedef struct molt_mpy_code {
    molt_mpy_kind_t kind;
    bool is_generator;
    bool is_plain;          // its two first bytes are not both 0: bytecode that can be pointed to directly
    bool is_relocated;      // relocations, rodata or bss: has to be loaded into RAM
    uint32_t data_off;
    uint32_t data_size;
    uint32_t prelude_off;   // MOLT_MPY_NATIVE: within the data
    uint32_t arg_count;     // MOLT_MPY_ASM
    uint32_t type_sig;      // MOLT_MPY_ASM
    uint32_t child_count;   // functions that follow
} molt_mpy_code_t;

// Each may be NULL, and stops the parser by returning other than 0.
typedef struct molt_mpy_visitor {
    void *ctx;
    int (*header)(void *ctx, const molt_mpy_header_t *header);
    // static_id: 1..165, or 0 and the `size` bytes at `off`, a 0 behind them.
    int (*qstr)(void *ctx, uint32_t static_id, uint32_t off, uint32_t size);
    // In the order of the file: a tuple, then its items.
    int (*object)(void *ctx, molt_mpy_type_t type, uint32_t off, uint32_t size);
    // A function, then those within it.
    int (*code)(void *ctx, const molt_mpy_code_t *code);
} molt_mpy_visitor_t;

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
int molt_mpy_parse(molt_mpy_t *mpy, const molt_reader_t *reader, const molt_mpy_target_t *target,
    const molt_mpy_visitor_t *visitor);

// A sentence without full stop. Never NULL.
const char *molt_mpy_defect_text(molt_mpy_defect_t defect);

#endif
