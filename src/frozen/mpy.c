// The .mpy parser: one pass, no recursion, every count and size checked against what is left of the file.

#include "frozen/mpy.h"

#include "base/bytes.h"
#include "base/libc.h"
#include "frozen/mpy_visitor.h"
#include "molt/error.h"

#define SCOPE_GENERATOR 0x01u
#define SCOPE_RELOC 0x10u
#define SCOPE_RODATA 0x20u
#define SCOPE_BSS 0x40u
#define FEATURE_ARCH_FLAGS 0x40u

static int fail(molt_mpy_t *mpy, molt_mpy_defect_t defect) {
    mpy->defect = defect;
    mpy->defect_off = mpy->off;
    bool foreign = (defect >= MOLT_MPY_BAD_VERSION && defect <= MOLT_MPY_BAD_SMALL_INT) || defect == MOLT_MPY_COMPLEX;
    return foreign ? MOLT_ERR_NOTSUP : MOLT_ERR_CORRUPT;
}

static uint32_t left(const molt_mpy_t *mpy) {
    return mpy->reader->size - mpy->off;
}

// The byte at `off`, which is inside the file.
static int byte_at(molt_mpy_t *mpy, uint32_t off, uint8_t *byte) {
    if (off < mpy->window_off || off - mpy->window_off >= mpy->window_size) {
        mpy->window_off = off & ~3u;
        mpy->window_size = min_u32(sizeof mpy->window, mpy->reader->size - mpy->window_off);
        int err = mpy->reader->read(mpy->reader->ctx, mpy->window_off, mpy->window, mpy->window_size);
        if (err) {
            mpy->window_size = 0;
            return err;
        }
    }
    *byte = ((const uint8_t *)mpy->window)[off - mpy->window_off];
    return 0;
}

static int take_byte(molt_mpy_t *mpy, uint8_t *byte) {
    if (left(mpy) == 0) {
        return fail(mpy, MOLT_MPY_TRUNCATED);
    }
    int err = byte_at(mpy, mpy->off, byte);
    if (!err) {
        mpy->off++;
    }
    return err;
}

// Seven bits a byte, the highest first; the high bit says that more follow.
static int take_number(molt_mpy_t *mpy, uint32_t *number) {
    uint32_t value = 0;
    uint8_t byte;
    do {
        int err = take_byte(mpy, &byte);
        if (err) {
            return err;
        }
        if (value >> 25) {
            return fail(mpy, MOLT_MPY_BAD_NUMBER);
        }
        value = value << 7 | (byte & 0x7fu);
    } while (byte & 0x80u);
    *number = value;
    return 0;
}

static int skip(molt_mpy_t *mpy, uint32_t size) {
    if (size > left(mpy)) {
        return fail(mpy, MOLT_MPY_TRUNCATED);
    }
    mpy->off += size;
    return 0;
}

// `size` bytes and a 0 behind them.
static int skip_string(molt_mpy_t *mpy, uint32_t size, molt_mpy_defect_t defect) {
    uint8_t end = 1;
    int err = skip(mpy, size);
    err = err ? err : take_byte(mpy, &end);
    return err || end == 0 ? err : fail(mpy, defect);
}

static int parse_header(molt_mpy_t *mpy, const molt_mpy_target_t *target) {
    uint8_t bytes[4];
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        int err = take_byte(mpy, &bytes[i]);
        if (err) {
            return err;
        }
        if (i == 0 && bytes[0] != 'M') {
            return fail(mpy, MOLT_MPY_NOT_MPY);
        }
        if (i == 1 && bytes[1] != MOLT_MPY_VERSION) {
            return fail(mpy, MOLT_MPY_BAD_VERSION);
        }
    }
    if (bytes[2] & FEATURE_ARCH_FLAGS) {
        return fail(mpy, MOLT_MPY_BAD_FEATURE);
    }
    mpy->header.native_arch = bytes[2] >> 2;
    mpy->header.sub_version = bytes[2] & 3u;
    mpy->header.small_int_bits = bytes[3];
    if (target && mpy->header.native_arch) {
        if (mpy->header.native_arch != target->native_arch) {
            return fail(mpy, MOLT_MPY_BAD_ARCH);
        }
        if (mpy->header.sub_version != target->sub_version) {
            return fail(mpy, MOLT_MPY_BAD_SUB_VERSION);
        }
    }
    if (target && bytes[3] > target->small_int_bits) {
        return fail(mpy, MOLT_MPY_BAD_SMALL_INT);
    }
    int err = take_number(mpy, &mpy->header.qstr_count);
    err = err ? err : take_number(mpy, &mpy->header.object_count);
    if (err) {
        return err;
    }
    // Each takes a byte at least; the first name is the source file's.
    if (mpy->header.qstr_count > left(mpy) || mpy->header.object_count > left(mpy)) {
        return fail(mpy, MOLT_MPY_TRUNCATED);
    }
    return mpy->header.qstr_count ? 0 : fail(mpy, MOLT_MPY_BAD_QSTR);
}

