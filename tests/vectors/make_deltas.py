#!/usr/bin/env python3
"""Makes the vectors of delta files (tests/vectors/delta) and the fuzzer's seeds (tests/fuzz/corpus/delta).

Knows nothing of molt's C code but the description of the format (docs/format.md), so that the C code is tested against a second
opinion. What the operations of each good one read is looked for here as on a device. Python's standard library only, and no zlib, whose bytes another
version would make otherwise: streams are stored, or packed by the code below.

    tests/vectors/make_deltas.py            write the files that are not there yet
    tests/vectors/make_deltas.py --check    exit 1 if a committed file is not what would be made

Vectors are only added, never edited.
"""

import hashlib
import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from committed import keep, readme  # noqa: E402

HERE = Path(__file__).resolve().parent
VECTORS = HERE / "delta"
CORPUS = HERE.parent / "fuzz" / "corpus" / "delta"

SECTOR = 256
HEADER_SIZE = 128
OLD_PARAMS = b"\x02\x40"
NEW_PARAMS = b"\x01\x10"

# What the fuzz target has in flash, but for the flash parameters: an image of 6 sectors, the last not full.
OLD = bytearray((i * i >> 7) & 0xFF for i in range(5 * SECTOR + 220))
OLD[2:4] = OLD_PARAMS
OLD = bytes(OLD)


def noise(size, seed):
    data = b""
    while len(data) < size:
        data += hashlib.sha256(b"%d %d" % (seed, len(data))).digest()
    return data[:size]


def number(n):
    """7 bits a byte, lowest first, the eighth bit set in all but the last."""
    data = b""
    while n > 0x7F:
        data += bytes([n & 0x7F | 0x80])
        n >>= 7
    return data + bytes([n])


def zigzag(n):
    return 2 * n if n >= 0 else -2 * n - 1


def stored(data):
    """Deflate (RFC 1951) that stores."""
    blocks = [data[at:at + 65535] for at in range(0, len(data), 65535)] or [b""]
    return b"".join(struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks)


# Of the fixed codes: symbols below, what is added to one for its code, and its bits.
FIXED_CODES = ((144, 0x30, 8), (256, 0x190 - 144, 9), (280, -256, 7), (288, 0xC0 - 280, 8))


def dynamic(data, lengths):
    """Deflate with a code of its own: literals only. lengths: bits of each symbol there is a code for, 256 among them; up to 9, each used."""
    bits = []

    def put(value, count):
        bits.extend(value >> i & 1 for i in range(count))

    def codes_of(bits_of):
        codes, code = {}, 0
        for size in range(1, 16):
            for symbol in sorted(s for s in bits_of if bits_of[s] == size):
                codes[symbol] = [code >> i & 1 for i in range(size - 1, -1, -1)]
                code += 1
            code <<= 1
        return codes

    put(1, 1)
    put(2, 2)
    put(0, 5)
    put(0, 5)
    put(15, 4)
    # The lengths 0 to 9, and no runs of them.
    table = {0: 1, **{size: 4 for size in range(1, 8)}, 8: 5, 9: 5}
    for size in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15):
        put(table.get(size, 0), 3)
    table_codes, codes = codes_of(table), codes_of(lengths)
    for symbol in range(258):
        # The last one is the only distance's.
        bits.extend(table_codes[lengths.get(symbol, 0)])
    for symbol in [*data, 256]:
        bits.extend(codes[symbol])
    bits += [0] * (-len(bits) % 8)
    return bytes(sum(bit << i for i, bit in enumerate(bits[at:at + 8])) for at in range(0, len(bits), 8))


