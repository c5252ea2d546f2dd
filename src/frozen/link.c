// The linker: from an .mpy to the structures of a build-time frozen module.
//
// Two passes over the .mpy. The first collects the names that the firmware does not have, sorted as in the pool
// that they will make. The second writes everything: fixed tables first, then constants and functions as they come,
// each reference being put into a slot that was reserved before, at last the pool.

#include "frozen/link.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/libc.h"
#include "base/reader.h"
#include "frozen/link_build.h"
#include "frozen/link_layout.h"
#include "frozen/link_parts.h"
#include "frozen/mpy_visitor.h"
#include "molt/error.h"

#define POOL_ALLOC_MAX 10u

uint32_t molt_link_hash(const uint8_t *bytes, uint32_t size) {
    uint32_t hash = 5381;
    for (uint32_t i = 0; i < size; i++) {
        hash = hash * 33 ^ bytes[i];
    }
    hash &= 0xffffu;
    return hash ? hash : 1;
}

static uint32_t vaddr(const linker_t *l, uint32_t off) {
    return l->job->link_vaddr + off;
}

static void put_word(linker_t *l, uint32_t off, uint32_t word) {
    store32_le(l->out + off, word);
}

// Reserve `size` bytes, zeroed; 0 if there is no room for them.
static uint32_t reserve(linker_t *l, uint32_t size) {
    uint32_t off = l->used;
    size = align4(size);
    if (size > l->room - l->used) {
        return 0;
    }
    memset(l->out + off, 0, size);
    l->used += size;
    return off;
}

// A reference to what was just made goes into the slot that waits for it.
static void fill_slot(linker_t *l, uint32_t word) {
    slots_t *slots = &l->slots;
    put_word(l, slots->off[slots->depth], word);
    slots->off[slots->depth] += 4;
    slots->left[slots->depth]--;
    while (slots->depth && slots->left[slots->depth] == 0) {
        slots->depth--;
    }
}

static void open_slots(linker_t *l, uint32_t off, uint32_t count) {
    // The parser refuses what is nested deeper than this.
    l->slots.depth++;
    l->slots.off[l->slots.depth] = off;
    l->slots.left[l->slots.depth] = count;
}

static uint32_t qstr_object(const linker_t *l, uint32_t id) {
    return id << l->job->abi->qstr_shift | l->job->abi->qstr_tag;
}

static int emit_str(linker_t *l, bool is_str, uint32_t off, uint32_t size) {
    const uint8_t *bytes = l->job->mpy + off;
    uint32_t index;
    if (!is_str && size == 0) {
        fill_slot(l, l->job->abi->empty_bytes);
        return 0;
    }
    uint32_t id = is_str ? molt_link_find_qstr(l, bytes, size, false) : 0;
    if (is_str && id == 0 && molt_link_find_new(l, bytes, size, &index)) {
        id = l->job->qstr_base + index;
    }
    if (id) {
        fill_slot(l, qstr_object(l, id));
        return 0;
    }
    uint32_t at = reserve(l, 16);
    if (at == 0) {
        return MOLT_ERR_NOSPC;
    }
    put_word(l, at, is_str ? l->job->abi->type_str : l->job->abi->type_bytes);
    put_word(l, at + 4, molt_link_hash(bytes, size));
    put_word(l, at + 8, size);
    put_word(l, at + 12, l->job->mpy_vaddr + off);
    fill_slot(l, vaddr(l, at));
    return 0;
}

// Decimal digits to 16-bit digits, the lowest first. Returns how many there are.
static uint32_t convert_digits(uint8_t *digits, uint32_t room, const uint8_t *text, uint32_t size) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t carry = (uint32_t)text[i] - '0';
        for (uint32_t k = 0; k < count; k++) {
            carry += load16_le(digits + 2 * k) * 10u;
            store16_le(digits + 2 * k, (uint16_t)carry);
            carry >>= 16;
        }
        if (carry && count < room) {
            store16_le(digits + 2 * count++, (uint16_t)carry);
        }
    }
    return count;
}

