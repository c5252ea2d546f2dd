// What the parser of .mpy files calls back with.
#ifndef MOLT_FROZEN_MPY_VISITOR_H
#define MOLT_FROZEN_MPY_VISITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "frozen/mpy.h"

// The last qstr that all firmwares have under the same number.
#define MOLT_MPY_QSTR_STATIC_MAX 165
// Longest name: its length is stored in a byte.
#define MOLT_MPY_QSTR_SIZE_MAX 255

typedef enum molt_mpy_type {
    MOLT_MPY_TYPE_FUN_TABLE = 0,
    MOLT_MPY_TYPE_NONE = 1,
    MOLT_MPY_TYPE_FALSE = 2,
    MOLT_MPY_TYPE_TRUE = 3,
    MOLT_MPY_TYPE_ELLIPSIS = 4,
    MOLT_MPY_TYPE_STR = 5,
    MOLT_MPY_TYPE_BYTES = 6,
    MOLT_MPY_TYPE_INT = 7,    // decimal digits, perhaps behind '-'
    MOLT_MPY_TYPE_FLOAT = 8,  // text
    MOLT_MPY_TYPE_IMAGINARY = 9,
    MOLT_MPY_TYPE_TUPLE = 10,  // `size` items follow
} molt_mpy_type_t;

typedef struct molt_mpy_code {
    molt_mpy_kind_t kind;
    bool is_generator;
    bool is_plain;      // its two first bytes are not both 0: bytecode that can be pointed to directly
    bool is_relocated;  // relocations, rodata or bss: has to be loaded into RAM
    uint32_t data_off;
    uint32_t data_size;
    uint32_t prelude_off;  // MOLT_MPY_KIND_NATIVE: within the data
    uint32_t arg_count;    // MOLT_MPY_KIND_ASM
    uint32_t type_sig;     // MOLT_MPY_KIND_ASM
    uint32_t child_count;  // functions that follow
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

#endif
