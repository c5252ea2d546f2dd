#!/usr/bin/env python3
"""Regions of frozen modules, made from docs/format-store.md alone: tests/vectors/store/*.bin, and the fuzz corpus.

usage: make_stores.py [--check]    --check: compare with what is committed, write nothing

Each file is a region of eight 512-byte sectors. `unit-store` reads them and knows what has to be found.
"""

import struct
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from committed import keep  # noqa: E402

HERE = Path(__file__).resolve().parent
SECTOR, SECTORS = 512, 8
ERASED = 0xFFFFFFFF


def number(value):
    out = bytes([value & 0x7F])
    while value > 0x7F:
        value >>= 7
        out = bytes([0x80 | value & 0x7F]) + out
    return out


def mpy(names, filler=0):
    """A module with these names, a constant of `filler` bytes, and one function."""
    out = b"M\x06\x00\x1f" + number(len(names)) + number(1)
    for name in names:
        out += number(len(name) * 2) + name.encode() + b"\0"
    out += b"\x06" + number(filler) + bytes(i & 0xFF for i in range(filler)) + b"\0"
    return out + number(4 << 3) + b"\x10\x02\x01\x63"


class Region:
    def __init__(self):
        self.bytes = bytearray(b"\xff" * SECTOR * SECTORS)
        self.end = len(self.bytes)

    def put(self, name, data, commit=0, delete=ERASED, wanted=ERASED, magic=b"MOLF", crc=None, spoil_header=False):
        if self.end % SECTOR < 128:
            self.end -= self.end % SECTOR
        at = self.end - 128
        fields = struct.pack("<BBHII", 1, len(name), 0, len(data), zlib.crc32(data) if crc is None else crc)
        padded = name.encode().ljust(64, b"\0")
        header = magic + fields + struct.pack("<I", zlib.crc32(padded, zlib.crc32(fields)) ^ spoil_header)
        header += struct.pack("<III", commit, delete, wanted) + b"\xff" * 32 + padded
        assert len(header) == 128
        self.bytes[at:at + 128] = header
        start = at - (len(data) + 3 & ~3)
        self.bytes[start:start + len(data)] = data
        self.end = start
        return at


def vectors():
    a, b, c = mpy(["a.py", "first"], 40), mpy(["b.py", "second"], 600), mpy(["c.py", "x"], 3)
    made = {"empty": Region()}
    r = made["three"] = Region()
    r.put("alpha", a), r.put("pkg.beta", b), r.put("gamma", c)
    r = made["deleted"] = Region()
    r.put("alpha", a, delete=0), r.put("beta", b), r.put("gamma", c, delete=0x7FFFFFFF, wanted=0)
    r = made["uncommitted"] = Region()
    r.put("alpha", a), r.put("beta", b, commit=ERASED), r.put("gamma", c, commit=0x80000000)
    r = made["two-of-a-name"] = Region()
    r.put("alpha", a), r.put("alpha", c)
    r = made["torn-header"] = Region()
    r.put("alpha", a)
    r.put("beta", c, magic=b"\xff\xff\xff\xff")
    r.end -= r.end % SECTOR
    r.put("gamma", b)
    r = made["bad-crc"] = Region()
    r.put("alpha", a), r.put("beta", c, crc=1)
    r = made["damaged"] = Region()
    r.put("alpha", a), r.put("beta", c, spoil_header=True), r.put("gamma", c)
    return {name: bytes(region.bytes) for name, region in made.items()}


def modules():
    return {"small": mpy(["a.py"]), "names": mpy(["a.py", "b", "c" * 255, "", "d\0e"], 7), "large": mpy(["x.py", "y"], 3000)}


def main():
    files = {HERE / "store" / (name + ".bin"): data for name, data in vectors().items()}
    corpus = HERE.parent / "fuzz" / "corpus"
    files.update({corpus / "store" / name: data for name, data in vectors().items()})
    files.update({corpus / "mpy" / name: data for name, data in modules().items()})
    return keep(files)


if __name__ == "__main__":
    sys.exit(main())