static int emit_int(linker_t *l, uint32_t off, uint32_t size) {
    const uint8_t *text = l->job->mpy + off;
    bool is_negative = text[0] == '-';
    uint32_t before = l->used;
    uint32_t room = MPZ_DIGITS_MAX(size);
    uint32_t at = reserve(l, 16);
    uint32_t digits = at ? reserve(l, 2 * room) : 0;
    if (digits == 0) {
        return MOLT_ERR_NOSPC;
    }
    uint32_t count = convert_digits(l->out + digits, room, text + is_negative, size - is_negative);
    uint32_t low = count ? load16_le(l->out + digits) : 0;
    low |= count > 1 ? (uint32_t)load16_le(l->out + digits + 2) << 16 : 0;
    uint32_t limit = 1u << (l->job->abi->small_int_bits - 1);
    if (count <= 2 && (low < limit || (is_negative && low == limit))) {
        l->used = before;
        fill_slot(l, (is_negative ? 0u - low : low) << 1 | 1u);
        return 0;
    }
    l->used = digits + align4(2 * count);
    put_word(l, at, l->job->abi->type_int);
    put_word(l, at + 4, (uint32_t)is_negative | 2u | count << 2);  // neg, fixed_dig, alloc
    put_word(l, at + 8, count);
    put_word(l, at + 12, vaddr(l, digits));
    fill_slot(l, vaddr(l, at));
    return 0;
}

static int emit_float(linker_t *l, uint32_t off, uint32_t size) {
    uint32_t word;
    int err = l->job->make_float(l->job->ctx, l->job->mpy + off, size, &word);
    if (!err && !l->job->abi->is_float_immediate) {
        uint32_t at = reserve(l, 8);
        if (at == 0) {
            return MOLT_ERR_NOSPC;
        }
        put_word(l, at, l->job->abi->type_float);
        put_word(l, at + 4, word);
        word = vaddr(l, at);
    }
    if (!err) {
        fill_slot(l, word);
    }
    return err;
}

static int emit_tuple(linker_t *l, uint32_t count) {
    if (count == 0) {
        fill_slot(l, l->job->abi->empty_tuple);
        return 0;
    }
    uint32_t at = reserve(l, 8 + 4 * count);
    if (at == 0) {
        return MOLT_ERR_NOSPC;
    }
    put_word(l, at, l->job->abi->type_tuple);
    put_word(l, at + 4, count);
    fill_slot(l, vaddr(l, at));
    open_slots(l, at + 8, count);
    return 0;
}

static int emit_object(void *ctx, molt_mpy_type_t type, uint32_t off, uint32_t size) {
    linker_t *l = ctx;
    const molt_link_abi_t *abi = l->job->abi;
    const uint32_t simple[] = { abi->fun_table, abi->none, abi->false_, abi->true_, abi->ellipsis };
    switch (type) {
        case MOLT_MPY_TYPE_FUN_TABLE:
        case MOLT_MPY_TYPE_NONE:
        case MOLT_MPY_TYPE_FALSE:
        case MOLT_MPY_TYPE_TRUE:
        case MOLT_MPY_TYPE_ELLIPSIS:
            if (simple[type] == 0) {
                return MOLT_ERR_NOTSUP;
            }
            fill_slot(l, simple[type]);
            return 0;
        case MOLT_MPY_TYPE_STR:
        case MOLT_MPY_TYPE_BYTES:
            return emit_str(l, type == MOLT_MPY_TYPE_STR, off, size);
        case MOLT_MPY_TYPE_INT:
            return emit_int(l, off, size);
        case MOLT_MPY_TYPE_FLOAT:
            return emit_float(l, off, size);
        case MOLT_MPY_TYPE_TUPLE:
            return emit_tuple(l, size);
        case MOLT_MPY_TYPE_IMAGINARY:
        default:
            return MOLT_ERR_NOTSUP;
    }
}

