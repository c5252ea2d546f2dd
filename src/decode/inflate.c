// Inflate, small: canonical Huffman codes, short ones by a table that is made for each block, long ones bit by bit from
// counts and sorted symbols. No tables of constants but one, which is words so that it may lie in the boot loader's IRAM.
// Source: RFC 1951.

#include "decode/inflate.h"

#include "molt/error.h"

#define CODE_BITS_MAX 15u
#define END_OF_BLOCK 256u
#define SYMBOL_BAD 0xffffu

static uint32_t next_byte(molt_inflate_t *inflate) {
    if (inflate->byte_next == inflate->byte_count) {
        uint32_t left = inflate->input.size - inflate->input_off;
        uint32_t size = left < MOLT_INFLATE_INPUT_SIZE ? left : MOLT_INFLATE_INPUT_SIZE;
        if (size == 0) {
            inflate->err = MOLT_ERR_CORRUPT;
        } else if (inflate->err == 0) {
            inflate->err = inflate->input.read(inflate->input.ctx, inflate->input_off, inflate->bytes, size);
        }
        if (inflate->err) {
            return 0;
        }
        inflate->input_off += size;
        inflate->byte_count = size;
        inflate->byte_next = 0;
    }
    return inflate->bytes[inflate->byte_next++];
}

// Have at least `count` bits, at most 16; more where they cost no reading. After an error they are 0.
static void need_bits(molt_inflate_t *inflate, uint32_t count) {
    if (inflate->bit_count < count) {
        do {
            inflate->bits |= next_byte(inflate) << inflate->bit_count;
            inflate->bit_count += 8;
        } while (inflate->bit_count < count || (inflate->bit_count <= 24 && inflate->byte_next < inflate->byte_count));
    }
}

static void drop_bits(molt_inflate_t *inflate, uint32_t count) {
    inflate->bits >>= count;
    inflate->bit_count -= count;
}

// The next `count` bits, at most 16. After an error they are 0.
static uint32_t next_bits(molt_inflate_t *inflate, uint32_t count) {
    need_bits(inflate, count);
    uint32_t bits = inflate->bits & ((1u << count) - 1);
    drop_bits(inflate, count);
    return bits;
}

// The next whole byte: the rest of one that was begun is passed over.
static uint32_t next_whole_byte(molt_inflate_t *inflate) {
    drop_bits(inflate, inflate->bit_count % 8);
    return inflate->bit_count ? next_bits(inflate, 8) : next_byte(inflate);
}

// Codes begin with their highest bit, and come lowest bit first.
static uint32_t reversed(uint32_t code, uint32_t length) {
    uint32_t result = 0;
    for (; length; length--) {
        result = result << 1 | (code & 1);
        code >>= 1;
    }
    return result;
}

// A symbol whose code is longer than those in the table; CODE_BITS_MAX bits are there. `first` is the first code of the
// present length, `index` the place of its symbol.
static uint32_t follow_code(molt_inflate_t *inflate, const molt_huffman_t *huffman) {
    uint32_t length = huffman->table_bits;
    uint32_t first = huffman->longer_first;
    uint32_t index = huffman->longer_index;
    uint32_t bits = inflate->bits >> length;
    uint32_t code = reversed(inflate->bits, length);
    while (++length <= CODE_BITS_MAX) {
        code = code << 1 | (bits & 1);
        bits >>= 1;
        uint32_t count = huffman->counts[length];
        if (code - first < count) {
            drop_bits(inflate, length);
            return huffman->symbols[index + (code - first)];
        }
        index += count;
        first = (first + count) << 1;
    }
    return SYMBOL_BAD;
}

// One symbol. Behind each code of a whole file there are the 64 bits of the trailer, so as many as the longest has can be
// asked for.
static uint32_t next_symbol(molt_inflate_t *inflate, const molt_huffman_t *huffman) {
    need_bits(inflate, CODE_BITS_MAX);
    uint32_t entry = huffman->table[inflate->bits & ((1u << huffman->table_bits) - 1)];
    if (entry == 0) {
        return follow_code(inflate, huffman);
    }
    drop_bits(inflate, entry & 15);
    return entry >> 4;
}

static void make_table(molt_huffman_t *huffman, uint16_t *table, uint32_t bits) {
    uint32_t size = 1u << bits;
    huffman->table = table;
    huffman->table_bits = bits;
    for (uint32_t i = 0; i < size; i++) {
        table[i] = 0;
    }
    uint32_t code = 0;
    uint32_t index = 0;
    for (uint32_t length = 1; length <= bits; length++) {
        for (uint32_t end = code + huffman->counts[length]; code < end; code++, index++) {
            for (uint32_t i = reversed(code, length); i < size; i += 1u << length) {
                table[i] = (uint16_t)((uint32_t)huffman->symbols[index] << 4 | length);
            }
        }
        code <<= 1;
    }
    huffman->longer_first = code;
    huffman->longer_index = index;
}