static int parse_qstr(molt_mpy_t *mpy, const molt_mpy_visitor_t *visitor) {
    uint32_t number;
    int err = take_number(mpy, &number);
    if (err) {
        return err;
    }
    uint32_t id = number & 1 ? number >> 1 : 0;
    uint32_t size = number & 1 ? 0 : number >> 1;
    uint32_t off = mpy->off;
    if (number & 1) {
        if (id == 0 || id > MOLT_MPY_QSTR_STATIC_MAX) {
            return fail(mpy, MOLT_MPY_BAD_QSTR);
        }
    } else {
        if (size > MOLT_MPY_QSTR_SIZE_MAX) {
            return fail(mpy, MOLT_MPY_BAD_QSTR);
        }
        err = skip_string(mpy, size, MOLT_MPY_BAD_QSTR);
    }
    if (!err && visitor->qstr) {
        err = visitor->qstr(visitor->ctx, id, off, size);
    }
    return err;
}

// Digits of an integer: one at least, perhaps behind '-'.
static int check_digits(molt_mpy_t *mpy, uint32_t off, uint32_t size) {
    uint8_t byte = 0;
    for (uint32_t i = 0; i < size; i++) {
        int err = byte_at(mpy, off + i, &byte);
        if (err) {
            return err;
        }
        if ((byte < '0' || byte > '9') && !(i == 0 && byte == '-')) {
            return fail(mpy, MOLT_MPY_BAD_OBJECT);
        }
    }
    return size && byte != '-' ? 0 : fail(mpy, MOLT_MPY_BAD_OBJECT);
}

// Text of a float or of an imaginary number: none but the characters that these have ("inf" and "nan" too).
static int check_float(molt_mpy_t *mpy, uint32_t off, uint32_t size) {
    static const char allowed[] = "0123456789+-.eEinfaj";
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte;
        uint32_t k = 0;
        int err = byte_at(mpy, off + i, &byte);
        while (!err && k < sizeof allowed - 1 && byte != (uint8_t)allowed[k]) {
            k++;
        }
        if (err || k == sizeof allowed - 1) {
            return err ? err : fail(mpy, MOLT_MPY_BAD_OBJECT);
        }
    }
    return size ? 0 : fail(mpy, MOLT_MPY_BAD_OBJECT);
}

// What stands behind the type byte. Sets *size (of a tuple: its items) and *off.
static int parse_payload(molt_mpy_t *mpy, uint8_t type, const molt_mpy_target_t *target, uint32_t *off, uint32_t *size) {
    *size = 0;
    *off = mpy->off;
    if (type <= MOLT_MPY_TYPE_ELLIPSIS) {
        return 0;
    }
    if (type > MOLT_MPY_TYPE_TUPLE) {
        return fail(mpy, MOLT_MPY_BAD_OBJECT);
    }
    int err = take_number(mpy, size);
    if (err) {
        return err;
    }
    *off = mpy->off;
    if (*size > left(mpy)) {
        return fail(mpy, MOLT_MPY_TRUNCATED);
    }
    if (type == MOLT_MPY_TYPE_TUPLE) {
        return 0;
    }
    if (type == MOLT_MPY_TYPE_STR || type == MOLT_MPY_TYPE_BYTES) {
        return skip_string(mpy, *size, MOLT_MPY_BAD_OBJECT);
    }
    if (type == MOLT_MPY_TYPE_IMAGINARY && target && !target->has_complex) {
        return fail(mpy, MOLT_MPY_COMPLEX);
    }
    err = type == MOLT_MPY_TYPE_INT ? check_digits(mpy, *off, *size) : check_float(mpy, *off, *size);
    return err ? err : skip(mpy, *size);
}

// One constant, with all that is in it where it is a tuple.
static int parse_object(molt_mpy_t *mpy, const molt_mpy_target_t *target, const molt_mpy_visitor_t *visitor) {
    uint32_t missing[MOLT_MPY_DEPTH_MAX];
    uint32_t depth = 0;
    for (;;) {
        uint8_t type;
        uint32_t off;
        uint32_t size;
        int err = take_byte(mpy, &type);
        err = err ? err : parse_payload(mpy, type, target, &off, &size);
        if (!err && visitor->object) {
            err = visitor->object(visitor->ctx, (molt_mpy_type_t)type, off, size);
        }
        if (err) {
            return err;
        }
        if (type == MOLT_MPY_TYPE_TUPLE && size) {
            if (depth == MOLT_MPY_DEPTH_MAX) {
                return fail(mpy, MOLT_MPY_TOO_DEEP);
            }
            missing[depth++] = size;
            continue;
        }
        while (depth && --missing[depth - 1] == 0) {
            depth--;
        }
        if (depth == 0) {
            return 0;
        }
    }
}