static int emit_code(void *ctx, const molt_mpy_code_t *code) {
    linker_t *l = ctx;
    bool is_native = code->kind != MOLT_MPY_KIND_BYTECODE;
    uint32_t data_vaddr = l->job->mpy_vaddr + code->data_off;
    if (code->is_relocated || (is_native && (!l->job->has_pool || l->job->abi->fun_table == 0))
        || (code->kind == MOLT_MPY_KIND_ASM && !l->job->abi->has_asm)) {
        return MOLT_ERR_NOTSUP;
    }
    if (!is_native && code->child_count == 0 && code->is_plain) {
        fill_slot(l, data_vaddr);
        return 0;
    }
    uint32_t has_prelude = code->kind == MOLT_MPY_KIND_NATIVE;
    uint32_t copy = is_native ? reserve(l, code->data_size) : 1;
    uint32_t at = reserve(l, code->kind == MOLT_MPY_KIND_ASM ? 16 : 12);
    uint32_t children = code->child_count ? reserve(l, 4 * (code->child_count + has_prelude)) : 0;
    if (copy == 0 || at == 0 || (code->child_count && children == 0)) {
        return MOLT_ERR_NOSPC;
    }
    if (is_native) {
        memcpy(l->out + copy, l->job->mpy + code->data_off, code->data_size);
        data_vaddr = vaddr(l, copy);
    }
    uint32_t prelude_vaddr = has_prelude ? data_vaddr + code->prelude_off : 0;
    put_word(l, at, (uint32_t)code->kind << 16 | (uint32_t)code->is_generator << 24);
    put_word(l, at + 4, data_vaddr);
    put_word(l, at + 8, children ? vaddr(l, children) : prelude_vaddr);
    if (code->kind == MOLT_MPY_KIND_ASM) {
        put_word(l, at + 12, code->arg_count | code->type_sig << 8);
    }
    fill_slot(l, vaddr(l, at));
    if (children) {
        if (has_prelude) {
            put_word(l, children + 4 * code->child_count, prelude_vaddr);
        }
        open_slots(l, children, code->child_count);
    }
    return 0;
}

// The pool, behind everything. *off: where it is; 0 if there are no new qstrs.
static int emit_pool(linker_t *l, uint32_t *off) {
    const molt_link_job_t *job = l->job;
    uint32_t count = l->entry_count;
    *off = 0;
    if (count == 0) {
        return 0;
    }
    if (!job->has_pool || job->qstr_base + count > MOLT_LINK_QSTR_MAX) {
        return MOLT_ERR_NOTSUP;
    }
    uint32_t at = reserve(l, POOL_HEADER_SIZE + 7 * count);
    if (at == 0) {
        return MOLT_ERR_NOSPC;
    }
    uint32_t strings = at + POOL_HEADER_SIZE;
    uint32_t hashes = strings + 4 * count;
    uint32_t sizes = hashes + 2 * count;
    put_word(l, at, job->prev_pool_vaddr);
    put_word(l, at + 4, job->qstr_base | (uint32_t)!l->has_nul << 31);
    put_word(l, at + 8, min_u32(count, POOL_ALLOC_MAX));
    put_word(l, at + 12, count);
    put_word(l, at + 16, vaddr(l, hashes));
    put_word(l, at + 20, vaddr(l, sizes));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t entry = l->entries[i];
        uint32_t base = NEW_IS_OWN(entry) ? vaddr(l, l->names_off) : job->mpy_vaddr;
        put_word(l, strings + 4 * i, base + NEW_OFF(entry));
        store16_le(l->out + hashes + 2 * i, (uint16_t)molt_link_hash(molt_link_new_bytes(l, entry), NEW_SIZE(entry)));
        l->out[sizes + i] = (uint8_t)NEW_SIZE(entry);
    }
    *off = at;
    return 0;
}

static int number_qstr(void *ctx, uint32_t static_id, uint32_t off, uint32_t size) {
    linker_t *l = ctx;
    uint8_t *id = l->out + l->qstr_off + 2 * l->index++;
    uint32_t index;
    (void)static_id;
    if (load16_le(id) == 0 && molt_link_find_new(l, l->job->mpy + off, size, &index)) {
        store16_le(id, (uint16_t)(l->job->qstr_base + index));
    }
    return 0;
}

