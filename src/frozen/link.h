// The link: what the build would have made of a module, had it been frozen into the firmware. Pointers into the
// verbatim .mpy, tables, constants, and a qstr pool of its own, all at addresses that are known beforehand.
//
// A link is a cache. It fits one firmware (by its build id) and one order of qstr pools, and is made again from the
// .mpy when either changes. Links lie one behind the other from the bottom of the store's region upwards.
// docs/format-store.md has every byte; py/bc.h, emitglue.h, qstr.h and tools/mpy-tool.py of MicroPython say what
// the structures are, for 32-bit chips.
#ifndef MOLT_LINK_H
#define MOLT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "frozen/mpy.h"
#include "molt/flash.h"

#define MOLT_LINK_HEADER_SIZE 64
#define MOLT_LINK_BUILD_SIZE 16

// What differs between firmwares: addresses, and how objects are made of numbers. (MicroPython's object representation C, that of the
// ESP8266, has floats as objects' words; with representation A, that of the ESP32 family, they are structures as others are.)
typedef struct molt_link_abi {
    uint32_t type_str;
    uint32_t type_bytes;
    uint32_t type_tuple;
    uint32_t type_int;
    uint32_t type_float;
    // Objects, as words.
    uint32_t none;
    uint32_t false_;
    uint32_t true_;
    uint32_t ellipsis;
    uint32_t empty_bytes;
    uint32_t empty_tuple;
    uint32_t fun_table;  // 0: no native code
    // A qstr object is id << qstr_shift | qstr_tag, a small integer value << 1 | 1.
    uint32_t qstr_shift;
    uint32_t qstr_tag;
    uint32_t small_int_bits;
    uint32_t is_float_immediate;
    uint32_t has_asm;  // raw code of inline assembler is 16 bytes long; 0: there is none
} molt_link_abi_t;

typedef struct molt_link_job {
    const molt_link_abi_t *abi;
    const molt_mpy_target_t *target;
    const uint8_t *mpy;  // the module's bytes, readable
    uint32_t mpy_size;
    uint32_t mpy_vaddr;  // where the CPU will find them
    const char *name;    // dotted
    uint32_t name_size;
    uint32_t link_vaddr;  // of the link's header
    // false: for RAM. No pool is made: find_qstr() makes what is new. Native code is not linked.
    bool has_pool;
    uint32_t prev_pool_vaddr;
    uint32_t qstr_base;  // number of the first new qstr
    void *ctx;
    // The number of a qstr, or 0 if there is none. is_name: one of the module's names, not a constant.
    uint32_t (*find_qstr)(void *ctx, const uint8_t *bytes, uint32_t size, bool is_name);
    // The word of a float: an object where floats are immediate, else its bits. 0 or an error.
    int (*make_float)(void *ctx, const uint8_t *text, uint32_t size, uint32_t *word);
} molt_link_job_t;

typedef struct molt_link_size {
    uint32_t link_size;  // at most, header included, whatever the firmware
    uint32_t work_size;  // what molt_link_build() needs
    bool is_native;      // has native code
    bool is_linkable;    // false: relocations, rodata or bss
} molt_link_size_t;

typedef struct molt_link {
    uint32_t addr;         // of the header in flash
    uint32_t data_size;    // behind the header
    uint32_t record_addr;  // header of the record that is linked
    uint32_t mpy_crc;
    uint8_t build[MOLT_LINK_BUILD_SIZE];
    uint32_t abi_crc;
    uint32_t qstr_base;
    uint32_t prev_pool_vaddr;
    uint32_t pool_off;  // from the header; 0: no new qstrs
    uint32_t qstr_count;
    uint32_t data_crc;
    bool is_linked;  // false: noted that this module cannot be linked
} molt_link_t;

// How much a link can take at most, and whether there can be one.
// Returns 0 or molt_mpy_parse()'s error, with *mpy telling more.
int molt_link_measure(molt_link_size_t *size, molt_mpy_t *mpy, const molt_reader_t *reader, const molt_mpy_target_t *target,
    const char *name, uint32_t name_size);

// Make the link in `words`: header (without its magic) and data. The frozen module stands at MOLT_LINK_HEADER_SIZE.
//   words      words_size >= work_size of molt_link_measure()
//   link       to be filled in by the caller: record_addr, mpy_crc, build, abi_crc; the rest is set
// Returns 0, or
//   MOLT_ERR_NOTSUP   cannot be linked: relocations, a constant that cannot be converted, too many qstrs, native code without fun_table
//   MOLT_ERR_NOSPC    words_size is too small
//   MOLT_ERR_CORRUPT  the .mpy is damaged
//   any other         from make_float()
int molt_link_build(const molt_link_job_t *job, uint32_t *words, uint32_t words_size, molt_link_t *link);

// Go through the links in flash. *at is 0 before the first; behind the last it is where the next one goes.
//   limit_addr  links end below
// Returns 1, 0 behind the last, MOLT_ERR_CORRUPT at anything else than a link or erased flash, or the driver's error.
int molt_link_next(const molt_flash_t *flash, uint32_t bottom_addr, uint32_t limit_addr, uint32_t *at, molt_link_t *link);

#endif