// The scope flags in the prelude at `off`, which ends before `end`. Source: MP_BC_PRELUDE_SIG_DECODE in py/bc.h.
static int prelude_flags(molt_mpy_t *mpy, uint32_t off, uint32_t end, uint32_t *flags) {
    uint8_t byte;
    *flags = 0;
    for (uint32_t n = 0;; n++) {
        if (off >= end || n > 8) {
            return fail(mpy, MOLT_MPY_BAD_CODE);
        }
        int err = byte_at(mpy, off++, &byte);
        if (err) {
            return err;
        }
        if (n > 0) {
            *flags |= (byte >> 6 & 1u) << (n - 1);
        }
        if (!(byte & 0x80u)) {
            return 0;
        }
    }
}

// What native code has behind its bytes.
static int parse_native(molt_mpy_t *mpy, molt_mpy_code_t *code, uint32_t *flags) {
    uint32_t rodata_size = 0;
    uint32_t bss_size = 0;
    int err = take_number(mpy, code->kind == MOLT_MPY_KIND_NATIVE ? &code->prelude_off : flags);
    if (!err && code->kind == MOLT_MPY_KIND_NATIVE) {
        if (code->prelude_off >= code->data_size) {
            return fail(mpy, MOLT_MPY_BAD_CODE);
        }
        err = prelude_flags(mpy, code->data_off + code->prelude_off, code->data_off + code->data_size, flags);
    }
    if (!err && code->kind == MOLT_MPY_KIND_ASM) {
        err = take_number(mpy, &code->arg_count);
        err = err ? err : take_number(mpy, &code->type_sig);
        if (!err && (code->arg_count > 4 || code->type_sig >> 24)) {
            return fail(mpy, MOLT_MPY_BAD_CODE);
        }
    }
    if (!err && code->kind == MOLT_MPY_KIND_VIPER) {
        if (*flags & SCOPE_RODATA) {
            err = take_number(mpy, &rodata_size);
        }
        if (!err && *flags & SCOPE_BSS) {
            err = take_number(mpy, &bss_size);
        }
        err = err ? err : skip(mpy, rodata_size);
    }
    code->is_relocated = *flags & SCOPE_RELOC || rodata_size || bss_size;
    return err;
}

// A function without those in it. *flags: its scope flags.
static int parse_code(molt_mpy_t *mpy, molt_mpy_code_t *code, uint32_t *flags) {
    uint32_t number;
    int err = take_number(mpy, &number);
    if (err) {
        return err;
    }
    *code = (molt_mpy_code_t){ .kind = (molt_mpy_kind_t)((number & 3) + 2), .data_off = mpy->off, .data_size = number >> 3 };
    *flags = 0;
    if (code->data_size < 2) {
        return fail(mpy, MOLT_MPY_BAD_CODE);
    }
    err = skip(mpy, code->data_size);
    if (err) {
        return err;
    }
    if (code->kind != MOLT_MPY_KIND_BYTECODE) {
        if (mpy->header.native_arch == 0) {
            return fail(mpy, MOLT_MPY_BAD_CODE);
        }
        err = parse_native(mpy, code, flags);
    } else {
        uint8_t first = 0;
        uint8_t second = 0;
        err = byte_at(mpy, code->data_off, &first);
        err = err ? err : byte_at(mpy, code->data_off + 1, &second);
        err = err ? err : prelude_flags(mpy, code->data_off, code->data_off + code->data_size, flags);
        code->is_plain = first || second;
    }
    if (!err && number & 4) {
        err = take_number(mpy, &code->child_count);
        if (!err && (code->child_count == 0 || code->child_count > left(mpy))) {
            return fail(mpy, code->child_count ? MOLT_MPY_TRUNCATED : MOLT_MPY_BAD_CODE);
        }
    }
    code->is_generator = *flags & SCOPE_GENERATOR;
    return err;
}

// The relocations behind a function and those in it.
static int skip_relocations(molt_mpy_t *mpy) {
    for (;;) {
        uint8_t op;
        uint32_t number;
        int err = take_byte(mpy, &op);
        if (err || op == 0xff) {
            return err;
        }
        if (op & 1) {
            err = take_number(mpy, &number);
        }
        op >>= 1;
        if (!err && op <= 5 && op & 1) {
            err = take_number(mpy, &number);
        }
        if (err) {
            return err;
        }
    }
}