// Place the tables, collect, emit.
static int build(linker_t *l, const molt_mpy_header_t *header, molt_link_t *link) {
    const molt_link_job_t *job = l->job;
    molt_mpy_t mpy;
    const molt_reader_t reader = molt_memory_reader(job->mpy, job->mpy_size);
    const molt_mpy_visitor_t collector = molt_link_collector(l);
    uint32_t module = reserve(l, MODULE_SIZE);
    l->qstr_off = reserve(l, 2 * header->qstr_count);
    l->object_off = reserve(l, 4 * header->object_count);
    l->names_off = l->used;
    int err = molt_mpy_parse(&mpy, &reader, job->target, &collector);
    err = err || !job->has_pool ? err : molt_link_collect_names(l);
    if (err) {
        return err;
    }
    l->used += align4(l->names_size);
    l->index = 0;
    // The outermost slots: the constants' table, and behind it, in order of the file, the module's function.
    put_word(l, module, vaddr(l, l->qstr_off));
    put_word(l, module + 4, header->object_count ? vaddr(l, l->object_off) : 0);
    l->slots.off[0] = l->object_off;
    const molt_mpy_visitor_t objects = { l, NULL, number_qstr, emit_object, NULL };
    err = molt_mpy_parse(&mpy, &reader, job->target, &objects);
    l->slots = (slots_t){ .off = { module + 8 } };
    const molt_mpy_visitor_t codes = { l, NULL, NULL, NULL, emit_code };
    err = err ? err : molt_mpy_parse(&mpy, &reader, job->target, &codes);
    return err ? err : emit_pool(l, &link->pool_off);
}

static void encode_header(uint8_t *out, const molt_link_t *link) {
    memset(out, 0xff, MOLT_LINK_HEADER_SIZE);
    store32_le(out + LINK_VERSION_OFF, MOLT_LINK_VERSION | (link->is_linked ? 0u : LINK_REFUSED));
    store32_le(out + LINK_SIZE_OFF, link->data_size);
    store32_le(out + LINK_RECORD_OFF, link->record_addr);
    store32_le(out + LINK_MPY_CRC_OFF, link->mpy_crc);
    memcpy(out + LINK_BUILD_OFF, link->build, MOLT_LINK_BUILD_SIZE);
    store32_le(out + LINK_ABI_CRC_OFF, link->abi_crc);
    store32_le(out + LINK_QSTR_BASE_OFF, link->qstr_base);
    store32_le(out + LINK_PREV_POOL_OFF, link->prev_pool_vaddr);
    store32_le(out + LINK_POOL_OFF, link->pool_off | link->qstr_count << 16);
    store32_le(out + LINK_DATA_CRC_OFF, link->data_crc);
    store32_le(out + LINK_CRC_OFF, molt_crc32(0, out + LINK_VERSION_OFF, LINK_CRC_OFF - LINK_VERSION_OFF));
}

void molt_link_refuse(uint32_t words[MOLT_LINK_HEADER_SIZE / 4], molt_link_t *link) {
    link->data_size = link->pool_off = link->qstr_count = link->data_crc = 0;
    link->is_linked = false;
    encode_header((uint8_t *)words, link);
}

int molt_link_build(const molt_link_job_t *job, uint32_t *words, uint32_t words_size, molt_link_t *link) {
    molt_link_size_t size;
    molt_mpy_t mpy;
    const molt_reader_t reader = molt_memory_reader(job->mpy, job->mpy_size);
    int err = molt_link_measure(&size, &mpy, &reader, job->target, job->name, job->has_pool ? job->name_size : 0);
    if (err) {
        return err;
    }
    if (!size.is_linkable) {
        return MOLT_ERR_NOTSUP;
    }
    if (size.work_size > words_size || size.link_size > LINK_SIZE_MAX) {
        return size.work_size > words_size ? MOLT_ERR_NOSPC : MOLT_ERR_NOTSUP;
    }
    linker_t l = {
        .job = job,
        .out = (uint8_t *)words,
        .used = MOLT_LINK_HEADER_SIZE,
        .room = size.link_size,
        .entries = words + size.link_size / 4,
        .entry_room = (size.work_size - size.link_size) / 4,
    };
    err = build(&l, &mpy.header, link);
    if (err) {
        return err;
    }
    link->data_size = l.used - MOLT_LINK_HEADER_SIZE;
    link->qstr_count = l.entry_count;
    link->qstr_base = job->qstr_base;
    link->prev_pool_vaddr = job->prev_pool_vaddr;
    link->data_crc = molt_crc32(0, l.out + MOLT_LINK_HEADER_SIZE, link->data_size);
    link->is_linked = true;
    encode_header(l.out, link);
    return 0;
}