def packed(data, window):
    """Deflate with the fixed codes: the longest match within the window, of those the farthest."""
    bits = []

    def put(value, count):
        bits.extend(value >> i & 1 for i in range(count))

    def put_code(value, count):
        bits.extend(value >> i & 1 for i in range(count - 1, -1, -1))

    def put_symbol(symbol):
        _, code, count = next(row for row in FIXED_CODES if symbol < row[0])
        put_code(code + symbol, count)

    def put_ranged(value, first_symbol, tables, put_it):
        symbol, base, extra = next((s, b, e) for s, b, e in reversed(tables) if b <= value)
        put_it(first_symbol + symbol)
        put(value - base, extra)

    lengths = [(i, 3 + i, 0) for i in range(8)]
    base = 11
    for i in range(8, 28):
        extra = (i - 4) // 4
        lengths.append((i, base, extra))
        base += 1 << extra
    distances, base = [], 1
    for i in range(30):
        extra = max(0, i // 2 - 1)
        distances.append((i, base, extra))
        base += 1 << extra
    put(1, 1)
    put(1, 2)
    at = 0
    while at < len(data):
        best = (0, 0)
        for distance in range(1, min(window, at) + 1):
            size = 0
            while size < 257 and at + size < len(data) and data[at + size] == data[at + size - distance]:
                size += 1
            best = max(best, (size, distance))
        if best[0] >= 3:
            put_ranged(best[0], 257, lengths, put_symbol)
            put_ranged(best[1], 0, distances, lambda symbol: put_code(symbol, 5))
            at += best[0]
        else:
            put_symbol(data[at])
            at += 1
    put_symbol(256)
    bits += [0] * (-len(bits) % 8)
    return bytes(sum(bit << i for i, bit in enumerate(bits[at:at + 8])) for at in range(0, len(bits), 8))


def sector_of(image, number_of, blank=0xFF):
    return image[number_of * SECTOR:(number_of + 1) * SECTOR].ljust(SECTOR, bytes([blank]))


MAP_BASE = 0x38000000
CODE = 0x40200000


def predicted(data, old_off, new_off, moves, has_calls):
    """A piece of the old image as the map has it. moves: (address, shift) of each entry."""
    data, at = bytearray(data), 0

    def moved(address):
        return (address + next((shift for first, shift in reversed(moves) if first <= address), 0)) & 0xFFFFFFFF

    while moves and at <= len(data) - 4:
        (word,) = struct.unpack_from("<I", data, at)
        if (new_off + at) % 4 == 0 and old_off % 4 == new_off % 4 and moves[0][0] <= word < moves[-1][0]:
            struct.pack_into("<I", data, at, moved(word))
            at += 4
            continue
        if not has_calls:
            at += 1
            continue
        if word & 0x3F == 5:
            way = (word >> 6 & 0x3FFFF ^ 0x20000) - 0x20000
            target = CODE + ((old_off + at) // 4 + 1 + way) * 4
            way = moved(target) // 4 - (CODE + new_off + at) // 4 - 1
            data[at:at + 3] = struct.pack("<I", 5 | (way & 0x3FFFF) << 6)[:3]
        at += 2 if word & 8 else 3
    return bytes(data)


class Delta:
    """A patch: operations are ("stash", sector, slot) and ("write", sector); `pieces` has for each sector that is made what it is made
    of: n new bytes, or (offset, n) of the old image."""

    def __init__(self, new, ops=(), pieces=None, old=OLD, **fields):
        self.old, self.new, self.ops, self.pieces = old, new, list(ops), pieces or {}
        self.override = fields.pop("override", {})
        self.slot_count = max([op[2] + 1 for op in self.ops if op[0] == "stash"], default=0)
        self.window_bits = (9, 8)
        self.names = (b"v1.0", b"v2.0")
        self.fs_addr = 0x1000
        self.pack = lambda data, bits: stored(data)
        self.main = self.changes = self.trailer = self.ops_crc = None
        self.end_number = 0xFFFFFFF
        self.moves, self.has_calls, self.map_numbers = (), False, None
        for name, value in fields.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def made(self):
        return [0] + [op[1] for op in self.ops if op[0] == "write"]

    def size_of(self, sector):
        return min(SECTOR, len(self.new) - sector * SECTOR)

    def op_numbers(self):
        last, data = 0, b""
        for op in self.ops:
            data += number(zigzag(op[1] - last) * 64 + (op[2] + 1 if op[0] == "stash" else 0))
            last = op[1]
        return data

    def map(self):
        last, data = (MAP_BASE, 0), b""
        for move in self.moves:
            data += number(move[0] - last[0]) + number(zigzag(move[1] - last[1]))
            last = move
        return data

    def streams(self):
        main, changes, unchanged, diagonal = self.op_numbers() + (self.map() if self.map_numbers is None else self.map_numbers), b"", 0, 0
        for sector in self.made():
            off, end = sector * SECTOR, sector * SECTOR + self.size_of(sector)
            is_new = True
            for piece in self.pieces.get(sector, [self.size_of(sector)]):
                if isinstance(piece, int):
                    assert is_new
                    main += number(piece) + self.new[off:off + piece]
                    off += piece
                    is_new = False
                    continue
                if is_new:
                    main += number(0)
                old_off, size = piece
                main += number(size) + number(zigzag(old_off - off - diagonal))
                diagonal = old_off - off
                carry = 0
                copied = predicted(self.old[old_off:old_off + size], old_off, off, self.moves, self.has_calls)
                for i in range(size):
                    was, wanted = copied[i], self.new[off + i]
                    if was == wanted:
                        unchanged += 1
                        carry = 0
                        continue
                    change = (wanted - was - carry) & 0xFF
                    changes += number(unchanged) + bytes([change])
                    unchanged, carry = 0, (was + change + carry) >> 8
                off += size
                is_new = True
            assert off == end, (sector, off, end)
        return main, changes + number(self.end_number)

    def header(self, main_off, changes_off, file_size):
        fields = {
            0: b"MDL1", 4: struct.pack("<HH", 2 * len(self.moves) + self.has_calls, struct.unpack("<H", self.old[2:4])[0]), 8: SECTOR, 12: file_size, 16: len(self.old),
            20: len(self.new), 24: zlib.crc32(self.new), 28: self.fs_addr, 32: hashlib.sha1(self.old).digest(),
            52: hashlib.sha1(self.new).digest(), 72: struct.pack("<HH", len(self.ops), self.slot_count), 76: bytes(self.window_bits),
            78: self.new[2:4], 80: main_off, 84: changes_off, 88: self.names[0].ljust(20, b"\0"),
            108: self.names[1].ljust(20, b"\0"),
        }
        fields.update(self.override)
        header = bytearray(HEADER_SIZE)
        for off, value in fields.items():
            data = value if isinstance(value, bytes) else struct.pack("<I", value)
            header[off:off + len(data)] = data
        return bytes(header)

    def bytes(self):
        main, changes = self.streams()
        main, changes = self.main or main, self.changes or changes
        ops = b"".join(struct.pack("<H", op[1] + 1024 * (op[2] + 1 if op[0] == "stash" else 0)) for op in self.ops)
        body = struct.pack("<I", self.ops_crc or zlib.crc32(ops))
        body += b"".join(struct.pack("<I", zlib.crc32(sector_of(self.new, sector))) for sector in self.made())
        main_off = HEADER_SIZE + len(body)
        body += self.pack(main, self.window_bits[0])
        body += bytes(-len(body) % 4)
        changes_off = HEADER_SIZE + len(body)
        body += self.pack(changes, self.window_bits[1])
        body += bytes(-len(body) % 4)
        data = self.header(main_off, changes_off, HEADER_SIZE + len(body) + 4) + body
        return data + (self.trailer or struct.pack("<I", zlib.crc32(data)))

    def apply(self):
        """What a device makes of it: in its place, sector by sector, with what is still there."""
        count = -(-max(len(self.old), len(self.new)) // SECTOR)
        place = [sector_of(self.old, i, 0) for i in range(count)]
        gone, slots = set(), {}
        old = self.old

        def byte(at, target):
            sector = at // SECTOR
            if sector == 0:
                return old[at]
            where = [slot for slot, (holds, _) in slots.items() if holds == sector]
            if where:
                return slots[where[0]][1][at % SECTOR]
            assert sector not in gone and sector != target, "it is gone"
            return place[sector][at % SECTOR]

        first = None
        for op in [("write", 0)] + self.ops:
            sector = op[1]
            if op[0] == "stash":
                assert sector not in gone
                slots[op[2]] = (sector, place[sector])
                continue
            made, off = b"", sector * SECTOR
            for piece in self.pieces.get(sector, [self.size_of(sector)]):
                if isinstance(piece, int):
                    made += self.new[off:off + piece]
                else:
                    # What is added to each the streams say; here it matters that they are there.
                    assert all(byte(at, sector) == old[at] for at in range(piece[0], sum(piece)))
                    made += self.new[off:off + piece[1]]
                off += piece if isinstance(piece, int) else piece[1]
            if sector:
                place[sector] = made.ljust(SECTOR, b"\xff")
                gone.add(sector)
            else:
                first = made.ljust(SECTOR, b"\xff")
        assert b"".join([first] + place[1:])[:len(self.new)] == self.new


def changed(data, off, new):
    return data[:off] + bytes(new) + data[off + len(new):]


def with_params(data):
    return changed(data, 2, NEW_PARAMS)


def moved():
    """Sectors 1 to 3 move by 100 bytes, 4 and 5 stay but for some bytes, and the image becomes longer."""
    new = bytearray(with_params(noise(SECTOR, 1)) + noise(100, 2) + OLD[SECTOR:4 * SECTOR - 100] + OLD[4 * SECTOR:] + noise(200, 3))
    for at in (SECTOR + 150, SECTOR + 151, SECTOR + 153, 3 * SECTOR + 7, 4 * SECTOR):
        new[at] ^= 0x55
    new = bytes(new)
    ops = [("stash", 4, 0), ("write", 4), ("stash", 3, 1), ("write", 3), ("stash", 2, 0), ("write", 2), ("stash", 1, 1), ("write", 1),
           ("write", 5), ("write", 6)]
    pieces = {1: [100, (SECTOR, 156)], 2: [(SECTOR + 156, 256)], 3: [(2 * SECTOR + 156, 256)], 4: [(4 * SECTOR, 256)],
              5: [256], 6: [len(new) - 6 * SECTOR]}
    return Delta(new, ops, pieces)


def carried():
    """One sector besides the first: 32-bit words, to each of which the same is added; then what is special about carries."""
    old = bytearray(OLD)
    new = bytearray(OLD)
    for i in range(20):
        (word,) = struct.unpack_from("<I", old, SECTOR + 4 * i)
        struct.pack_into("<I", new, SECTOR + 4 * i, (word + 0x00A37F81) & 0xFFFFFFFF)
    # A byte that only the carry changes, one where it is lost at the end of what is changed, and one at the end of a piece.
    old[SECTOR + 100:SECTOR + 108] = b"\xf0\x10\x20\xff\xff\x07\x80\x80"
    new[SECTOR + 100:SECTOR + 108] = b"\x10\x11\x20\x01\x01\x07\x90\x90"
    old[SECTOR + 128:SECTOR + 132] = b"\xff\xff\xff\xff"
    new[SECTOR + 128:SECTOR + 132] = b"\x01\x02\x03\x04"
    pieces = {0: [(0, 2), 2, (4, 252)], 1: [(SECTOR, 130), (SECTOR + 130, 126)]}
    return Delta(bytes(new), [("stash", 1, 0), ("write", 1)], pieces, old=bytes(old))


def repeated():
    """New bytes that repeat themselves as far back as the window reaches."""
    once = noise(512 - 4, 9)
    new = with_params(noise(SECTOR, 1)) + (once + once[:300] + bytes(3 * SECTOR))[:4 * SECTOR]
    return Delta(new, [("write", i) for i in range(1, 5)], {i: [SECTOR] for i in range(1, 5)},
                 pack=lambda data, bits: packed(data, 1 << bits))


def few():
    """Few changes. The last byte that is read of them has a code of 9 bits; behind that there are 4 more, and then the trailer."""
    new = bytearray(OLD)
    for at in (9, 15, 21, 27, 33):
        new[at] = (new[at] + 0xAA) & 0xFF
    lengths = {0xFF: 1, 256: 2, 5: 3, 0xAA: 4, 0: 5, 1: 6, 2: 7, 3: 8, 4: 9, 0x7F: 9}
    return Delta(bytes(new), pieces={0: [4, (4, 252)]},
                 pack=lambda data, bits: dynamic(data, lengths) if data[0] == 5 else stored(data))


def addresses():
    """Sectors 1 and 2 have pointers and calls, and move by 64 and 12 bytes; 3 is as it was, but for addresses; of 4 a piece moves by 2.
    Of pointers: the first and last of the map, outside of it, not at a multiple of 4. Of calls: forth and back, the farthest, at each
    place in a word, over the end of a piece."""
    old = bytearray(with_params(noise(6 * SECTOR, 11)))
    for at in range(SECTOR, 6 * SECTOR):
        # No calls but those below.
        old[at] ^= old[at] & 0x3F == 5
    for i, target in enumerate((0x3FFE8000, 0x3FFE9000, 0x40100000, 0x40200100, 0x40200140, 0x402001FF, 0x40200200, 0x40200400,
                                0x40200401, 0x40300000, 0x3FFE7FFF)):
        struct.pack_into("<I", old, SECTOR + 8 + 4 * i, target)
        struct.pack_into("<I", old, 3 * SECTOR + 8 + 4 * i, target)
        struct.pack_into("<I", old, 2 * SECTOR + 9 + 5 * i, target)
        struct.pack_into("<I", old, 4 * SECTOR + 8 + 4 * i, target)
    for i, way in enumerate((0, 1, -1, 40, -90, 0x1FFFF, -0x20000, 200, -60, 7)):
        for sector in (1, 2, 3, 4):
            struct.pack_into("<I", old, sector * SECTOR + 100 + 13 * i, 5 | (way & 0x3FFFF) << 6 | 0x10000000)
    old = bytes(old)
    moves = [(0x3FFE8000, 0x20), (0x40100000, 0), (0x40200100, 64), (0x40200200, -8), (0x40200401, 0)]
    pieces = {1: [64, (SECTOR, 192)], 2: [12, (2 * SECTOR, 151), (2 * SECTOR + 151, 93)], 3: [(3 * SECTOR, 256)],
              4: [(4 * SECTOR + 2, 200), 56]}
    # As foreseen, but for a byte in each; the pieces that move by 2 have their calls alone.
    new = bytearray(with_params(noise(5 * SECTOR, 12)))
    for sector, parts in pieces.items():
        off = sector * SECTOR
        for part in parts:
            if not isinstance(part, int):
                new[off:off + part[1]] = predicted(old[part[0]:sum(part)], part[0], off, moves, True)
                new[off + 90] ^= 0x20
            off += part if isinstance(part, int) else part[1]
    ops = [("stash", i, i - 1) for i in range(1, 5)] + [("write", i) for i in range(1, 5)]
    return Delta(bytes(new), ops, pieces, old=old, moves=moves, has_calls=True)


def addresses_of(old, moves, has_calls, **fields):
    """Sectors 1 to 4 of `old`, 8 bytes further on, as is foreseen."""
    new = with_params(noise(SECTOR, 1)) + noise(8, 2)
    pieces = {1: [8, (SECTOR, 248)]}
    for sector in (2, 3, 4):
        pieces[sector] = [(sector * SECTOR - 8, 256)]
    for sector, parts in pieces.items():
        at, size = parts[-1]
        new += predicted(old[at:at + size], at, at + 8, moves, has_calls)
    ops = [("stash", i, i - 1) for i in range(1, 5)] + [("write", i) for i in range(1, 5)]
    return Delta(new, ops, pieces, old=old, moves=moves, has_calls=has_calls, **fields)


# Words of OLD are among these.
OLD_MOVES = [(0x3A000000, 0x100), (0x46464645, -0x30), (0x50000000, 0x7FFFFFF - 0x30), (0x5F5F5F5F, 0)]


def good_vectors():
    """name -> (Delta, meaning)."""
    plain = with_params(noise(SECTOR, 1))
    return {
        "first-alone": (Delta(plain + OLD[SECTOR:]), "the first sector is new, all others stay: no operations"),
        "short": (Delta(with_params(noise(100, 4))), "the new image is shorter than a sector"),
        "all-new": (Delta(plain + noise(700, 5), [("write", 1), ("write", 2), ("write", 3)]), "nothing is copied"),
        "moved": (moved(), "pieces that moved, some bytes of them changed; slots are used twice; the image grows"),
        "carried": (carried(), "changed bytes that follow each other: carried within a run, not over a byte that stays, not into "
                               "the next piece"),
        "shrunk": (Delta(plain + OLD[3 * SECTOR:4 * SECTOR + 50], [("write", 1), ("write", 2)],
                         {1: [(3 * SECTOR, 256)], 2: [(4 * SECTOR, 50)]}), "the image becomes smaller; what was behind it is left"),
        "of-the-first": (Delta(plain + OLD[:SECTOR] + OLD[2 * SECTOR:], [("write", 1)], {1: [(0, 256)]}),
                         "a piece of the old first sector, whose bytes 2 and 3 are those of the file, not the device's"),
        "repeated": (repeated(), "both streams packed, with references over the whole window of 512 bytes"),
        "few-changes": (few(), "the changes end 4 bits behind their last byte, right before the trailer"),
        "names": (Delta(plain + OLD[SECTOR:], names=(b"twenty letters, all.", b"")), "a name of 20 letters; none"),
        "addresses": (addresses(), "pointers and calls are predicted: within the map and outside, calls of each kind"),
        "pointers": (addresses_of(OLD, OLD_MOVES, False), "pointers are predicted, and no calls; shifts as large as can be"),
        "calls": (addresses_of(OLD, OLD_MOVES, True), "the same with calls"),
        "largest-map": (addresses_of(OLD, [(MAP_BASE + 1 + i * i * 0x10101, 5 * i - 300) for i in range(128)], True, window_bits=(15, 10)),
                        "128 entries, beside the largest windows"),
        "windows": (Delta(plain + OLD[SECTOR:], window_bits=(15, 10)), "the largest windows"),
    }


def bad_vectors():
    """name -> (Delta or bytes, meaning)."""
    plain = with_params(noise(SECTOR, 1))
    good = Delta(plain + OLD[SECTOR:])
    data = good.bytes()

    def lengthened(size):
        """As many bytes more than a multiple of 4 has, all else right."""
        longer = bytearray(data[:-4] + bytes(size))
        struct.pack_into("<I", longer, 12, len(data) + size)
        return bytes(longer) + struct.pack("<I", zlib.crc32(longer))

    def header(off, value, **fields):
        return Delta(good.new, override={off: value}, **fields)

    def mapped(*entries):
        """With a map of these numbers."""
        numbers = b"".join(n if isinstance(n, bytes) else number(n) for entry in entries for n in entry)
        return Delta(good.new, moves=[(0, 0)] * len(entries), map_numbers=numbers)

    def two(ops, pieces, **fields):
        """Sectors 1 and 2 exchanged, by these operations."""
        new = plain + OLD[2 * SECTOR:3 * SECTOR] + OLD[SECTOR:2 * SECTOR] + OLD[3 * SECTOR:]
        return Delta(new, ops, pieces, **fields)

    exchange = {1: [(2 * SECTOR, 256)], 2: [(SECTOR, 256)]}
    return {
        "bad-empty": (b"", "no bytes"),
        "bad-short": (data[:131], "less than a header and a CRC"),
        "bad-magic": (header(0, b"MDL2"), "another version"),
        "bad-flag": (header(4, b"\x01\0"), "a flag that is not known"),
        "bad-map-count": (Delta(good.new, moves=[(MAP_BASE + 1 + i, i) for i in range(129)]), "a map of 129 entries"),
        "bad-map-twice": (mapped((0x10, 0), (0, 4)), "a map with two entries for one address"),
        "bad-map-order": (mapped((0xFFFFFFF, 0), *[(0xFFFFFFF, 0)] * 12), "a map whose addresses wrap around behind 0xFFFFFFFF"),
        "bad-map-base": (mapped((0, 4), (0x10, 0)), "a map that begins below the first address that can be"),
        "bad-map-number": (mapped((0x10, b"\x80\x80\x80\x80\x01"), (0x10, 0)), "a map with a number of 5 bytes"),
        "bad-map-short": (Delta(good.new, moves=[(0, 0)] * 9, map_numbers=b"", main=number(1) * 17), "the main stream ends in the map"),
        "bad-sector-size": (header(8, 384), "a sector size that is no power of 2"),
        "bad-file-size": (header(12, len(data) + 4), "another size than the file has"),
        "bad-file-unaligned": (lengthened(1), "a size that is no multiple of 4"),
        "bad-old-size": (header(16, 0), "no old image"),
        "bad-new-size": (header(20, 1025 * SECTOR), "a new image of 1025 sectors"),
        "bad-op-count": (header(72, struct.pack("<H", 2048)), "2048 operations"),
        "bad-slot-count": (header(74, struct.pack("<H", 33)), "33 slots"),
        "bad-window": (header(76, b"\x10"), "a window of 64 KB"),
        "bad-windows": (header(76, b"\x0f\x0f"), "two windows of 32 KB"),
        "bad-main-offset": (header(80, 130), "the main stream is not at a multiple of 4"),
        "bad-changes-offset": (header(84, len(data)), "the changes are behind the end"),
        "bad-crc": (Delta(good.new, trailer=b"\0\0\0\0"), "the file's CRC"),
        "bad-op-first": (Delta(good.new, [("write", 0)]), "an operation on the first sector"),
        "bad-op-outside": (Delta(good.new, [("stash", 6, 0)]), "a sector behind the old image's end is stashed"),
        "bad-op-slot": (two([("stash", 1, 0), ("write", 1), ("write", 2)], exchange, slot_count=0), "a slot that is not counted"),
        "bad-number": (Delta(good.new, main=b"\x80\x82\x80\x80\0" + good.new[:SECTOR]), "256 as a number of 5 bytes"),
        "bad-ops-crc": (Delta(good.new, ops_crc=0x12345678), "operations with another CRC"),
        "bad-gone": (two([("write", 1), ("write", 2)], exchange), "a sector that was written over is read"),
        "bad-itself": (Delta(plain + OLD[SECTOR + 8:2 * SECTOR] + bytes(8) + OLD[2 * SECTOR:], [("write", 1)], {1: [(SECTOR + 8, 248), 8]}),
                       "a sector is made of itself, which a power cut would destroy"),
        "bad-stash": (two([("write", 2), ("stash", 2, 0), ("write", 1)], {1: [(2 * SECTOR, 256)], 2: [256]}),
                      "a sector that was written over is stashed"),
        "bad-slot-reused": (two([("stash", 1, 0), ("stash", 3, 0), ("write", 1), ("write", 2)], exchange),
                            "a slot is taken while what is in it is needed"),
        "bad-piece-outside": (Delta(good.new, main=number(0) + number(256) + number(zigzag(-1))), "bytes before the old image"),
        "bad-piece-behind": (Delta(good.new, main=number(0) + number(256) + number(zigzag(len(OLD) - 255))),
                             "bytes behind the old image's end"),
        "bad-piece-empty": (Delta(good.new, main=number(0) + number(0) + number(0) + number(SECTOR) + good.new[:SECTOR]),
                            "a piece of no bytes"),
        "bad-piece-long": (Delta(good.new, main=number(1) + b"x" + number(256) + number(0)), "a piece longer than the sector"),
        "bad-new-long": (Delta(good.new, main=number(257) + bytes(257)), "more new bytes than the sector has"),
        "bad-main-short": (Delta(good.new, main=number(256) + bytes(255)), "the main stream ends too soon"),
        "bad-changes-short": (Delta(plain[:4] + changed(OLD[4:SECTOR], 8, b"\xaa") + OLD[SECTOR:], pieces={0: [4, (4, 252)]}, changes=b"\x08"),
                              "the changes end too soon"),
        "bad-sector": (Delta(good.new, main=number(256) + bytes(256)), "a sector that has another CRC"),
        "bad-image": (header(24, 0x12345678), "an image that has another CRC"),
    }


def main():
    files = {VECTORS / "old.bin": OLD}
    meanings = {"old": "the image that all but `carried` are made of"}
    for name, (delta, meaning) in good_vectors().items():
        delta.apply()
        files[VECTORS / (name + ".bin")] = delta.bytes()
        files[VECTORS / (name + "-new.bin")] = delta.new
        meanings[name] = meaning
        if delta.old != OLD:
            files[VECTORS / (name + "-old.bin")] = delta.old
    for name, (delta, meaning) in bad_vectors().items():
        files[VECTORS / (name + ".bin")] = delta if isinstance(delta, bytes) else delta.bytes()
        meanings[name] = meaning
    # Seeds that the ones that are there do not replace: operations with slots, carries, references.
    for name in ("moved", "carried", "repeated", "pointers", "calls", "bad-map-order"):
        files[CORPUS / name] = files[VECTORS / (name + ".bin")]
    words = ["Made by ../make_deltas.py, without molt's code. Never edited, only added. Sectors of 256 bytes. X.bin makes X-new.bin of",
             "old.bin, or of X-old.bin where that is there. tests/unit/test_stored_delta.c has what is to be said about each."]
    files[VECTORS / "README.md"] = readme("Delta files", words, meanings)
    return keep(files)


if __name__ == "__main__":
    sys.exit(main())