static int parse_codes(molt_mpy_t *mpy, const molt_mpy_visitor_t *visitor) {
    uint32_t missing[MOLT_MPY_DEPTH_MAX];
    uint32_t relocated = 0;  // a bit for each level
    uint32_t depth = 0;
    for (;;) {
        molt_mpy_code_t code = { 0 };
        uint32_t flags = 0;
        int err = parse_code(mpy, &code, &flags);
        if (!err && visitor->code) {
            err = visitor->code(visitor->ctx, &code);
        }
        bool has_relocations = code.kind != MOLT_MPY_KIND_BYTECODE && flags & SCOPE_RELOC;
        if (!err && code.child_count == 0 && has_relocations) {
            err = skip_relocations(mpy);
        }
        if (err) {
            return err;
        }
        if (code.child_count) {
            if (depth == MOLT_MPY_DEPTH_MAX) {
                return fail(mpy, MOLT_MPY_TOO_DEEP);
            }
            relocated = (relocated & ~(1u << depth)) | (uint32_t)has_relocations << depth;
            missing[depth++] = code.child_count;
            continue;
        }
        while (depth && --missing[depth - 1] == 0) {
            depth--;
            err = relocated >> depth & 1 ? skip_relocations(mpy) : 0;
            if (err) {
                return err;
            }
        }
        if (depth == 0) {
            return 0;
        }
    }
}

int molt_mpy_parse(
    molt_mpy_t *mpy, const molt_reader_t *reader, const molt_mpy_target_t *target, const molt_mpy_visitor_t *visitor) {
    static const molt_mpy_visitor_t nobody = { 0 };
    visitor = visitor ? visitor : &nobody;
    *mpy = (molt_mpy_t){ .reader = reader };
    int err = parse_header(mpy, target);
    if (!err && visitor->header) {
        err = visitor->header(visitor->ctx, &mpy->header);
    }
    for (uint32_t i = 0; !err && i < mpy->header.qstr_count; i++) {
        err = parse_qstr(mpy, visitor);
    }
    for (uint32_t i = 0; !err && i < mpy->header.object_count; i++) {
        err = parse_object(mpy, target, visitor);
    }
    err = err ? err : parse_codes(mpy, visitor);
    return err || left(mpy) == 0 ? err : fail(mpy, MOLT_MPY_TRAILING);
}

const char *molt_mpy_defect_text(molt_mpy_defect_t defect) {
    static const char *const texts[MOLT_MPY_DEFECT_COUNT] = {
        [MOLT_MPY_FINE] = "the .mpy file is fine",
        [MOLT_MPY_TRUNCATED] = "the .mpy file is cut short",
        [MOLT_MPY_NOT_MPY] = "this is no .mpy file; mpy-cross makes one from a .py file",
        [MOLT_MPY_BAD_VERSION] = "the .mpy file is not of version 6; compile it with the firmware's own version of mpy-cross",
        [MOLT_MPY_BAD_FEATURE] =
            "the .mpy file needs a later MicroPython; compile it with the firmware's own version of mpy-cross",
        [MOLT_MPY_BAD_ARCH] =
            "the .mpy file has native code for another processor; mpy-cross -march=xtensa is for ESP8266, rv32imc for ESP32-C3",
        [MOLT_MPY_BAD_SUB_VERSION] = "the .mpy file has native code for another version of MicroPython",
        [MOLT_MPY_BAD_SMALL_INT] = "the .mpy file has wider small integers than the firmware; mpy-cross -msmall-int-bits=31",
        [MOLT_MPY_BAD_NUMBER] = "the .mpy file is damaged: a number is too large",
        [MOLT_MPY_BAD_QSTR] = "the .mpy file is damaged: a name in it is too long, not terminated or unknown",
        [MOLT_MPY_BAD_OBJECT] = "the .mpy file is damaged: a constant in it makes no sense",
        [MOLT_MPY_BAD_CODE] = "the .mpy file is damaged: a function in it makes no sense",
        [MOLT_MPY_TOO_DEEP] = "tuples or functions in the .mpy file are nested too deep",
        [MOLT_MPY_COMPLEX] = "the .mpy file has a complex number, which this firmware does not know",
        [MOLT_MPY_TRAILING] = "the .mpy file is damaged: there are bytes behind its end",
    };
    return (unsigned)defect < MOLT_MPY_DEFECT_COUNT ? texts[defect] : "unknown defect";
}