static void make_tables(molt_inflate_t *inflate) {
    make_table(&inflate->literals, inflate->literal_table, MOLT_INFLATE_LITERAL_BITS);
    make_table(&inflate->distances, inflate->u.distance_table, MOLT_INFLATE_DISTANCE_BITS);
}

// Codes from their lengths. False if there are more than fit; fewer are allowed, as for a single distance.
static bool make_codes(molt_huffman_t *huffman, uint16_t *symbols, const uint8_t *lengths, uint32_t count) {
    uint16_t places[CODE_BITS_MAX + 1];
    huffman->symbols = symbols;
    for (uint32_t i = 0; i <= CODE_BITS_MAX; i++) {
        huffman->counts[i] = 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        huffman->counts[lengths[i]]++;
    }
    int32_t left = 1;
    places[1] = 0;
    for (uint32_t i = 1; i <= CODE_BITS_MAX; i++) {
        left = (left << 1) - huffman->counts[i];
        if (left < 0) {
            return false;
        }
        if (i < CODE_BITS_MAX) {
            places[i + 1] = (uint16_t)(places[i] + huffman->counts[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lengths[i]) {
            symbols[places[lengths[i]]++] = (uint16_t)i;
        }
    }
    return true;
}

static bool fixed_codes(molt_inflate_t *inflate) {
    for (uint32_t i = 0; i < 288; i++) {
        inflate->u.lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    for (uint32_t i = 288; i < 318; i++) {
        inflate->u.lengths[i] = 5;
    }
    return make_codes(&inflate->literals, inflate->literal_symbols, inflate->u.lengths, 288)
           && make_codes(&inflate->distances, inflate->distance_symbols, inflate->u.lengths + 288, 30);
}

// Lengths of `count` codes, themselves coded by the codes in `literals`.
static bool read_lengths(molt_inflate_t *inflate, uint32_t count) {
    uint32_t i = 0;
    while (i < count) {
        uint32_t symbol = next_symbol(inflate, &inflate->literals);
        uint8_t length = (uint8_t)symbol;
        uint32_t repeat = 1;
        if (symbol == 16) {
            if (i == 0) {
                return false;
            }
            length = inflate->u.lengths[i - 1];
            repeat = 3 + next_bits(inflate, 2);
        } else if (symbol == 17) {
            length = 0;
            repeat = 3 + next_bits(inflate, 3);
        } else if (symbol == 18) {
            length = 0;
            repeat = 11 + next_bits(inflate, 7);
        } else if (symbol > 18) {
            return false;
        }
        if (repeat > count - i || inflate->err) {
            return false;
        }
        while (repeat--) {
            inflate->u.lengths[i++] = length;
        }
    }
    return true;
}

static bool dynamic_codes(molt_inflate_t *inflate) {
    // The order in which the lengths of the length codes come, five bits each, six to a word.
    static const uint32_t order[4] = {
        16u | 17u << 5 | 18u << 10 | 0u << 15 | 8u << 20 | 7u << 25,
        9u | 6u << 5 | 10u << 10 | 5u << 15 | 11u << 20 | 4u << 25,
        12u | 3u << 5 | 13u << 10 | 2u << 15 | 14u << 20 | 1u << 25,
        15u,
    };
    uint32_t literal_count = next_bits(inflate, 5) + 257;
    uint32_t distance_count = next_bits(inflate, 5) + 1;
    uint32_t length_count = next_bits(inflate, 4) + 4;
    if (literal_count > 286 || distance_count > 30) {
        return false;
    }
    // Without a division: some compilers make a 64-bit product of it, which not all of them have for this chip.
    const uint32_t *word = order;
    for (uint32_t i = 0, shift = 0; i < 19; i++, shift += 5) {
        if (shift == 30) {
            word++;
            shift = 0;
        }
        uint32_t place = *word >> shift & 31;
        inflate->u.lengths[place] = i < length_count ? (uint8_t)next_bits(inflate, 3) : 0;
    }
    if (!make_codes(&inflate->literals, inflate->literal_symbols, inflate->u.lengths, 19)) {
        return false;
    }
    make_table(&inflate->literals, inflate->literal_table, MOLT_INFLATE_LITERAL_BITS);
    return read_lengths(inflate, literal_count + distance_count) && inflate->u.lengths[END_OF_BLOCK] != 0
           && make_codes(&inflate->distances, inflate->distance_symbols, inflate->u.lengths + literal_count, distance_count)
           && make_codes(&inflate->literals, inflate->literal_symbols, inflate->u.lengths, literal_count);
}

static bool begin_block(molt_inflate_t *inflate) {
    inflate->is_last_block = next_bits(inflate, 1) != 0;
    inflate->block_kind = (uint8_t)next_bits(inflate, 2);
    inflate->in_block = true;
    if (inflate->block_kind == 0) {
        inflate->stored_size = next_whole_byte(inflate);
        inflate->stored_size |= next_whole_byte(inflate) << 8;
        uint32_t inverse = next_whole_byte(inflate);
        inverse |= next_whole_byte(inflate) << 8;
        return (inflate->stored_size ^ inverse) == 0xffff;
    }
    if (inflate->block_kind == 1 ? !fixed_codes(inflate) : inflate->block_kind != 2 || !dynamic_codes(inflate)) {
        return false;
    }
    make_tables(inflate);
    return true;
}

static void end_block(molt_inflate_t *inflate) {
    inflate->in_block = false;
    inflate->is_end = inflate->is_last_block;
}

// A length symbol has been read: its extra bits, and the distance. 0 or an error.
static int begin_copy(molt_inflate_t *inflate, uint32_t symbol) {
    uint32_t extra = symbol < 265 || symbol == 285 ? 0 : (symbol - 261) >> 2;
    uint32_t base = symbol == 285 ? 258 : symbol < 265 ? symbol - 254 : ((4 + (symbol - 265) % 4) << extra) + 3;
    inflate->copy_size = base + next_bits(inflate, extra);
    symbol = next_symbol(inflate, &inflate->distances);
    if (symbol > 29) {
        return MOLT_ERR_CORRUPT;
    }
    extra = symbol < 4 ? 0 : (symbol >> 1) - 1;
    base = symbol < 4 ? symbol + 1 : ((2 + symbol % 2) << extra) + 1;
    inflate->copy_distance = base + next_bits(inflate, extra);
    if (inflate->copy_distance > inflate->out_count) {
        return MOLT_ERR_CORRUPT;
    }
    return inflate->copy_distance > inflate->window_size ? MOLT_ERR_NOSPC : 0;
}

// Take the next symbol of a compressed block: a literal into *byte, which makes 1; 0 where there is none yet, or an error.
static int take_symbol(molt_inflate_t *inflate, uint8_t *byte) {
    uint32_t symbol = next_symbol(inflate, &inflate->literals);
    int result = 0;
    if (symbol < END_OF_BLOCK) {
        *byte = (uint8_t)symbol;
        result = 1;
    } else if (symbol == END_OF_BLOCK) {
        end_block(inflate);
    } else {
        result = symbol > 285 ? MOLT_ERR_CORRUPT : begin_copy(inflate, symbol);
    }
    return inflate->err ? inflate->err : result;
}

// Take what does not come out of compressed blocks: the beginning of a block, stored bytes. As take_symbol().
static int take_other(molt_inflate_t *inflate, uint8_t *byte) {
    int result = 0;
    if (!inflate->in_block) {
        result = begin_block(inflate) ? 0 : MOLT_ERR_CORRUPT;
    } else if (inflate->stored_size) {
        inflate->stored_size--;
        *byte = (uint8_t)next_whole_byte(inflate);
        result = 1;
    } else {
        end_block(inflate);
    }
    return inflate->err ? inflate->err : result;
}

// The two that nearly all bytes come through work on copies of what they need: for all that the compiler knows, a byte that
// is put out could change the struct.

// Literals, up to `size`, as long as their codes are in the table and their bits have been read. How many there were.
static uint32_t take_literals(molt_inflate_t *inflate, uint8_t *out, uint32_t size) {
    const uint16_t *table = inflate->literals.table;
    const uint8_t *next = inflate->bytes + inflate->byte_next;
    const uint8_t *end = inflate->bytes + inflate->byte_count;
    uint8_t *window = inflate->window;
    uint32_t window_mask = inflate->window_size - 1;
    uint32_t table_mask = (1u << inflate->literals.table_bits) - 1;
    uint32_t to = inflate->out_count;
    uint32_t bits = inflate->bits;
    uint32_t bit_count = inflate->bit_count;
    uint32_t count = 0;
    while (count < size) {
        while (bit_count <= 24 && next < end) {
            bits |= (uint32_t)*next++ << bit_count;
            bit_count += 8;
        }
        uint32_t entry = table[bits & table_mask];
        uint32_t length = entry & 15;
        if (entry == 0 || entry >= END_OF_BLOCK << 4 || length > bit_count) {
            break;
        }
        bits >>= length;
        bit_count -= length;
        uint8_t byte = (uint8_t)(entry >> 4);
        window[to++ & window_mask] = byte;
        out[count++] = byte;
    }
    inflate->byte_next = (uint32_t)(next - inflate->bytes);
    inflate->bits = bits;
    inflate->bit_count = bit_count;
    inflate->out_count = to;
    return count;
}

// What is left of the reference in progress, up to `size`. How much it was.
static uint32_t take_copy(molt_inflate_t *inflate, uint8_t *out, uint32_t size) {
    uint8_t *window = inflate->window;
    uint32_t mask = inflate->window_size - 1;
    uint32_t to = inflate->out_count;
    uint32_t from = to - inflate->copy_distance;
    size = inflate->copy_size < size ? inflate->copy_size : size;
    inflate->copy_size -= size;
    inflate->out_count += size;
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = window[from++ & mask];
        window[to++ & mask] = byte;
        out[i] = byte;
    }
    return size;
}

int molt_inflate_read(molt_inflate_t *inflate, uint8_t *out, uint32_t size, uint32_t *got) {
    uint32_t count = 0;
    int result = inflate->err;
    while (count < size && result >= 0 && (inflate->copy_size || !inflate->is_end)) {
        if (inflate->copy_size) {
            count += take_copy(inflate, out + count, size - count);
            continue;
        }
        bool is_compressed = inflate->in_block && inflate->block_kind != 0;
        if (is_compressed) {
            count += take_literals(inflate, out + count, size - count);
        }
        if (count < size) {
            uint8_t byte = 0;
            result = is_compressed ? take_symbol(inflate, &byte) : take_other(inflate, &byte);
            if (result > 0) {
                inflate->window[inflate->out_count++ & (inflate->window_size - 1)] = byte;
                out[count++] = byte;
            }
        }
    }
    *got = count;
    return result < 0 ? result : 0;
}

uint32_t molt_inflate_input_used(const molt_inflate_t *inflate) {
    return inflate->input_off;
}

static void skip_text(molt_inflate_t *inflate) {
    while (next_byte(inflate) != 0) {
    }
}

// Flags of the gzip header. Source: RFC 1952.
enum { GZIP_HEADER_CRC = 2, GZIP_EXTRA = 4, GZIP_NAME = 8, GZIP_COMMENT = 16, GZIP_RESERVED = 0xe0 };

void molt_inflate_begin_raw(
    molt_inflate_t *inflate, const molt_reader_t *input, uint32_t off, uint8_t *window, uint32_t window_size) {
    inflate->input = *input;
    inflate->window = window;
    inflate->window_size = window_size;
    inflate->input_off = off;
    inflate->byte_count = inflate->byte_next = 0;
    inflate->bits = inflate->bit_count = 0;
    inflate->out_count = inflate->copy_size = inflate->stored_size = 0;
    inflate->in_block = inflate->is_last_block = inflate->is_end = false;
    inflate->err = 0;
}

int molt_inflate_begin(molt_inflate_t *inflate, const molt_reader_t *input, uint8_t *window, uint32_t window_size) {
    molt_inflate_begin_raw(inflate, input, 0, window, window_size);
    uint32_t magic = next_byte(inflate);
    magic |= next_byte(inflate) << 8;
    uint32_t method = next_byte(inflate);
    uint32_t flags = next_byte(inflate);
    if (magic != 0x8b1f || method != 8 || (flags & GZIP_RESERVED) != 0) {
        return inflate->err && inflate->err != MOLT_ERR_CORRUPT ? inflate->err : MOLT_ERR_NOTSUP;
    }
    for (uint32_t i = 0; i < 6; i++) {
        next_byte(inflate);  // time, level, system
    }
    if (flags & GZIP_EXTRA) {
        uint32_t size = next_byte(inflate);
        size |= next_byte(inflate) << 8;
        while (size-- && !inflate->err) {
            next_byte(inflate);
        }
    }
    if (flags & GZIP_NAME) {
        skip_text(inflate);
    }
    if (flags & GZIP_COMMENT) {
        skip_text(inflate);
    }
    if (flags & GZIP_HEADER_CRC) {
        next_byte(inflate);
        next_byte(inflate);
    }
    return inflate->err;
}

static uint32_t next_word(molt_inflate_t *inflate) {
    uint32_t word = 0;
    for (uint32_t i = 0; i < 4; i++) {
        word |= next_whole_byte(inflate) << 8 * i;
    }
    return word;
}

int molt_inflate_end(molt_inflate_t *inflate, uint32_t crc, uint32_t size) {
    uint32_t stated_crc = next_word(inflate);
    uint32_t stated_size = next_word(inflate);
    if (inflate->err) {
        return inflate->err;
    }
    if (stated_crc != crc || stated_size != size) {
        return MOLT_ERR_CORRUPT;
    }
    while (inflate->bit_count || inflate->byte_next < inflate->byte_count || inflate->input_off < inflate->input.size) {
        if (next_whole_byte(inflate) != 0) {
            return MOLT_ERR_NOTSUP;
        }
        if (inflate->err) {
            return inflate->err;
        }
    }
    return 0;
}
