// The linker's first pass: the names that the firmware does not have, sorted as in the pool that they will make.

#include "base/bytes.h"
#include "base/libc.h"
#include "frozen/link_build.h"
#include "frozen/link_layout.h"
#include "molt/error.h"

#define QSTR_EMPTY 1u

const uint8_t *molt_link_new_bytes(const linker_t *l, uint32_t entry) {
    return (NEW_IS_OWN(entry) ? l->out + l->names_off : l->job->mpy) + NEW_OFF(entry);
}

// Bytewise, a prefix first.
static int compare(const uint8_t *a, uint32_t a_size, const uint8_t *b, uint32_t b_size) {
    int order = memcmp(a, b, min_u32(a_size, b_size));
    return order ? order : a_size < b_size ? -1 : a_size > b_size;
}

bool molt_link_find_new(const linker_t *l, const uint8_t *bytes, uint32_t size, uint32_t *index) {
    uint32_t low = 0;
    uint32_t high = l->entry_count;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int order = compare(bytes, size, molt_link_new_bytes(l, l->entries[mid]), NEW_SIZE(l->entries[mid]));
        if (order == 0) {
            *index = mid;
            return true;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    *index = low;
    return false;
}

// Add a name that the firmware does not have. is_own: it lies in the names' area, not in the .mpy.
static int add_new(linker_t *l, bool is_own, uint32_t off, uint32_t size) {
    const uint8_t *bytes = (is_own ? l->out + l->names_off : l->job->mpy) + off;
    uint32_t index;
    if (molt_link_find_new(l, bytes, size, &index)) {
        return 0;
    }
    if (l->entry_count == l->entry_room || off > NEW_OFF_MAX || size > MOLT_MPY_QSTR_SIZE_MAX) {
        return MOLT_ERR_NOTSUP;
    }
    memmove(&l->entries[index + 1], &l->entries[index], (l->entry_count - index) * sizeof *l->entries);
    l->entries[index] = size << 24 | (uint32_t)is_own << 23 | off;
    l->entry_count++;
    for (uint32_t i = 0; i < size; i++) {
        l->has_nul = l->has_nul || bytes[i] == 0;
    }
    return 0;
}

uint32_t molt_link_find_qstr(const linker_t *l, const uint8_t *bytes, uint32_t size, bool is_name) {
    return size ? l->job->find_qstr(l->job->ctx, bytes, size, is_name) : QSTR_EMPTY;
}

static int collect_qstr(void *ctx, uint32_t static_id, uint32_t off, uint32_t size) {
    linker_t *l = ctx;
    uint32_t id = static_id ? static_id : molt_link_find_qstr(l, l->job->mpy + off, size, true);
    store16_le(l->out + l->qstr_off + 2 * l->index++, (uint16_t)id);
    return id ? 0 : add_new(l, false, off, size);
}

static int collect_object(void *ctx, molt_mpy_type_t type, uint32_t off, uint32_t size) {
    linker_t *l = ctx;
    if (type != MOLT_MPY_TYPE_STR || size >= INTERN_SIZE || molt_link_find_qstr(l, l->job->mpy + off, size, false)) {
        return 0;
    }
    return add_new(l, false, off, size);
}

molt_mpy_visitor_t molt_link_collector(linker_t *l) {
    return (molt_mpy_visitor_t){ l, NULL, collect_qstr, l->job->has_pool ? collect_object : NULL, NULL };
}

// One of the module's own names: put into the names' area if it is new.
static int collect_own(linker_t *l, const char *bytes, uint32_t size) {
    uint32_t index;
    if (molt_link_find_qstr(l, (const uint8_t *)bytes, size, true)
        || molt_link_find_new(l, (const uint8_t *)bytes, size, &index)) {
        return 0;
    }
    uint32_t off = l->names_size;
    memcpy(l->out + l->names_off + off, bytes, size);
    l->out[l->names_off + off + size] = 0;
    l->names_size += size + 1;
    return add_new(l, true, off, size);
}

int molt_link_collect_names(linker_t *l) {
    const char *name = l->job->name;
    uint32_t begin = 0;
    int err = 0;
    for (uint32_t i = 0; !err && i <= l->job->name_size; i++) {
        if (i == l->job->name_size || name[i] == '.') {
            err = collect_own(l, name + begin, i - begin);
            err = err ? err : collect_own(l, name, i);
            begin = i + 1;
        }
    }
    return err;
}
