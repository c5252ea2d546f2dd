// What the linker's two passes share.
#ifndef MOLT_FROZEN_LINK_BUILD_H
#define MOLT_FROZEN_LINK_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "frozen/link.h"
#include "frozen/mpy_visitor.h"

#define DEPTH (MOLT_MPY_DEPTH_MAX + 1)

// A new qstr before the pool is made: size << 24, whether it is in the names' area << 23, offset.
#define NEW_SIZE(entry) ((entry) >> 24)
#define NEW_OFF(entry) ((entry)&0x7fffffu)
#define NEW_IS_OWN(entry) ((entry) >> 23 & 1u)
#define NEW_OFF_MAX 0x7fffffu

typedef struct slots {
    uint32_t off[DEPTH];  // where the next reference goes
    uint32_t left[DEPTH];
    uint32_t depth;
} slots_t;

// A link that is being made.
typedef struct linker {
    const molt_link_job_t *job;
    uint8_t *out;  // the link, header included
    uint32_t used;
    uint32_t room;
    uint32_t *entries;  // new qstrs, sorted
    uint32_t entry_count;
    uint32_t entry_room;
    bool has_nul;       // in one of them
    uint32_t qstr_off;  // tables
    uint32_t object_off;
    uint32_t names_off;
    uint32_t names_size;
    uint32_t index;  // of the qstr that comes next
    slots_t slots;
} linker_t;

// The bytes of a new qstr.
const uint8_t *molt_link_new_bytes(const linker_t *l, uint32_t entry);

// Where the bytes are among the new qstrs, or where they belong.
bool molt_link_find_new(const linker_t *l, const uint8_t *bytes, uint32_t size, uint32_t *index);

// The number of the firmware's own qstr with these bytes, or 0.
//   is_name  it is a name in the .mpy's table, not a string that a program has
uint32_t molt_link_find_qstr(const linker_t *l, const uint8_t *bytes, uint32_t size, bool is_name);

// For the parser: notes each name, and each string that is short enough to be one, if the firmware does not have it. It is refused
// with MOLT_ERR_NOTSUP where there are more of them, or longer ones, than a link can have.
molt_mpy_visitor_t molt_link_collector(linker_t *l);

// The same for what an import of the module makes qstrs of: each part of its name, and what stands before each dot.
int molt_link_collect_names(linker_t *l);

#endif
