// How much a link can take, whatever names the firmware already has.

#include "frozen/link.h"
#include "frozen/link_layout.h"
#include "frozen/mpy_visitor.h"

// Bytes of the names that an import of the module makes, each with a 0 behind it: every part of the dotted name, and
// what stands before each dot. *count grows by their number.
static uint32_t names_room(const char *name, uint32_t name_size, uint32_t *count) {
    uint32_t room = 0;
    uint32_t begin = 0;
    for (uint32_t i = 0; name_size && i <= name_size; i++) {
        if (i == name_size || name[i] == '.') {
            room += (i - begin + 1) + (i + 1);
            *count += 2;
            begin = i + 1;
        }
    }
    return align4(room);
}

typedef struct measure {
    molt_link_size_t *size;
    uint32_t qstr_count;
    uint32_t total;
} measure_t;

static int measure_header(void *ctx, const molt_mpy_header_t *header) {
    measure_t *m = ctx;
    m->total += align4(2 * header->qstr_count) + 4 * header->object_count;
    return 0;
}

static int measure_qstr(void *ctx, uint32_t static_id, uint32_t off, uint32_t size) {
    measure_t *m = ctx;
    (void)off;
    (void)size;
    m->qstr_count += static_id == 0;
    return 0;
}

static int measure_object(void *ctx, molt_mpy_type_t type, uint32_t off, uint32_t size) {
    measure_t *m = ctx;
    (void)off;
    if (type == MOLT_MPY_TYPE_STR && size < INTERN_SIZE) {
        m->qstr_count++;
        m->total += 16;
    } else if (type == MOLT_MPY_TYPE_STR || type == MOLT_MPY_TYPE_BYTES) {
        m->total += 16;
    } else if (type == MOLT_MPY_TYPE_TUPLE) {
        m->total += 8 + 4 * size;
    } else if (type == MOLT_MPY_TYPE_INT) {
        m->total += 16 + 2 * MPZ_DIGITS_MAX(size);
    } else if (type == MOLT_MPY_TYPE_FLOAT) {
        m->total += 8;
    } else if (type == MOLT_MPY_TYPE_IMAGINARY) {
        m->size->is_linkable = false;
    }
    return 0;
}

static int measure_code(void *ctx, const molt_mpy_code_t *code) {
    measure_t *m = ctx;
    m->total += 16 + 4 * code->child_count + 4;
    if (code->kind != MOLT_MPY_KIND_BYTECODE) {
        m->size->is_native = true;
        m->total += align4(code->data_size);
    }
    m->size->is_linkable = m->size->is_linkable && !code->is_relocated;
    return 0;
}

int molt_link_measure(molt_link_size_t *size, molt_mpy_t *mpy, const molt_reader_t *reader, const molt_mpy_target_t *target,
    const char *name, uint32_t name_size) {
    measure_t m = { .size = size };
    const molt_mpy_visitor_t visitor = { &m, measure_header, measure_qstr, measure_object, measure_code };
    *size = (molt_link_size_t){ .is_linkable = true };
    int err = molt_mpy_parse(mpy, reader, target, &visitor);
    uint32_t count = m.qstr_count;
    uint32_t names = names_room(name, name_size, &count);
    size->link_size = MOLT_LINK_HEADER_SIZE + MODULE_SIZE + m.total + names + POOL_HEADER_SIZE + align4(7 * count);
    size->work_size = size->link_size + 4 * count;
    return err;
}
